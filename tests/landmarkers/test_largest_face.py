"""The largest face: a look at the first frame and at every ninetieth, then all of them."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.landmarkers.largest_face import LargestFace
from livefacs.landmarkers.priming import N_PRIMING
from livefacs.types import N_LANDMARKS, Frame, Landmarks
from tests.session.doubles import frame


class Eyes:
    """Sees the faces that are there, at most as many as it is opened for."""

    def __init__(self, most: int, n_there: dict[int, int], name: str = "facemesh") -> None:
        self.name = name
        self.most = most
        self.asked: list[int] = []
        self.is_closed = False
        self._n_there = n_there

    def detect(self, seen: Frame) -> Landmarks | None:
        """The faces; x of the mesh is how many."""
        self.asked.append(seen.i_frame)
        since = max((i for i in self._n_there if i <= seen.i_frame), default=None)
        n_faces = min(self.most, 1 if since is None else self._n_there[since])
        points = np.full((N_LANDMARKS, 3), n_faces, np.float32)
        return Landmarks(points, seen.t_ns, seen.i_frame, (8, 8), n_faces) if n_faces else None

    def close(self) -> None:
        """Remember."""
        self.is_closed = True


def both(n_there: dict[int, int], name: str = "facemesh") -> tuple[LargestFace, Eyes, Eyes]:
    finder, looker = Eyes(1, n_there, name), Eyes(4, n_there, name)
    return LargestFace(finder, looker), finder, looker


def counts(largest: LargestFace, n_frames: int) -> list[int]:
    found = [largest.detect(frame(i)) for i in range(n_frames)]
    return [0 if each is None else each.n_faces for each in found]


def test_one_face_is_left_to_the_quick_one() -> None:
    largest, finder, looker = both({120: 0, 150: 1})
    assert counts(largest, 200) == [1] * 120 + [0] * 30 + [1] * 50
    assert looker.asked == [0, 90, 180]
    assert finder.asked == list(range(200))


def test_a_face_that_joins_is_found_at_the_next_look_and_from_then_on() -> None:
    largest, finder, looker = both({60: 3, 200: 2})
    assert counts(largest, 220) == [1] * 90 + [3] * 110 + [2] * 20
    assert finder.is_closed
    assert finder.asked == list(range(90))
    assert looker.asked == [0, *[90] * (1 + N_PRIMING), *range(91, 220)]


def test_looks_follow_frame_numbers_over_gaps() -> None:
    largest, _, looker = both({})
    for i in (0, 1, 89, 95, 184, 185):
        largest.detect(frame(i))
    assert looker.asked == [0, 95, 185]


def test_a_backend_that_wants_rising_times_is_asked_once_a_frame() -> None:
    largest, _, looker = both({0: 2}, "tasks")
    assert counts(largest, 3) == [2, 2, 2]
    assert looker.asked == [0, 1, 2]


@pytest.mark.parametrize("n_there", [1, 2])
def test_both_are_closed_in_the_end(n_there: int) -> None:
    largest, finder, looker = both({0: n_there})
    largest.detect(frame(0))
    largest.close()
    assert finder.is_closed
    assert looker.is_closed
