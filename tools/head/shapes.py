"""Shapes of the cage: what each action moves, from the people's mean displacements."""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np

from livefacs.mesh import MIRROR_POINTS
from tools.head.cage import (
    EYE_RADIUS_M,
    LID_OVER_EYE,
    UPPER_INNER_LIP,
    Cage,
    on_eye,
)
from tools.head.people import F64, OUTER_EYE_M, mirrored

FULL_SCALE: Final[dict[str, tuple[float, float]]] = {
    "browDown": (6.6, 3.7),
    "browInnerUp": (7.6, 0.8),
    "browOuterUp": (8.8, 3.4),
    "cheekPuff": (3.7, 15.3),
    "cheekSquint": (2.8, 2.8),
    "cheekRaiser": (3.6, 2.9),
    "eyeBlink": (8.9, 1.1),
    "eyeLookDown": (7.2, 1.0),
    "eyeLookUp": (3.7, 1.0),
    "eyeSquint": (2.5, 1.1),
    "eyeWide": (3.4, 1.0),
    "jawForward": (2.0, 12.2),
    "jawLeft": (9.7, 2.0),
    "jawRight": (9.7, 2.0),
    "jawOpen": (39.5, 32.6),
    "mouthClose": (30.0, 20.0),
    "mouthDimple": (5.3, 7.2),
    "mouthFrown": (5.5, 2.0),
    "mouthFunnel": (10.0, 10.2),
    "mouthLeft": (17.9, 8.0),
    "mouthRight": (17.9, 8.0),
    "mouthLowerDown": (4.9, 2.2),
    "mouthPress": (4.2, 2.3),
    "mouthPucker": (7.5, 8.0),
    "mouthRollLower": (10.4, 14.4),
    "mouthRollUpper": (6.4, 12.5),
    "mouthShrugLower": (9.1, 6.2),
    "mouthShrugUpper": (6.4, 1.1),
    "mouthSmile": (14.2, 10.2),
    "mouthStretch": (8.4, 7.9),
    "mouthUpperUp": (9.4, 1.6),
    "noseSneer": (10.0, 2.5),
}
"""Largest motion of a shape at weight 1, across and in depth, percent of the outer-eye distance,
as ICT-FaceKit's geometry has it: a landmarker sees only part of it. browInnerUp is a third larger,
so that the slant of the brows reads."""

_MOST_GAIN: Final = 2.5
_FLOOR: Final = (0.10, 0.32)
"""Shares of the largest motion below which a point stands still, and above which it is kept."""

SIDED: Final[dict[str, tuple[str, ...]]] = {
    "AU1": ("browInnerUp",),
    "AU2": ("browOuterUp",),
    "AU4": ("browDown",),
    "AU5": ("eyeWide",),
    "AU6": ("cheekSquint", "cheekRaiser"),
    "AU7": ("eyeSquint",),
    "AU9": ("noseSneer",),
    "AU10": ("mouthUpperUp",),
    "AU12": ("mouthSmile",),
    "AU14": ("mouthDimple",),
    "AU15": ("mouthFrown",),
    "AU16": ("mouthLowerDown",),
    "AU20": ("mouthStretch",),
    "AU24": ("mouthPress",),
    "AU45": ("eyeBlink",),
    "AD34": ("cheekPuff",),
    "eyeLookUp": ("eyeLookUp",),
    "eyeLookDown": ("eyeLookDown",),
}
WHOLE: Final[dict[str, str]] = {
    "AU17": "mouthShrugLower",
    "AU18": "mouthPucker",
    "AU22": "mouthFunnel",
    "AU27": "jawOpen",
    "AD29": "jawForward",
    "AD30_L": "jawLeft",
    "AD30_R": "jawRight",
    "mouthLeft": "mouthLeft",
    "mouthRight": "mouthRight",
    "mouthRollUpper": "mouthRollUpper",
    "mouthRollLower": "mouthRollLower",
    "mouthShrugUpper": "mouthShrugUpper",
    "mouthClose": "mouthClose",
}
"""Targets of the head and the rendered shapes that they are made of."""


def cage_shapes(cage: Cage, people: dict[str, F64], eyes: dict[str, F64]) -> dict[str, F64]:
    """Displacement of every cage point at intensity 1 of each target, (n, 3) each.

    Parameters
    ----------
    cage : Cage
    people : displacement of the skin's points by rendered shape
    eyes : centre of the eyeball by side
    """
    skin: dict[str, F64] = {}
    near = _neighbours(cage)
    for name, parts in SIDED.items():
        left = sum(_full(people[f"{part}_L"], part, near) for part in parts) / len(parts) ** 0.5
        left = left * _fade(cage.points[:468, 0], -0.020, 0.004)[:, None]
        skin[f"{name}_L"], skin[f"{name}_R"] = left, mirrored(left)
    for name, part in WHOLE.items():
        skin[name] = _full(people[part], part, near)
    skin["AU25"] = _lips_part(cage, skin)
    lift = _upper_lip_lift(cage, skin["AU27"])
    skin["AU27"] = skin["AU27"] - lift
    made = {name: _carried(cage, shape) for name, shape in sorted(skin.items())}
    for side in "LR":
        _set_lids(cage, made, side, eyes[side])
    return made


def _full(shape: F64, part: str, near: list[list[int]]) -> F64:
    """The displacement at the shape's full scale, its noise far from the action taken away."""
    across, depth = (percent / 100.0 * OUTER_EYE_M for percent in FULL_SCALE[part])
    size = np.linalg.norm(shape[:, :2], axis=1)
    gain = np.clip(across / size.max(), 0.8, _MOST_GAIN)
    share = _fade(size / size.max(), *_FLOOR)
    for _ in range(3):
        mean = np.array([share[near[i]].mean() for i in range(len(share))])
        share = np.maximum(share * 0.7, 0.5 * (share + mean))
    full = shape * gain
    most = np.abs(full[:, 2] * share).max()
    full[:, 2] *= np.clip(depth / most, 0.3, _MOST_GAIN)
    return np.asarray(full * share[:, None], np.float64)


def _fade(values: F64, low: float, high: float) -> F64:
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float64)


def _neighbours(cage: Cage) -> list[list[int]]:
    near: list[set[int]] = [set() for _ in range(468)]
    for triangle in cage.triangles:
        for a, b in combinations(triangle, 2):
            if a < 468 and b < 468:
                near[a].add(b)
                near[b].add(a)
    return [sorted(found) or [i] for i, found in enumerate(near)]


def _lips_part(cage: Cage, skin: dict[str, F64]) -> F64:
    """AU25: the lips come apart a little, without the rest of what raises or lowers them."""
    points = cage.points[:468]
    middle = points[[13, 14]].mean(axis=0)
    off = np.linalg.norm((points - middle) / (0.034, 0.021, 0.05), axis=1)
    near = 1.0 - _fade(off, 0.55, 1.0)
    up = 0.30 * (skin["AU10_L"] + skin["AU10_R"])
    down = 0.85 * (skin["AU16_L"] + skin["AU16_R"])
    return np.asarray((up + down) * near[:, None], np.float64)


def _upper_lip_lift(cage: Cage, jaw: F64) -> F64:
    """What the landmarker moves of the upper lip with an open jaw beyond a quarter of it."""
    upper = np.zeros(468)
    upper[[*UPPER_INNER_LIP, 0, 37, 39, 40, 267, 269, 270, 11, 12, 38, 268, 72, 302]] = 0.35
    return np.asarray(jaw * upper[:, None], np.float64)


def _carried(cage: Cage, skin: F64) -> F64:
    """Skin displacements carried on to the folds, the bag of the mouth and the skull."""
    return np.asarray(skin[cage.follows] * np.array(cage.share)[:, None], np.float64)


_CONTACT: Final = 0.14
"""How much of the closing the lower lid does."""


def _set_lids(cage: Cage, shapes: dict[str, F64], side: str, centre: F64) -> None:
    """Closed lids meet; open ones stay in front of the eyeball; folds go with their margin."""
    loop = cage.groups[f"eye_{side}"]
    over = EYE_RADIUS_M * LID_OVER_EYE
    upper, lower = _lid_pairs(side)
    blink = shapes[f"AU45_{side}"]
    for one, other in zip(upper, lower, strict=True):
        meet = cage.points[other] + _CONTACT * (cage.points[one] - cage.points[other])
        meet = on_eye(meet[None], centre, over)[0]
        blink[one], blink[other] = meet - cage.points[one], meet - cage.points[other]
    for name in ("AU5", "AU6", "AU7", "eyeLookUp", "eyeLookDown", "AU45", "AU9", "AU4"):
        shape = shapes[f"{name}_{side}"]
        moved = on_eye(cage.points[loop] + shape[loop], centre, over)
        shape[loop] = moved - cage.points[loop]
        folds = cage.groups[f"eye_{side}_fold"]
        shape[folds] = shape[[cage.follows[i] for i in folds]]


def _lid_pairs(side: str) -> tuple[list[int], list[int]]:
    """Margins of upper and lower lid from the outer to the inner corner, without the corners."""
    upper = [246, 161, 160, 159, 158, 157, 173]
    lower = [7, 163, 144, 145, 153, 154, 155]
    if side == "L":
        return [int(MIRROR_POINTS[i]) for i in upper], [int(MIRROR_POINTS[i]) for i in lower]
    return upper, lower
