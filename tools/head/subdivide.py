"""Loop's subdivision (Loop 1987) as a sparse matrix, sharp along borders and creases.

Rules for borders and creases follow Hoppe et al. 1994. The result of a morph is linear in its
points, so one matrix serves the neutral face and every displacement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from tools.head.people import I64


@dataclass(frozen=True, slots=True)
class Subdivided:
    """``fine = matrix @ coarse``; triangles, creases and for each triangle the one it came from."""

    matrix: csr_array
    triangles: I64
    creases: set[frozenset[int]]


def subdivide(triangles: I64, n_points: int, creases: Iterable[frozenset[int]]) -> Subdivided:
    """One step: each triangle becomes four."""
    wings: dict[tuple[int, int], list[int]] = {}
    for a, b, c in triangles.tolist():
        for u, v, w in ((a, b, c), (b, c, a), (c, a, b)):
            wings.setdefault((min(u, v), max(u, v)), []).append(w)
    creases = set(creases)
    sharp = {e for e, found in wings.items() if len(found) == 1 or frozenset(e) in creases}
    middle = {edge: n_points + i for i, edge in enumerate(wings)}
    entries = _point_rows(wings, sharp, n_points)
    for edge, row in middle.items():
        entries += _edge_row(edge, wings[edge], edge in sharp, row)
    rows, columns, values = zip(*entries, strict=True)
    shape = (n_points + len(middle), n_points)
    matrix = csr_array(coo_array((values, (rows, columns)), shape=shape))
    split = {
        frozenset(half)
        for u, v in (tuple(sorted(e)) for e in creases)
        for half in ((u, middle[u, v]), (v, middle[u, v]))
    }
    return Subdivided(matrix, _quartered(triangles, middle), split)


Entry = tuple[int, int, float]


def _edge_row(edge: tuple[int, int], wings: list[int], sharp: bool, row: int) -> list[Entry]:
    if sharp or len(wings) != 2:
        return [(row, edge[0], 0.5), (row, edge[1], 0.5)]
    ends = [(row, edge[0], 0.375), (row, edge[1], 0.375)]
    return ends + [(row, wing, 0.125) for wing in wings]


def _point_rows(
    wings: dict[tuple[int, int], list[int]], sharp: set[tuple[int, int]], n_points: int
) -> list[Entry]:
    near: list[list[int]] = [[] for _ in range(n_points)]
    along: list[list[int]] = [[] for _ in range(n_points)]
    for u, v in wings:
        near[u].append(v)
        near[v].append(u)
        if (u, v) in sharp:
            along[u].append(v)
            along[v].append(u)
    entries: list[Entry] = []
    for i in range(n_points):
        if len(along[i]) == 2:
            entries += [(i, i, 0.75), *((i, j, 0.125) for j in along[i])]
        elif len(along[i]) > 2 or not near[i]:
            entries.append((i, i, 1.0))
        else:
            n = len(near[i])
            weight = (0.625 - (0.375 + 0.25 * np.cos(2 * np.pi / n)) ** 2) / n
            entries += [(i, i, 1.0 - n * weight), *((i, j, weight) for j in near[i])]
    return entries


def _quartered(triangles: I64, middle: dict[tuple[int, int], int]) -> I64:
    made = []
    for a, b, c in triangles.tolist():
        ab, bc, ca = (middle[min(u, v), max(u, v)] for u, v in ((a, b), (b, c), (c, a)))
        made += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.array(made, np.int64)
