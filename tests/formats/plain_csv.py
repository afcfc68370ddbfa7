"""The solve CSV written plainly, row by row, from estimates: the twin of ``formats.au_table``."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.clock import s_from_ns
from livefacs.formats.au_csv import header
from livefacs.types import Estimate, Health
from livefacs.vocab.facs import (
    ACTIONS,
    CHANNEL_INDEX,
    HEAD_CHANNELS,
    channels_of,
    unmeasured_actions,
)

_N_FACIAL: Final = CHANNEL_INDEX[HEAD_CHANNELS[0]]


def _row(i_frame: int, t_ns: int, estimate: Estimate | None) -> list[Any]:
    start: list[Any] = [i_frame, f"{s_from_ns(t_ns):.6f}"]
    n_empty = len(unmeasured_actions())
    if estimate is None or Health.NO_FACE in estimate.health:
        health = Health.NO_FACE if estimate is None else estimate.health
        return [*start, 0, 0, *[""] * (len(header()) - 4), int(health)]
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
    return [*row, *[""] * n_empty, int(estimate.health)]


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def write_au_csv(path: Path, frames: Iterable[tuple[int, int, Estimate | None]]) -> None:
    """Frame number, time in nanoseconds and estimate of each frame; None: no face."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*header(), "health"])
        for i_frame, t_ns, estimate in frames:
            writer.writerow(_row(i_frame, t_ns, estimate))
