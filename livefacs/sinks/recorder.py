"""Records tracked frames into a take: one writer thread behind a bounded queue.

The session's thread only appends to a queue. The writer brings what is queued to the system ten
times a second; a third thread asks twice a second that it reaches the disk. While the disk keeps
up nothing is dropped; when it does not, frames carry RECORDER_LATE, and what does not fit into ten
seconds of queue is counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from livefacs.clock import ClockMap
from livefacs.errors import TakeError
from livefacs.sinks.disk_space import FreeBytes, free_bytes, low_space_warning, make_take_room
from livefacs.sinks.take_sound import OpenSound, SoundSink
from livefacs.sinks.take_summary import Counts, TakeSummary
from livefacs.sinks.take_video import TakeVideo
from livefacs.take.layout import VIDEO_FILE, Marker, TakeInfo, unwritable
from livefacs.take.writer import CountFrames, TakeWriter
from livefacs.types import Health, SinkCounters, TrackedFrame
from livefacs.workers import Worker

_log = logging.getLogger(__name__)

_WRITE_PERIOD_S: Final = 0.1
_SYNC_PERIOD_S: Final = 0.5
_SPACE_PERIOD_S: Final = 2.0
_STALLED_S: Final = 5.0  # a disk that takes nothing for so long is waited for no more
_QUEUED_S: Final = 10.0  # of frames, before the oldest rule is "never block the session"
_PLACES: Final = 1000  # frames that a late marker may belong to
_QUEUED_IMAGES: Final = 60  # 55 MB at 640 x 480


class RecorderSink:
    """Records one take. ``send`` takes about a microsecond and never blocks or raises.

    Only frames of a file, which nobody waits for, are held back until the writer has room.

    Frames are kept by reference until they are written: their arrays must not change later.

    Attributes
    ----------
    error : BaseException or None
        What ended the take early, with its traceback; ``failure`` says it in words.

    Parameters
    ----------
    folder : Path
        Folder of the take; made if absent, must not hold a take yet.
    info : TakeInfo
    video : bool
        Record the frames' images, where they have one.
    sound : OpenSound or None
        Opens the sound that is recorded beside them.
    count : as of ``TakeWriter``
    on_warning : callable(str)
        Told once of each trouble (low space, a failed write), from the writer's thread.
    on_end : callable(TakeSummary)
        Told when the take is closed, from the writer's thread.
    free : callable(folder) that gives the bytes left
    clock : ClockMap, read by default

    Raises
    ------
    TakeError
        The folder holds a take, cannot be written, or its disk is full.
    """

    def __init__(
        self,
        folder: Path,
        info: TakeInfo,
        *,
        video: bool = False,
        sound: OpenSound | None = None,
        count: CountFrames | None = None,
        on_warning: Callable[[str], None] | None = None,
        on_end: Callable[[TakeSummary], None] | None = None,
        free: FreeBytes = free_bytes,
        clock: ClockMap | None = None,
    ) -> None:
        self.folder = folder
        self.url = str(folder)
        self.counters = SinkCounters()
        self._info = info
        self._clock = clock or ClockMap.read()
        self._wants_video = video
        self._video: TakeVideo | None = None
        self._on_warning = on_warning
        self._on_end = on_end
        self._free = free
        self._counts = Counts()
        self.error: BaseException | None = None
        make_take_room(folder, free)
        self._writer = TakeWriter(folder, info, self._clock, count)
        self._sound: SoundSink | None = None
        self._queue: deque[TrackedFrame | Marker] = deque()
        self._capacity = round(_QUEUED_S * max(info.rate_hz, 30.0))
        self._n_images = 0
        self._places: deque[tuple[int, int, int]] = deque(maxlen=_PLACES)  # row, i_frame, t_ns
        self._n_accepted = 0
        self._failed = False
        self._stopping = False
        self._wake = threading.Event()
        self._has_room = threading.Event()
        self._began_s = time.monotonic()
        self._next_space_s = self._began_s
        self._summary: TakeSummary | None = None
        self._thread = Worker(self._run, "livefacs-recorder", self._fail)
        self._ended = threading.Event()
        self._sync_error: OSError | None = None
        self._syncer = Worker(self._sync, "livefacs-sync")
        if sound is not None:
            self._open_sound(sound)
        self._thread.start()
        self._syncer.start()

    def _open_sound(self, sound: OpenSound) -> None:
        writer = self._writer
        try:
            self._sound = sound(writer, self._warn)
            writer.describe_sound(self._sound.entry)
        except OSError as error:
            writer.close("failed", {"failure": str(error)})
            raise unwritable(self.folder, error) from error

    # The session's side.

    @property
    def timecode(self) -> str:
        """Timecode label at which the take starts."""
        return self._writer.start_label

    @property
    def late(self) -> bool:
        """True while the writer is behind by half its queue."""
        return len(self._queue) > self._capacity // 2

    @property
    def failure(self) -> str:
        """Why nothing more is recorded; empty while all is well."""
        return self._counts.failure

    @property
    def warnings(self) -> tuple[str, ...]:
        """Troubles so far, in words."""
        return tuple(self._counts.warnings)

    @property
    def n_rows(self) -> int:
        """Frames written so far."""
        return self._writer.n_rows

    def send(self, tracked: TrackedFrame) -> None:
        """Queue one frame for the writer."""
        self.counters.frames += 1
        if not self._info.is_live:
            self._wait_for_room(tracked)
        behind = len(self._queue)
        if self._failed or behind >= self._capacity:
            self.counters.refused += 1
            return
        if behind > self._capacity // 2:
            self._counts.late += 1
            tracked = replace(tracked, health=tracked.health | Health.RECORDER_LATE)
        if tracked.image is not None:
            tracked = self._with_image_or_not(tracked)
        self._places.append((self._n_accepted, tracked.i_frame, tracked.t_ns))
        self._n_accepted += 1
        self._queue.append(tracked)

    def mark(
        self,
        label: str,
        kind: str = "mark",
        face: int | None = None,
        t_ns: int | None = None,
    ) -> None:
        """Put a marker at the newest frame, or at that of a moment just before.

        Parameters
        ----------
        label : str
        kind : str
            ``neutral`` notes a neutral capture, ``clap`` a clap.
        face : int or None
            For takes of several performers: the one whose it is, None for all.
        t_ns : int or None
            Session time of what is marked; None: now.
        """
        self._queue.append(Marker(*self._place_at(t_ns), 0, kind, label))

    def _place_at(self, t_ns: int | None) -> tuple[int, int, int]:
        """Row, number and time of the newest frame, or of the one that a moment belongs to."""
        places = list(self._places) or [(-1, 0, self._clock.session_ns)]
        return next((p for p in reversed(places) if t_ns is None or p[2] <= t_ns), places[0])

    def close(self) -> TakeSummary:
        """Write what is queued and close the take. A second call gives the same summary.

        Raises
        ------
        TakeError
            The disk has taken nothing for some seconds; what it took before is safe.
        """
        self._stopping = True
        self._wake.set()
        seen, waited_s = self._progress(), 0.0
        while self._thread.is_alive() and waited_s < _STALLED_S:
            self._thread.join(_WRITE_PERIOD_S)
            waited_s += _WRITE_PERIOD_S
            if (now := self._progress()) != seen:
                seen, waited_s = now, 0.0
        if self._summary is None:
            reason = self.failure or f"its disk took nothing for {_STALLED_S:.0f} s"
            raise TakeError(
                f"{self.folder}: {reason}; the take is not closed, {self._writer.n_rows} frames are"
                " in it: livefacs takes repair"
            )
        return self._summary

    def _progress(self) -> tuple[int, int]:
        return self._writer.n_bytes, self._counts.images

    def finish(self) -> tuple[str, str, str]:
        """Close; end timecode, folder of the take, path of the video (empty without one)."""
        end_ns = self._place_at(None)[2]
        self.close()
        video = self.folder / VIDEO_FILE
        path = str(video) if self._counts.images else ""
        return self._writer.timecode_label(end_ns), str(self.folder), path

    def _wait_for_room(self, tracked: TrackedFrame) -> None:
        has_image = tracked.image is not None and self._wants_video
        while not self._failed and (
            len(self._queue) >= self._capacity // 2
            or (has_image and self._n_images >= _QUEUED_IMAGES)
        ):
            self._wake.set()
            self._has_room.wait(_WRITE_PERIOD_S)
            self._has_room.clear()

    def _with_image_or_not(self, tracked: TrackedFrame) -> TrackedFrame:
        if not self._wants_video:
            return replace(tracked, image=None)
        if self._n_images >= _QUEUED_IMAGES:
            self._counts.images_dropped += 1
            return replace(tracked, image=None)
        self._n_images += 1
        return tracked

    # The writer's side.

    def _run(self) -> None:
        while not self._failed and not self._stopping:
            self._wake.wait(_WRITE_PERIOD_S)
            self._wake.clear()
            self._work()
            self._has_room.set()
        if not self._failed:
            self._work()
        self._finish()

    def _work(self) -> None:
        try:
            if self._sync_error is not None:
                raise self._sync_error
            self._drain()
            now_s = time.monotonic()
            if now_s >= self._next_space_s:
                self._next_space_s = now_s + _SPACE_PERIOD_S
                self._watch_space(now_s - self._began_s)
        except Exception as error:  # the session goes on without the recorder, and says so
            self._fail(error)

    def _sync(self) -> None:
        """Bring what is written to the disk, in a thread of its own: a disk may take its time."""
        while not self._ended.wait(_SYNC_PERIOD_S):
            try:
                self._writer.sync()
            except OSError as error:  # what was written may be lost: the take ends, and says so
                self._sync_error = error
                self._wake.set()
                return

    def _drain(self) -> None:
        """Write what is queued now; what comes meanwhile has its turn next time."""
        frames: list[TrackedFrame] = []
        for _ in range(len(self._queue)):
            item = self._queue.popleft()
            if isinstance(item, TrackedFrame):
                frames.append(item)
            else:
                self._append(frames)
                frames = []
                timecode = self._writer.timecode_frame(item.t_ns)
                self._writer.mark(replace(item, timecode=timecode))
        self._append(frames)

    def _append(self, frames: list[TrackedFrame]) -> None:
        first_row = self._writer.n_rows
        self._writer.append(frames)
        self.counters.packets = self._writer.n_rows
        self.counters.bytes = self._writer.n_bytes
        images = [
            (first_row + index, frame.t_ns, frame.image)
            for index, frame in enumerate(frames)
            if frame.image is not None
        ]
        if images and self._wants_video:
            self._append_video(images)
        if frames and self._sound is not None:
            self._sound.reach(frames[0].t_ns, frames[-1].t_ns)

    def _append_video(self, images: list[tuple[int, int, Any]]) -> None:
        try:
            if self._video is None:
                height, width = images[0][2].shape[:2]
                self._video = TakeVideo(self._writer, (width, height), self._info.rate_hz)
                self._writer.describe_video(*self._video.describe())
            self._writer.seal_pictures(self._video.append(images))
            self._counts.images += len(images)
        except (OSError, ValueError) as error:
            self._wants_video = False
            self._warn(f"the video of the take ends here: {error}; the records go on")
        finally:
            self._n_images -= len(images)

    def _watch_space(self, elapsed_s: float) -> None:
        left = self._free(self.folder)
        warning = low_space_warning(self.folder, left, self._writer.n_bytes, elapsed_s)
        if warning:
            self._warn(warning, once=warning.partition(":")[0])

    def _fail(self, error: BaseException) -> None:
        if self._failed:
            return
        self._failed = True
        self.error = error
        _log.error("recording into %s ended early", self.folder, exc_info=error)
        reason = getattr(error, "strerror", None) or str(error)
        self._counts.failure = f"the take ended early: {reason}"
        self.counters.last_error = self._counts.failure
        self._warn(
            f"{self._counts.failure}; {self._writer.n_rows} frames are safe in {self.folder};"
            " free space or name another folder, and start another take"
        )

    def _warn(self, text: str, once: str = "") -> None:
        if once and any(warning.startswith(once) for warning in self._counts.warnings):
            return
        self._counts.warnings.append(text)
        if self._on_warning is not None:
            self._on_warning(text)

    def _finish(self) -> None:
        counts = self._counts
        numbers = {
            "dropped": self.counters.frames - self._writer.n_rows,
            "late": counts.late,
            "images": counts.images,
            "images_dropped": counts.images_dropped,
        }
        details = {**numbers, "failure": counts.failure, "warnings": counts.warnings}
        self._ended.set()
        self._syncer.join(_STALLED_S)
        if self._sound is not None:
            self._writer.describe_sound(self._sound.close(self._place_at(None)[2]), write=False)
        try:
            if self._video is not None:
                self._video.close()
        except (OSError, ValueError) as error:
            self._warn(f"the video could not be finished: {error}")
        try:
            self._writer.close("failed" if self._failed else "closed", details)
        except OSError as error:
            self._fail(error)
        self._summary = TakeSummary(
            folder=self.folder,
            rows=self._writer.n_rows,
            n_bytes=self._writer.n_bytes,
            failure=counts.failure,
            warnings=tuple(counts.warnings),
            **numbers,
        )
        if self._on_end is not None:
            self._on_end(self._summary)
