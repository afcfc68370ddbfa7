"""Image files as 8-bit RGB: OpenCV for the usual ones, PyAV for EXR and DPX."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from av.error import FFmpegError

from livefacs.arrays import U8
from livefacs.errors import SourceError
from livefacs.files.bounded_reading import read_bytes
from livefacs.sources.device import silence_opencv
from livefacs.sources.exr import is_cut_off
from livefacs.sources.limits import MOST_FILE_BYTES, MOST_PIXELS, bound_pixels

_BY_FFMPEG: Final = frozenset((".exr", ".dpx"))
_SRGB_LINEAR_TO: Final = 0.0031308  # IEC 61966-2-1


def read_rgb(path: Path) -> U8:
    """An image file as (H, W, 3) uint8 RGB, upright; grey, 16-bit and alpha are converted.

    EXR holds light: it is clipped to 0 to 1 and brought to sRGB, as a viewer shows it.

    Raises
    ------
    SourceError
        The file cannot be read, or is no image that can be decoded.
    """
    try:
        data = read_bytes(path, MOST_FILE_BYTES, follow=True)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    if path.suffix.lower() in _BY_FFMPEG:
        return _read_by_ffmpeg(path, data)
    encoded = np.frombuffer(data, np.uint8)
    silence_opencv()
    try:
        bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if len(encoded) else None
    except cv2.error:
        bgr = None
    if bgr is None:
        raise SourceError(
            f"{path} is not an image that can be decoded; is the file complete, and of at most"
            f" {MOST_PIXELS // 10**6} million pixels?"
        )
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).view(np.uint8)


def _read_by_ffmpeg(path: Path, data: bytes) -> U8:
    kind = path.suffix[1:].upper()
    try:
        if kind == "EXR" and is_cut_off(data):
            raise ValueError("its end is missing")
        with av.open(io.BytesIO(data), "r", format=f"{kind.lower()}_pipe") as container:
            bound_pixels(container.streams.video[0].codec_context)
            picture = next(container.decode(video=0), None)
            if picture is None or picture.is_corrupt:
                raise ValueError("no whole picture in it")
            if "f32" in picture.format.name or "f16" in picture.format.name:
                light = picture.reformat(format="gbrpf32le").to_ndarray()
                return _srgb_from_linear(np.asarray(light, np.float32))
            return picture.to_ndarray(format="rgb24").view(np.uint8)
    except (FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(
            f"{path} is no {kind} picture that can be decoded ({reason}); is it complete? Else"
            " convert it to PNG, or to EXR with one layer and ZIP compression"
        ) from None


def _srgb_from_linear(light: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> U8:
    """(H, W, 3) linear float to sRGB bytes; what is beyond white is white, NaN is black."""
    clipped = np.nan_to_num(np.clip(light, 0.0, 1.0), nan=0.0)
    curved = np.where(
        clipped <= _SRGB_LINEAR_TO, 12.92 * clipped, 1.055 * clipped ** (1 / 2.4) - 0.055
    )
    return np.ascontiguousarray(np.rint(255.0 * curved).astype(np.uint8))
