"""Mean face and mean displacements of the training people.

Metres; x to the own left, y up, z to the front.

The displacement of a shape is the ridge solution, over all frames of a person with known shape
weights, of ``landmarks - neutral = weights @ shapes``; then the mean over people.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livefacs.mesh import MIRROR_POINTS, N_SKIN, OUTER_CORNERS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

OUTER_EYE_M: Final = 0.090
"""Distance of the outer eye corners, the unit of length of the estimator's mean face."""
_RIDGE: Final = 2.0
_SEQUENCES: Final = ("sweep", "mix0", "mix1", "blink")
_UNSETTLED: Final = 4  # frames until a fresh tracker stands still
_ROUNDS: Final = 5
_FLIP: Final = np.array([1.0, -1.0, -1.0])  # image axes to x left, y up, z front


def symmetrised(points: F64) -> F64:
    """Mean of a face and its mirror image."""
    mirrored = points[MIRROR_POINTS] * (-1.0, 1.0, 1.0)
    return np.asarray((points + mirrored) / 2.0, np.float64)


def vector(x: float, y: float, z: float) -> F64:
    """Three numbers to add to points."""
    return np.array([x, y, z], np.float64)


def read_people(facebench: Path) -> list[dict[str, Any]]:
    """Everybody in ``train`` and ``more``, in the order of their files.

    Raises
    ------
    FileNotFoundError
        There is nobody.
    """
    read: Any = _module_from(facebench / "read.py")
    files = [*sorted(facebench.glob("train/id*.npz")), *sorted(facebench.glob("more/id*.npz"))]
    if not files:
        raise FileNotFoundError(f"{facebench}: no train/id*.npz")
    return [read.load(file) for file in files]


def mean_face(people: list[dict[str, Any]]) -> F64:
    """(478, 3) mean of the neutral faces, each turned and scaled to the mean; symmetric."""
    faces = [_pixels(person, "sweep")[_UNSETTLED:15] for person in people]
    neutrals = [np.nanmedian(face, axis=0) * _FLIP for face in faces]
    mean = neutrals[0]
    for _ in range(_ROUNDS):
        mean = symmetrised(np.mean([_fitted(face, mean) for face in neutrals], axis=0))
        right, left = mean[OUTER_CORNERS[0]], mean[OUTER_CORNERS[1]]
        mean = (mean - (right + left) / 2.0) * (OUTER_EYE_M / np.linalg.norm(left - right))
    return np.asarray(mean, np.float64)


def _fitted(face: F64, to: F64) -> F64:
    """A face turned, moved and scaled to another by least squares (Umeyama 1991)."""
    mean, aim = face.mean(axis=0), to.mean(axis=0)
    u, size, vt = np.linalg.svd((to - aim).T @ (face - mean))
    keep = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = float((size * np.diag(keep)).sum() / ((face - mean) ** 2).sum())
    return np.asarray((face - mean) @ (scale * u @ keep @ vt).T + aim, np.float64)


def _pixels(person: dict[str, Any], sequence: str) -> F64:
    """(T, 478, 3) landmarks in pixels."""
    width, height = person["image_size"]
    points = person[f"{sequence}/fm"].astype(np.float64)
    return np.asarray(points * np.array([width, height, width], np.float64), np.float64)


def mean_shapes(people: list[dict[str, Any]]) -> dict[str, F64]:
    """Displacement of the 468 skin points at weight 1 of each rendered shape, (468, 3) each.

    The left one of a pair is the mean of the left and the mirrored right one, and the right one its
    mirror image; a shape without sides is made symmetric.
    """
    names = [str(name) for name in people[0]["names"]]
    mean = np.mean([_shapes_of(person) for person in people], axis=0) * OUTER_EYE_M * _FLIP
    return _symmetric_shapes(dict(zip(names, mean, strict=True)))


def _module_from(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("facebench_read", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _shapes_of(person: dict[str, Any]) -> F64:
    """(n_shapes, 478, 3) in outer-eye distances."""
    weights, moved = [], []
    for sequence in _SEQUENCES:
        if f"{sequence}/fm" not in person:
            continue
        points = _pixels(person, sequence)
        neutral = np.nanmedian(points[_UNSETTLED:15], axis=0)
        unit = np.linalg.norm(neutral[OUTER_CORNERS[0]] - neutral[OUTER_CORNERS[1]])
        seen = np.array(np.isfinite(points).all(axis=(1, 2)))
        seen[:_UNSETTLED] = False
        weights.append(person[f"{sequence}/coef"][seen].astype(np.float64))
        moved.append((points[seen] - neutral).reshape(int(seen.sum()), -1) / unit)
    columns = np.concatenate(weights)
    columns = np.column_stack((columns, np.ones(len(columns))))
    penalty = np.eye(columns.shape[1]) * _RIDGE
    penalty[-1, -1] = 0.0  # the constant takes up what the neutral frames missed
    solved = np.linalg.solve(columns.T @ columns + penalty, columns.T @ np.concatenate(moved))
    return np.asarray(solved[:-1].reshape(columns.shape[1] - 1, -1, 3), np.float64)


def _symmetric_shapes(shapes: dict[str, F64]) -> dict[str, F64]:
    made: dict[str, F64] = {}
    for name, points in shapes.items():
        partner = _partner(name)
        if partner == name:
            made[name] = symmetrised(points)[:N_SKIN]
        elif not name.endswith("_R") and name != "jawRight" and name != "mouthRight":
            both = (points + shapes[partner][MIRROR_POINTS] * (-1.0, 1.0, 1.0)) / 2.0
            made[name] = both[:N_SKIN]
            made[partner] = mirrored(both[:N_SKIN])
    return made


def _partner(name: str) -> str:
    for left, right in (("_L", "_R"), ("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        if name.endswith(left):
            return name.removesuffix(left) + right
        if name.endswith(right):
            return name.removesuffix(right) + left
    return name


def mirrored(skin: F64) -> F64:
    """A displacement of the skin's points, seen in a mirror."""
    return np.asarray(skin[MIRROR_POINTS[:N_SKIN]] * (-1.0, 1.0, 1.0), np.float64)
