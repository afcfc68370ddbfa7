"""Numbered pictures: a folder, a pattern or a single image, at a given rate."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from livefacs.arrays import U8
from livefacs.clock import NS_PER_S
from livefacs.errors import SourceError
from livefacs.types import Frame

IMAGE_SUFFIXES: Final = frozenset(
    (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
)


class ImagesSource:
    """Images in natural order of their names (``2.png`` before ``10.png``), evenly spaced in time.

    Parameters
    ----------
    spec : str
        A folder, a pattern such as ``shots/*.png``, or one image file.
    rate_hz : float
        Frames per second.

    Raises
    ------
    SourceError
        No image is there, or one cannot be read; from ``read`` too.
    """

    is_live = False
    timecode: str | None = None
    notices: tuple[str, ...] = ()
    start_ns = 0

    def __init__(self, spec: str, rate_hz: float) -> None:
        self.paths = list_images(spec)
        self.rate_hz = rate_hz
        self.n_frames: int | None = len(self.paths)
        height, width = read_rgb(self.paths[0]).shape[:2]
        self.description = f"{spec}, {self.n_frames} image(s), {width}×{height}, {rate_hz:.4g} fps"
        self._i_next = 0
        self._closed = False

    def read(self) -> Frame | None:
        """The next image, or None at the end or once closed."""
        i_frame = self._i_next
        if self._closed or i_frame >= len(self.paths):
            return None
        self._i_next += 1
        return Frame(
            read_rgb(self.paths[i_frame]), round(i_frame * NS_PER_S / self.rate_hz), i_frame
        )

    def rewind(self) -> None:
        """Begin again at the first image."""
        self._i_next = 0

    def close(self) -> None:
        """End; ``read`` returns None from now on."""
        self._closed = True

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end: nothing."""
        return ()


def is_image_spec(spec: str) -> bool:
    """True for a folder, a pattern, or the name of an image file."""
    path = Path(spec)
    if path.suffix.lower() in IMAGE_SUFFIXES or path.is_dir():
        return True
    return glob.has_magic(spec) and not path.is_file()  # a clip's name may have brackets


def list_images(spec: str) -> list[Path]:
    """Image files of a folder or pattern in natural order; ``SourceError`` where there is none."""
    folder = Path(spec)
    if folder.is_dir():
        found = list(folder.iterdir())
    elif glob.has_magic(spec) and not folder.is_file():
        found = [Path(name) for name in glob.glob(spec)]  # noqa: PTH207 (takes absolute patterns)
    else:
        found = [folder]
    paths = [path for path in found if path.is_file() and path.suffix.lower() in IMAGE_SUFFIXES]
    if not paths:
        raise SourceError(
            f"no image at {spec}: expected a folder, a pattern or a file with one of "
            f"{', '.join(sorted(IMAGE_SUFFIXES))}"
        )
    return sorted(paths, key=natural_key)


def natural_key(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sort key under which numbers inside a name count by value."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def read_rgb(path: Path) -> U8:
    """An image file as (H, W, 3) uint8 RGB, upright; grey, 16-bit and alpha are converted.

    Raises
    ------
    SourceError
        The file cannot be read or is no image that OpenCV knows.
    """
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    try:
        bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if len(encoded) else None
    except cv2.error:
        bgr = None
    if bgr is None:
        raise SourceError(f"{path} is not an image that can be decoded; is the file complete?")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).view(np.uint8)
