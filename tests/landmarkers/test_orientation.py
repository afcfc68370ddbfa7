"""A turned camera is told of; an upright face is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from livefacs.landmarkers import has_litert, open_landmarker
from livefacs.landmarkers.orientation import OrientationCheck
from livefacs.mesh import CHIN, FOREHEAD
from livefacs.sources.turned import turned
from livefacs.types import Frame
from tests.support.performer import performer_frames

IMAGE = np.zeros((4, 4, 3), np.uint8)


@pytest.fixture(scope="module")
def performer() -> list[Frame]:
    return performer_frames(30)


@pytest.mark.skipif(not has_litert(), reason="LiteRT, which runs the detector, is not installed")
@pytest.mark.parametrize(("degrees", "told"), [(0, None), (180, "180"), (90, "270"), (270, "90")])
def test_a_turned_performer(performer: list[Frame], degrees: int, told: str | None) -> None:
    said: list[str] = []
    landmarker = open_landmarker(notify=said.append)
    for frame in performer:
        landmarker.detect(Frame(turned(frame.image, degrees), frame.t_ns, frame.i_frame))
    landmarker.close()
    if told is None:
        assert said == []
        return
    (sentence,) = said
    assert sentence.endswith(f"use --rotate {told}")


def mesh(roll_deg: float) -> np.ndarray:
    points = np.zeros((478, 3), np.float32)
    roll = math.radians(roll_deg)
    points[FOREHEAD, :2] = (50, 50)
    points[CHIN, :2] = (50 + 30 * math.sin(roll), 50 + 30 * math.cos(roll))
    return points


def looks(check: OrientationCheck, points: np.ndarray | None, n_frames: int = 200) -> None:
    for _ in range(n_frames):
        check.look(IMAGE, points)


@pytest.mark.parametrize(("roll_deg", "told"), [(-88, "270"), (75, "90"), (40, ""), (-50, "")])
def test_a_face_on_its_side_shows_in_its_mesh(roll_deg: float, told: str) -> None:
    said: list[str] = []
    looks(OrientationCheck(said.append), mesh(roll_deg))
    assert [sentence.rpartition(" ")[2] for sentence in said] == ([told] if told else [])


@pytest.mark.parametrize(
    ("upright", "upside_down", "n_told"),
    [(2.5, 0.8, 0), (0.5, 2.5, 1), (2.5, 2.6, 0), (-3.0, -1.0, 0)],
)
def test_the_detector_decides_upside_down(upright: float, upside_down: float, n_told: int) -> None:
    said: list[str] = []
    n_asked = 0

    def surest(_image: np.ndarray, angle_rad: float) -> float:
        nonlocal n_asked
        n_asked += 1
        return upside_down if angle_rad == math.pi else upright

    looks(OrientationCheck(said.append, surest), mesh(0), n_frames=2_000)
    assert len(said) == n_told
    assert n_asked <= 16  # and never again


def test_without_a_mesh_every_turn_is_tried() -> None:
    said: list[str] = []
    check = OrientationCheck(said.append, lambda _, angle: 2.0 if angle > 1 and angle < 2 else -1.0)
    looks(check, None)
    assert said == [
        "the face is on its side in the picture: if the camera was turned, use --rotate 270"
    ]
