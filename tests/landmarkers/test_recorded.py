"""Recorded meshes in place of a model: each frame of a take brings its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from livefacs.config import load_options
from livefacs.errors import ConfigError, LandmarkerError
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.recorded import RecordedLandmarks
from livefacs.protocols import Landmarker
from livefacs.session.composition import open_session
from livefacs.sources import open_source
from livefacs.types import Frame, Landmarks, TrackedFrame
from tests.support.keeping import Keeper
from tests.take.synthetic import clip_info, make_take, tracked_frame


def replayed(folder: Path, n_frames: int, *, loop: bool = False) -> list[tuple[Frame, Landmarks]]:
    """The first frames of a take and what is found in them; frames without a face left out."""
    source = open_source(str(folder), realtime=False, loop=loop)
    landmarker = RecordedLandmarks("facemesh")
    assert isinstance(landmarker, Landmarker)
    found = []
    for _ in range(n_frames):
        frame = source.read()
        assert frame is not None
        if (landmarks := landmarker.detect(frame)) is not None:
            found.append((frame, landmarks))
    source.close()
    landmarker.close()
    return found


def assert_same_meshes(
    found: Sequence[tuple[Frame, Landmarks]], recorded: Sequence[TrackedFrame]
) -> None:
    with_face = [each.landmarks for each in recorded if each.landmarks is not None]
    assert len(found) == len(with_face)
    for (frame, landmarks), original in zip(found, with_face, strict=True):
        assert (landmarks.t_ns, landmarks.i_frame) == (frame.t_ns, frame.i_frame)
        assert (landmarks.image_size, landmarks.n_faces) == ((640, 480), 2)
        np.testing.assert_array_equal(landmarks.points_px, original.points_px)


def test_each_frame_gets_its_recorded_mesh_whatever_its_number(tmp_path: Path) -> None:
    recorded = [tracked_frame(number, face=number != 4) for number in (0, 1, 3, 4, 9)]
    make_take(tmp_path / "take", recorded)
    found = replayed(tmp_path / "take", 5)
    assert [frame.i_frame for frame, _ in found] == [0, 1, 3, 9]
    assert_same_meshes(found, recorded)


def test_a_loop_has_the_meshes_again_in_its_second_round(tmp_path: Path) -> None:
    recorded = [tracked_frame(number) for number in range(4)]
    make_take(tmp_path / "take", recorded)
    found = replayed(tmp_path / "take", 8, loop=True)
    assert_same_meshes(found, [*recorded, *recorded])
    assert all(a.t_ns < b.t_ns for (a, _), (b, _) in pairwise(found))


def test_a_session_replays_a_take_with_its_own_meshes(tmp_path: Path) -> None:
    recorded = [tracked_frame(number) for number in (0, 1, 5, 6)]
    make_take(tmp_path / "take", recorded, clip_info(landmarker="facemesh"))
    source = {"spec": str(tmp_path / "take"), "realtime": False}
    watcher = Keeper()
    with open_session(load_options(None, {"source": source})) as session:
        session.watchers.append(watcher)
        session.run()
    assert session.tracker.landmarker.name == "facemesh"  # as the take says
    for tracked, original in zip(watcher.frames, recorded, strict=True):
        assert tracked.landmarks is not None
        assert original.landmarks is not None
        np.testing.assert_array_equal(tracked.landmarks.points_px, original.landmarks.points_px)


def test_another_landmarker_is_refused_for_a_take(tmp_path: Path) -> None:
    make_take(tmp_path / "take", [tracked_frame(0)])
    for tracking in ({"landmarker": "facemesh"}, {"model": tmp_path / "face.task"}):
        options = load_options(
            None, {"source": {"spec": str(tmp_path / "take")}, "tracking": tracking}
        )
        with pytest.raises(ConfigError, match="leave --landmarker and --model out"):
            open_session(options)


def test_unknown_backends_are_told() -> None:
    with pytest.raises(LandmarkerError, match="no landmark backend 'dlib': expected auto, face"):
        open_landmarker("dlib")
