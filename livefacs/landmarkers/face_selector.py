"""Which of several faces is followed: the largest, without flicking between equals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from livefacs.arrays import F32

MOST_FACES: Final = 4
"""Faces tracked at once where nobody asks for another number."""

CHANGE_RATIO: Final = 1.3
"""Another face takes over only when its box is this much larger in area than the followed one."""


class FaceSelector:
    """Remembers where the followed face was and picks it again from the next frame's faces."""

    def __init__(self) -> None:
        self._centre: F32 | None = None

    def pick(self, faces: Sequence[F32]) -> F32 | None:
        """The mesh to follow.

        Parameters
        ----------
        faces : sequence of (478, 3) float32, pixels

        Returns
        -------
        (478, 3) float32 or None
            One of ``faces``; None, and nothing remembered, where there is none.
        """
        if not faces:
            self._centre = None
            return None
        if len(faces) == 1:
            chosen = faces[0]
            self._centre = _box(chosen)[0]
            return chosen
        boxes = [_box(face) for face in faces]
        areas = [area for _, area in boxes]
        i_chosen = int(np.argmax(areas))
        if self._centre is not None:
            away = [float(np.abs(centre - self._centre).sum()) for centre, _ in boxes]
            i_same = int(np.argmin(away))
            if areas[i_chosen] < CHANGE_RATIO * areas[i_same]:
                i_chosen = i_same
        self._centre = boxes[i_chosen][0]
        return faces[i_chosen]


def _box(face: F32) -> tuple[F32, float]:
    """Centre (2,) and area of the bounding box, pixels and pixels squared."""
    low, high = face[:, :2].min(axis=0), face[:, :2].max(axis=0)
    size = high - low
    return (low + high) * np.float32(0.5), float(size[0] * size[1])
