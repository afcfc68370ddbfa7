"""Pictures turned by quarters, for cameras that hung sideways or upside down and do not say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from livefacs.arrays import U8
from livefacs.sources.capture import Capture, CaptureWishes, open_capture
from livefacs.sources.player import Clip
from livefacs.types import Frame

TURNS: Final = (0, 90, 180, 270)
"""Degrees clockwise by which pictures can be turned."""


def turned(image: U8, degrees: int) -> U8:
    """A picture turned clockwise by one of ``TURNS``, (H, W, 3) or (W, H, 3), C-contiguous."""
    return np.ascontiguousarray(np.rot90(image, -degrees // 90))  # NumPy counts the other way


def turning_opener(degrees: int) -> Callable[[int | str, CaptureWishes], Capture]:
    """Opens cameras whose pictures come turned; plain ones for 0."""
    if degrees == 0:
        return open_capture
    return lambda address, wishes: _TurnedCapture(open_capture(address, wishes), degrees)


class _TurnedCapture:
    """An open camera whose pictures come turned."""

    def __init__(self, capture: Capture, degrees: int) -> None:
        self._capture = capture
        self._degrees = degrees
        self.rate_hz = capture.rate_hz
        self.format_in_words = f"{capture.format_in_words}, turned by {degrees}°"

    def grab(self) -> tuple[U8, int] | None:
        """The next picture, turned, and its time."""
        found = self._capture.grab()
        return None if found is None else (turned(found[0], self._degrees), found[1])

    def close(self) -> None:
        """Let the camera go."""
        self._capture.close()


class TurnedClip:
    """A clip or pictures, turned.

    Parameters
    ----------
    clip : Clip
    degrees : int
        One of ``TURNS``, clockwise.
    """

    is_live = False

    def __init__(self, clip: Clip, degrees: int) -> None:
        self._clip = clip
        self._degrees = degrees
        self.description = f"{clip.description}, turned by {degrees}°"
        self.rate_hz = clip.rate_hz
        self.n_frames = clip.n_frames
        self.timecode = clip.timecode
        self.start_ns = clip.start_ns
        self.notices = clip.notices

    def read(self) -> Frame | None:
        """The next frame, turned."""
        frame = self._clip.read()
        return None if frame is None else replace(frame, image=turned(frame.image, self._degrees))

    def rewind(self) -> None:
        """Begin again at the first frame."""
        self._clip.rewind()

    def close(self) -> None:
        """Let the clip go."""
        self._clip.close()

    def closing_notices(self) -> tuple[str, ...]:
        """The clip's own."""
        return self._clip.closing_notices()
