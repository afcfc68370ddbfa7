"""Action Unit curves as CSV: the columns that we write, and what is read as such."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.arrays import F64
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.files.table import read_table
from livefacs.retarget.inputs import (
    MEAN_SIGNALS,
    N_SIGNALS,
    SIGNAL_INDEX,
    SIGNALS,
    Performance,
)
from livefacs.vocab.facs import (
    ACTIONS,
    AU_CHANNELS,
    DIRECTIONAL,
    action_of,
    channels_of,
    unmeasured_actions,
)

_HEAD: Final = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")
_PLACE: Final = ("head_x_cm", "head_y_cm", "head_z_cm")
_GAZE: Final = (
    "gaze_left_yaw_deg",
    "gaze_left_pitch_deg",
    "gaze_right_yaw_deg",
    "gaze_right_pitch_deg",
)


_DEGREES: Final = 180.0 / math.pi
_USUAL_RATE_HZ: Final = 30.0
"""Of a table with neither times nor a rate."""
_MEASURED: Final = SIGNALS[: N_SIGNALS - len(MEAN_SIGNALS)]
_FRAME_COLUMNS: Final = ("frame", "i_frame")
_SECONDS_COLUMNS: Final = ("seconds", "timestamp_s", "t_s", "time_s", "timestamp")


def header(taught: Sequence[str] = ()) -> list[str]:
    """Column names: frame, time, face, confidence, head, gaze, then every action.

    An action with sides has three columns (``AU12``, ``AU12_L``, ``AU12_R``), the first their
    mean. Then come those that the performer taught. Actions that cannot be measured are there,
    and empty.
    """
    names = ["frame", "timestamp_s", "face", "confidence", *_HEAD, *_PLACE, *_GAZE]
    for action in ACTIONS:
        sides = channels_of(action)
        names += sides if len(sides) == 1 else (action, *sides)
    return [*names, *taught, *never_measured(taught)]


def never_measured(taught: Sequence[str]) -> list[str]:
    """Actions that are not measured, nor taught."""
    return [name for name in unmeasured_actions() if name not in taught]


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
    t_ns = np.round(seconds * NS_PER_S).astype(np.int64)
    return Performance(number.astype(np.int64), t_ns, signals)


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
