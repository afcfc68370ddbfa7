"""Rigid geometry of the mesh: perspective undone, robust similarity fit, Euler angles."""

from __future__ import annotations

import math

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.kernels._jit import kernel

_JACOBI_SWEEPS = 12
_SCALE_FLOOR = 1e-12


@kernel
def undo_perspective(
    points_px: F32, centre_x_px: float, centre_y_px: float, focal_px: float, out: F64
) -> None:
    """Orthographic coordinates of a mesh seen through a pinhole.

    A point at depth ``Z0 + z`` projects to ``u = f X / (Z0 + z)``. In pixels of the plane through
    the head's origin, ``Z0`` equals the focal length, hence ``X = u (1 + z / f)``.

    Parameters
    ----------
    points_px : (n, 3) float32
        Image pixels; z in the same scale, away from the camera, 0 at the head's centre.
    centre_x_px, centre_y_px : float
        Principal point.
    focal_px : float
        Focal length, > 0.
    out : (n, 3) float64, written
        Pixels from the principal point.
    """
    for i in range(points_px.shape[0]):
        z = float(points_px[i, 2])
        stretch = 1.0 + z / focal_px
        out[i, 0] = (points_px[i, 0] - centre_x_px) * stretch
        out[i, 1] = (points_px[i, 1] - centre_y_px) * stretch
        out[i, 2] = z


@kernel
def rotate_symmetric(a: F64, v: F64, p: int, q: int) -> None:
    """One Jacobi rotation that zeroes ``a[p, q]`` of a symmetric matrix; ``v`` gathers the axes."""
    if abs(a[p, q]) < 1e-300:
        return
    theta = (a[q, q] - a[p, p]) / (2.0 * a[p, q])
    sign = 1.0 if theta >= 0.0 else -1.0
    t = sign / (abs(theta) + math.sqrt(theta * theta + 1.0))
    c = 1.0 / math.sqrt(t * t + 1.0)
    s = t * c
    for k in range(a.shape[0]):
        akp, akq = a[k, p], a[k, q]
        a[k, p], a[k, q] = c * akp - s * akq, s * akp + c * akq
    for k in range(a.shape[0]):
        apk, aqk = a[p, k], a[q, k]
        a[p, k], a[q, k] = c * apk - s * aqk, s * apk + c * aqk
        vkp, vkq = v[k, p], v[k, q]
        v[k, p], v[k, q] = c * vkp - s * vkq, s * vkp + c * vkq


@kernel
def rotation_from_covariance(m: F64, rotation: F64) -> None:
    """Rotation that best takes vectors ``a`` to ``b``, given ``m[i, j] = sum w a_i b_j``.

    Horn's closed form: the eigenvector of the largest eigenvalue of a symmetric 4 x 4 matrix is
    the unit quaternion (B. K. P. Horn, J. Opt. Soc. Am. A 4, 1987). Never a reflection.

    Parameters
    ----------
    m : (3, 3) float64
    rotation : (3, 3) float64, written
        ``b ~ rotation @ a``.
    """
    n = np.empty((4, 4))
    n[0, 0] = m[0, 0] + m[1, 1] + m[2, 2]
    n[1, 1] = m[0, 0] - m[1, 1] - m[2, 2]
    n[2, 2] = -m[0, 0] + m[1, 1] - m[2, 2]
    n[3, 3] = -m[0, 0] - m[1, 1] + m[2, 2]
    n[0, 1] = n[1, 0] = m[1, 2] - m[2, 1]
    n[0, 2] = n[2, 0] = m[2, 0] - m[0, 2]
    n[0, 3] = n[3, 0] = m[0, 1] - m[1, 0]
    n[1, 2] = n[2, 1] = m[0, 1] + m[1, 0]
    n[1, 3] = n[3, 1] = m[2, 0] + m[0, 2]
    n[2, 3] = n[3, 2] = m[1, 2] + m[2, 1]
    v = np.eye(4)
    for _ in range(_JACOBI_SWEEPS):
        off = 0.0
        for p in range(3):
            for q in range(p + 1, 4):
                off += n[p, q] * n[p, q]
        if off < 1e-24 * (n[0, 0] ** 2 + n[1, 1] ** 2 + n[2, 2] ** 2 + n[3, 3] ** 2):
            break
        for p in range(3):
            for q in range(p + 1, 4):
                rotate_symmetric(n, v, p, q)
    best = 0
    for i in range(1, 4):
        if n[i, i] > n[best, best]:
            best = i
    w, x, y, z = v[0, best], v[1, best], v[2, best], v[3, best]
    rotation[0, 0] = w * w + x * x - y * y - z * z
    rotation[1, 1] = w * w - x * x + y * y - z * z
    rotation[2, 2] = w * w - x * x - y * y + z * z
    rotation[0, 1], rotation[1, 0] = 2.0 * (x * y - w * z), 2.0 * (x * y + w * z)
    rotation[0, 2], rotation[2, 0] = 2.0 * (x * z + w * y), 2.0 * (x * z - w * y)
    rotation[1, 2], rotation[2, 1] = 2.0 * (y * z - w * x), 2.0 * (y * z + w * x)


@kernel
def fit_similarity(
    points: F64,
    reference: F64,
    ids: I64,
    prior: F64,
    n_rounds: int,
    softness: float,
    rotation: F64,
    offset: F64,
) -> tuple[float, float]:
    """Similarity from a mesh to a reference, robust against points that expressions move.

    Iteratively reweighted least squares: each round weighs a point by its prior and by
    ``1 / (1 + (r / softness)^2)`` (Cauchy), ``r`` its in-plane residual of the round before.

    Parameters
    ----------
    points, reference : (n, 3) float64
    ids : (m,) int64
        Points that take part.
    prior : (m,) float64
        Weight of each, larger where neither expression nor pose moves it.
    n_rounds : int
    softness : float
        Residual, in the reference's unit, at which a point counts half.
    rotation : (3, 3) float64, written
    offset : (3,) float64, written
        ``reference ~ scale * rotation @ point + offset``.

    Returns
    -------
    scale : float
        0 where the points coincide.
    residual : float
        Weighted root mean square of the in-plane residual, in the reference's unit.
    """
    m = ids.shape[0]
    weight = prior.copy()
    scale, residual = 1.0, 0.0
    cov = np.empty((3, 3))
    ca, cb, a, b = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    for _ in range(n_rounds):
        total = 0.0
        ca[:] = 0.0
        cb[:] = 0.0
        for j in range(m):
            i, w = ids[j], weight[j]
            total += w
            for d in range(3):
                ca[d] += w * points[i, d]
                cb[d] += w * reference[i, d]
        ca /= total
        cb /= total
        cov[:] = 0.0
        spread = 0.0
        for j in range(m):
            i, w = ids[j], weight[j]
            for d in range(3):
                a[d] = points[i, d] - ca[d]
                b[d] = reference[i, d] - cb[d]
                spread += w * a[d] * a[d]
            for d in range(3):
                for e in range(3):
                    cov[d, e] += w * a[d] * b[e]
        rotation_from_covariance(cov, rotation)
        top = 0.0
        for d in range(3):
            for e in range(3):
                top += rotation[d, e] * cov[e, d]
        scale = top / spread if spread > _SCALE_FLOOR else 0.0
        for d in range(3):
            moved = 0.0
            for e in range(3):
                moved += rotation[d, e] * ca[e]
            offset[d] = cb[d] - scale * moved
        residual = reweight(
            points, reference, ids, prior, softness, scale, rotation, offset, weight
        )
    return scale, residual


@kernel
def reweight(
    points: F64,
    reference: F64,
    ids: I64,
    prior: F64,
    softness: float,
    scale: float,
    rotation: F64,
    offset: F64,
    weight: F64,
) -> float:
    """New weights from the in-plane residuals of a similarity; their weighted RMS (see above)."""
    squares, total = 0.0, 0.0
    for j in range(ids.shape[0]):
        i = ids[j]
        square = 0.0
        for d in range(2):
            moved = offset[d] - reference[i, d]
            for e in range(3):
                moved += scale * rotation[d, e] * points[i, e]
            square += moved * moved
        weight[j] = prior[j] / (1.0 + square / (softness * softness))
        squares += weight[j] * square
        total += weight[j]
    return math.sqrt(squares / total)


@kernel
def apply_similarity(points: F64, scale: float, rotation: F64, offset: F64, out: F64) -> None:
    """``out = scale * rotation @ point + offset`` for every point; arrays as in the fit."""
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        for d in range(3):
            out[i, d] = (
                scale * (rotation[d, 0] * x + rotation[d, 1] * y + rotation[d, 2] * z) + offset[d]
            )


@kernel
def angles_from_rotation(face_from_camera: F64) -> tuple[float, float, float]:
    """Yaw, pitch and roll of the head, radians.

    Camera axes: x right in the image, y down, z away. yaw > 0 turns to the performer's left,
    pitch > 0 is nose down, roll > 0 tips the head towards image left.

    Parameters
    ----------
    face_from_camera : (3, 3) float64
        Rotation that takes camera axes to face axes.
    """
    r = face_from_camera
    yaw = math.atan2(-r[2, 0], r[2, 2])
    pitch = math.atan2(-r[2, 1], math.hypot(r[2, 0], r[2, 2]))
    roll = math.atan2(-r[0, 1], r[1, 1])
    return yaw, pitch, roll
