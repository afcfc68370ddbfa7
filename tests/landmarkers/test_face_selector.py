"""Which of several faces is followed."""

from __future__ import annotations

import numpy as np

from livefacs.arrays import F32
from livefacs.landmarkers.face_selector import CHANGE_RATIO, FaceSelector


def face(centre: tuple[float, float], side: float) -> F32:
    x, y = centre
    half = side / 2
    corners = [(x - half, y - half, 0), (x + half, y + half, 0), (x, y, 0)]
    return np.array(corners, np.float32)


def test_no_face_and_one_face() -> None:
    selector = FaceSelector()
    assert selector.pick([]) is None
    only = face((10, 10), 4)
    assert selector.pick([only]) is only


def test_the_largest_is_taken_first() -> None:
    faces = [face((10, 10), 4), face((50, 10), 8), face((90, 10), 6)]
    assert FaceSelector().pick(faces) is faces[1]


def test_near_equals_do_not_flick() -> None:
    selector = FaceSelector()
    left, right = face((10, 10), 10), face((100, 10), 9.9)
    assert selector.pick([left, right]) is left
    for i in range(20):
        left = face((10 + i, 10), 9.8)
        right = face((100, 10), 10 + 0.03 * i)
        assert selector.pick([right, left] if i % 2 else [left, right]) is left


def test_a_much_larger_face_takes_over() -> None:
    selector = FaceSelector()
    selector.pick([face((10, 10), 10)])
    near = face((100, 10), 10 * (CHANGE_RATIO**0.5) + 0.1)
    assert selector.pick([face((10, 10), 10), near]) is near
    assert selector.pick([face((10, 10), 10), near]) is near


def test_after_a_loss_it_chooses_anew() -> None:
    selector = FaceSelector()
    small, large = face((10, 10), 10), face((100, 10), 11)
    selector.pick([small])
    assert selector.pick([small, large]) is small
    selector.pick([])
    assert selector.pick([small, large]) is large
