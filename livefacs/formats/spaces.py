"""Head and eyes in the axes that animation packages use.

Ours (``types``): camera space with x right in the image, y down, z away; angles yaw to the
performer's left, pitch nose down, roll towards the performer's right shoulder. Theirs:
right-handed, x to the performer's left, y up, z out of the face towards the camera; there, yaw,
pitch and roll are plain right-handed turns about y, x and z, in this order from the outside in.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from scipy.spatial.transform import Rotation

from livefacs.arrays import F64
from livefacs.formats.curves import Curves, gaze_column, head_column

_FLIP: Final = np.diag([1.0, -1.0, -1.0])
"""From y up to y down and back."""


def head_rotation(curves: Curves) -> Any:
    """Rotation of the head, y up; a SciPy ``Rotation`` of T."""
    angles = [head_column(curves, f"{axis}_rad") for axis in ("yaw", "pitch", "roll")]
    return Rotation.from_euler("YXZ", np.stack(angles, axis=1))


def head_position_cm(curves: Curves) -> F64:
    """(T, 3) place of the head before the camera at the origin, y up, z towards the camera."""
    place = np.stack([head_column(curves, f"{axis}_cm") for axis in "xyz"], axis=1)
    return np.asarray(place @ _FLIP, np.float64)


def eye_rotation(curves: Curves, side: str) -> Any:
    """Rotation of an eye in the head, y up; ``side`` is ``left``, ``right`` or ``both`` (mean)."""
    sides = ("left", "right") if side == "both" else (side,)
    yaw = np.mean([gaze_column(curves, f"{name}_yaw_rad") for name in sides], axis=0)
    pitch = np.mean([gaze_column(curves, f"{name}_pitch_rad") for name in sides], axis=0)
    return Rotation.from_euler("YX", np.stack([yaw, pitch], axis=1))


def quaternions_xyzw(rotation: Any) -> F64:
    """(T, 4) unit quaternions, signs chosen so that neighbours interpolate the short way."""
    quaternions = rotation.as_quat()
    turns = np.sign(np.einsum("ij,ij->i", quaternions[1:], quaternions[:-1]))
    signs = np.concatenate(([1.0], np.cumprod(np.where(turns < 0, -1.0, 1.0))))
    return np.asarray(quaternions * signs[:, None], np.float64)


def camera_euler_xyz(rotation: Any) -> F64:
    """(T, 3) radians about x right, y down, z away, as R = Rx Ry Rz (OpenFace's convention)."""
    matrices = _FLIP @ rotation.as_matrix() @ _FLIP
    return np.asarray(Rotation.from_matrix(matrices).as_euler("XYZ"), np.float64)


def camera_directions(rotation: Any) -> F64:
    """(T, 3) unit vectors in which something looks, camera axes x right, y down, z away."""
    return np.asarray(rotation.apply([0.0, 0.0, 1.0]) @ _FLIP, np.float64)
