"""Which of several faces is followed: the largest, without flicking between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S

MOST_FACES: Final = 4
"""Faces tracked at once where nobody asks for another number."""

CHANGE_RATIO: Final = 1.3
"""Another face takes over only when its box is this much larger in area than the followed one."""

PATIENCE_NS: Final = NS_PER_S // 2
"""So long a followed face that is lost is waited for while only others, known before, are there:
a blurred frame must not hand the rig to somebody in the background."""


@dataclass(frozen=True, slots=True)
class _Box:
    """Bounding box of a mesh: centre and size, pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height

    def distance(self, other: _Box) -> float:
        """Between the centres, pixels."""
        return math.hypot(self.x - other.x, self.y - other.y)

    def is_near(self, other: _Box) -> bool:
        """True where it may be the same face a frame later: moved by less than its own size."""
        return self.distance(other) < max(self.width, self.height, other.width, other.height)


class FaceSelector:
    """Remembers which face is followed and picks it again from the next frame's faces."""

    def __init__(self) -> None:
        self._followed: _Box | None = None
        self._others: list[_Box] = []
        self._seen_ns = 0

    def pick(self, faces: Sequence[F32], t_ns: int) -> F32 | None:
        """The mesh to follow.

        Parameters
        ----------
        faces : sequence of (478, 3) float32, pixels
        t_ns : int
            Time of the frame.

        Returns
        -------
        (478, 3) float32 or None
            One of ``faces``. None where there is none, and for ``PATIENCE_NS`` where the followed
            one is lost and only faces are left that were there beside it.
        """
        if not 0 <= t_ns - self._seen_ns < PATIENCE_NS:
            self._followed, self._others = None, []
        boxes = [_box(face) for face in faces]
        chosen = self._chosen(boxes)
        if chosen is not None:
            self._followed, self._seen_ns = boxes[chosen], t_ns
        if boxes:
            self._others = [box for i, box in enumerate(boxes) if i != chosen]
        return None if chosen is None else faces[chosen]

    def _chosen(self, boxes: list[_Box]) -> int | None:
        if not boxes:
            return None
        largest = max(range(len(boxes)), key=lambda i: boxes[i].area)
        followed = self._followed
        if followed is None:
            return largest
        strangers = [i for i, box in enumerate(boxes) if not self._is_other(box)]
        if not strangers:
            return None
        nearest = min(strangers, key=lambda i: boxes[i].distance(followed))
        if not boxes[nearest].is_near(followed):
            return largest
        is_larger = boxes[largest].area >= CHANGE_RATIO * boxes[nearest].area
        return largest if is_larger else nearest

    def _is_other(self, box: _Box) -> bool:
        """True where a face was beside the followed one that this one rather continues."""
        followed = self._followed
        return any(
            box.is_near(other)
            and (followed is None or box.distance(other) < box.distance(followed))
            for other in self._others
        )


def _box(face: F32) -> _Box:
    x, y = face[:, 0], face[:, 1]  # a column at a time: NumPy is slow along short axes
    left, right, top, bottom = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    return _Box(0.5 * (left + right), 0.5 * (top + bottom), right - left, bottom - top)
