"""CSV of a take, the columns of ``livefacs solve``; or of a rig's controls."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.formats.au_csv import header
from livefacs.formats.curves import F64, Curves, ExportOptions, curves_from_take, nearest_rows
from livefacs.formats.text import CHUNK_ROWS, number_lines
from livefacs.take.reader import Take
from livefacs.vocab.facs import (
    ACTIONS,
    CHANNEL_INDEX,
    HEAD_CHANNELS,
    channels_of,
    unmeasured_actions,
)

_N_FACIAL: Final = CHANNEL_INDEX[HEAD_CHANNELS[0]]
_POSE: Final = "%.3f,%.3f,%.3f,%.2f,%.2f,%.2f,%.3f,%.3f,%.3f,%.3f"
_N_POSE: Final = 10
_N_START: Final = 4  # frame, timestamp_s, face, confidence


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file: a row a frame; what was not measured is an empty cell.

    Options add a ``timecode`` column after the timestamp and, for Action Units, a
    ``…_confidence`` column for each channel at the end.
    """
    curves = curves_from_take(take, options)
    nearest = nearest_rows(take, curves)
    has_face = np.array(take.frames["n_faces"] > 0)[nearest]
    values = curves.values if options.rig else _with_means(curves)
    names = _names(curves, options)
    n_empty = 0 if options.rig else len(unmeasured_actions())
    confidence = np.array(take.confidence)
    wants_confidence = options.confidence and not options.rig
    decimals = "%.6f" if options.rig else "%.4f"
    template = _POSE + f",{decimals}" * values.shape[1] + "," * n_empty
    template += ",%.3f" * (confidence.shape[1] if wants_confidence else 0) + "\n"
    starts = _starts(take, curves, nearest, has_face, options)
    pose = _pose(curves)
    blank = "," * (template.count(",") + 1) + "\n"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(names)
        for begin in range(0, len(curves), CHUNK_ROWS):
            rows = slice(begin, begin + CHUNK_ROWS)
            parts = [pose[rows], values[rows]]
            if wants_confidence:
                parts.append(confidence[nearest[rows]])
            lines = number_lines(np.hstack(parts), "," + template)
            seen = has_face[rows].tolist()
            for start, line, face in zip(starts[rows], lines, seen, strict=True):
                file.write(start + (line if face else blank))


def _names(curves: Curves, options: ExportOptions) -> list[str]:
    names = header()
    if options.rig:
        names = [*names[: _N_START + _N_POSE], *curves.names]
    elif options.confidence:
        names += [f"{name}_confidence" for name in curves.names]
    if options.timecode:
        names.insert(2, "timecode")
    return names


def _starts(
    take: Take, curves: Curves, nearest: Any, has_face: Any, options: ExportOptions
) -> list[str]:
    """Frame, time, face and confidence of each row, ready to be written."""
    numbers = range(len(curves)) if curves.is_even else take.frames["i_frame"].tolist()
    origin = int(curves.times_ns[0]) if take.document["source"]["is_live"] else 0
    seconds = ((curves.times_ns - origin) / NS_PER_S).tolist()
    confidence = np.array(take.confidence[:, :_N_FACIAL]).mean(axis=1)[nearest].tolist()
    starts = []
    for index, (number, time_s) in enumerate(zip(numbers, seconds, strict=True)):
        label = f",{curves.label(index)}" if options.timecode else ""
        face = f"1,{confidence[index]:.3f}" if has_face[index] else "0,0"
        starts.append(f"{number},{time_s:.6f}{label},{face}")
    return starts


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
    return np.stack(columns, axis=1)
