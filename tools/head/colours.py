"""Colours of the skin on the fine mesh, linear RGB."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.sparse import csr_array

from livefacs.mesh import MIRROR_POINTS
from tools.head.cage import Cage
from tools.head.people import F64, vector

SKIN: Final = np.array([0.52, 0.30, 0.205])
LIPS: Final = np.array([0.40, 0.135, 0.115])
_SCALP: Final = np.array([0.060, 0.042, 0.034])
_BLUSH: Final = np.array([0.50, 0.22, 0.155])
_INSIDE: Final = np.array([0.16, 0.03, 0.028])
_LID: Final = np.array([0.20, 0.095, 0.075])
_DARK: Final = np.array([0.07, 0.025, 0.02])

_RED = (
    "61 185 40 39 37 0 267 269 270 409 291 146 91 181 84 17 314 405 321 375 "
    "76 184 74 73 72 11 302 303 304 408 306 77 90 180 85 16 315 404 320 307 "
    "62 183 42 41 38 12 268 271 272 407 292 96 89 179 86 15 316 403 319 325 "
    "78 191 80 81 82 13 312 311 310 415 308 95 88 178 87 14 317 402 318 324"
)
RED_OF_LIPS: Final = tuple(int(i) for i in _RED.split())
_BORDER: Final = RED_OF_LIPS[:20]
_NOSTRIL: Final = (250, 458, 461, 462, 309)


def skin_colours(cage: Cage, matrix: csr_array, points: F64) -> F64:
    """(n, 3) of every fine point."""
    marks = points[:468]
    colours = np.tile(SKIN, (len(points), 1))

    def paint(share: F64, colour: F64) -> None:
        colours[:] += np.clip(share, 0.0, 1.0)[:, None] * (colour - colours)

    def spot(at: F64, radius_mm: tuple[float, float, float]) -> F64:
        off = (points - at) / (np.array(radius_mm) * 1e-3)
        return np.asarray(np.exp(-0.5 * (off**2).sum(axis=1)), np.float64)

    paint(_scalp(points) * 0.93, _SCALP)
    for place, radius, share in ((280, (17, 13, 20), 0.55), (4, (9, 8, 12), 0.45)):
        for at in {place, int(MIRROR_POINTS[place])}:
            paint(spot(marks[at], radius) * share, _BLUSH)
    for side in "LR":
        socket = cage.groups[f"eye_{side}"]
        paint(spot(marks[socket].mean(axis=0), (15, 9, 14)) * 0.30, _BLUSH * 0.8)
    lips = _smoothed(cage, matrix, {i: 0.5 if i in _BORDER else 1.0 for i in RED_OF_LIPS})
    paint(_step(lips, 0.30, 0.62), LIPS)
    margin = _smoothed(cage, matrix, dict.fromkeys(_lids(cage), 1.0))
    paint(_step(margin, 0.35, 0.95) * 0.85, _LID)
    bag = _smoothed(cage, matrix, dict.fromkeys(cage.groups["mouth_bag"], 1.0))
    paint(_step(bag, 0.25, 0.9), _INSIDE)
    for points_of in (_NOSTRIL, tuple(int(MIRROR_POINTS[i]) for i in _NOSTRIL)):
        at = marks[list(points_of)].mean(axis=0)
        paint(spot(at + vector(0.0, -0.0012, 0.0), (2.9, 2.4, 4.4)) * 1.1, _DARK)
    return colours


def _lids(cage: Cage) -> list[int]:
    return [i for s in "LR" for i in (*cage.groups[f"eye_{s}"], *cage.groups[f"eye_{s}_fold"])]


def _smoothed(cage: Cage, matrix: csr_array, weights: dict[int, float]) -> F64:
    """A weight on cage points, as the subdivision carries it."""
    coarse = np.zeros(len(cage.points))
    coarse[list(weights)] = list(weights.values())
    return np.asarray(matrix @ coarse, np.float64)


def _step(values: F64, low: float, high: float) -> F64:
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float64)


def _scalp(points: F64) -> F64:
    """Close-cropped hair: above a hairline that falls at the temples and runs round the ears."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    line = np.interp(
        z,
        [-0.16, -0.105, -0.078, -0.06, -0.045, -0.02, 0.0, 0.03],
        [-0.060, -0.052, -0.010, 0.004, 0.006, 0.040, 0.058, 0.066],
    )
    recede = 0.004 * np.exp(-0.5 * ((x - 0.040) / 0.010) ** 2) * (z > -0.03)
    return _step(y - line - recede, -0.004, 0.012)
