"""Reading files of unknown origin: regular files only, within a stated size, through no link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)  # absent on Windows, where links are rare
_NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody writes opens at once
_BINARY: Final = getattr(os, "O_BINARY", 0)
_BLOCK_BYTES: Final = 1 << 20
_HAS_HOLES: Final = hasattr(os, "SEEK_HOLE")


def open_own(path: Path, *, write: bool = False) -> BinaryIO:
    """Open a file of ours for reading, or for changing in place: never through a link.

    Raises
    ------
    OSError
        It cannot be opened, is a link, or is no regular file (a pipe, a device, a folder).
    """
    flags = (os.O_RDWR if write else os.O_RDONLY) | _NO_FOLLOW | _NO_WAIT | _BINARY
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link: expected the file itself") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "expected a file")
    return os.fdopen(descriptor, "r+b" if write else "rb")


def read_bytes(path: Path, n_most: int, *, follow: bool = False) -> bytes:
    """A whole file of at most so many bytes.

    Parameters
    ----------
    path : Path
    n_most : int
        Nothing beyond it is ever read, whatever the file says of its size.
    follow : bool
        Links are followed: for what the user named, not for what lies in a folder of ours.

    Raises
    ------
    OSError
        As of ``open_own``, or it is larger.
    """
    with open_own(path.resolve() if follow else path) as file:
        blocks, n_left = [], n_most + 1  # asked for at once, so much memory would be taken
        while block := file.read(min(n_left, _BLOCK_BYTES)):
            blocks.append(block)
            n_left -= len(block)
    if not n_left:
        raise OSError(errno.EFBIG, f"it is larger than {n_most:,} bytes")
    return b"".join(blocks)


MOST_TABLE_BYTES: Final = 1 << 28
"""Of a CSV file; an hour of curves at 60 frames a second has a quarter of that."""


def read_text(path: Path, n_most: int, *, follow: bool = False, encoding: str = "utf-8") -> str:
    """A whole UTF-8 file (``utf-8-sig``: with a mark or without) of at most so many bytes; see
    ``read_bytes``.

    Raises
    ------
    OSError
    UnicodeDecodeError
    """
    return read_bytes(path, n_most, follow=follow).decode(encoding)


def data_bytes(file: BinaryIO) -> int:
    """Bytes up to the first hole: what was really written, where a file was only appended to.

    A sparse file says any size and costs nothing on the disk; whoever maps or copies it by its
    size pays for all of it. Where holes are not known (Windows), the size.
    """
    size = os.fstat(file.fileno()).st_size
    if not _HAS_HOLES or not size:
        return size
    try:
        return os.lseek(file.fileno(), 0, os.SEEK_HOLE)
    except OSError:  # a file system that does not tell
        return size
    finally:
        file.seek(0)


def copy_tail(source: BinaryIO, begin: int, target: BinaryIO) -> int:
    """Copy what lies from ``begin`` on, holes as holes; how many bytes that is by the file's size.

    Raises
    ------
    OSError
    """
    size = os.fstat(source.fileno()).st_size
    for start, end in _extents(source, begin, size):
        source.seek(start)
        target.seek(start - begin)
        remaining = end - start
        while remaining > 0 and (block := source.read(min(remaining, _BLOCK_BYTES))):
            target.write(block)
            remaining -= len(block)
    target.truncate(max(0, size - begin))
    return max(0, size - begin)


def _extents(file: BinaryIO, begin: int, size: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each stretch that holds data."""
    if not _HAS_HOLES:
        yield begin, size
        return
    position = begin
    while position < size:
        try:
            start = os.lseek(file.fileno(), position, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole from here on
                return
            start = position
        end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield start, end
        position = end
