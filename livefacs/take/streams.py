"""Streams of a take on disk: mapped into memory, their layout checked, their whole rows counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import Records
from livefacs.errors import TakeError
from livefacs.files.bounded_reading import data_bytes, open_own
from livefacs.take.layout import (
    DOCUMENT_NAME,
    VERSION,
    dtype_from_entry,
    frames_dtype,
    landmarks_dtype,
    readings_dtype,
    rig_dtype,
    video_dtype,
)
from livefacs.take.times import Mask, doubtful_times, mended_times

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
    """The row after the last record that carries its own number; a lost page reads as 0.

    One among others that are right is damaged, and ends nothing (``wrong_numbers``).
    """
    begin = max(0, len(records) - _TAIL_ROWS)
    right = np.flatnonzero(~wrong_numbers(records[begin:], begin + first_row))
    return first_row + begin + (int(right[-1]) + 1 if len(right) else 0)


def wrong_numbers(records: Records, first_row: int) -> Mask:
    """(N,) True for records that do not carry their own number."""
    wrong: Mask = records["row"] != np.arange(len(records)) + first_row
    return wrong


def n_whole_stamps(stamps: Records, n_rows: int) -> int:
    """Video stamps that belong to whole rows, without a tail that was never written whole."""
    rows = stamps["row"]
    right = np.flatnonzero(~doubtful_stamps(stamps) & (rows < n_rows))
    return int(right[-1]) + 1 if len(right) else 0


def doubtful_stamps(stamps: Records) -> Mask:
    """(N,) True for video stamps whose row cannot be right beside the others'."""
    rows = stamps["row"]
    doubtful: Mask = doubtful_times(rows - np.arange(len(rows)))  # each has a row of its own
    doubtful |= rows < 0
    return doubtful


def mended_stamps(stamps: Records, damaged: Mask) -> Records:
    """Stamps with the damaged and the doubtful ones put between their neighbours."""
    wrong = damaged | doubtful_stamps(stamps)
    if not wrong.any():
        return stamps
    mended = np.array(stamps)
    for field in ("row", "pts"):
        mended[field] = mended_times(stamps[field], wrong)
    return mended
