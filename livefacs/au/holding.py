"""What stands where no face is seen: the last values for a while, then on their way to neutral."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.arrays import F64
from livefacs.kernels.step import FADE_S, HOLD_S
from livefacs.types import ActionUnits, Estimate, HeadPose, Health

RESTART_S: Final = 1.0
"""After a longer gap the filter starts afresh."""


def held_estimate(last: Estimate, lost_s: float, health: Health, filter_state: F64) -> Estimate:
    """The estimate of a moment without a face.

    Parameters
    ----------
    last : Estimate
        The newest of a frame with a face.
    lost_s : float
        Seconds since then.
    health : Health
        Flags besides NO_FACE and HELD.
    filter_state : (n, 2) float64, changed in place
        Of the One Euro filter: forgotten once the values fade, so that a face that comes back
        starts where it is.
    """
    left = np.float32(min(1.0, max(0.0, 1.0 - (lost_s - HOLD_S) / FADE_S)))
    if lost_s >= HOLD_S:
        filter_state[:] = np.nan
    units = ActionUnits(
        last.units.intensity * left,
        last.units.raw * left,
        last.units.confidence * left * np.float32(0.5),
        last.units.channels,
    )
    health |= Health.NO_FACE | Health.HELD
    return Estimate(units, _faded_pose(last.head, float(left)), last.gaze, health)


def _faded_pose(head: HeadPose, left: float) -> HeadPose:
    return HeadPose(
        head.yaw_rad * left,
        head.pitch_rad * left,
        head.roll_rad * left,
        head.x_cm,
        head.y_cm,
        head.z_cm,
    )
