"""Whether an OpenEXR file is whole: FFmpeg leaves what is missing black, without a word.

Source: "OpenEXR File Layout", openexr.com: a header of attributes, a table of offsets, the chunks.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

MAGIC: Final = b"\x76\x2f\x31\x01"
_TILED_OR_PARTS: Final = 0x200 | 0x800 | 0x1000
_LINES_A_CHUNK: Final = (1, 1, 1, 16, 32, 16, 32, 32, 32, 256)  # by compression: none, RLE, ZIPS …
_MOST_LINES: Final = 1 << 20


def is_cut_off(data: bytes) -> bool:
    """True where a file of scan lines ends before its picture does, or was not written to the end.

    Parameters
    ----------
    data : bytes
        The whole file. Tiled files and those of several parts are not looked into: False.
    """
    if data[:4] != MAGIC or len(data) < 8:
        return True
    if struct.unpack_from("<I", data, 4)[0] & _TILED_OR_PARTS:
        return False
    try:
        attributes, at = _attributes(data)
        compression = attributes["compression"][0]
        _, top, _, bottom = struct.unpack("<4i", attributes["dataWindow"])
    except (KeyError, ValueError, IndexError, struct.error):
        return True
    if compression >= len(_LINES_A_CHUNK) or not 0 <= bottom - top < _MOST_LINES:
        return False  # newer than this; the decoder says what it makes of it
    n_chunks = -(-(bottom - top + 1) // _LINES_A_CHUNK[compression])
    if at + 8 * n_chunks > len(data):
        return True
    offsets = np.frombuffer(data, "<u8", n_chunks, at)
    first, last = int(offsets.min()), int(offsets.max())
    if first < at + 8 * n_chunks or last + 8 > len(data):
        return True
    (n_bytes,) = struct.unpack_from("<I", data, last + 4)
    return bool(last + 8 + n_bytes > len(data))


def _attributes(data: bytes) -> tuple[dict[str, bytes], int]:
    """The header's attributes by name, and where the table of offsets begins."""
    attributes: dict[str, bytes] = {}
    at = 8
    while data[at] != 0:
        name_end = data.index(0, at)
        type_end = data.index(0, name_end + 1)
        (n_bytes,) = struct.unpack_from("<I", data, type_end + 1)
        begin = type_end + 5
        attributes[data[at:name_end].decode("latin-1")] = data[begin : begin + n_bytes]
        at = begin + n_bytes
    return attributes, at + 1
