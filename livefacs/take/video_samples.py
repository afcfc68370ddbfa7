"""How many pictures a take's video holds, from its boxes: no decoder, and nothing is unpacked.

Source of the layout: ISO/IEC 14496-12 (``moof`` with ``traf`` and ``trun``, then ``mdat``).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from livefacs.files.bounded_reading import open_own

_HEAD: Final = struct.Struct(">I4s")
_MOST_MOOF_BYTES: Final = 1 << 20  # of half a second: some hundred bytes


def n_video_samples(path: Path) -> int | None:
    """Pictures in the whole fragments of a fragmented MP4; None where it is none, or is not there.

    A fragment whose end is missing counts as absent, as players leave it out.
    """
    try:
        with open_own(path) as file:
            return _count(file)
    except OSError:
        return None


def _count(file: BinaryIO) -> int | None:
    total, waiting, is_fragmented = 0, 0, False
    for kind, begin, end in _boxes(file):
        if kind == b"moof" and end - begin <= _MOST_MOOF_BYTES:
            is_fragmented = True
            file.seek(begin)
            waiting = sum(_runs(file.read(end - begin)))
        elif kind == b"mdat":
            total, waiting = total + waiting, 0
        elif kind == b"moov":
            is_fragmented = is_fragmented or _is_for_fragments(file, begin, end)
    return total if is_fragmented else None


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the content of every whole box at the top."""
    n_bytes = os.fstat(file.fileno()).st_size
    at = 0
    while at + _HEAD.size <= n_bytes:
        file.seek(at)
        size, kind = _HEAD.unpack(file.read(_HEAD.size))
        begin = at + _HEAD.size
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
            begin += 8
        elif size == 0:
            size = n_bytes - at
        if size < begin - at or at + size > n_bytes:
            return
        yield kind, begin, at + size
        at += size


def _is_for_fragments(file: BinaryIO, begin: int, end: int) -> bool:
    file.seek(begin)
    return b"mvex" in file.read(min(end - begin, _MOST_MOOF_BYTES))


def _runs(content: bytes) -> Iterator[int]:
    """Pictures of each run (``trun``) in a ``moof`` or ``traf``."""
    at = 0
    while at + _HEAD.size <= len(content):
        size, kind = _HEAD.unpack_from(content, at)
        if size < _HEAD.size or at + size > len(content):
            return
        inner = content[at + _HEAD.size : at + size]
        if kind == b"traf":
            yield from _runs(inner)
        elif kind == b"trun" and len(inner) >= 8:
            yield int.from_bytes(inner[4:8], "big")
        at += size
