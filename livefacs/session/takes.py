"""The takes of a session, one after the other: started, marked and ended from any thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Protocol

from livefacs.clock import NS_PER_S, now_ns, ns_from_s
from livefacs.errors import TakeError
from livefacs.protocols import TakeRequest
from livefacs.types import TrackedFrame

_log = logging.getLogger(__name__)

_LONGEST_OPENING_NS: Final = 10 * NS_PER_S  # of frames that are kept while a take is made


class Recording(Protocol):
    """A take that is being written; ``session.composition`` makes it."""

    @property
    def timecode(self) -> str:
        """Timecode at which the take starts."""

    @property
    def late(self) -> bool:
        """True while the writer is behind."""

    @property
    def failure(self) -> str:
        """Why nothing more is recorded; empty while all is well."""

    def send(self, tracked: TrackedFrame) -> None:
        """Queue one frame for the writer."""

    def mark(self, label: str, kind: str = "mark", face: int | None = None) -> None:
        """Put a marker at the newest frame; ``kind`` ``neutral`` notes a neutral capture.

        ``face``: of which performer; None: of all.
        """

    def finish(self) -> tuple[str, str, str]:
        """Close the take: end timecode, path of the curves, path of the video."""


RecordingFactory = Callable[[TakeRequest], Recording]


class Takes:
    """What is recorded of a session.

    Parameters
    ----------
    factory : callable(TakeRequest) that opens a take, or None

    Attributes
    ----------
    slate : str or None
        Name of the next take.
    number : int or None
        Number of the next take.
    n_started : int
        Takes so far.
    """

    def __init__(self, factory: RecordingFactory | None) -> None:
        self._factory = factory
        self._is_closed = False
        self._lock = threading.Lock()
        self._recording: Recording | None = None
        self._keeping = threading.Lock()
        self._kept: deque[TrackedFrame] = deque()
        self._kept_ns = 0
        self._keeps_images = False
        self._is_opening = False
        self.n_started = 0
        self.slate: str | None = None
        self.number: int | None = None

    @property
    def is_open(self) -> bool:
        """True between the start and the end of a take, also of one that failed meanwhile."""
        return self._recording is not None

    @property
    def late(self) -> bool:
        """True while the writer is behind."""
        recording = self._recording
        return recording is not None and recording.late

    @property
    def failure(self) -> str:
        """Why the take at hand ended early; empty where it did not."""
        recording = self._recording
        return "" if recording is None else recording.failure

    def status(self) -> dict[str, Any]:
        """What a session's status says of takes, in plain values."""
        return {
            "recording": self.is_open and not self.failure,
            "recording_failure": self.failure,
            "slate": self.slate,
            "take": self.number,
        }

    def send(self, tracked: TrackedFrame) -> None:
        """Record a frame, while there is a take; keep it for a while, where there is none."""
        recording = self._recording
        if recording is None and self._kept_ns:
            with self._keeping:
                recording = self._recording
                if recording is None:
                    self._keep(tracked)
        if recording is not None:
            recording.send(tracked)

    def keep(self, seconds: float, *, images: bool) -> None:
        """From now on keep frames while there is no take: one may begin with them."""
        self._kept_ns, self._keeps_images = ns_from_s(seconds), images

    def _keep(self, tracked: TrackedFrame) -> None:
        self._kept.append(tracked if self._keeps_images else replace(tracked, image=None))
        longest_ns = _LONGEST_OPENING_NS if self._is_opening else self._kept_ns
        while tracked.t_ns - self._kept[0].t_ns > longest_ns:
            self._kept.popleft()

    def start(self, request: TakeRequest) -> str:
        """Start a take; its start timecode. One that ended early makes way for it.

        Raises
        ------
        TakeError
            There is no take folder, a take is being recorded already, or the session ends.
        """
        if self._factory is None:
            raise TakeError(
                "cannot record: this session has no take folder; start it with --record DIR"
            )
        with self._lock:
            if self._is_closed:
                raise TakeError("cannot record: the session is ending")
            if self._recording is not None and not self._recording.failure:
                raise TakeError("cannot record: a take is being recorded already; stop it first")
            if self._recording is not None:
                self._recording.finish()
                self._recording = None
            if request.slate is not None:
                self.slate = request.slate
            if request.number is not None:
                self.number = request.number
            recording = self._open(self._factory, request)
            _log.info("take of slate %s begins at %s", self.slate, recording.timecode)
            return recording.timecode

    def _open(self, factory: RecordingFactory, request: TakeRequest) -> Recording:
        """A take, and into it what is kept of its frames: no other comes between."""
        with self._keeping:
            self._is_opening = True
            since_ns = begin_ns = request.since_ns
            if since_ns is not None:
                kept = (each.t_ns for each in self._kept if each.t_ns >= since_ns)
                # Where no frame is kept of it, its sound is.
                begin_ns = next(kept, max(since_ns, now_ns() - self._kept_ns))
        named = replace(request, slate=self.slate, number=self.number, since_ns=begin_ns)
        try:
            recording = factory(named)
            with self._keeping:
                for tracked in self._kept:
                    if begin_ns is not None and tracked.t_ns >= begin_ns:
                        recording.send(tracked)
                self._kept.clear()
                self._recording = recording
                self.n_started += 1
        finally:
            self._is_opening = False
        return recording

    def stop(self) -> tuple[str, str, str]:
        """End the take: timecode, path of its curves, path of its video (empty without one).

        Raises
        ------
        TakeError
            No take is being recorded.
        """
        with self._lock:
            recording, self._recording = self._recording, None
            if recording is None:
                raise TakeError("no take is being recorded")
            if self.number is not None:
                self.number += 1
        ended = recording.finish()
        _log.info("take ended at %s: %s", *ended[:2])
        return ended

    def close(self) -> None:
        """End the take, where there is one; no other starts."""
        with self._lock:
            self._is_closed = True
            recording, self._recording = self._recording, None
        if recording is not None:
            recording.finish()

    def mark(self, label: str) -> None:
        """Put a marker at the present frame.

        Raises
        ------
        TakeError
            No take is being recorded, or it has ended early.
        """
        recording = self._recording
        if recording is None:
            raise TakeError("cannot mark: no take is being recorded")
        if recording.failure:
            raise TakeError(f"cannot mark: {recording.failure}; start another take")
        recording.mark(label)

    def note_neutral(self, face: int | None = None) -> None:
        """Mark that a neutral is captured from here on, where there is a take.

        Parameters
        ----------
        face : int or None
            Whose; None: everyone's.
        """
        recording = self._recording
        if recording is not None:
            recording.mark("neutral capture", "neutral", face)
