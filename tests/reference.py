"""Slow, plain NumPy twins of the kernels: written from the formulas, not from the kernels."""

from __future__ import annotations

import math

import numpy as np

from livefacs.arrays import F64


def undo_perspective(points_px: F64, centre: tuple[float, float], focal_px: float) -> F64:
    """Orthographic points (n, 3) from pinhole pixels."""
    out = np.array(points_px, np.float64)
    out[:, :2] = (out[:, :2] - np.array(centre)) * (1.0 + out[:, 2:] / focal_px)
    return out


def weighted_similarity(a: F64, b: F64, weight: F64) -> tuple[float, F64, F64]:
    """Scale, rotation and offset with least squares of ``scale R a + offset - b`` (Umeyama)."""
    w = weight / weight.sum()
    ca, cb = w @ a, w @ b
    cov = (b - cb).T @ (w[:, None] * (a - ca))
    u, s, vt = np.linalg.svd(cov)
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ sign @ vt
    scale = float(np.trace(np.diag(s) @ sign) / (w @ ((a - ca) ** 2).sum(axis=1)))
    return scale, rotation, cb - scale * rotation @ ca


def robust_similarity(
    a: F64, b: F64, prior: F64, n_rounds: int, softness: float
) -> tuple[float, F64, F64]:
    """The same, reweighted by the Cauchy function of the in-plane residual."""
    weight = prior.copy()
    for _ in range(n_rounds):
        scale, rotation, offset = weighted_similarity(a, b, weight)
        residual = (scale * a @ rotation.T + offset - b)[:, :2]
        weight = prior / (1.0 + (residual**2).sum(axis=1) / softness**2)
    return scale, rotation, offset


def rotation(yaw: float, pitch: float, roll: float) -> F64:
    """Camera from face: turn left by yaw, nose down by pitch, tip towards image left by roll."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


def one_euro(
    values: F64, times_s: F64, cutoff_hz: float, beta: float, speed_cutoff_hz: float
) -> F64:
    """One Euro filter of one channel; the speed is taken against the filtered value."""
    out = np.empty(len(values))
    filtered, speed = float("nan"), 0.0
    for i, value in enumerate(values):
        if i == 0:
            filtered = value
        else:
            dt = times_s[i] - times_s[i - 1]
            a = _factor(speed_cutoff_hz, dt)
            speed = a * (value - filtered) / dt + (1 - a) * speed
            a = _factor(cutoff_hz + beta * abs(speed), dt)
            filtered = a * value + (1 - a) * filtered
        out[i] = filtered
    return out


def _factor(cutoff_hz: float, dt_s: float) -> float:
    tau = 1.0 / (2.0 * math.pi * cutoff_hz)
    return 1.0 / (1.0 + tau / dt_s)
