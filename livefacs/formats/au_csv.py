"""Action Unit curves as CSV, a row a frame: what ``livefacs solve`` writes."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.clock import s_from_ns
from livefacs.types import Estimate, Health
from livefacs.vocab.facs import (
    ACTIONS,
    CHANNEL_INDEX,
    HEAD_CHANNELS,
    channels_of,
    code_table,
)

_HEAD: Final = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")
_PLACE: Final = ("head_x_cm", "head_y_cm", "head_z_cm")
_GAZE: Final = (
    "gaze_left_yaw_deg",
    "gaze_left_pitch_deg",
    "gaze_right_yaw_deg",
    "gaze_right_pitch_deg",
)
_N_FACIAL: Final = CHANNEL_INDEX[HEAD_CHANNELS[0]]


def unmeasured_actions() -> tuple[str, ...]:
    """Actions of the code table that landmarks do not give: their columns stay empty."""
    return tuple(
        code.channel_stem
        for code in code_table().values()
        if code.kind in ("AU", "AD") and not code.channels and code.code != "0"
    )


def header() -> list[str]:
    """Column names: frame, time, face, confidence, head, gaze, then every action.

    An action with sides has three columns (``AU12``, ``AU12_L``, ``AU12_R``), the first their
    mean. Actions that cannot be measured are there, and empty.
    """
    names = ["frame", "timestamp_s", "face", "confidence", *_HEAD, *_PLACE, *_GAZE]
    for action in ACTIONS:
        sides = channels_of(action)
        names += sides if len(sides) == 1 else (action, *sides)
    return [*names, *unmeasured_actions()]


def _row(i_frame: int, t_ns: int, estimate: Estimate | None) -> list[Any]:
    start: list[Any] = [i_frame, f"{s_from_ns(t_ns):.6f}"]
    n_empty = len(unmeasured_actions())
    if estimate is None or Health.NO_FACE in estimate.health:
        return [*start, 0, 0, *[""] * (len(header()) - 4)]
    head, gaze, units = estimate.head, estimate.gaze, estimate.units
    angles = (head.yaw_rad, head.pitch_rad, head.roll_rad)
    eyes = (gaze.left_yaw_rad, gaze.left_pitch_rad, gaze.right_yaw_rad, gaze.right_pitch_rad)
    row = [*start, 1, f"{float(units.confidence[:_N_FACIAL].mean()):.3f}"]
    row += [f"{math.degrees(a):.3f}" for a in angles]
    row += [f"{v:.2f}" for v in (head.x_cm, head.y_cm, head.z_cm)]
    row += [f"{math.degrees(a):.3f}" for a in eyes]
    values = np.clip(units.intensity, 0.0, 1.0)
    for action in ACTIONS:
        sides = [float(values[CHANNEL_INDEX[channel]]) for channel in channels_of(action)]
        row += [_cell(v) for v in (sides if len(sides) == 1 else (float(np.mean(sides)), *sides))]
    return [*row, *[""] * n_empty]


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def write_au_csv(path: Path, frames: Iterable[tuple[int, int, Estimate | None]]) -> None:
    """Write curves; the file appears under its name only when it is whole.

    Parameters
    ----------
    path : Path
        Its folder is made.
    frames : iterable of (frame number, time in nanoseconds, Estimate or None)
        None, or an estimate with ``NO_FACE``, leaves every measured cell empty.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header())
        for i_frame, t_ns, estimate in frames:
            writer.writerow(_row(i_frame, t_ns, estimate))
    partial.replace(path)
