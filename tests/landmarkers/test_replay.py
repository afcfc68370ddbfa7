"""Recorded meshes in place of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import LandmarkerError
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.replay import ReplayLandmarker
from livefacs.protocols import Landmarker
from livefacs.sources import open_source
from livefacs.types import Frame
from tests.take.synthetic import make_take, tracked_frame


def test_each_frame_gets_its_recorded_mesh(tmp_path: Path) -> None:
    recorded = [tracked_frame(number, face=number != 4) for number in (0, 1, 3, 4, 9)]
    make_take(tmp_path / "take", recorded)
    source = open_source(str(tmp_path / "take"), realtime=False)
    landmarker = open_landmarker("auto", model=tmp_path / "take")
    assert isinstance(landmarker, Landmarker)
    assert landmarker.name == "replay"
    for original in recorded:
        frame = source.read()
        assert frame is not None
        found = landmarker.detect(frame)
        if original.landmarks is None:
            assert found is None
            continue
        assert found is not None
        assert (found.t_ns, found.i_frame) == (frame.t_ns, original.i_frame)
        assert (found.image_size, found.n_faces) == ((640, 480), 2)
        np.testing.assert_array_equal(found.points_px, original.landmarks.points_px)
    landmarker.close()


def test_a_frame_that_was_not_recorded_has_no_face(tmp_path: Path) -> None:
    make_take(tmp_path / "take", [tracked_frame(0)])
    landmarker = ReplayLandmarker(tmp_path / "take")
    assert landmarker.detect(Frame(np.zeros((1, 1, 3), np.uint8), 0, 77)) is None


def test_what_is_no_take_is_told(tmp_path: Path) -> None:
    with pytest.raises(LandmarkerError, match="replay: "):
        open_landmarker("replay", model=tmp_path)
    with pytest.raises(LandmarkerError, match="expected the folder of a take"):
        open_landmarker("replay")


def test_unknown_backends_are_told() -> None:
    with pytest.raises(LandmarkerError, match="no landmark backend 'dlib': expected auto, face"):
        open_landmarker("dlib")
