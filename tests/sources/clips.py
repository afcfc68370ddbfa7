"""Clips with known frames and times, written with PyAV."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
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


def restamp(
    source: Path, target: Path, stamp_s: Callable[[int, float], float], **options: str
) -> Path:
    """The same packets with other presentation times: ``stamp_s(number, seconds)``."""
    with av.open(str(source)) as old, av.open(str(target), "w", options=options) as new:
        track = old.streams.video[0]
        copied = new.add_stream_from_template(track)
        number = 0
        for packet in old.demux(track):
            if packet.pts is None or track.time_base is None:
                continue  # the empty packet at the end
            packet.pts = round(
                stamp_s(number, float(packet.pts * track.time_base)) / track.time_base
            )
            packet.dts = min(packet.dts or 0, packet.pts)
            packet.stream = copied
            new.mux(packet)
            number += 1
    return target


def without_rate(path: Path) -> Path:
    """A WebM as browsers record it: nothing in it says how many frames a second there are."""
    data = bytearray(path.read_bytes())
    at = data.index(b"\x23\xe3\x83")  # DefaultDuration; an element called Void takes its place
    n_bytes = data[at + 3] & 0x7F
    data[at] = 0xEC
    data[at + 1] = 0x80 | (n_bytes + 2)
    path.write_bytes(data)
    return path


def hide_beginning(path: Path, hidden_ms: int, shown_ms: int) -> Path:
    """Give an mp4 an edit list that shows only a part, as trimming without encoding does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 8  # past name, version and flags
    (movie_scale,) = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)
    (media_scale,) = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)
    assert struct.unpack_from(">I", data, at) == (1,)
    (begin,) = struct.unpack_from(">i", data, at + 8)
    shown, hidden = shown_ms * movie_scale // 1000, hidden_ms * media_scale // 1000
    struct.pack_into(">Ii", data, at + 4, shown, begin + hidden)
    path.write_bytes(data)
    return path
