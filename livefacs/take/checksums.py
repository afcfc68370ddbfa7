"""Checksums of a take's records, a block of rows each: damage is told by its place.

They lie beside the streams in ``checksums.rec``, so that every stream stays what ``np.fromfile``
reads. Takes of before have none, and are read as before.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from livefacs.arrays import Records
from livefacs.errors import TakeError
from livefacs.files.reading import read_bytes
from livefacs.take.streams import wrong_numbers

if TYPE_CHECKING:
    from livefacs.take.reader import Take

CHECKSUMS_FILE: Final = "checksums.rec"
BLOCK_ROWS: Final = 8  # what one flipped bit costs; about a tenth of a second
DESCRIPTION: Final = {"file": CHECKSUMS_FILE, "algorithm": "crc32 of the records' bytes"}
"""What ``take.json`` says of them, under ``checksums``."""
_MOST_BYTES: Final = 256 << 20


@cache
def checksum_dtype() -> np.dtype[Any]:
    """Record of ``checksums.rec``: number of the stream in ``take.json``, first row, rows, CRC."""
    return np.dtype([("row", "<i8"), ("stream", "<i4"), ("n_rows", "<i4"), ("crc32", "<u8")])


def checksums_of(stream: int, records: Records, first_row: int) -> Records:
    """Checksums of records that follow each other, at most ``BLOCK_ROWS`` a block.

    Parameters
    ----------
    stream : int
        Number of the stream in ``take.json``, from 0.
    records : (N,) structured
    first_row : int
        Row of the first of them.
    """
    blocks = [records[begin : begin + BLOCK_ROWS] for begin in range(0, len(records), BLOCK_ROWS)]
    rows = range(first_row, first_row + len(records), BLOCK_ROWS)
    sums = [(row, stream, len(block), _crc(block)) for row, block in zip(rows, blocks, strict=True)]
    return np.array(sums, checksum_dtype())


def _crc(records: Records) -> int:
    return zlib.crc32(records.tobytes())


def has_checksums(take: Take) -> bool:
    """False for takes that were recorded without."""
    return take.document.get("checksums") is not None


def damaged_rows(take: Take, streams: tuple[str, ...] | None = None) -> dict[str, list[range]]:
    """Rows whose records are not what was written, by stream; streams that are sound are left out.

    Reads every record of the streams; memory does not grow with them. Rows that no checksum covers
    (the last ones before a crash, and all of takes of before) count as sound where they carry their
    own number. Rows of ``video`` are its pictures, counted from 0.

    Parameters
    ----------
    streams : tuple of str or None
        Names of those to look at; None: all.

    Raises
    ------
    TakeError
        The take has checksums and they cannot be read.
    """
    names = list(take.stream_files)
    numbers = {entry["name"]: i for i, entry in enumerate(take.document["streams"])}
    sums = _read(take)
    found: dict[str, list[range]] = {}
    for name in names if streams is None else [each for each in names if each in streams]:
        first = int(take.document["streams"][numbers[name]]["first_row"])
        own = sums[sums["stream"] == numbers[name]]
        rows = list(_damaged(own, take.records(name), first))
        rows += _misnumbered(take, name, first)
        if rows:
            found[name] = rows
    return found


def damage_mask(take: Take, *streams: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(N_ROWS,) True for rows that are damaged in one of the streams, as of ``damaged_rows``.

    Where the checksums cannot be read, by the rows' own numbers alone: the records may be sound.
    """
    mask = np.zeros(take.n_rows, bool)
    for ranges in _known_damage(take, streams).values():
        for rows in ranges:
            mask[rows.start : rows.stop] = True
    return mask


def picture_mask(take: Take) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(N_STAMPS,) True for records of ``video.rec`` that are damaged."""
    mask = np.zeros(len(take.records("video")), bool)
    for rows in _known_damage(take, ("video",)).get("video", ()):
        mask[rows.start : rows.stop] = True
    return mask


def _known_damage(take: Take, streams: tuple[str, ...]) -> dict[str, list[range]]:
    try:
        return damaged_rows(take, streams)
    except TakeError:
        entries = {entry["name"]: int(entry["first_row"]) for entry in take.document["streams"]}
        names = [name for name in streams if name in take.stream_files]
        return {name: _misnumbered(take, name, entries[name]) for name in names}


def _misnumbered(take: Take, name: str, first_row: int) -> list[range]:
    """Rows whose records do not carry their own number; a picture's is the row that it shows."""
    if name == "video":
        return []
    records = take.records(name)[: max(0, take.n_rows - first_row)]
    wrong = np.flatnonzero(wrong_numbers(records, first_row)) + first_row
    return [range(row, row + 1) for row in wrong.tolist()]


def _damaged(sums: Records, records: Records, first_row: int) -> Iterator[range]:
    for entry in sums:
        begin, n_rows = int(entry["row"]) - first_row, int(entry["n_rows"])
        if begin < 0 or not 0 < n_rows <= BLOCK_ROWS or begin + n_rows > len(records):
            continue  # cut off since, or no block of ours
        if _crc(records[begin : begin + n_rows]) != int(entry["crc32"]):
            yield range(begin + first_row, begin + first_row + n_rows)


def _read(take: Take) -> Records:
    if not has_checksums(take):
        return np.zeros(0, checksum_dtype())
    path = take.folder / CHECKSUMS_FILE
    try:
        data = read_bytes(path, _MOST_BYTES)
    except OSError as error:
        raise TakeError(f"{path} cannot be read: {error.strerror or error}") from error
    whole = len(data) // checksum_dtype().itemsize
    return np.frombuffer(data, checksum_dtype(), whole)


def format_rows(ranges: list[range], n_most: int = 5, what: str = "rows") -> str:
    """``rows 64-127, 300-305``: neighbours in one, the rest counted."""
    joined: list[list[int]] = []
    for rows in sorted(ranges, key=lambda each: each.start):
        if joined and rows.start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], rows.stop)
        else:
            joined.append([rows.start, rows.stop])
    shown = [f"{begin}-{end - 1}" if end - begin > 1 else f"{begin}" for begin, end in joined]
    more = f" and {len(shown) - n_most} more places" if len(shown) > n_most else ""
    return f"{what} {', '.join(shown[:n_most])}{more}"


def reseal(take: Take, stream: str) -> None:
    """Make the checksums of a stream anew after its records were rewritten in place.

    Raises
    ------
    OSError
    """
    if not has_checksums(take):
        return
    number = [entry["name"] for entry in take.document["streams"]].index(stream)
    path = take.folder / CHECKSUMS_FILE
    sums = np.fromfile(path, checksum_dtype())
    records = take.records(stream)
    for index in np.flatnonzero(sums["stream"] == number):
        begin = int(sums["row"][index])
        sums["crc32"][index] = _crc(records[begin : begin + int(sums["n_rows"][index])])
    with path.open("r+b") as file:
        file.write(sums.tobytes())
