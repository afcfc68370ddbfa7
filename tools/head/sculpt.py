"""What 478 points are too few for: furrows, bulges and dimples on the fine mesh.

Each is a bump along the surface's normal or along a given direction, placed by landmarks. The
actions' cards say what has to be seen; the sizes were set by eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs.mesh import MIRROR_POINTS
from tools.head.people import F64, vector

MM: Final = 1e-3
_CREASES: Final = (0.0125, 0.020, 0.0275)
"""Heights over the brow of the creases of a forehead, metres."""


@dataclass(frozen=True, slots=True)
class Surface:
    """The fine mesh: points, normals, skin mask, and where each landmark came to lie in it."""

    points: F64
    normals: F64
    skin: F64

    def bump(self, at: F64, radii_mm: tuple[float, float, float]) -> F64:
        """1 at a place, falling off as a Gaussian with these radii."""
        off = (self.points - at) / (np.array(radii_mm) * MM)
        return np.asarray(np.exp(-0.5 * (off**2).sum(axis=1)) * self.skin, np.float64)

    def furrow(self, line: F64, width_mm: float) -> F64:
        """-1 along a line of points, with a ridge of 0.6 on both sides; fades at its ends."""
        start, end = line[:-1], line[1:]
        best = np.full(len(self.points), np.inf)
        share = np.zeros(len(self.points))
        lengths = np.linalg.norm(end - start, axis=1)
        total, done = lengths.sum(), 0.0
        for a, b, length in zip(start, end, lengths, strict=True):
            along = np.clip((self.points - a) @ (b - a) / length**2, 0.0, 1.0)
            off = np.linalg.norm(self.points - a - along[:, None] * (b - a), axis=1)
            nearer = off < best
            best[nearer] = off[nearer]
            share[nearer] = ((done + along * length) / total)[nearer]
            done += length
        x = best / (width_mm * MM)
        profile = 0.6 * np.exp(-0.5 * ((x - 1.9) / 0.8) ** 2) - np.exp(-0.5 * x**2)
        ends = np.clip(4.0 * share, 0.0, 1.0) * np.clip(4.0 * (1.0 - share), 0.0, 1.0)
        return np.asarray(profile * ends * self.skin, np.float64)


def sculpted(surface: Surface, marks: F64) -> dict[str, F64]:
    """Displacements to add, (n, 3) by target; ``marks`` are the 468 landmarks on the fine mesh."""
    n = surface.normals
    made: dict[str, F64] = {}
    for name, left in _left_sides(surface, marks).items():
        made[f"{name}_L"] = left
    flipped = Surface(surface.points * (-1, 1, 1), n * (-1, 1, 1), surface.skin)
    other = marks[MIRROR_POINTS[:468]] * (-1, 1, 1)
    for name, right in _left_sides(flipped, other).items():
        made[f"{name}_R"] = right * (-1, 1, 1)
    return made | _whole(surface, marks)


def _left_sides(s: Surface, m: F64) -> dict[str, F64]:
    """Of the performer's left side, at positive x."""
    return {**_upper_face(s, m), **_lower_face(s, m)}


def _arcs(s: Surface, xs: F64, heights: Sequence[float], z: float, bow: float) -> F64:
    """Creases across the forehead, arched by ``bow``, one a height."""
    middle = float(xs.mean())
    made = np.zeros(len(s.points))
    for y in heights:
        made += s.furrow(np.array([(x, y - bow * (x - middle) ** 2, z) for x in xs]), 1.7)
    return made


def _strokes(s: Surface, width_mm: float, *ends: tuple[F64, F64]) -> F64:
    """Straight furrows."""
    made = np.zeros(len(s.points))
    for start, end in ends:
        made += s.furrow(np.array([start, end]), width_mm)
    return made


def _upper_face(s: Surface, m: F64) -> dict[str, F64]:
    n = s.normals
    brow, middle, outer = m[336], m[6], m[334]
    inner_creases = _arcs(
        s, np.linspace(-0.004, 0.030, 8), [brow[1] + up for up in _CREASES], brow[2], 4.0
    )
    outer_creases = _arcs(
        s, np.linspace(0.018, 0.056, 8), [outer[1] + up for up in _CREASES[:2]], outer[2], 18.0
    )
    knit = _strokes(
        s,
        1.5,
        (vector(0.0052, brow[1] - 0.010, brow[2]), vector(0.0062, brow[1] + 0.006, m[10][2])),
    )
    nose = _strokes(
        s,
        1.3,
        *(
            (middle + vector(0.0, y, 0.0), middle + vector(0.007, y + 0.0014, -0.004))
            for y in (0.001, -0.0045)
        ),
        *(
            (middle + vector(0.003, y - 0.004, 0.0), middle + vector(0.0125, y - 0.0115, -0.006))
            for y in (0.0, -0.0055)
        ),
    )
    feet = _strokes(
        s,
        1.2,
        *(
            (m[263] + (0.005, 0.4 * up, -0.002), m[263] + (0.018, up, -0.012))
            for up in (0.006, 0.0, -0.006)
        ),
    )
    bag = s.bump(m[450], (9, 2.6, 9))
    inner = s.bump(m[285], (6, 5, 8))
    return {
        "AU1": n * (1.7 * MM * inner_creases)[:, None],
        "AU2": n * (1.6 * MM * outer_creases + 0.5 * MM * s.bump(outer, (14, 4, 12)))[:, None],
        "AU4": n * (2.8 * MM * knit + 1.8 * MM * inner)[:, None]
        + _pushed(s.bump(m[285], (11, 7, 14)), -2.6, -0.6, 0.3),
        "AU6": n * (0.9 * MM * feet + 1.1 * MM * bag)[:, None]
        + _pushed(s.bump(m[280], (13, 9, 14)), -0.26, 2.1, 1.95),
        "AU7": n * (0.7 * MM * bag)[:, None],
        "AU9": n * (2.4 * MM * nose)[:, None]
        + _pushed(s.bump(m[358], (6, 6, 8)), 0.5, 1.6, 0.2)
        + _pushed(s.bump(m[285], (9, 6, 12)), -1.0, -2.2, 0.3),
    }


def _pushed(share: F64, x_mm: float, y_mm: float, z_mm: float) -> F64:
    """A part moved as a whole."""
    return np.outer(share, np.array([x_mm, y_mm, z_mm]) * MM)


def _nasolabial(s: Surface, m: F64, low: float) -> F64:
    """The furrow from the wing of the nose past the corner of the mouth."""
    start = m[358] + (0.004, 0.001, -0.001)
    corner = m[291]
    past = np.array([corner[0] + 0.010, corner[1] + 0.002, corner[2] - 0.002])
    bent = (start + past) / 2.0 + (0.0035, 0.002, 0.002)
    line = np.array([start, (start + bent) / 2 + (0.0012, 0, 0), bent, past])
    if low < 1.0:
        line = line[:3]
    return s.furrow(line, 2.4)


def _lower_face(s: Surface, m: F64) -> dict[str, F64]:
    n = s.normals
    corner = m[291]
    apple = s.bump(m[280] + (-0.004, -0.012, 0.004), (12, 10, 13))
    puff = s.bump(m[425] + (0.008, -0.012, -0.004), (17, 17, 22))
    dimple = s.bump(corner + vector(0.0075, 0.0005, -0.002), (2.6, 4.2, 7))
    pinch = s.bump(corner + vector(0.012, 0.001, -0.004), (4, 8, 9)) - dimple
    below = s.bump(corner + vector(0.004, -0.013, 0.0), (6, 6, 9))
    return {
        "AU10": n * (1.9 * MM * _nasolabial(s, m, 0.5))[:, None],
        "AU12": n * (1.6 * MM * _nasolabial(s, m, 1.0) + 2.2 * MM * apple)[:, None],
        "AU14": n * (1.1 * MM * np.maximum(pinch, 0.0) - 2.6 * MM * dimple)[:, None],
        "AU15": n * (1.5 * MM * below)[:, None],
        "AU24": n * (0.9 * MM * s.bump(m[270] + (0, 0.005, 0), (13, 3, 9)))[:, None]
        + n * (1.0 * MM * s.bump(m[321] - (0, 0.004, 0), (13, 3, 9)))[:, None],
        "AD34": n * (9.0 * MM * puff)[:, None],
    }


def _whole(s: Surface, m: F64) -> dict[str, F64]:
    n = s.normals
    boss = s.bump(m[199], (12, 8, 12))
    rng = np.random.Generator(np.random.PCG64(7))
    pebbles = np.zeros(len(s.points))
    places = zip(rng.uniform(-0.012, 0.012, 26), rng.uniform(-0.007, 0.007, 26), strict=True)
    for i, (x, y) in enumerate(places):
        pebbles += s.bump(m[199] + (x, y, 0), (2.4, 2.4, 6)) * (-1.0) ** i
    return {"AU17": n * (2.2 * MM * boss + 0.6 * MM * pebbles)[:, None]}
