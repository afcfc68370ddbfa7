"""A sink or watcher that keeps what it is sent."""

from __future__ import annotations

import threading

from livefacs.types import SinkCounters, TrackedFrame


class Keeper:
    """Keeps every frame; ``arrived`` is released at each."""

    def __init__(self, url: str = "keep:") -> None:
        self.url = url
        self.counters = SinkCounters()
        self.frames: list[TrackedFrame] = []
        self.arrived = threading.Semaphore(0)
        self.closed = False

    def send(self, tracked: TrackedFrame) -> None:
        """Keep the frame."""
        self.frames.append(tracked)
        self.counters.packets += 1
        self.arrived.release()

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
