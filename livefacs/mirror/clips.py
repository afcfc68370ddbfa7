"""Frames of a clip as JPEGs, so that the page can step exactly, without a video player."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import closing
from pathlib import Path
from typing import Final

from livefacs.errors import SourceError
from livefacs.mirror.packets import jpeg_from_image
from livefacs.sources import open_source

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
    with closing(open_source(str(clip), realtime=False)) as source:
        jpegs: list[bytes] = []
        while len(jpegs) < end - start:
            frame = source.read()
            if frame is None:
                n = start + len(jpegs)
                raise SourceError(f"clip {clip.name} ends at frame {n}, wanted up to {end}")
            n_due = min(frame.i_frame + 1, end) - start - len(jpegs)
            if n_due > 0:  # more than one: a damaged frame before it shows as this one
                jpegs += [jpeg_from_image(frame.image)] * n_due
        return jpegs, source.rate_hz or DEFAULT_RATE_HZ
