"""All parts put together: one skinned mesh, two eyes, teeth and tongue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs.mesh import CHIN, MIRROR_POINTS
from tools.head import colours, parts
from tools.head.cage import Cage, eye_centre, make_cage
from tools.head.parts import Hairs, Part
from tools.head.people import F64
from tools.head.sculpt import Surface, sculpted
from tools.head.shapes import cage_shapes
from tools.head.subdivide import subdivide
from tools.head.thinning import normals_of, thinned

_BROW_UPPER_L: Final = tuple(int(MIRROR_POINTS[i]) for i in (70, 63, 105, 66, 107))
_BROW_LOWER_L: Final = tuple(int(MIRROR_POINTS[i]) for i in (46, 53, 52, 65, 55))
_UPPER_LID_L: Final = tuple(
    int(MIRROR_POINTS[i]) for i in (33, 246, 161, 160, 159, 158, 157, 173, 133)
)
_LOWER_LID_L: Final = tuple(
    int(MIRROR_POINTS[i]) for i in (33, 7, 163, 144, 145, 153, 154, 155, 133)
)
_CONDYLE: Final = np.array([0.0, -0.005, -0.072])
_LOWER_LIP: Final = 14
_TEETH_OF_LIP: Final = 0.62
"""Share of the lower lip's way that the teeth behind it go."""
_FACES: Final = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True)
class Head:
    """What is written: skin and hair follow ``neck``, the rest stands in the head.

    Attributes
    ----------
    head_share : (n_skin,) how much a point of the skin turns with the head, 0 at the neck's end
    eyes : centre by side
    """

    skin: Part
    hair: Part
    mouth: Part
    eye: Part
    eyes: dict[str, F64]
    head_share: F64


def build_head(face: F64, people: dict[str, F64]) -> Head:
    """The head from the mean face, (478, 3), and the displacements of the people's shapes."""
    cage = make_cage(face)
    eyes = {side: eye_centre(face, side) for side in "LR"}
    coarse = cage_shapes(cage, people, eyes)
    once = subdivide(np.array(cage.triangles), len(cage.points), cage.creases)
    twice = subdivide(once.triangles, once.matrix.shape[0], once.creases)
    matrix = twice.matrix @ once.matrix
    points = np.asarray(matrix @ cage.points)
    normals = normals_of(points, twice.triangles)
    shapes = {name: np.asarray(matrix @ shape) for name, shape in coarse.items()}
    mask = np.zeros(len(cage.points))
    mask[:468] = 1.0
    surface = Surface(points, normals, np.asarray(matrix @ mask))
    for name, extra in sculpted(surface, points[:468]).items():
        shapes[name] = shapes[name] + extra
    face_skin = Part(points, twice.triangles, colours.skin_colours(cage, matrix, points), shapes)
    skin = parts.joined([thinned(face_skin, once.triangles), *_ears()])
    return Head(
        skin=skin,
        hair=_hair(face_skin, normals, eyes),
        mouth=_mouth(cage, shapes),
        eye=parts.eyeball(),
        eyes=eyes,
        head_share=_head_share(skin.points),
    )


def _ears() -> list[Part]:
    left = parts.ear(colours.SKIN * (1.0, 0.88, 0.86))
    right = Part(left.points * _FACES, left.triangles[:, ::-1], left.colours)
    return [left, right]


def _head_share(points: F64) -> F64:
    t = np.clip((points[:, 1] + 0.185) / 0.085, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float64)


def _hair(skin: Part, normals: F64, eyes: dict[str, F64]) -> Part:
    """Brows and lashes of both sides; each hair goes with the skin at its root."""
    marks = skin.points[:468]
    grown = [
        parts.brow(marks[[*_BROW_UPPER_L]], marks[[*_BROW_LOWER_L]], normals[282], 3),
        parts.lashes(marks[[*_UPPER_LID_L]], eyes["L"], True, 4),
        parts.lashes(marks[[*_LOWER_LID_L]], eyes["L"], False, 5),
    ]
    left = parts.joined([_rooted(skin, hairs) for hairs in grown])
    right = Part(
        left.points * _FACES,
        left.triangles[:, ::-1],
        left.colours,
        {_other(name): shape * _FACES for name, shape in left.shapes.items()},
    )
    return parts.joined([left, right])


def _other(name: str) -> str:
    """The target of the other side."""
    pairs = {"mouthLeft": "mouthRight", "mouthRight": "mouthLeft"}
    if name.endswith("_L"):
        return name[:-1] + "R"
    if name.endswith("_R"):
        return name[:-1] + "L"
    return pairs.get(name, name)


def _rooted(skin: Part, hairs: Hairs) -> Part:
    """A mesh of hairs with the mean displacement of the three skin points next to each root."""
    points, triangles = parts.hair_mesh(hairs)
    off = ((hairs.roots[:, None, :] - skin.points[None, :, :]) ** 2).sum(axis=2)
    nearest = np.argsort(off, axis=1, kind="stable")[:, :3]
    weight = 1.0 / (np.take_along_axis(off, nearest, axis=1) + 1e-8)
    weight /= weight.sum(axis=1, keepdims=True)
    shapes = {
        name: np.repeat((shape[nearest] * weight[:, :, None]).sum(axis=1), 5, axis=0)
        for name, shape in skin.shapes.items()
    }
    return Part(points, triangles, np.tile(parts.HAIR, (len(points), 1)), shapes)


def _mouth(cage: Cage, shapes: dict[str, F64]) -> Part:
    """Teeth, gums and tongue; the lower ones go with the jaw."""
    lip = cage.points[[13, 14]].mean(axis=0)
    upper = parts.teeth(lip[1], lip[2], lower=False)
    lower = parts.joined([parts.teeth(lip[1], lip[2], lower=True), parts.tongue(lip[1], lip[2])])
    angle = _jaw_angle(lip, -float(shapes["AU27"][_LOWER_LIP][1]) * _TEETH_OF_LIP)
    lower.shapes["AU27"] = _turned(lower.points, angle) - lower.points
    for name in ("AD29", "AD30_L", "AD30_R"):
        lower.shapes[name] = np.tile(shapes[name][CHIN] * (1.0, 0.0, 1.0), (len(lower.points), 1))
    return parts.joined([upper, lower])


def _jaw_angle(at: F64, drop: float) -> float:
    """The angle of the jaw, radians, at which a place sinks by ``drop``."""
    angles = np.linspace(0.0, 0.6, 601)
    sunk = np.array([at[1] - _turned(at[None], angle)[0, 1] for angle in angles])
    return float(angles[int(np.argmin(np.abs(sunk - drop)))])


def _turned(points: F64, angle: float) -> F64:
    """Points turned about the axis of the jaw joint, mouth opening at a positive angle."""
    off = points - _CONDYLE
    cos, sin = np.cos(angle), np.sin(angle)
    y = off[:, 1] * cos - off[:, 2] * sin
    z = off[:, 1] * sin + off[:, 2] * cos
    return np.asarray(np.column_stack((off[:, 0], y, z)) + _CONDYLE, np.float64)
