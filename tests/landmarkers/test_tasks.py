"""The Tasks FaceLandmarker with the real model, where one lies beside the checkout."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import LandmarkerError
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.downloads import MODEL_VARIABLE, find_model
from livefacs.landmarkers.tasks import TasksLandmarker
from livefacs.resources import user_models_folder
from livefacs.types import Frame, Landmarks
from tests.support.performer import performer_frames

pytestmark = pytest.mark.skipif(
    find_spec("mediapipe") is None, reason="mediapipe, an extra, is not installed"
)


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return performer_frames(20)


def landmarks_of(model: Path, frames: list[Frame]) -> list[Landmarks | None]:
    landmarker = TasksLandmarker(model)
    found = [landmarker.detect(frame) for frame in frames]
    landmarker.close()
    landmarker.close()
    return found


def test_the_performer_is_found_with_the_same_numbers_every_time(
    model: Path, frames: list[Frame]
) -> None:
    first, again = landmarks_of(model, frames), landmarks_of(model, frames)
    for frame, one, other in zip(frames, first, again, strict=True):
        assert one is not None
        assert other is not None
        assert one.points_px.shape == (478, 3)
        assert one.points_px.dtype == np.float32
        assert one.points_px.flags.c_contiguous
        assert (one.t_ns, one.i_frame, one.n_faces) == (frame.t_ns, frame.i_frame, 1)
        np.testing.assert_array_equal(one.points_px, other.points_px)


def test_it_agrees_with_facemesh_to_a_few_pixels(model: Path, frames: list[Frame]) -> None:
    tasks = landmarks_of(model, frames)[-1]
    facemesh = open_landmarker("facemesh")
    mesh = [facemesh.detect(frame) for frame in frames][-1]
    facemesh.close()
    assert tasks is not None
    assert mesh is not None
    assert np.abs(tasks.points_px - mesh.points_px)[:, :2].mean() < 3


def test_points_are_not_smoothed(model: Path, frames: list[Frame]) -> None:
    """A shifted picture moves the points at once: no filter holds them back."""
    image = frames[0].image
    moved = np.ascontiguousarray(np.roll(image, 6, axis=1))
    stream = [Frame(image if i < 8 else moved, i * 33_333_333, i) for i in range(14)]
    found = [landmarks.points_px for landmarks in landmarks_of(model, stream) if landmarks]
    assert len(found) == 14
    step_at_once = float((found[8] - found[7])[:, 0].mean())
    step_in_the_end = float((found[13] - found[7])[:, 0].mean())
    assert abs(step_in_the_end - 6) < 1
    assert step_at_once > 0.9 * step_in_the_end


@pytest.mark.parametrize("steps_ns", [[0] * 5, [5, 5, 4, 3, 2], [10**15, 0, 10**15, 7, 10**9]])
def test_any_order_of_times_is_accepted(
    model: Path, frames: list[Frame], steps_ns: list[int]
) -> None:
    stream = [Frame(frames[i].image, t_ns, i) for i, t_ns in enumerate(steps_ns)]
    found = landmarks_of(model, stream)
    assert [landmarks.t_ns for landmarks in found if landmarks] == steps_ns


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (3, 500)])
def test_tiny_images_have_no_face(model: Path, size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 90, np.uint8)
    assert landmarks_of(model, [Frame(image, 0, 0), Frame(image, 40_000_000, 1)]) == [None, None]


def test_lost_and_regained(model: Path, frames: list[Frame]) -> None:
    images = [frames[0].image] * 3 + [np.zeros((480, 640, 3), np.uint8)] * 2 + [frames[0].image] * 3
    stream = [Frame(image, i * 33_333_333, i) for i, image in enumerate(images)]
    found = [landmarks is not None for landmarks in landmarks_of(model, stream)]
    assert found == [True] * 3 + [False] * 2 + [True] * 3


@pytest.mark.parametrize("content", [b"", b"not a model" * 50, None])
def test_a_damaged_model_is_told_in_one_line(
    model: Path, tmp_path: Path, content: bytes | None
) -> None:
    broken = tmp_path / "broken.task"
    if content is None:  # a hole in the weights, which MediaPipe itself does not notice
        whole = model.read_bytes()
        content = whole[:50_000] + bytes(1000) + whole[51_000:]
    broken.write_bytes(content)
    with pytest.raises(LandmarkerError, match=r"broken\.task is no usable") as caught:
        TasksLandmarker(broken)
    assert "\n" not in str(caught.value)


def test_where_the_model_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    with pytest.raises(LandmarkerError, match="livefacs models fetch"):
        find_model()
    with pytest.raises(LandmarkerError, match="no landmark model at"):
        find_model(tmp_path / "absent.task")
    user_models_folder().mkdir(parents=True)
    fetched = user_models_folder() / "face_landmarker.task"
    fetched.touch()
    assert find_model() == fetched
    other = tmp_path / "other.task"
    other.touch()
    monkeypatch.setenv(MODEL_VARIABLE, str(other))
    assert find_model() == other
    assert find_model(fetched) == fetched


def test_closed_says_so(model: Path, frames: list[Frame]) -> None:
    landmarker = TasksLandmarker(model)
    landmarker.close()
    with pytest.raises(LandmarkerError, match="closed"):
        landmarker.detect(frames[0])
