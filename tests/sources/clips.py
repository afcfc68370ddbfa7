"""Clips with known frames and times, written with PyAV."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

STEP = 20
"""Difference in brightness from one frame to the next: frame n is STEP * (n % 10)."""


def brightness(i_frame: int) -> int:
    return STEP * (i_frame % 10) + 20


def write_clip(
    path: Path,
    *,
    times_ms: Sequence[int],
    size: tuple[int, int] = (64, 48),
    codec: str = "ffv1",
    pix_fmt: str = "yuv420p",
    corner: bool = False,
    pixel_aspect: Fraction | None = None,
) -> Path:
    """Grey frames at the given times; ``corner`` makes the top left quarter white."""
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.time_base = Fraction(1, 1000)
        stream.codec_context.gop_size = 10
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        for i_frame, time_ms in enumerate(times_ms):
            image = np.full((height, width, 3), brightness(i_frame), np.uint8)
            if corner:
                image[: height // 2, : width // 2] = 255
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            picture.pts, picture.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(picture.reformat(format=pix_fmt)))
        container.mux(stream.encode(None))
    return path


def every(n_frames: int, period_ms: int = 40) -> list[int]:
    return [i_frame * period_ms for i_frame in range(n_frames)]


def set_display_matrix(path: Path, matrix: Sequence[int]) -> None:
    """Write a track header's matrix into an mp4 that has the trivial one."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    data[start : start + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)


def damage(path: Path, share_from: float, n_bytes: int) -> None:
    """Overwrite bytes of the coded pictures of an mp4 or mkv."""
    data = bytearray(path.read_bytes())
    start = int(len(data) * share_from)
    data[start : start + n_bytes] = bytes((37 * i + 11) % 256 for i in range(n_bytes))
    path.write_bytes(data)
