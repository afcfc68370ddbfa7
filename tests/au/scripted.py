"""A performer by script: meshes and textures in place of camera and landmarker."""

from __future__ import annotations

import dataclasses

import numpy as np

from livefacs.types import Frame, Landmarks, Readings
from livefacs.vocab.readings import N_BLENDSHAPES, N_TEXTURE
from tests.au import faces
from tests.au.made_rounds import BASE, direction
from tests.au.test_learning import readings

REST = faces.face()
OTHER = REST * (1.0, 1.15, 1.0)
"""Another person's resting face: longer."""
SMILE = faces.face(corner_left=(0.08, -0.07), corner_right=(-0.08, -0.07))


def with_shapes(read: Readings) -> Readings:
    """The same with what a blendshape net says of a resting face."""
    return dataclasses.replace(read, blendshapes=np.full(N_BLENDSHAPES, 0.25, np.float32))


class Script:
    """A source and a landmarker at once: one scripted face a frame."""

    name = "facemesh"

    def __init__(self, shown: list[tuple[np.ndarray, str, float, float]]) -> None:
        self._shown = iter(shown)
        self._rng = np.random.default_rng(0)
        self._i_frame = 0

    def show(self, *shown: tuple[np.ndarray, str, float, float]) -> None:
        """What comes next."""
        self._shown = iter(shown)

    def read(self) -> Frame | None:
        shown = next(self._shown, None)
        if shown is None:
            return None
        shape, movement, strength, yaw = shown
        noisy = shape + self._rng.normal(0, 2e-4, shape.shape)
        face = faces.landmarks(noisy, self._i_frame, yaw=yaw)
        texture = BASE + 0.004 * self._rng.normal(size=N_TEXTURE)
        if movement:
            texture = texture + 1.2 * strength * direction(movement, N_TEXTURE)
        self._landmarks = dataclasses.replace(face, readings=with_shapes(readings(texture)))
        self._i_frame += 1
        return Frame(np.zeros((1, 1, 3), np.uint8), face.t_ns, face.i_frame)

    def detect(self, _frame: Frame) -> Landmarks | None:
        return self._landmarks


def at_rest(n: int):
    return [(REST, "", 0.0, 0.0)] * n


def turning(n: int = 170):
    return [(REST, "", 0.0, 0.3 * np.sin(i / 12)) for i in range(n)]


def twice(movement: str, n: int = 80):
    courses = np.sin(2 * np.pi * np.arange(n) / n) ** 2
    return [(REST, movement, float(strength), 0.0) for strength in courses]
