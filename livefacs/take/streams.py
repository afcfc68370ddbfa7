"""Streams of a take on disk: mapped into memory, their layout checked, their whole rows counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import Records
from livefacs.errors import TakeError
from livefacs.files.reading import data_bytes, open_own
from livefacs.take.model import (
    DOCUMENT_NAME,
    VERSION,
    dtype_from_entry,
    frames_dtype,
    landmarks_dtype,
    readings_dtype,
    rig_dtype,
    video_dtype,
)

Entries = Mapping[str, Mapping[str, Any]]
"""Entries of ``streams`` in ``take.json``, by name, in order."""

_TAIL_ROWS: Final = 4096  # rows searched from the end for a tail that was never written whole


def check_layout(folder: Path, document: Mapping[str, Any], entries: Entries) -> None:
    """Compare what a take says of its records with what this version reads.

    Raises
    ------
    TakeError
        A stream is missing, or laid out otherwise.
    """
    if missing := {"frames", "landmarks"} - entries.keys():
        raise TakeError(f"{folder / DOCUMENT_NAME}: no stream named {', '.join(sorted(missing))}")
    for name, entry in entries.items():
        if dtype_from_entry(entry) != _expected_dtype(name, entry, len(document["channels"])):
            raise TakeError(
                f"{folder / DOCUMENT_NAME}: the records of stream {name!r} are not"
                f" laid out as version {VERSION} has them"
            )


def _expected_dtype(name: str, entry: Mapping[str, Any], n_channels: int) -> np.dtype[Any]:
    if name == "frames":
        return frames_dtype(n_channels)
    if name == "landmarks":
        return landmarks_dtype()
    if name == "readings":
        return readings_dtype()
    return rig_dtype(len(entry["controls"])) if "rig" in entry else video_dtype()


def map_stream(folder: Path, entry: Mapping[str, Any]) -> Records:
    """The whole records of a stream's file, mapped into memory.

    Raises
    ------
    TakeError
        The file cannot be read.
    """
    path = folder / entry["file"]
    dtype = dtype_from_entry(entry)
    try:
        with open_own(path) as file:
            n_records = data_bytes(file) // dtype.itemsize
            if not n_records:
                return np.zeros(0, dtype)
            return np.memmap(file, dtype, "r", shape=(n_records,))
    except OSError as error:
        raise TakeError(f"{path}: the stream cannot be read: {error.strerror or error}") from error


def n_whole_rows(entries: Entries, maps: Mapping[str, Records]) -> int:
    """Rows that every stream has; of a rig whose controls changed, only the last segment counts."""
    last_of_rig = {entry["rig"]: name for name, entry in entries.items() if "rig" in entry}
    counted = {"frames", "landmarks", "readings", *last_of_rig.values()} & entries.keys()
    return min(_end_of(maps[name], int(entries[name].get("first_row", 0))) for name in counted)


def _end_of(records: Records, first_row: int) -> int:
    """The row from which records carry another number than their own; a lost page reads as 0."""
    begin = max(0, len(records) - _TAIL_ROWS)
    rows = records["row"][begin:]
    wrong = np.flatnonzero(rows != np.arange(begin, len(records)) + first_row)
    return first_row + (begin + int(wrong[0]) if len(wrong) else len(records))


def n_whole_stamps(stamps: Records, n_rows: int) -> int:
    """Video stamps that belong to whole rows, in rising order."""
    rows = stamps["row"]
    if not len(rows):
        return 0
    falls = np.flatnonzero(np.diff(rows) <= 0)
    n_rising = int(falls[0]) + 1 if len(falls) else len(rows)
    return int(np.searchsorted(rows[:n_rising], n_rows))
