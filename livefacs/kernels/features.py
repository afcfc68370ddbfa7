"""Measurements on the aligned mesh: point displacements, lid and lip openings, head-pose terms."""

from __future__ import annotations

import math

from livefacs.arrays import F64, I64
from livefacs.kernels._jit import kernel

N_POSE_TERMS = 10
"""yaw, pitch, roll, their squares and products; see :func:`pose_terms`."""

POSE_SCALE = 0.1
"""Brings pose terms (radians) to the size of displacements (fractions of the eye distance)."""


@kernel
def pose_terms(yaw: float, pitch: float, roll: float, out: F64) -> None:
    """Terms that take out what the head's rotation leaves in the aligned mesh.

    Parameters
    ----------
    yaw, pitch, roll : float, radians, relative to the neutral frame's
    out : (10,) float64, written
        Even and odd powers; under mirroring the 1st, 3rd, 6th, 8th and 9th change sign.
    """
    out[0] = POSE_SCALE * yaw
    out[1] = POSE_SCALE * pitch
    out[2] = POSE_SCALE * roll
    out[3] = POSE_SCALE * yaw * yaw
    out[4] = POSE_SCALE * pitch * pitch
    out[5] = POSE_SCALE * yaw * pitch
    out[6] = POSE_SCALE * roll * yaw
    out[7] = POSE_SCALE * roll * pitch
    out[8] = POSE_SCALE * abs(yaw) * yaw
    out[9] = POSE_SCALE * roll * roll


@kernel
def displacements(aligned: F64, neutral: F64, ids: I64, out: F64) -> None:
    """In-plane displacement of points from the neutral, interleaved x, y.

    Parameters
    ----------
    aligned, neutral : (n, 3) float64
        Face frame, in units of the outer-eye distance.
    ids : (m,) int64
    out : (>= 2 m,) float64, written
    """
    for j in range(ids.shape[0]):
        i = ids[j]
        out[2 * j] = aligned[i, 0] - neutral[i, 0]
        out[2 * j + 1] = aligned[i, 1] - neutral[i, 1]


@kernel
def opening(mesh: F64, pairs: I64) -> float:
    """Mean in-plane distance of point pairs: the lid gap, or the gap between the inner lips.

    Parameters
    ----------
    mesh : (n, 3) float64
    pairs : (m, 2) int64
        Upper and lower point of each pair.
    """
    total = 0.0
    for j in range(pairs.shape[0]):
        a, b = pairs[j, 0], pairs[j, 1]
        total += math.hypot(mesh[a, 0] - mesh[b, 0], mesh[a, 1] - mesh[b, 1])
    return float(total / pairs.shape[0])


@kernel
def iris_offset(mesh: F64, iris: int, corner_a: int, corner_b: int) -> tuple[float, float]:
    """Iris centre relative to the middle of the two eye corners, in the mesh's unit."""
    x = mesh[iris, 0] - 0.5 * (mesh[corner_a, 0] + mesh[corner_b, 0])
    y = mesh[iris, 1] - 0.5 * (mesh[corner_a, 1] + mesh[corner_b, 1])
    return x, y
