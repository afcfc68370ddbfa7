"""The finest step of the subdivision only where it is seen: bends, furrows, edges of colour.

Every triangle that is drawn costs, most of all without a graphics card, and on calm skin a quarter
of them shows the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from tools.head.parts import Part
from tools.head.people import F64, I64

_OFF_M: Final = 1.5e-4
"""A point that stands this far out from the middle of its edge is kept: 0.4 pixels at 800 × 800."""
_TURNED_RAD: Final = 0.10
"""So is one whose normal turns this far from the mean of the edge's ends, ..."""
_TURNED_M: Final = 3e-4
"""... if the turn times the length of the edge is more than this."""
_TINTED: Final = 0.02
"""And one whose colour differs by this much."""


def normals_of(points: F64, triangles: I64) -> F64:
    """Unit normals of the points, weighted by area."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    looks = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for k in range(3):
        np.add.at(normals, triangles[:, k], looks)
    size = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.maximum(size, 1e-12), np.float64)


def thinned(fine: Part, coarse: I64) -> Part:
    """The part without the new points of its last subdivision that nobody would miss.

    ``coarse`` holds the triangles before it; each became four, in order.
    """
    quarters = fine.triangles.reshape(-1, 4, 3)
    middles = np.stack((quarters[:, 0, 1], quarters[:, 1, 2], quarters[:, 2, 0]), axis=1)
    ends = np.stack((coarse, np.roll(coarse, -1, axis=1)), axis=2)
    kept = np.ones(len(fine.points), bool)
    kept[middles] = _seen(fine, middles.ravel(), ends.reshape(-1, 2)).reshape(-1, 3)
    triangles = np.array(
        [
            one
            for corners, halves in zip(coarse.tolist(), middles.tolist(), strict=True)
            for one in _split(corners, [i if kept[i] else None for i in halves])
        ]
    )
    place = np.cumsum(kept) - 1
    shapes = {name: shape[kept] for name, shape in fine.shapes.items()}
    return Part(fine.points[kept], place[triangles], fine.colours[kept], shapes)


def _seen(fine: Part, middles: I64, ends: I64) -> Any:
    """Whether the middle of each edge would be missed, at rest or at the full size of a shape."""
    a, b = ends.T
    off = fine.colours[middles] - (fine.colours[a] + fine.colours[b]) / 2
    seen = np.abs(off).max(axis=1) > _TINTED
    for points in (fine.points, *(fine.points + shape for shape in fine.shapes.values())):
        normals = normals_of(points, fine.triangles)
        out = (points[middles] - (points[a] + points[b]) / 2) * normals[middles]
        mean = normals[a] + normals[b]
        mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
        turned = np.linalg.norm(normals[middles] - mean, axis=1)
        length = np.linalg.norm(points[a] - points[b], axis=1)
        seen |= np.abs(out.sum(axis=1)) > _OFF_M
        seen |= (turned > _TURNED_RAD) & (turned * length > _TURNED_M)
    return seen


def _split(corners: list[int], middles: list[int | None]) -> Iterator[tuple[int, int, int]]:
    """The triangle with the middles of its edges that are left; a quarter each where all are."""
    a, b, c = corners
    ab, bc, ca = middles
    while ab is None and (bc, ca) != (None, None):  # turned until its first edge is split
        a, b, c, ab, bc, ca = b, c, a, bc, ca, ab
    if ab is None:
        yield a, b, c
    elif bc is None and ca is None:
        yield from ((a, ab, c), (ab, b, c))
    elif bc is None:
        assert ca is not None
        yield from ((a, ab, ca), (ab, b, ca), (b, c, ca))
    elif ca is None:
        yield from ((a, ab, c), (ab, b, bc), (ab, bc, c))
    else:
        yield from ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))
