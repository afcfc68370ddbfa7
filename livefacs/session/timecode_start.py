"""Takes that begin where timecode runs on a wire, and end where it stops."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

from livefacs.clock import NS_PER_S, now_ns
from livefacs.errors import TakeError
from livefacs.protocols import TakeRequest
from livefacs.session.takes import Takes
from livefacs.workers import Worker

ROLL_IN_S: Final = 0.5
"""Timecode that runs for so long without a gap starts a take, which begins where it began."""
KEPT_S: Final = 1.5
"""Of frames that are kept for it: the roll-in, and what a wire takes to be understood."""
_PERIOD_S: Final = 0.05


class Wire(Protocol):
    """What runs or does not run (``sources.wire_timecode``)."""

    description: str

    @property
    def is_heard(self) -> bool:
        """False while nothing has run for a second and a half, or never did."""

    @property
    def running_since_ns(self) -> int | None:
        """Session time at which the first frame of the running timecode began; None: none runs."""


class TakesByTimecode:
    """Starts and ends takes by a wire, in a thread of its own; ``start`` begins to.

    A take that somebody else has started is left alone. One that somebody else has ended is
    followed by the next when timecode has stopped and runs again.

    Parameters
    ----------
    wire : Wire
    takes : Takes
    notify : callable(str)
    on_end : callable or None
        Called when a take has ended so.
    clock : callable, nanoseconds
    """

    def __init__(
        self,
        wire: Wire,
        takes: Takes,
        notify: Callable[[str], None],
        on_end: Callable[[], None] | None = None,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self._wire = wire
        self._takes = takes
        self._notify = notify
        self._on_end = on_end
        self._clock = clock
        self._own: int | None = None  # which take was started here and has not ended
        self._is_waiting = True
        self._closing = threading.Event()
        self._thread: Worker | None = None

    def start(self, on_failure: Callable[[BaseException], object]) -> None:
        """Look at the wire twenty times a second from now on."""
        self._thread = Worker(self._watch, "livefacs-timecode", on_failure)
        self._thread.start()

    def close(self) -> None:
        """Start and end no more takes."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Start or end a take, where it is time to."""
        is_running, takes = self._wire.is_heard, self._takes
        if self._own is not None and (takes.n_started != self._own or not takes.is_open):
            self._own, self._is_waiting = None, False  # somebody else ended it
        if self._own is not None:
            if not is_running:
                self._end()
        elif not is_running:
            self._is_waiting = True
        elif self._is_waiting:
            since_ns = self._wire.running_since_ns
            if since_ns is not None and self._clock() - since_ns >= ROLL_IN_S * NS_PER_S:
                self._begin(since_ns)

    def _watch(self) -> None:
        while not self._closing.wait(_PERIOD_S):
            self.look()

    def _begin(self, since_ns: int) -> None:
        self._is_waiting = False
        if self._takes.is_open:
            return
        try:
            label = self._takes.start(TakeRequest(since_ns=since_ns))
        except TakeError as refusal:
            self._notify(f"timecode runs: {refusal}")
            return
        self._own = self._takes.n_started
        self._notify(f"timecode runs: take started at {label}")

    def _end(self) -> None:
        self._own, self._is_waiting = None, True
        try:
            label, *_ = self._takes.stop()
        except TakeError as refusal:
            self._notify(f"timecode stopped: {refusal}")
        else:
            self._notify(f"timecode stopped: take ended at {label}")
        if self._on_end is not None:
            self._on_end()
