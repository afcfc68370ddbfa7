"""A recorded performance as signals: what a map is checked, fitted and previewed on."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.kernels import matrix
from livefacs.retarget.compiler import RigProgram
from livefacs.retarget.signals import (
    MEAN_PAIRS,
    MEAN_SIGNALS,
    N_SIGNALS,
    SIGNAL_INDEX,
    SIGNALS,
    read_signals,
)
from livefacs.types import TrackedFrame
from livefacs.vocab.facs import AU_CHANNELS

_MEASURED: Final = SIGNALS[: N_SIGNALS - len(MEAN_SIGNALS)]
_FRAME_COLUMNS: Final = ("frame", "i_frame")
_SECONDS_COLUMNS: Final = ("seconds", "t_s", "time_s", "timestamp")


@dataclass(frozen=True, slots=True)
class Performance:
    """Signals of every frame.

    Attributes
    ----------
    i_frame : (T,) int64
        Number of the frame in its source.
    t_s : (T,) float64
        Seconds since the first frame.
    signals : (T, N_SIGNALS) float64
        In the order of ``signals.SIGNALS``; unknown values are 0.
    """

    i_frame: I64
    t_s: F64
    signals: F64


def performance_from_frames(frames: Iterable[TrackedFrame]) -> Performance:
    """Signals of tracked frames.

    Raises
    ------
    ConfigError
        There are no frames.
    """
    rows, numbers, times = [], [], []
    for tracked in frames:
        row = np.zeros(N_SIGNALS)
        read_signals(tracked, row)
        rows.append(row)
        numbers.append(tracked.i_frame)
        times.append(tracked.t_ns / NS_PER_S)
    if not rows:
        raise ConfigError("the performance has no frames")
    return _performance(np.stack(rows), np.array(numbers), np.array(times))


def performance_from_csv(path: Path) -> Performance:
    """Signals of a table of Action Units: one row a frame, columns named as channels.

    A column ``seconds`` (or ``t_s``) or ``frame`` gives the time; angles may be in ``_deg`` or
    ``_rad``. Columns of other names are passed over.

    Raises
    ------
    ConfigError
        Not such a table; the message says what is missing, or which cell is no number.
    """
    header, rows = read_table(path)
    if not set(header) & set(AU_CHANNELS):
        raise ConfigError(f"{path}: no Action Unit column; expected names such as AU12_L, AU26")
    if not rows:
        raise ConfigError(f"{path}: no rows")
    columns = {name: _column(path, rows, name) for name in header if _is_used(name)}
    signals = np.zeros((len(rows), N_SIGNALS))
    for name in _MEASURED:
        if name in columns:
            signals[:, SIGNAL_INDEX[name]] = columns[name]
        elif (radians := name.replace("_deg", "_rad")) in columns:
            signals[:, SIGNAL_INDEX[name]] = np.degrees(columns[radians])
    _derive_outward_gaze(signals, columns)
    number = _first_of(columns, _FRAME_COLUMNS)
    seconds = _first_of(columns, _SECONDS_COLUMNS)
    if number is None:
        number = np.arange(len(rows), dtype=np.float64)
    return _performance(
        signals, number.astype(np.int64), number / 30 if seconds is None else seconds
    )


def read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows of a CSV file, spaces around names and values taken off.

    Raises
    ------
    ConfigError
        The file cannot be read or has no header.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True, restval="")
            header = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = header
            rows = [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as CSV: {error}") from None
    if not any(header):
        raise ConfigError(f"{path}: empty; expected a header line with column names")
    return header, rows


def run_program(program: RigProgram, performance: Performance) -> F32:
    """Control values of a whole performance, (T, n_controls) float32, smoothing included."""
    values = np.empty((len(performance.t_s), len(program.controls)), np.float32)
    state = np.zeros((len(program.controls), matrix.N_STATE))
    signals = np.empty(N_SIGNALS)
    before = np.nan
    for row, (source, t_s) in enumerate(zip(performance.signals, performance.t_s, strict=True)):
        signals[:] = source
        matrix.retarget(
            signals,
            MEAN_PAIRS,
            program.numbers,
            program.spans,
            program.entry_signal,
            program.entry_weight,
            program.combinations,
            program.combination_weight,
            program.curves,
            state,
            float(t_s - before) if t_s >= before else -1.0,
            values[row],
        )
        before = t_s
    return values


def _performance(signals: F64, i_frame: I64, t_s: F64) -> Performance:
    for row in signals:
        matrix.complete_signals(row, MEAN_PAIRS)
    return Performance(i_frame.astype(np.int64), t_s - t_s[0], signals)


def _is_used(name: str) -> bool:
    known = {*_MEASURED, *_FRAME_COLUMNS, *_SECONDS_COLUMNS}
    return name in known or name.replace("_rad", "_deg") in known


def _column(path: Path, rows: Sequence[Mapping[str, str]], name: str) -> F64:
    values = np.empty(len(rows))
    for index, row in enumerate(rows):
        text = row[name]
        try:
            values[index] = float(text) if text else np.nan
        except ValueError:
            raise ConfigError(
                f"{path}:{index + 2}: {name}: expected a number, got {text!r}"
            ) from None
    return values


def _first_of(columns: Mapping[str, F64], names: Sequence[str]) -> F64 | None:
    return next((columns[name] for name in names if name in columns), None)


def _derive_outward_gaze(signals: F64, columns: Mapping[str, F64]) -> None:
    for side, sign in (("L", 1.0), ("R", -1.0)):
        if f"gaze_out_{side}_deg" not in columns:
            yaw = signals[:, SIGNAL_INDEX[f"gaze_yaw_{side}_deg"]]
            signals[:, SIGNAL_INDEX[f"gaze_out_{side}_deg"]] = sign * yaw
