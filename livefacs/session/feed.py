"""The hand-over from a source: live, the newest frame wins; from a file, none is lost."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from livefacs.protocols import SelfReading, Source
from livefacs.slot import Slot
from livefacs.types import Frame

_PREFETCHED: Final = 4  # decoded frames that wait while the tracker works
_POLL_S: Final = 0.1  # how soon a blocked reader notices that the session ended


@dataclass(frozen=True, slots=True)
class Grabbed:
    """A frame and the session time of its grab, and that at which it was there."""

    frame: Frame
    grabbed_ns: int

    @property
    def arrived_ns(self) -> int:
        """Later than its grab where that was on another machine."""
        return self.grabbed_ns if self.frame.arrived_ns is None else self.frame.arrived_ns


class Feed:
    """The reading thread of one source; a source that reads by itself has none beside its own.

    The first failure of the source is kept and raised by ``get`` in the caller's thread.
    """

    def __init__(self, source: Source, clock: Callable[[], int]) -> None:
        self.source = source
        self._clock = clock
        self._reads_itself = source if isinstance(source, SelfReading) else None
        self._slot: Slot[Grabbed] = Slot()
        self._queue: queue.Queue[Grabbed | None] = queue.Queue(_PREFETCHED)  # None: the end
        self._failure: BaseException | None = None
        self._closing = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read_all, name="livefacs-feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        if self._reads_itself is None:
            self._thread.start()

    def get(self, timeout_s: float) -> Grabbed | None:
        """The next frame; None when none came in time or the source has ended (see ``ended``)."""
        if self._reads_itself is not None:
            frame = self._reads_itself.newest(timeout_s)
            return None if frame is None else Grabbed(frame, frame.t_ns)
        grabbed = self._slot.get(timeout_s) if self.source.is_live else self._dequeue(timeout_s)
        if grabbed is None and self._failure is not None:
            raise self._failure
        return grabbed

    @property
    def ended(self) -> bool:
        """True when the source gave its last frame and all were taken."""
        if self._reads_itself is not None:
            return self._reads_itself.ended
        return self._done.is_set() and self._queue.empty()

    def close(self) -> None:
        """Stop reading and let the source go."""
        self._closing.set()
        self.source.close()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def _dequeue(self, timeout_s: float) -> Grabbed | None:
        try:
            return self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _read_all(self) -> None:
        try:
            while not self._closing.is_set():
                frame = self.source.read()
                if frame is None:
                    break
                self._hand_over(Grabbed(frame, self._clock()))
        except BaseException as failure:  # raised again by get() in the main thread
            self._failure = failure
        finally:
            self._done.set()
            self._slot.close()
            if not self.source.is_live:
                self._enqueue(None)  # whoever waits for a frame need not wait for nothing

    def _hand_over(self, grabbed: Grabbed) -> None:
        if self.source.is_live:
            self._slot.put(grabbed)
        else:
            self._enqueue(grabbed)

    def _enqueue(self, grabbed: Grabbed | None) -> None:
        while not self._closing.is_set():
            try:
                self._queue.put(grabbed, timeout=_POLL_S)
                return
            except queue.Full:
                continue
