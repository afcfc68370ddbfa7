"""A session clock that stands still until a test moves it."""

from __future__ import annotations


class SteppedClock:
    """Callable that gives nanoseconds; ``now_ns`` is set by the test."""

    def __init__(self, now_ns: int = 1_000) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        """Nanoseconds."""
        return self.now_ns
