"""Clips that break off before the end that their own container states, from a few of their bytes.

What an index promises is held against what was there in ``header``. These containers have none that
counts, or lose it with their end; each says otherwise how long one of its parts is. Sources of the
layouts: Adobe's FLV specification 10.1, Microsoft's ASF specification (3.1, 5), ISO/IEC 13818-1
(2.4.3, 2.5.3), RFC 3533 (Ogg), RFC 8794 (EBML), SMPTE 377-1 (MXF, 7.1), ISO/IEC 14496-12 (4.2).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final

_HEAD_BYTES: Final = 1 << 16
_TAIL_BYTES: Final = 1 << 17  # the longest packet of a program stream and page of Ogg, twice
_MOST_BOXES: Final = 1 << 16

_Check = Callable[[BinaryIO, int], bool]


def is_broken_off(path: Path, container: str) -> bool:
    """Whether a part that the file begins goes on beyond its end.

    False where nothing can be told: another container, or one that was written to a pipe and leaves
    its sizes open.

    Parameters
    ----------
    path : Path
    container : str
        FFmpeg's name of the format.
    """
    check = CHECKS.get(container)
    if check is None:
        return False
    try:
        with path.open("rb") as file:
            return check(file, os.fstat(file.fileno()).st_size)
    except (OSError, ValueError, OverflowError, IndexError, struct.error):
        return False  # too short to tell, or not what it is named


def _read(file: BinaryIO, begin: int, n_bytes: int) -> bytes:
    file.seek(max(0, begin))
    return file.read(n_bytes)


def _flv(file: BinaryIO, size: int) -> bool:
    """The file ends with the length of its last tag."""
    length = int.from_bytes(_read(file, size - 4, 4), "big")
    tag = _read(file, size - 4 - length, 4)
    kind, n_data = tag[0] & 0x1F, int.from_bytes(tag[1:4], "big")
    return length > size - 4 or kind not in (8, 9, 18) or n_data + 11 != length


def _asf(file: BinaryIO, size: int) -> bool:
    """The header object is followed by one of the data, which states its length."""
    header = int.from_bytes(_read(file, 16, 8), "little")
    data = int.from_bytes(_read(file, header + 16, 8), "little")
    return header + data > size


def _matroska(file: BinaryIO, size: int) -> bool:
    """The header is followed by the segment, whose length is all ones where it was left open."""
    _, after, length = _ebml(_read(file, 0, 16))
    at = after + length
    kind, after, length = _ebml(_read(file, at, 16))
    return kind == b"\x18\x53\x80\x67" and length >= 0 and at + after + length > size


def _ebml(data: bytes) -> tuple[bytes, int, int]:
    """Identity of an element, where its content begins, how long it is (-1: left open)."""
    n_identity = 9 - data[0].bit_length()
    n_length = 9 - data[n_identity].bit_length()
    begin = n_identity + n_length
    mask = (1 << 7 * n_length) - 1
    length = int.from_bytes(data[n_identity:begin], "big") & mask
    return data[:n_identity], begin, -1 if length == mask else length


def _program_stream(file: BinaryIO, size: int) -> bool:
    """Each packet states its length; no picture data look like the start of one."""
    begin = max(0, size - _TAIL_BYTES)
    tail = _read(file, begin, _TAIL_BYTES)
    at = tail.rfind(b"\0\0\1")
    while at >= 0 and not (at + 3 < len(tail) and tail[at + 3] >= 0xBC):
        at = tail.rfind(b"\0\0\1", 0, at)
    return at >= 0 and begin + at + 6 + int.from_bytes(tail[at + 4 : at + 6], "big") > size


def _transport_stream(file: BinaryIO, size: int) -> bool:
    """Packets of 188 bytes, or of 192 with a time before each (Blu-ray)."""
    head = _read(file, 0, 5 + 192)
    is_timed = head[0] != 0x47 and head[4] == 0x47 and head[4 + 192] == 0x47
    return size % (192 if is_timed else 188) != 0 and (is_timed or head[188] == 0x47)


def _ogg(file: BinaryIO, size: int) -> bool:
    """Each page states the lengths of its segments."""
    begin = max(0, size - _TAIL_BYTES)
    tail = _read(file, begin, _TAIL_BYTES)
    at = tail.rfind(b"OggS")
    if at < 0:
        return False
    if at + 27 > len(tail) or at + 27 + tail[at + 26] > len(tail):
        return True
    return at + 27 + tail[at + 26] + sum(tail[at + 27 : at + 27 + tail[at + 26]]) > len(tail)


def _mxf(file: BinaryIO, size: int) -> bool:
    """The first partition says where the last one begins; 0 where it was left open."""
    head = _read(file, 0, _HEAD_BYTES)
    at = head.index(b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02") + 16
    at += 1 + (head[at] & 0x7F if head[at] & 0x80 else 0)
    return int.from_bytes(head[at + 24 : at + 32], "big") >= size


def _boxes(file: BinaryIO, size: int) -> bool:
    """Every box at the top of an MP4 or QuickTime file states its length."""
    at, kind = 0, b""
    for _ in range(_MOST_BOXES):
        if at >= size:
            break
        head = _read(file, at, 16)
        length, kind = struct.unpack_from(">I4s", head)
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, 8)
        if length < 8:  # 0: up to the end of the file
            return False
        at += length
    return at > size and kind in (b"mdat", b"moof", b"moov")  # others may be rubbish behind the end


CHECKS: Final[Mapping[str, _Check]] = MappingProxyType(
    {
        "flv": _flv,
        "asf": _asf,
        "matroska,webm": _matroska,
        "mpeg": _program_stream,
        "mpegts": _transport_stream,
        "ogg": _ogg,
        "mxf": _mxf,
        "mov,mp4,m4a,3gp,3g2,mj2": _boxes,
    }
)
"""By FFmpeg's names of the formats."""
