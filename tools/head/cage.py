"""The coarse mesh: FaceMesh's face, lids and lips folded inwards, skull and neck around it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np

from livefacs.mesh import MIRROR_POINTS, N_SKIN
from tools.head.people import F64, vector

N_RINGS: Final = 7
LID_RINGS: Final = 2
LIP_RINGS: Final = 3
EYE_RADIUS_M: Final = 0.0128
LID_OVER_EYE: Final = 1.07
_NECK_CENTRE: Final = np.array([0.0, -0.205, -0.088])
_NECK_RADIUS: Final = np.array([0.055, 0.0, 0.052])
_AWAY_FROM_THROAT: Final = np.array([0.0, 0.45, -0.55])
_RELAXING: Final = 40
_SEAM_SHARES: Final = (0.45, 0.15)
_SEAM_ROUNDS: Final = 8
_LIP_OVERLAP: Final = 0.0007
_SKULL_CENTRE: Final = np.array([0.0, 0.012, -0.062])


@dataclass(slots=True)
class Cage:
    """Points, triangles, and for each point the skin point it follows and how much.

    Attributes
    ----------
    points : (n, 3)
    triangles : (m, 3)
    follows : (n,) skin point of the face, 0..467
    share : (n,) share of that point's displacement
    creases : edges that stay sharp
    """

    points: F64
    triangles: list[tuple[int, int, int]]
    follows: list[int]
    share: list[float]
    creases: set[frozenset[int]] = field(default_factory=set)
    groups: dict[str, list[int]] = field(default_factory=dict)

    def add(self, points: F64, follows: list[int], share: list[float], group: str) -> list[int]:
        first = len(self.points)
        self.points = np.concatenate((self.points, points))
        self.follows += follows
        self.share += share
        ids = list(range(first, first + len(points)))
        self.groups.setdefault(group, []).extend(ids)
        return ids


def face_triangles() -> list[tuple[int, int, int]]:
    """FaceMesh's triangles, from the edges that MediaPipe names; eyes and mouth are open.

    Needs mediapipe 0.10.21 (dependency group ``reference``).
    """
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    edges = {frozenset(edge) for edge in FACEMESH_TESSELATION}
    near: dict[int, set[int]] = {}
    for edge in edges:
        a, b = edge
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found = {frozenset((a, b, c)) for a, b in map(sorted, edges) for c in near[a] & near[b]}
    times = Counter(frozenset(pair) for one in found for pair in combinations(sorted(one), 2))
    # Three edges round a point of valence three are no triangle of the mesh.
    sound = [
        one
        for one in found
        if any(times[frozenset(pair)] < 3 for pair in combinations(sorted(one), 2))
    ]
    return sorted((a, b, c) for a, b, c in map(sorted, sound))


def facing_front(triangles: list[tuple[int, int, int]], points: F64) -> list[tuple[int, int, int]]:
    """The same, each turned counter-clockwise as its neighbours; the first one looks ahead."""
    by_edge: dict[frozenset[int], list[int]] = {}
    for index, one in enumerate(triangles):
        for pair in combinations(one, 2):
            by_edge.setdefault(frozenset(pair), []).append(index)
    turned: dict[int, tuple[int, int, int]] = {}
    start = max(range(len(triangles)), key=lambda i: float(points[list(triangles[i]), 2].mean()))
    a, b, c = (points[i] for i in triangles[start])
    looks = np.cross(b - a, c - a)[2]
    first = triangles[start]
    turned[start] = first if looks > 0 else (first[0], first[2], first[1])
    waiting = [start]
    while waiting:
        i, j, k = turned[waiting[-1]]
        waiting.pop()
        for u, v in ((i, j), (j, k), (k, i)):
            for index in by_edge[frozenset((u, v))]:
                if index not in turned:
                    (w,) = set(triangles[index]) - {u, v}
                    turned[index] = (v, u, w)
                    waiting.append(index)
    return [turned[index] for index in range(len(triangles))]


def border_loops(triangles: list[tuple[int, int, int]]) -> list[list[int]]:
    """Closed rings of edges with one triangle, in the triangles' own direction; longest first."""
    directed = {(a, b) for t in triangles for a, b in zip(t, (t[1], t[2], t[0]), strict=True)}
    after = {a: b for a, b in sorted(directed) if (b, a) not in directed}
    loops = []
    while after:
        loop = [min(after)]
        while (following := after.pop(loop[-1], None)) is not None and following != loop[0]:
            loop.append(following)
        loops.append(loop)
    return sorted(loops, key=lambda loop: (-len(loop), loop[0]))


def make_cage(face: F64) -> Cage:
    """The whole coarse mesh from the mean face, (478, 3)."""
    triangles = facing_front(face_triangles(), face)
    oval, mouth, *eyes = border_loops(triangles)
    cage = Cage(face[:N_SKIN].copy(), triangles, list(range(N_SKIN)), [1.0] * N_SKIN)
    cage.groups["oval"] = oval
    for loop in eyes:
        side = "eye_L" if face[loop, 0].mean() > 0 else "eye_R"
        _fold_lids(cage, loop, eye_centre(face, side[-1]), side)
    _fold_lips(cage, mouth)
    _close_skull(cage, oval)
    return cage


def eye_centre(face: F64, side: str) -> F64:
    """Centre of the eyeball: behind the iris, so deep that the lid margins lie on it."""
    iris = 473 if side == "L" else 468
    x, y = face[iris, 0], face[iris, 1]
    lids = [159, 158, 160, 145, 153, 144]
    rim = face[[int(MIRROR_POINTS[i]) for i in lids] if side == "L" else lids]
    across = np.hypot(rim[:, 0] - x, rim[:, 1] - y)
    depth = np.sqrt(np.maximum((EYE_RADIUS_M * LID_OVER_EYE) ** 2 - across**2, 0.0))
    return np.array([x, y, float((rim[:, 2] - depth).mean())])


def on_eye(points: F64, centre: F64, radius: float) -> F64:
    """Points brought in front of a sphere along z where they would lie in it."""
    moved = points.copy()
    across = np.hypot(points[:, 0] - centre[0], points[:, 1] - centre[1])
    front = centre[2] + np.sqrt(np.maximum(radius**2 - across**2, 0.0))
    inside = across < radius
    moved[inside, 2] = np.maximum(moved[inside, 2], front[inside])
    return moved


def _fold_lids(cage: Cage, loop: list[int], centre: F64, group: str) -> None:
    """A sharp margin, then two rings back along the eyeball."""
    cage.groups[group] = list(loop)
    over = EYE_RADIUS_M * LID_OVER_EYE
    cage.points[loop] = on_eye(cage.points[loop], centre, over)
    outer = loop
    for depth in range(1, LID_RINGS + 1):
        rim = cage.points[loop]
        away = (rim - centre) / np.linalg.norm(rim - centre, axis=1, keepdims=True)
        ring = rim - away * (0.0011 * depth**2)
        ring[:, 2] -= 0.0009 * depth**2
        ids = cage.add(ring, list(loop), [1.0] * len(loop), f"{group}_fold")
        _bridge_in(cage, outer, ids)
        outer = ids
    n = len(loop)
    cage.creases |= {frozenset((loop[i], loop[(i + 1) % n])) for i in range(n)}


def _bridge_in(cage: Cage, rim: list[int], inner: list[int]) -> None:
    """Triangles that go on from a border of the mesh, which runs in the mesh's own direction."""
    n = len(rim)
    for i in range(n):
        a, b, c, d = rim[i], rim[(i + 1) % n], inner[(i + 1) % n], inner[i]
        cage.triangles += [(b, a, d), (b, d, c)]


def _fold_lips(cage: Cage, loop: list[int]) -> None:
    """The lips roll in and become the bag of the mouth, which is closed behind."""
    cage.groups["mouth"] = list(loop)
    _close_lips(cage)
    rim = cage.points[loop]
    middle = rim.mean(axis=0)
    outer = loop
    back = (0.004, 0.012, 0.030)
    high = (0.0030, 0.012, 0.017)
    wide = (0.97, 0.92, 0.7)
    for depth in range(LIP_RINGS):
        ring = rim.copy()
        ring[:, 0] = middle[0] + (rim[:, 0] - middle[0]) * wide[depth]
        up = np.sign(_side_of_lips(loop, cage.points))
        ring[:, 1] = middle[1] + (rim[:, 1] - middle[1]) + up * high[depth] * _arch(rim, middle)
        ring[:, 2] = rim[:, 2] - back[depth]
        share = [(1.0, 0.9, 0.5)[depth]] * len(loop)
        ids = cage.add(ring, list(loop), share, "mouth_bag")
        _bridge_in(cage, outer, ids)
        outer = ids
    ring = cage.points[outer]
    tip = ring.mean(axis=0) - (0.0, 0.0, 0.02)
    (end,) = cage.add(tip[None], [loop[0]], [0.0], "mouth_bag")
    n = len(outer)
    cage.triangles += [(outer[(i + 1) % n], outer[i], end) for i in range(n)]


def _close_lips(cage: Cage) -> None:
    """The resting lips touch: subdivision would round a gap between them."""
    for upper, lower in zip(UPPER_INNER_LIP, LOWER_INNER_LIP, strict=True):
        meet = (cage.points[upper] + cage.points[lower]) / 2.0
        cage.points[upper] = meet - (0.0, _LIP_OVERLAP, 0.0)
        cage.points[lower] = meet + vector(0.0, _LIP_OVERLAP, 0.0)


def _arch(rim: F64, middle: F64) -> F64:
    half = np.abs(rim[:, 0] - middle[0]).max()
    return np.asarray(1.0 - (np.abs(rim[:, 0] - middle[0]) / half) ** 4, np.float64)


UPPER_INNER_LIP: Final = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER_LIP: Final = (95, 88, 178, 87, 14, 317, 402, 318, 324)


def _side_of_lips(loop: list[int], points: F64) -> F64:
    """+1 of the upper lip, -1 of the lower, 0 of the corners."""
    return np.array(
        [1.0 if i in UPPER_INNER_LIP else -1.0 if i in LOWER_INNER_LIP else 0.0 for i in loop]
    )


def skull_distance(points: F64) -> F64:
    """Signed distance, nearly, to skull, jaw and neck blended into each other."""
    skull = _ellipsoid(points, (0.0, 0.034, -0.069), (0.0735, 0.087, 0.095))
    jaw = _ellipsoid(points, (0.0, -0.054, -0.042), (0.0600, 0.064, 0.062))
    neck = _capsule(points, (0.0, -0.05, -0.076), (0.0, -0.30, -0.092), 0.047)
    return _blended(_blended(skull, jaw, 0.03), neck, 0.028)


def _ellipsoid(points: F64, centre: tuple[float, ...], radii: tuple[float, ...]) -> F64:
    unit = (points - centre) / radii
    size = np.linalg.norm(unit, axis=1)
    slope = np.linalg.norm(unit / radii, axis=1)
    return np.asarray(size * (size - 1.0) / np.maximum(slope, 1e-9), np.float64)


def _capsule(points: F64, start: tuple[float, ...], end: tuple[float, ...], radius: float) -> F64:
    a, b = np.array(start), np.array(end)
    along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
    return np.asarray(np.linalg.norm(points - a - along[:, None] * (b - a), axis=1) - radius)


def _blended(one: F64, other: F64, width: float) -> F64:
    """The smaller of two distances, rounded where they meet (Quilez' polynomial minimum)."""
    near = np.maximum(width - np.abs(one - other), 0.0) / width
    return np.asarray(np.minimum(one, other) - near * near * width * 0.25, np.float64)


def on_skull(points: F64) -> F64:
    """Points moved along the gradient of the distance onto the surface."""
    moved = points.copy()
    step = 1e-4
    for _ in range(12):
        here = skull_distance(moved)
        slope = np.column_stack(
            [
                (skull_distance(moved + axis) - skull_distance(moved - axis)) / (2 * step)
                for axis in np.eye(3) * step
            ]
        )
        size = np.maximum((slope**2).sum(axis=1), 0.05)
        moved -= slope * (here / size)[:, None] * 0.8
    return moved


def _close_skull(cage: Cage, oval: list[int]) -> None:
    """Rings from the border of the face over the skull down to the neck."""
    top = int(np.argmax(cage.points[oval, 1]))
    loop = oval[top:] + oval[:top]
    rim = cage.points[loop]
    n = len(loop)
    side = np.sign(rim[1, 0]) or 1.0
    turn = np.pi - 2.0 * np.pi * np.arange(n) / n  # nape under the forehead, throat under the chin
    neck = (
        _NECK_CENTRE
        + np.column_stack((side * np.sin(turn), np.zeros(n), np.cos(turn))) * _NECK_RADIUS
    )
    rings = [_first_guess(rim, neck, ((k + 1) / (N_RINGS + 1)) ** 1.25) for k in range(N_RINGS)] + [
        neck
    ]
    rings = _relaxed(rim, rings)
    outer = loop
    for depth, ring in enumerate(rings):
        share = [max(0.0, 0.55 - 0.4 * depth)] * n
        ids = cage.add(ring, list(loop), share, "skull")
        _bridge_in(cage, outer, ids)
        outer = ids
    cage.groups["neck"] = outer
    _smooth_seam(cage, loop)


def _smooth_seam(cage: Cage, oval: list[int]) -> None:
    """Smooths the border of the face and its neighbours."""
    near: list[set[int]] = [set() for _ in cage.points]
    for triangle in cage.triangles:
        for a, b in combinations(triangle, 2):
            near[a].add(b)
            near[b].add(a)
    share, edge = dict.fromkeys(oval, 0.6), set(oval)
    for weight in _SEAM_SHARES:
        edge = {j for i in edge for j in near[i]} - share.keys()
        share |= dict.fromkeys(sorted(edge), weight)
    for _ in range(_SEAM_ROUNDS):
        before = cage.points.copy()
        for i, weight in share.items():
            mean = before[sorted(near[i])].mean(axis=0)
            weight *= np.clip(1.0 - before[i, 1] / 0.03, 0.1, 1.0)  # the brow meets no edge
            cage.points[i] = before[i] + weight * (mean - before[i])


def _first_guess(rim: F64, neck: F64, t: float) -> F64:
    """Part of the way from one direction to another, round the back of the skull's middle."""
    start, end = (_unit(p - _SKULL_CENTRE) for p in (rim, neck))
    apart = 1.0 - (start * end).sum(axis=1, keepdims=True)
    over = _unit(start + end + _AWAY_FROM_THROAT * apart**2)
    mixed = _slerp(start, over, 2 * t) if t < 0.5 else _slerp(over, end, 2 * t - 1)
    return np.asarray(_SKULL_CENTRE + mixed * 0.1, np.float64)


def _unit(vectors: F64) -> F64:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float64)


def _slerp(start: F64, end: F64, t: float) -> F64:
    angle = np.arccos(np.clip((start * end).sum(axis=1, keepdims=True), -1.0, 1.0))
    weights = np.sin((1 - t) * angle), np.sin(t * angle)
    return np.asarray((weights[0] * start + weights[1] * end) / np.sin(angle), np.float64)


def _relaxed(rim: F64, rings: list[F64]) -> list[F64]:
    """Even spacing on the skull; the rings next to the face keep its slope."""
    stack = np.stack([rim, *rings])
    pull = np.array([0.2, 0.6, *[1.0] * (N_RINGS - 2)])[:, None, None]
    for _ in range(_RELAXING):
        inner = stack[1:-1]
        around = (np.roll(inner, 1, axis=1) + np.roll(inner, -1, axis=1)) / 2.0
        along = (stack[:-2] + stack[2:]) / 2.0
        moved = 0.5 * inner + 0.3 * around + 0.2 * along
        pulled = on_skull(moved.reshape(-1, 3)).reshape(moved.shape)
        stack[1:-1] = moved + pull * (pulled - moved)
    return list(stack[1:])
