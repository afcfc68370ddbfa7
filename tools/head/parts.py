"""Eyes, teeth, gums, tongue, ears, brows and lashes as closed forms. Metres, linear colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tools.head.cage import EYE_RADIUS_M
from tools.head.people import F64, I64, vector

_IRIS_RAD: Final = 0.47
_PUPIL_RAD: Final = 0.17
_WHITE: Final = (0.62, 0.57, 0.53)
_IRIS: Final = ((0.055, 0.10, 0.085), (0.20, 0.28, 0.20), (0.018, 0.03, 0.03))
TOOTH: Final = (0.66, 0.59, 0.47)
GUM: Final = (0.42, 0.12, 0.11)
TONGUE: Final = (0.45, 0.13, 0.12)
HAIR: Final = (0.040, 0.026, 0.019)


@dataclass(slots=True)
class Part:
    """A piece of mesh with its displacements.

    Attributes
    ----------
    points, colours : (n, 3); triangles : (m, 3)
    shapes : displacement by target, (n, 3)
    """

    points: F64
    triangles: I64
    colours: F64
    shapes: dict[str, F64] = field(default_factory=dict)


def joined(parts: Sequence[Part]) -> Part:
    """One part of several; where one lacks a target, it stands still in it."""
    offsets = np.cumsum([0, *(len(part.points) for part in parts)])
    names = sorted({name for part in parts for name in part.shapes})
    still = {id(part): np.zeros_like(part.points) for part in parts}
    return Part(
        np.concatenate([part.points for part in parts]),
        np.concatenate([p.triangles + first for p, first in zip(parts, offsets, strict=False)]),
        np.concatenate([part.colours for part in parts]),
        {n: np.concatenate([p.shapes.get(n, still[id(p)]) for p in parts]) for n in names},
    )


def grid_triangles(n_rows: int, n_columns: int, closed: bool) -> I64:
    """Two triangles a cell; ``closed`` joins the last column to the first."""
    made = []
    for i in range(n_rows - 1):
        for j in range(n_columns if closed else n_columns - 1):
            a, b = i * n_columns + j, i * n_columns + (j + 1) % n_columns
            c, d = a + n_columns, b + n_columns
            made += [(a, c, b), (b, c, d)]
    return np.array(made, np.int64)


def eyeball() -> Part:
    """Looking along z from the origin; rings at the edges of pupil and iris."""
    rings = [0.02, 0.10, _PUPIL_RAD - 0.012, _PUPIL_RAD, 0.22, 0.28, 0.35, 0.41]
    rings += [_IRIS_RAD - 0.012, _IRIS_RAD + 0.022, 0.53, 0.62, 0.75, 0.9, 1.1, 1.35, 1.6, 1.9]
    n = 48
    turn = 2.0 * np.pi * np.arange(n) / n
    rows, colours = [], []
    spokes = np.random.Generator(np.random.PCG64(11)).uniform(0.75, 1.25, n)
    spokes = (spokes + np.roll(spokes, 1)) / 2.0
    for angle in rings:
        bulge = 1.0 + 0.045 * np.exp(-((angle / 0.36) ** 4))
        ring = np.column_stack(
            (np.sin(angle) * np.cos(turn), np.sin(angle) * np.sin(turn), np.full(n, np.cos(angle)))
        )
        rows.append(ring * EYE_RADIUS_M * bulge)
        colours.append(_eye_colours(angle, spokes))
    points = np.concatenate(rows)
    triangles = _outwards(points, grid_triangles(len(rings), n, closed=True))
    return Part(points, triangles, np.concatenate(colours))


def _eye_colours(angle: float, spokes: F64) -> F64:
    if angle < _PUPIL_RAD - 0.005:
        return np.full((len(spokes), 3), 0.004)
    if angle <= _IRIS_RAD - 0.005:
        t = (angle - _PUPIL_RAD) / (_IRIS_RAD - _PUPIL_RAD)
        near, middle, edge = (np.array(colour) for colour in _IRIS)
        mixed = near + (middle - near) * min(1.0, t * 3.0)
        if t > 0.6:
            mixed = middle + (edge - middle) * (t - 0.6) / 0.4
        return np.asarray(np.outer(spokes, mixed), np.float64)
    pink = np.clip((angle - 0.8) / 0.8, 0.0, 1.0) * np.array([0.05, 0.30, 0.32])
    return np.tile(np.array(_WHITE) - pink, (len(spokes), 1))


def _arch(share: F64, depth: float, width: float, front: float) -> tuple[F64, F64]:
    """Places and directions along a dental arch, ``share`` -1 right to 1 left; (n, 3) each."""
    angle = share * 1.42
    places = np.column_stack(
        (width * np.sin(angle), np.zeros(len(share)), front - depth * (1.0 - np.cos(angle)))
    )
    along = np.column_stack((width * np.cos(angle), np.zeros(len(share)), -depth * np.sin(angle)))
    return places, along / np.linalg.norm(along, axis=1, keepdims=True)


_TOOTH_WIDTHS: Final = (8.6, 6.8, 7.6, 7.0, 7.0, 10.0, 9.5)  # from the middle, upper row, mm


def teeth(lip_y: float, lip_z: float, lower: bool) -> Part:
    """One row of fourteen and its gums."""
    scale = 0.78 if lower else 1.0
    edge = lip_y + (0.0005 if lower else -0.0022)
    front = lip_z - (0.0128 if lower else 0.0088)
    width, depth = (0.0235, 0.037) if lower else (0.0262, 0.041)
    widths = np.array(_TOOTH_WIDTHS) * scale
    bounds = np.concatenate(([0.0], np.cumsum(widths)))
    middles = (bounds[:-1] + bounds[1:]) / 2.0 / bounds[-1]
    parts = []
    up = -1.0 if lower else 1.0
    for side in (-1.0, 1.0):
        places, along = _arch(side * middles, depth, width, front)
        for i, (place, direction) in enumerate(zip(places, along, strict=True)):
            size = np.array([widths[i] * 0.52e-3, (4.9 - 0.25 * min(i, 4)) * 1e-3, 3.1e-3])
            centre = place + vector(0.0, edge + up * (size[1] - 0.0002 * (i == 1)), 0.0)
            parts.append(_tooth(centre, direction, size))
    parts.append(_gum(edge + up * 0.0098, up, width, depth, front))
    return joined(parts)


def _tooth(centre: F64, along: F64, size: F64) -> Part:
    """A rounded box (superquadric)."""
    n, rows = 10, 7
    u = 2.0 * np.pi * np.arange(n) / n
    v = np.linspace(-np.pi / 2, np.pi / 2, rows)

    def bent(x: F64) -> F64:
        return np.asarray(np.sign(x) * np.abs(x) ** 0.55)

    across = np.outer(bent(np.cos(v)), bent(np.cos(u))).ravel()
    deep = np.outer(bent(np.cos(v)), bent(np.sin(u))).ravel()
    high = np.repeat(bent(np.sin(v)), n)
    out = np.array([along[2], 0.0, -along[0]])
    out = out if out[2] > 0 else -out
    points = (
        centre
        + np.outer(across * size[0], along)
        + np.outer(high * size[1], (0.0, 1.0, 0.0))
        + np.outer(deep * size[2], out)
    )
    triangles = grid_triangles(rows, n, closed=True)
    if along[0] > 0:
        triangles = triangles[:, ::-1]
    return Part(points, _outwards(points, triangles), np.tile(TOOTH, (len(points), 1)))


def _outwards(points: F64, triangles: I64) -> I64:
    """Triangles of a roughly convex part turned to look away from its middle."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    looks = np.cross(b - a, c - a)
    away = (a + b + c) / 3.0 - points.mean(axis=0)
    return triangles if (looks * away).sum() > 0 else triangles[:, ::-1]


def _gum(y: float, up: float, width: float, depth: float, front: float) -> Part:
    places, along = _arch(np.linspace(-1.02, 1.02, 22), depth, width, front)
    turn = 2.0 * np.pi * np.arange(10) / 10
    rows = []
    for place, direction in zip(places, along, strict=True):
        out = np.array([-direction[2], 0.0, direction[0]])
        ring = np.outer(np.cos(turn) * 0.0031, out) + np.outer(np.sin(turn) * 0.0042, (0, 1, 0))
        rows.append(place + vector(0.0, y, 0.0) + ring)
    points = np.concatenate(rows)
    triangles = grid_triangles(len(places), 10, closed=True)
    return Part(points, triangles, np.tile(GUM, (len(points), 1)))


def tongue(lip_y: float, lip_z: float) -> Part:
    """Lies behind the lower teeth; ``tongueOut`` stretches its front half over the lower lip."""
    n, rows = 20, 15
    u = 2.0 * np.pi * np.arange(n) / n
    v = np.linspace(0.0, np.pi, rows)
    z = np.repeat(np.cos(v), n)
    x = np.outer(np.sin(v) ** 0.8, np.cos(u)).ravel()
    y = np.outer(np.sin(v) ** 0.8, np.sin(u)).ravel()
    groove = np.exp(-((x / 0.25) ** 2)) * (y > 0) * 0.16
    points = np.column_stack((x * 0.017, (y - groove) * 0.0062, z * 0.026))
    points += (0.0, lip_y - 0.0088, lip_z - 0.0395)
    front = np.clip((z + 0.2) / 1.2, 0.0, 1.0) ** 1.4
    out = np.column_stack(
        (-0.15 * x * 0.017 * front, -0.010 * front**2 + 0.004 * front, 0.036 * front)
    )
    triangles = _outwards(points, grid_triangles(rows, n, closed=True))
    return Part(points, triangles, np.tile(TONGUE, (len(points), 1)), {"tongueOut": out})


_EAR_RINGS: Final = (
    # share of the outline, height in mm, of the front side from the middle outwards, then behind
    (0.10, -6.0),
    (0.28, -6.0),
    (0.44, -3.6),
    (0.56, 0.6),
    (0.66, 1.4),
    (0.76, -0.2),
    (0.84, 0.2),
    (0.92, 2.4),
    (0.98, 2.6),
    (1.02, 1.0),
    (1.00, -1.2),
    (0.90, -3.2),
    (0.72, -6.0),
    (0.55, -13.0),
)


def ear(colour: F64) -> Part:
    """The left one: helix, antihelix and concha as rings of different height."""
    n = 32
    u = 2.0 * np.pi * np.arange(n) / n
    forward, high = np.cos(u), np.sin(u)
    width = np.where(high > 0, 0.0175, 0.0175 - 0.006 * high**2)
    outline = np.column_stack((width * forward - 0.003 * high, 0.0315 * high))
    # The rim ends in front, where the ear grows out of the cheek.
    rim = 1.0 - 0.85 * np.exp(-0.5 * ((np.angle(np.exp(1j * (u + 0.25)))) / 0.55) ** 2)
    lobe = np.exp(-0.5 * ((np.angle(np.exp(1j * (u + np.pi / 2)))) / 0.5) ** 2)
    rows = [np.array([[0.001, -0.003, -0.0062]])]
    for share, height in _EAR_RINGS:
        shift = np.array([0.001, -0.002]) * (1 - share)
        lift = height * (rim if height > 0 else 1.0) * (1.0 - 0.5 * lobe * (height > 0))
        flat = outline * share + shift
        rows.append(np.column_stack((flat, np.broadcast_to(lift, n) * 1e-3)))
    local = np.concatenate(rows)
    out, front, up = _ear_axes()
    points = np.array([0.0735, -0.012, -0.0715])
    points = points + local[:, :1] * front + local[:, 1:2] * up + local[:, 2:] * out
    fan = [(0, 1 + j, 1 + (j + 1) % n) for j in range(n)]
    triangles = np.concatenate((fan, 1 + grid_triangles(len(_EAR_RINGS), n, closed=True)))
    shade = np.clip(1.0 + local[:, 2] * 55.0, 0.62, 1.08)
    return Part(points, _facing(points, triangles, out), np.outer(shade, colour))


def _facing(points: F64, triangles: I64, out: F64) -> I64:
    """All turned together so that the first ring looks along ``out``."""
    a, b, c = (points[triangles[:4, k]] for k in range(3))
    looks = (np.cross(b - a, c - a) @ out).sum()
    return triangles if looks > 0 else triangles[:, ::-1]


def _ear_axes() -> tuple[F64, F64, F64]:
    """Outwards, forwards and up of the ear: it leans back and stands off behind."""
    off, lean = np.radians(24.0), np.radians(10.0)
    out = np.array([np.cos(off), 0.0, np.sin(off)])
    front = np.array([-np.sin(off), 0.0, np.cos(off)])
    up = np.array([0.0, np.cos(lean), 0.0]) - front * np.sin(lean)
    return out, front * np.cos(lean) + np.array([0.0, np.sin(lean), 0.0]), up


@dataclass(frozen=True, slots=True)
class Hairs:
    """Roots and tips of hairs, (n, 3) each, their widths, and the vertex that each grows from."""

    roots: F64
    middles: F64
    tips: F64
    widths: F64


def brow(upper: F64, lower: F64, normal: F64, seed: int) -> Hairs:
    """Hairs between two lines of five points, given from the outer end to the inner one."""
    n = 300
    rng = np.random.Generator(np.random.PCG64(seed))
    share = rng.beta(1.05, 0.95, n)  # a little thinner towards the tail
    across = rng.uniform(0.0, 1.0, n)
    thin = np.clip(share * 3.2, 0.25, 1.0) * np.clip((1.0 - share) * 7.0 + 0.35, 0.0, 1.0)
    at = share * (len(upper) - 1)
    high = _along(upper, at)
    low = _along(lower, at)
    centre = low * 0.60 + high * 0.40
    roots = centre + (high - low) * ((across - 0.5) * 0.62 * thin)[:, None]
    outwards = _along(upper, np.maximum(at - 0.5, 0.0)) - _along(upper, np.minimum(at + 0.5, 4.0))
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    lift = np.clip(share * 1.5 - 0.35, -0.15, 1.0) + (0.5 - across) * 0.9
    direction = outwards + lift[:, None] * np.array([0.0, 0.8, 0.05])
    direction += rng.normal(0.0, 0.13, (n, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = rng.uniform(0.0055, 0.0085, n) * (0.75 + 0.25 * thin)
    roots = roots + normal * 0.0003
    middles = roots + direction * (length * 0.5)[:, None] + normal * 0.0009
    tips = roots + direction * length[:, None] + normal * 0.0007 + outwards * 0.001
    widths = np.full(n, 5.2e-4, np.float64)
    return Hairs(np.asarray(roots, np.float64), middles, tips, widths)


def lashes(margin: F64, centre: F64, upper: bool, seed: int) -> Hairs:
    """Hairs along a lid's margin, from the outer corner to the inner one."""
    n = 46 if upper else 26
    rng = np.random.Generator(np.random.PCG64(seed))
    share = np.linspace(0.03, 0.92, n) + rng.normal(0.0, 0.006, n)
    at = np.asarray(np.clip(share, 0.0, 1.0) * (len(margin) - 1), np.float64)
    roots = _along(margin, at)
    away = roots - centre
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    out = vector(float(np.sign(centre[0])), 0.0, 0.0)
    fan = (0.75 - 1.25 * share)[:, None] * out
    rise = np.array([0.0, 0.55 if upper else -0.55, 0.0])
    length = rng.uniform(0.8, 1.1, n) * (0.0054 if upper else 0.0026)
    length *= 0.55 + 0.45 * np.sin(np.pi * np.clip(1.05 - share, 0, 1)) ** 0.6
    direction = away + 0.5 * fan + rise * 0.4
    middles = roots + direction * (length * 0.45)[:, None]
    tips = middles + (direction * 0.35 + rise * 1.1 + 0.3 * fan) * (length * 0.6)[:, None]
    return Hairs(roots, middles, tips, np.full(n, 2.6e-4 if upper else 1.8e-4, np.float64))


def _along(line: F64, at: F64) -> F64:
    """Points at fractional indices of a line."""
    index = np.arange(len(line))
    return np.column_stack([np.interp(at, index, line[:, k]) for k in range(3)])


def hair_mesh(hairs: Hairs) -> tuple[F64, I64]:
    """Each hair as a flat blade of five points; (5 n, 3) and triangles, seen from both sides."""
    n = len(hairs.roots)
    along = hairs.tips - hairs.roots
    across = np.cross(along, (0.0, 0.0, 1.0))
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    half = across * hairs.widths[:, None] / 2.0
    points = np.stack(
        (
            hairs.roots - half,
            hairs.roots + half,
            hairs.middles - half * 0.9,
            hairs.middles + half * 0.9,
            hairs.tips,
        ),
        axis=1,
    )
    blade = np.array([(0, 1, 3), (0, 3, 2), (2, 3, 4)])
    triangles = (blade[None] + 5 * np.arange(n)[:, None, None]).reshape(-1, 3)
    return points.reshape(-1, 3), triangles
