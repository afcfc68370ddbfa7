"""A recorded performance as signals: what a map is checked, fitted and previewed on."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.kernels import retarget
from livefacs.retarget.compiler import RigProgram
from livefacs.retarget.inputs import (
    MEAN_PAIRS,
    MEAN_SIGNALS,
    N_SIGNALS,
    SIGNAL_INDEX,
    SIGNALS,
    read_signals,
)
from livefacs.types import TrackedFrame
from livefacs.vocab.facs import ACTIONS, AU_CHANNELS, DIRECTIONAL, action_of

_DEGREES: Final = 180.0 / math.pi
_USUAL_RATE_HZ: Final = 30.0
"""Of a table with neither times nor a rate."""
_MEASURED: Final = SIGNALS[: N_SIGNALS - len(MEAN_SIGNALS)]
_FRAME_COLUMNS: Final = ("frame", "i_frame")
_SECONDS_COLUMNS: Final = ("seconds", "timestamp_s", "t_s", "time_s", "timestamp")


@dataclass(frozen=True, slots=True)
class Performance:
    """Signals of every frame.

    Attributes
    ----------
    i_frame : (T,) int64
        Number of the frame in its source.
    t_s : (T,) float64
        Seconds, as the table has them; of a take, since its first frame.
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
    return _performance(np.stack(rows), np.array(numbers), np.array(times) - times[0])


def performance_from_csv(path: Path) -> Performance:
    """Signals of a table of Action Units: one row a frame, columns named as channels.

    A column ``seconds`` (or ``timestamp_s``) or ``frame`` gives the time; angles may be in
    ``_deg`` or ``_rad``. A column without a side (``AU12``) stands for both sides where the table
    has none of its own. Columns of other names are passed over.

    Raises
    ------
    ConfigError
        Not such a table; the message says what is missing, or which cell is no number.
    """
    header, rows = read_table(path)
    if not set(header) & {*AU_CHANNELS, *ACTIONS}:
        raise ConfigError(f"{path}: no Action Unit column; expected names such as AU12_L, AU26")
    if not rows:
        raise ConfigError(f"{path}: no rows")
    signals = np.zeros((len(rows), N_SIGNALS))
    for name in _MEASURED:
        for column, factor in _columns_of(name):
            if column in header:
                signals[:, SIGNAL_INDEX[name]] = factor * _column(path, rows, column)
                break
    number = next((_column(path, rows, name) for name in _FRAME_COLUMNS if name in header), None)
    seconds = next((_column(path, rows, name) for name in _SECONDS_COLUMNS if name in header), None)
    if number is None:
        number = np.arange(len(rows), dtype=np.float64)
    if seconds is None:
        seconds = number / _USUAL_RATE_HZ
    if not (np.isfinite(number).all() and np.isfinite(seconds).all()):
        raise ConfigError(f"{path}: a row has no frame number or no time")
    return _performance(signals, number.astype(np.int64), seconds)


def _columns_of(signal: str) -> Iterator[tuple[str, float]]:
    """Columns that may hold a signal, the nearest first, and the factor to its unit."""
    yield signal, 1.0
    words = signal.split("_")
    if signal in AU_CHANNELS:
        if signal not in DIRECTIONAL:
            yield action_of(signal), 1.0  # a table without sides
    elif words[0] == "gaze":
        _, direction, side, _ = words
        sign = -1.0 if (direction, side) == ("out", "R") else 1.0
        axis = "yaw" if direction == "out" else direction
        stems = (f"gaze_{axis}_{side}", f"gaze_{'left' if side == 'L' else 'right'}_{axis}")
        for stem in stems:
            yield f"{stem}_deg", sign
            yield f"{stem}_rad", sign * _DEGREES
    elif signal.endswith("_deg"):
        yield signal.replace("_deg", "_rad"), _DEGREES


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
    state = np.zeros((len(program.controls), retarget.N_STATE))
    signals = np.empty(N_SIGNALS)
    before = np.nan
    for row, (source, t_s) in enumerate(zip(performance.signals, performance.t_s, strict=True)):
        signals[:] = source
        retarget.retarget(
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
        retarget.complete_signals(row, MEAN_PAIRS)
    return Performance(i_frame.astype(np.int64), t_s, signals)


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
