"""Frames of a clip as JPEGs, so that the page can step exactly, without a video player."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from livefacs.errors import SourceError
from livefacs.mirror.packets import jpeg_from_image

_KEPT: Final = 4
DEFAULT_RATE_HZ: Final = 30.0


class ClipFrames:
    """Decodes stretches of clips and keeps the last few. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Path, int, int], tuple[list[bytes], float]] = OrderedDict()

    def stretch(self, clip: Path, start: int, end: int) -> tuple[list[bytes], float]:
        """JPEGs of frames ``start`` to ``end`` (exclusive), and the clip's rate in Hz.

        Raises
        ------
        SourceError
            The clip cannot be read, or ends before ``end``.
        """
        key = (clip, start, end)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = _decode(clip, start, end)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def _decode(clip: Path, start: int, end: int) -> tuple[list[bytes], float]:
    """Counts frames from the first one: seeking by number is not exact in every container."""
    capture = cv2.VideoCapture(str(clip))
    try:
        rate_hz = float(capture.get(cv2.CAP_PROP_FPS)) or DEFAULT_RATE_HZ
        jpegs = []
        for i_frame in range(end):
            if not capture.grab():
                raise SourceError(f"clip {clip.name} ends at frame {i_frame}, wanted up to {end}")
            if i_frame >= start:
                _, image = capture.retrieve()
                rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
                jpegs.append(jpeg_from_image(np.asarray(rgb, np.uint8)))
        return jpegs, rate_hz
    finally:
        capture.release()
