"""Signals: what a retargeting map may name on the right-hand side.

Every Action Unit channel; head and eye angles in degrees and the head's place in centimetres; and
each sided action without its side (``AU12``), which is the mean of its two sides.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.clock import NS_PER_S
from livefacs.kernels import retarget
from livefacs.types import Estimate, TrackedFrame
from livefacs.vocab.facs import ACTIONS, AU_CHANNELS, N_AU, channels_of, unmeasured_actions

POSE_SIGNALS: Final[dict[str, str]] = {
    "head_yaw_deg": "head turned to the performer's left",
    "head_pitch_deg": "nose down",
    "head_roll_deg": "head tipped towards the performer's right shoulder",
    "head_x_cm": "head right in the image",
    "head_y_cm": "head down in the image",
    "head_z_cm": "head away from the camera",
    "gaze_yaw_L_deg": "left eye to the performer's left",
    "gaze_yaw_R_deg": "right eye to the performer's left",
    "gaze_pitch_L_deg": "left eye down",
    "gaze_pitch_R_deg": "right eye down",
    "gaze_out_L_deg": "left eye away from the nose",
    "gaze_out_R_deg": "right eye away from the nose",
}
"""Positive direction of each."""

MEAN_SIGNALS: Final[tuple[str, ...]] = (
    *(action for action in ACTIONS if len(channels_of(action)) == 2),
    "gaze_yaw_deg",
    "gaze_pitch_deg",
)
"""A sided action without its side: the mean of left and right."""

SIGNALS: Final[tuple[str, ...]] = (*AU_CHANNELS, *POSE_SIGNALS, *MEAN_SIGNALS)
SIGNAL_INDEX: Final[dict[str, int]] = {name: index for index, name in enumerate(SIGNALS)}
N_SIGNALS: Final = len(SIGNALS)
TAUGHT_PREFIX: Final = "X_"
INTENSITY_SIGNALS: Final = frozenset({*AU_CHANNELS, *ACTIONS})
"""Those on the 0..1 scale of Action Units."""


def sides_of(signal: str) -> tuple[str, ...]:
    """The two sided signals that a mean is made of; the signal itself where it is measured."""
    if signal not in MEAN_SIGNALS:
        return (signal,)
    if signal.startswith("gaze"):
        stem = signal.removesuffix("_deg")
        return (f"{stem}_L_deg", f"{stem}_R_deg")
    return channels_of(signal)


def _mean_pairs() -> I64:
    names = [(*sides_of(name), name) for name in MEAN_SIGNALS]
    pairs = [[SIGNAL_INDEX[each] for each in triple] for triple in names]
    return np.array(pairs, np.int64)


MEAN_PAIRS: Final[I64] = _mean_pairs()
_N_MEASURED: Final = N_SIGNALS - len(MEAN_SIGNALS)


def is_taught(signal: str) -> bool:
    """True for the name of an action that a performer may have taught.

    ``X_tongue_out``, ``X_cheek_puff_L``; or a FACS code that nothing else estimates, ``AD19``.
    """
    if signal.startswith(TAUGHT_PREFIX):
        return re.fullmatch(r"X(_[A-Za-z0-9]+)+", signal) is not None
    return signal.removesuffix("_L").removesuffix("_R") in unmeasured_actions()


@lru_cache(maxsize=64)
def _taught_columns(channels: tuple[str, ...], taught: tuple[str, ...]) -> I64:
    """(n, 2) columns of each taught signal among channels; -1: nobody taught it."""
    row_of = {name: row for row, name in enumerate(channels)}
    columns = np.full((len(taught), 2), -1, np.int64)
    for i, name in enumerate(taught):
        sides = [row_of[each] for each in (f"{name}_L", f"{name}_R") if each in row_of]
        found = [row_of[name]] if name in row_of else sides
        if found:
            columns[i] = found[0], found[-1]
    return columns


def read_taught(
    intensity: F32 | F64, channels: tuple[str, ...], taught: tuple[str, ...], signals: F64
) -> None:
    """Write the signals of taught actions; one that nobody taught counts as 0.

    Parameters
    ----------
    intensity : (n,) by ``channels``
    taught : names that a map reads; one without its side is the mean of the sides
    signals : (>= N_SIGNALS + len(taught),) float64, changed in place behind the others
    """
    for i, (one, other) in enumerate(_taught_columns(channels, taught).tolist()):
        value = 0.0 if one < 0 else 0.5 * (float(intensity[one]) + float(intensity[other]))
        signals[N_SIGNALS + i] = value


def read_signals(tracked: TrackedFrame | Estimate, signals: F64) -> None:
    """Write the measured signals of a frame; the kernel completes the means.

    Parameters
    ----------
    tracked : TrackedFrame or Estimate
    signals : (>= N_SIGNALS,) float64, changed in place
    """
    head, gaze = tracked.head, tracked.gaze
    degrees = math.degrees
    left, right = degrees(gaze.left_yaw_rad), degrees(gaze.right_yaw_rad)
    signals[:N_AU] = tracked.units.intensity[:N_AU]
    signals[N_AU:_N_MEASURED] = (
        degrees(head.yaw_rad),
        degrees(head.pitch_rad),
        degrees(head.roll_rad),
        head.x_cm,
        head.y_cm,
        head.z_cm,
        left,
        right,
        degrees(gaze.left_pitch_rad),
        degrees(gaze.right_pitch_rad),
        left,
        -right,
    )


def signal_rows(intensity: F32, head: F64, gaze: F64) -> F64:
    """The measured signals of many frames, as ``read_signals`` writes those of one.

    Parameters
    ----------
    intensity : (T, >= N_AU) float32
        Channels of FACS, then those that were taught.
    head : (T, 6) float64
        Yaw, pitch, roll in radians; x, y, z in centimetres.
    gaze : (T, 4) float64
        Left yaw, left pitch, right yaw, right pitch in radians.

    Returns
    -------
    (T, >= N_SIGNALS) float64
        The means are left at 0 for the kernel; taught channels stand behind.
    """
    n_taught = intensity.shape[1] - N_AU
    rows = np.zeros((len(intensity), N_SIGNALS + n_taught))
    rows[:, N_SIGNALS:] = intensity[:, N_AU:]
    left, left_pitch, right, right_pitch = np.degrees(gaze).T
    rows[:, :N_AU] = intensity[:, :N_AU]
    rows[:, N_AU:_N_MEASURED] = np.column_stack(
        (np.degrees(head[:, :3]), head[:, 3:], left, right, left_pitch, right_pitch, left, -right)
    )
    return rows


@dataclass(frozen=True, slots=True)
class Performance:
    """Inputs of every frame of something recorded: what a map is checked, fitted and previewed on.

    Attributes
    ----------
    i_frame : (T,) int64
        Number of the frame in its source.
    t_ns : (T,) int64
    signals : (T, N_SIGNALS + n_taught) float64
        As ``signal_rows`` gives them: NaN where unknown, the means left to the kernel.
    taught : tuple of str
        Channels that were taught.
    """

    i_frame: I64
    t_ns: I64
    signals: F64
    taught: tuple[str, ...] = ()

    @property
    def t_s(self) -> F64:
        """(T,) float64, seconds."""
        return self.t_ns / NS_PER_S

    def completed(self) -> F64:
        """(T, N_SIGNALS) float64 with the means; unknown values are 0."""
        rows = self.signals.copy()
        for row in rows:
            retarget.complete_signals(row, MEAN_PAIRS)
        return rows
