"""CSV of a take, the columns of ``livefacs solve``; or of a rig's controls."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F64
from livefacs.clock import NS_PER_S
from livefacs.formats.au_csv import header, never_measured
from livefacs.formats.curves import (
    Curves,
    ExportOptions,
    curves_from_take,
    faces_seen,
    nearest_rows,
)
from livefacs.formats.text import CHUNK_ROWS, number_lines
from livefacs.take.reader import Take
from livefacs.vocab.facs import (
    ACTIONS,
    CHANNEL_INDEX,
    HEAD_CHANNELS,
    channels_of,
)

_N_FACIAL: Final = CHANNEL_INDEX[HEAD_CHANNELS[0]]
_POSE: Final = "%.3f,%.3f,%.3f,%.2f,%.2f,%.2f,%.3f,%.3f,%.3f,%.3f"
_N_POSE: Final = 10
_N_START: Final = 4  # frame, timestamp_s, face, confidence
_N_END: Final = 1  # health


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file: a row a frame; what was not measured is an empty cell.

    Options add a ``timecode`` column after the timestamp and, for Action Units, a
    ``…_confidence`` column for each channel. The last column, ``health``, holds the frame's flags
    as of ``types.Health``.
    """
    curves = curves_from_take(take, options)
    nearest = nearest_rows(take, curves)
    has_face = faces_seen(take, curves, nearest)
    names = _names(curves, options)
    wants_confidence = options.confidence and not options.rig
    n_empty = 0 if options.rig else len(never_measured(_taught(curves)))
    n_confidences = len(take.channels) if wants_confidence else 0
    n_known = _N_START + bool(options.timecode) + _N_POSE + n_empty + n_confidences + _N_END
    n_values = len(names) - n_known
    decimals = "%.6f" if options.rig else "%.4f"
    template = _POSE + f",{decimals}" * n_values + "," * n_empty
    template += ",%.3f" * n_confidences
    blank = "," * (template.count(",") + 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(names)
        for begin in range(0, len(curves), CHUNK_ROWS):  # so that memory stays as it is
            rows = slice(begin, begin + CHUNK_ROWS)
            some, recorded = curves.rows(rows), nearest[rows]
            parts = [_pose(some), some.values if options.rig else _with_means(some)]
            if wants_confidence:
                parts.append(take.confidence[recorded])
            lines = number_lines(np.hstack(parts), "," + template)
            seen = has_face[rows]
            starts = _starts(take, curves, rows, recorded, seen, options)
            flags = take.frames["health"][recorded].tolist()
            for start, line, face, health in zip(starts, lines, seen.tolist(), flags, strict=True):
                file.write(f"{start}{line if face else blank},{health}\n")


def _names(curves: Curves, options: ExportOptions) -> list[str]:
    if options.rig:
        names = [*header()[: _N_START + _N_POSE], *curves.names]
    else:
        names = header(_taught(curves))
    if options.confidence and not options.rig:
        names += [f"{name}_confidence" for name in curves.names]
    if options.timecode:
        names.insert(2, "timecode")
    return [*names, "health"]


def _starts(
    take: Take, curves: Curves, rows: slice, recorded: Any, has_face: Any, options: ExportOptions
) -> Iterator[str]:
    """Frame, time, face and confidence of some rows, ready to be written.

    ``recorded`` are the take's rows that are nearest to them.
    """
    numbers = np.arange(len(curves))[rows] if curves.is_even else take.frames["i_frame"][rows]
    origin = int(curves.times_ns[0]) if take.document["source"]["is_live"] else 0
    seconds = (curves.times_ns[rows] - origin) / NS_PER_S
    confidence = np.array(take.confidence[recorded, :_N_FACIAL]).mean(axis=1)
    columns = (numbers, seconds, confidence, has_face)
    for index, (number, time_s, mean, face) in enumerate(
        zip(*(column.tolist() for column in columns), strict=True), rows.start
    ):
        label = f",{curves.label(index)}" if options.timecode else ""
        seen = f"1,{mean:.3f}" if face else "0,0"
        yield f"{number},{time_s:.6f}{label},{seen}"


def _pose(curves: Curves) -> F64:
    head, gaze = curves.head, curves.gaze
    return np.hstack([np.degrees(head[:, :3]), head[:, 3:], np.degrees(gaze)])


def _with_means(curves: Curves) -> F64:
    """Every action in order: its bilateral mean and its sides, clipped to 0..1."""
    values = np.clip(np.asarray(curves.values, np.float64), 0.0, 1.0)
    index = {name: column for column, name in enumerate(curves.names)}
    columns: list[F64] = []
    for action in ACTIONS:
        sides = [
            values[:, index[name]] if name in index else np.full(len(values), np.nan)
            for name in channels_of(action)
        ]
        columns += sides if len(sides) == 1 else [(sides[0] + sides[1]) / 2, *sides]
    columns += [values[:, index[name]] for name in _taught(curves)]
    return np.stack(columns, axis=1)


def _taught(curves: Curves) -> tuple[str, ...]:
    """Channels that the performer taught."""
    return tuple(name for name in curves.names if name not in CHANNEL_INDEX)
