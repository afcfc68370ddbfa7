"""Angles as protocols want them: signs that a user can flip, and Unity's quaternions.

The project's angles (``types.HeadPose``, ``types.Gaze``): yaw > 0 to the performer's left,
pitch > 0 down, roll > 0 towards the performer's right shoulder; head = Ry(yaw) Rx(pitch) Rz(roll).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AxisSigns:
    """+1 or -1 for head yaw, pitch and roll and for horizontal gaze."""

    yaw: float = 1.0
    pitch: float = 1.0
    roll: float = 1.0
    gaze: float = 1.0

    @classmethod
    def flipping(cls, names: Iterable[str]) -> AxisSigns:
        """-1 for each of ``yaw pitch roll gaze`` that is named."""
        return cls(**dict.fromkeys(names, -1.0))


def quaternion(
    yaw_rad: float, pitch_rad: float, roll_rad: float
) -> tuple[float, float, float, float]:
    """Rotation x, y, z, w of Ry(yaw) Rx(pitch) Rz(roll).

    With the project's angles: in right-handed axes, x to the performer's left, y up, z out of
    the face.
    """
    a, b, c = 0.5 * yaw_rad, 0.5 * pitch_rad, 0.5 * roll_rad
    sin_y, cos_y = math.sin(a), math.cos(a)
    sin_x, cos_x = math.sin(b), math.cos(b)
    sin_z, cos_z = math.sin(c), math.cos(c)
    return (
        cos_y * sin_x * cos_z + sin_y * cos_x * sin_z,
        sin_y * cos_x * cos_z - cos_y * sin_x * sin_z,
        cos_y * cos_x * sin_z - sin_y * sin_x * cos_z,
        cos_y * cos_x * cos_z + sin_y * sin_x * sin_z,
    )


def unity_quaternion(
    yaw_rad: float, pitch_rad: float, roll_rad: float
) -> tuple[float, float, float, float]:
    """Rotation x, y, z, w in Unity axes: left-handed, Y up, an avatar that faces +Z.

    There a positive turn about Y is to the own right, about X nose down, about Z towards the own
    left shoulder, so yaw and roll change sign and pitch stays.
    """
    return quaternion(-yaw_rad, pitch_rad, -roll_rad)


def angles_from_quaternion(x: float, y: float, z: float, w: float) -> tuple[float, float, float]:
    """Yaw, pitch and roll in radians, as ``quaternion`` takes them; zero where there is none."""
    size = math.sqrt(x * x + y * y + z * z + w * w)
    if not 1e-6 < size < math.inf:
        return 0.0, 0.0, 0.0
    x, y, z, w = x / size, y / size, z / size, w / size
    return (
        math.atan2(2.0 * (x * z + y * w), 1.0 - 2.0 * (x * x + y * y)),
        math.asin(max(-1.0, min(1.0, 2.0 * (x * w - y * z)))),
        math.atan2(2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z)),
    )


def angles_from_unity(x: float, y: float, z: float, w: float) -> tuple[float, float, float]:
    """Yaw, pitch and roll in radians of a rotation in Unity's axes (``unity_quaternion``)."""
    yaw, pitch, roll = angles_from_quaternion(x, y, z, w)
    return -yaw, pitch, -roll
