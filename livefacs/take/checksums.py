"""Checksums of a take's records and files, a block each: damage is told by its place.

They lie beside the streams in ``checksums.rec``, so that every stream stays what ``np.fromfile``
reads. Takes of before have none, and are read as before.
"""

from __future__ import annotations

import bisect
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from livefacs.arrays import Records
from livefacs.errors import TakeError
from livefacs.files.bounded_reading import open_own, read_bytes
from livefacs.take.layout import SOUND_BLOCKS_FILE, SOUND_FILE, VIDEO_FILE
from livefacs.take.streams import wrong_numbers
from livefacs.take.wave import HEADER_BYTES

if TYPE_CHECKING:
    from livefacs.take.reader import Take

CHECKSUMS_FILE: Final = "checksums.rec"
BLOCK_ROWS: Final = 8  # what one flipped bit costs; about a tenth of a second
BLOCK_BYTES: Final = 1 << 16
FILES: Final = (SOUND_BLOCKS_FILE, SOUND_FILE, VIDEO_FILE)
"""Files that are summed up by bytes; their streams are numbered -1, -2, -3."""
DESCRIPTION: Final[Mapping[str, Any]] = {
    "file": CHECKSUMS_FILE,
    "algorithm": "crc32 of the records' bytes",
    "files": list(FILES),
}
"""What ``take.json`` says of them, under ``checksums``."""
_MOST_BYTES: Final = 256 << 20


@cache
def checksum_dtype() -> np.dtype[Any]:
    """Record of ``checksums.rec``: number of the stream in ``take.json``, first row, rows, CRC.

    A negative number is one of ``FILES``, whose rows are its bytes.
    """
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


class FileSums:
    """Sums up a file that is only appended to.

    Parameters
    ----------
    file : str
        One of ``FILES``.
    write : callable(bytes)
        Appends to ``checksums.rec``, from any thread.
    begin : int
        First byte that is summed up.
    block_bytes : int
        What one flipped bit costs, at most ``BLOCK_BYTES``.
    """

    def __init__(
        self,
        file: str,
        write: Callable[[bytes], object],
        begin: int = 0,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._stream = -1 - FILES.index(file)
        self._write = write
        self._begin = begin
        self._block_bytes = block_bytes
        self._n_bytes = self._crc = 0

    def add(self, data: bytes | memoryview) -> None:
        """Take what was appended to the file.

        Raises
        ------
        OSError
        """
        view = memoryview(data)
        while len(view):
            part = view[: self._block_bytes - self._n_bytes]
            self._crc = zlib.crc32(part, self._crc)
            self._n_bytes += len(part)
            if self._n_bytes == self._block_bytes:
                self.seal()
            view = view[len(part) :]

    def seal(self) -> None:
        """Write the sum of what has come since the last one.

        Raises
        ------
        OSError
        """
        if self._n_bytes:
            fields = (self._begin, self._stream, self._n_bytes, self._crc)
            self._write(np.array([fields], checksum_dtype()).tobytes())
        self._begin += self._n_bytes
        self._n_bytes = self._crc = 0


def _crc_of(records: Records, first_row: int, begin: int, n_rows: int) -> int:
    return _crc(records[begin - first_row : begin - first_row + n_rows])


def has_checksums(take: Take) -> bool:
    """False for takes that were recorded without."""
    return take.document.get("checksums") is not None


@dataclass(frozen=True, slots=True)
class Damage:
    """What checksums say of a stream or a file.

    Attributes
    ----------
    rows : list of range
        Rows whose records are not what was written. Rows of ``video`` are its pictures, those of a
        file its bytes; both count from 0.
    unsummed : list of range
        Rows that no sum covers, though one was written: ``checksums.rec`` itself is damaged.
    """

    rows: list[range]
    unsummed: list[range]


def damage_of(take: Take, streams: tuple[str, ...] | None = None) -> dict[str, Damage]:
    """What the checksums say of each stream that is not sound.

    Reads every record of the streams; memory does not grow with them. Rows that no checksum covers
    (the last ones before a crash, and all of takes of before) count as sound where they carry their
    own number.

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
    sums = take.sums
    found = {}
    for name in names if streams is None else [each for each in names if each in streams]:
        first = int(take.document["streams"][numbers[name]]["first_row"])
        records = take.records(name)
        own = sums[sums["stream"] == numbers[name]]
        is_whole = has_checksums(take) and take.state == "closed"
        end = take.n_rows if is_whole and (len(own) or name == "frames") else 0
        damage = _compared(
            own,
            range(first, first + len(records)),
            BLOCK_ROWS,
            partial(_crc_of, records, first),
            0 if name == "video" else end,
        )
        damage.rows.extend(_misnumbered(take, name, first))
        if damage.rows or damage.unsummed:
            found[name] = damage
    return found


def damaged_rows(take: Take, streams: tuple[str, ...] | None = None) -> dict[str, list[range]]:
    """Rows that are not what was written, by stream, as of ``damage_of``."""
    found = damage_of(take, streams)
    return {name: damage.rows for name, damage in found.items() if damage.rows}


def damage_of_file(
    folder: Path, document: Mapping[str, Any], file: str, sums: Records | None = None
) -> Damage:
    """What the checksums of a take say of one of ``FILES``; reads all that they cover of it.

    ``sums`` are they, where they were read already.

    Raises
    ------
    TakeError
        The take has checksums and they cannot be read.
    OSError
        The file cannot be read.
    """
    described = document.get("checksums")
    names = described.get("files") if isinstance(described, dict) else None
    if not isinstance(names, list) or file not in names:
        return Damage([], [])
    sums = read_sums(folder, document) if sums is None else sums
    with open_own(folder / file) as content:
        n_bytes = content.seek(0, 2)

        def crc_of(begin: int, n: int) -> int:
            content.seek(begin)
            return zlib.crc32(content.read(n))

        own = sums[sums["stream"] == -1 - names.index(file)]
        # The header is written anew as the sound grows; one byte may fill it up to an even number.
        begin, rest = (HEADER_BYTES, 1) if file == SOUND_FILE else (0, 0)
        is_whole = len(own) and document["state"] == "closed"
        end = n_bytes - rest if is_whole else 0
        return _compared(own, range(begin, n_bytes), BLOCK_BYTES, crc_of, end)


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


def _compared(
    sums: Records, there: range, n_most: int, crc_of: Callable[[int, int], int], end: int = 0
) -> Damage:
    """Hold sums against what is there.

    Parameters
    ----------
    sums : (N,) records as of ``checksum_dtype``
    there : range
        Rows that can be read.
    n_most : int
        Rows of a block.
    crc_of : callable(first row, rows)
    end : int
        Row up to which there must be sums; those that are there may go on.
    """
    good: list[range] = []
    bad: list[range] = []
    unproven: list[range] = []
    cut: list[range] = []
    left = 2 * len(there) + n_most  # sums that cover the same again and again are not ours
    for entry in sums:
        begin, n_rows = int(entry["row"]), int(entry["n_rows"])
        if not there.start <= begin < there.stop or not 0 < n_rows <= n_most:
            continue  # cut off since, or no block of ours
        rows = range(begin, min(begin + n_rows, there.stop))
        left -= len(rows)
        if left < 0:
            break
        off = crc_of(begin, len(rows)) ^ int(entry["crc32"])
        if len(rows) == n_rows:
            (good if not off else unproven if _is_sum_damaged(off) else bad).append(rows)
        elif off:  # else they are all there, and the sum says too many
            cut.append(rows)
    sound = _joined(good)
    stops = [rows.stop for rows in sound]

    def overlaps(rows: range) -> bool:
        at = bisect.bisect_right(stops, rows.start)
        return at < len(sound) and sound[at].start < rows.stop

    # Blocks do not overlap: of one that meets a sound one, the sum itself is damaged.
    damaged = [rows for rows in bad if not overlaps(rows)]
    unsummed, at = [], there.start
    for rows in (*_joined([*sound, *damaged, *cut]), range(end, end)):
        if rows.start > at:
            unsummed.append(range(at, rows.start))
        at = max(at, rows.stop)
    return Damage(damaged, _joined([*unsummed, *unproven]))


def _is_sum_damaged(off: int) -> bool:
    """True where a sum is one bit from that of what is there, or more in its half that is empty.

    One flipped bit of the records never comes to that: it changes a CRC by x^k mod P, with k of 32
    or more, and x^k is a power below 32 again only after 2^32 - 1 bits.
    """
    return (off & 0xFFFF_FFFF).bit_count() <= 1


def read_sums(folder: Path, document: Mapping[str, Any]) -> Records:
    """Records of ``checksums.rec``; none for takes of before.

    Raises
    ------
    TakeError
        They cannot be read.
    """
    if document.get("checksums") is None:
        return np.zeros(0, checksum_dtype())
    path = folder / CHECKSUMS_FILE
    try:
        data = read_bytes(path, _MOST_BYTES)
    except OSError as error:
        raise TakeError(f"{path} cannot be read: {error.strerror or error}") from error
    whole = len(data) // checksum_dtype().itemsize
    return np.frombuffer(data, checksum_dtype(), whole)


def _joined(ranges: Iterable[range]) -> list[range]:
    """In order, neighbours and what overlaps in one."""
    joined: list[range] = []
    for rows in sorted(ranges, key=lambda each: each.start):
        if joined and rows.start <= joined[-1].stop:
            joined[-1] = range(joined[-1].start, max(joined[-1].stop, rows.stop))
        else:
            joined.append(rows)
    return joined


def format_rows(ranges: list[range], n_most: int = 5, what: str = "rows") -> str:
    """``rows 64-127, 300-305``: neighbours in one, the rest counted."""
    joined = _joined(ranges)
    shown = [f"{r.start}-{r.stop - 1}" if len(r) > 1 else f"{r.start}" for r in joined]
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
    take.__dict__.pop("sums", None)
