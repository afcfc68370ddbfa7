"""Which of several faces is followed."""

from __future__ import annotations

import numpy as np

from livefacs.arrays import F32
from livefacs.landmarkers.following import CHANGE_RATIO, FaceSelector


def face(centre: tuple[float, float], side: float) -> F32:
    x, y = centre
    half = side / 2
    corners = [(x - half, y - half, 0), (x + half, y + half, 0), (x, y, 0)]
    return np.array(corners, np.float32)


def test_no_face_and_one_face() -> None:
    follower = FaceSelector()
    assert follower.pick([]) is None
    only = face((10, 10), 4)
    assert follower.pick([only]) is only


def test_the_largest_is_taken_first() -> None:
    faces = [face((10, 10), 4), face((50, 10), 8), face((90, 10), 6)]
    assert FaceSelector().pick(faces) is faces[1]


def test_near_equals_do_not_flick() -> None:
    follower = FaceSelector()
    left, right = face((10, 10), 10), face((100, 10), 9.9)
    assert follower.pick([left, right]) is left
    for i in range(20):
        left = face((10 + i, 10), 9.8)
        right = face((100, 10), 10 + 0.03 * i)
        assert follower.pick([right, left] if i % 2 else [left, right]) is left


def test_a_much_larger_face_takes_over() -> None:
    follower = FaceSelector()
    follower.pick([face((10, 10), 10)])
    near = face((100, 10), 10 * (CHANGE_RATIO**0.5) + 0.1)
    assert follower.pick([face((10, 10), 10), near]) is near
    assert follower.pick([face((10, 10), 10), near]) is near


def test_after_a_loss_it_chooses_anew() -> None:
    follower = FaceSelector()
    small, large = face((10, 10), 10), face((100, 10), 11)
    follower.pick([small])
    assert follower.pick([small, large]) is small
    follower.pick([])
    assert follower.pick([small, large]) is large
