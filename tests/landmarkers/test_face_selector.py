"""Which of several faces is followed."""

from __future__ import annotations

import numpy as np

from livefacs.arrays import F32
from livefacs.landmarkers.face_selector import CHANGE_RATIO, PATIENCE_NS, FaceSelector


def face(centre: tuple[float, float], side: float) -> F32:
    x, y = centre
    half = side / 2
    corners = [(x - half, y - half, 0), (x + half, y + half, 0), (x, y, 0)]
    return np.array(corners, np.float32)


def test_no_face_and_one_face() -> None:
    selector = FaceSelector()
    assert selector.pick([], 0) is None
    only = face((10, 10), 4)
    assert selector.pick([only], 0) is only


def test_the_largest_is_taken_first() -> None:
    faces = [face((10, 10), 4), face((50, 10), 8), face((90, 10), 6)]
    assert FaceSelector().pick(faces, 0) is faces[1]


def test_near_equals_do_not_flick() -> None:
    selector = FaceSelector()
    left, right = face((10, 10), 10), face((100, 10), 9.9)
    assert selector.pick([left, right], 0) is left
    for i in range(20):
        left = face((10 + i, 10), 9.8)
        right = face((100, 10), 10 + 0.03 * i)
        assert selector.pick([right, left] if i % 2 else [left, right], 0) is left


def test_a_much_larger_face_takes_over() -> None:
    selector = FaceSelector()
    selector.pick([face((10, 10), 10)], 0)
    near = face((100, 10), 10 * (CHANGE_RATIO**0.5) + 0.1)
    assert selector.pick([face((10, 10), 10), near], 0) is near
    assert selector.pick([face((10, 10), 10), near], 0) is near


def test_after_a_loss_it_chooses_anew() -> None:
    selector = FaceSelector()
    small, large = face((10, 10), 10), face((100, 10), 11)
    selector.pick([small], 0)
    assert selector.pick([small, large], 0) is small
    selector.pick([], 1)
    assert selector.pick([small, large], PATIENCE_NS - 1) is small
    assert selector.pick([small, large], 3 * PATIENCE_NS) is large


def test_a_followed_face_that_is_lost_is_waited_for_while_others_are_there() -> None:
    selector = FaceSelector()
    near, far = face((30, 10), 20), face((100, 10), 10)
    assert selector.pick([near, far], 0) is near
    assert selector.pick([far], PATIENCE_NS // 2) is None
    assert selector.pick([far], PATIENCE_NS - 1) is None
    assert selector.pick([far], PATIENCE_NS) is far
    assert selector.pick([far, near], PATIENCE_NS + 1) is near


def test_a_lost_face_that_comes_back_in_time_is_the_followed_one() -> None:
    selector = FaceSelector()
    near, far = face((30, 10), 10.5), face((100, 10), 10)
    assert selector.pick([near, far], 0) is near
    assert selector.pick([far], 1) is None
    moved, grown = face((33, 10), 10.5), face((101, 10), 11)
    assert selector.pick([moved, grown], 2) is moved


def test_nobody_is_waited_for_at_a_cut() -> None:
    """A face where none was before is another shot, or the performer elsewhere."""
    selector = FaceSelector()
    assert selector.pick([face((30, 10), 20), face((300, 10), 10)], 0) is not None
    there = face((160, 10), 9)
    assert selector.pick([there], 1) is there
