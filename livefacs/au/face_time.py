"""How long a face was seen: frames count for the time since the one before, within bounds."""

from __future__ import annotations

from typing import Final

from livefacs.clock import s_from_ns

MAX_GAP_S: Final = 0.1
"""Longest time that one frame may stand for."""


def counted_s(dt_s: float) -> float:
    """Seconds that a frame stands for which came so long after the one before."""
    return min(max(dt_s, 0.0), MAX_GAP_S)


class FaceTime:
    """Time with a face.

    Attributes
    ----------
    seconds : float
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._last_ns: int | None = None

    def add(self, t_ns: int) -> None:
        """Count a frame with a face."""
        if self._last_ns is not None:
            self.seconds += counted_s(s_from_ns(t_ns - self._last_ns))
        self._last_ns = t_ns

    def pause(self) -> None:
        """No face: the time until the next frame does not count."""
        self._last_ns = None
