"""Counting faces: a look at the first frame and at every ninetieth, known by frame number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from livefacs.pipeline.face_counter import MOST_FACES, FaceCounter
from livefacs.types import N_LANDMARKS, Frame, Landmarks
from tests.pipeline.doubles import ListSource, frame


class Looker:
    """Sees as many faces as the image is bright."""

    name = "looker"

    def __init__(self) -> None:
        self.looked: list[int] = []

    def detect(self, seen: Frame) -> Landmarks | None:
        """Faces by brightness."""
        self.looked.append(seen.i_frame)
        n_faces = int(seen.image[0, 0, 0])
        if not n_faces:
            return None
        points = np.zeros((N_LANDMARKS, 3), np.float32)
        return Landmarks(points, seen.t_ns, seen.i_frame, (8, 8), n_faces)

    def close(self) -> None:
        """Nothing to free."""


def frames(n: int, n_faces: dict[int, int]) -> list[Frame]:
    return [
        replace(frame(i), image=np.full((8, 8, 3), n_faces.get(i, 1), np.uint8)) for i in range(n)
    ]


def test_counts_belong_to_frames_however_far_ahead_is_read() -> None:
    looker = Looker()
    watched = FaceCounter(ListSource(frames(200, {90: 3, 180: 0})), looker)
    assert watched.max_faces is None
    read = [each.i_frame for each in iter(watched.read, None)]
    assert read == list(range(200))
    assert looker.looked == [0, 90, 180]
    counted = [watched.faces_at(i) for i in (0, 89, 90, 179, 180, 199)]
    assert counted == [1, 1, 3, 3, 0, 0]


@pytest.mark.parametrize(("n_faces", "max_faces"), [(0, None), (1, None), (2, MOST_FACES)])
def test_the_first_frame_says_how_many_are_looked_for(n_faces: int, max_faces: int | None) -> None:
    watched = FaceCounter(ListSource(frames(2, {0: n_faces})), Looker())
    assert watched.max_faces == max_faces


def test_a_clip_without_frames_has_no_faces() -> None:
    watched = FaceCounter(ListSource([]), Looker())
    assert watched.read() is None
    assert watched.max_faces is None
    assert watched.faces_at(0) == 0
