"""FaceMesh on LiteRT: the same numbers every time, any image, no noise, no crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import LandmarkerError
from livefacs.sources.pictures import read_rgb
from livefacs.sources.video import VideoSource
from livefacs.types import Frame, Landmarks
from tests.support.performer import performer_frames
from tests.support.processes import AS_FROM_A_TERMINAL
from tests.support.waiting import PATIENCE_S


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return performer_frames(30)


def landmarks_of(frames: list[Frame], max_faces: int = 1) -> list[Landmarks | None]:
    from livefacs.landmarkers.facemesh import FaceMeshLandmarker

    landmarker = FaceMeshLandmarker(max_faces=max_faces)
    found = [landmarker.detect(frame) for frame in frames]
    landmarker.close()
    landmarker.close()
    return found


def test_an_image_that_lies_in_pieces_is_read_aright(frames: list[Frame]) -> None:
    turned = [Frame(frame.image[:, ::-1], frame.t_ns, frame.i_frame) for frame in frames[:5]]
    copied = [Frame(np.ascontiguousarray(each.image), each.t_ns, each.i_frame) for each in turned]
    for one, other in zip(landmarks_of(turned), landmarks_of(copied), strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one.points_px, other.points_px)


def test_the_face_of_the_performer_is_found_in_every_frame(frames: list[Frame]) -> None:
    found = landmarks_of(frames)
    for frame, landmarks in zip(frames, found, strict=True):
        assert landmarks is not None
        assert (landmarks.t_ns, landmarks.i_frame) == (frame.t_ns, frame.i_frame)
        assert landmarks.image_size == (640, 480)
        assert landmarks.n_faces == 1
        low, high = landmarks.points_px.min(axis=0), landmarks.points_px.max(axis=0)
        assert (low[:2] > 0).all()
        assert high[0] < 640
        assert high[1] < 480
        # The iris of the performer's left eye (468 + 5) lies to the image's right.
        assert landmarks.points_px[473, 0] > landmarks.points_px[468, 0]


def test_same_frames_same_numbers_with_one_face_or_two_looked_for(frames: list[Frame]) -> None:
    one, again, two = (landmarks_of(frames, n_faces) for n_faces in (1, 1, 2))
    for first, second, third in zip(one, again, two, strict=True):
        assert first is not None
        assert second is not None
        assert third is not None
        np.testing.assert_array_equal(first.points_px, second.points_px)
        np.testing.assert_array_equal(first.points_px, third.points_px)


def still(image: np.ndarray, n_frames: int = 3) -> list[Frame]:
    return [Frame(np.ascontiguousarray(image), i * 33_333_333, i) for i in range(n_frames)]


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (3, 2000), (2000, 3)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_tiny_and_empty_images_have_no_face(size: tuple[int, int], value: int) -> None:
    assert landmarks_of(still(np.full((*size, 3), value, np.uint8), 2)) == [None, None]


def test_a_face_in_grey_is_found(frames: list[Frame]) -> None:
    grey = frames[0].image.mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2)
    assert all(landmarks_of(still(grey)))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((480, 640), np.uint8),
        np.zeros((480, 640, 1), np.uint8),
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((0, 640, 3), np.uint8),
    ],
    ids=["grey", "one channel", "with alpha", "floats", "empty"],
)
def test_an_image_of_another_kind_is_told(image: np.ndarray) -> None:
    with pytest.raises(LandmarkerError, match=r"expected an RGB image .* got \("):
        landmarks_of([Frame(image, 0, 0)])


def test_a_face_in_an_image_of_8k_has_the_same_points_twelve_times_as_large(
    frames: list[Frame],
) -> None:
    image = frames[0].image
    large = image.repeat(12, axis=0).repeat(12, axis=1)  # 7680 by 5760
    (small,), (found,) = landmarks_of([frames[0]]), landmarks_of([Frame(large, 0, 0)])
    assert small is not None
    assert found is not None
    assert found.image_size == (7680, 5760)
    apart = np.linalg.norm(found.points_px / 12 - small.points_px, axis=1)
    assert float(np.median(apart)) < 1.0


def test_an_image_that_cannot_be_written_is_read_aright(frames: list[Frame]) -> None:
    locked = []
    for frame in frames[:3]:
        image = frame.image.copy()
        image.flags.writeable = False
        locked.append(Frame(image, frame.t_ns, frame.i_frame))
    for one, other in zip(landmarks_of(locked), landmarks_of(frames[:3]), strict=True):
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one.points_px, other.points_px)


def test_a_face_that_fills_the_image_is_found(frames: list[Frame]) -> None:
    assert all(landmarks_of(still(frames[0].image[150:330, 220:420])))


def test_faces_at_and_beyond_every_border_do_not_crash(frames: list[Frame]) -> None:
    image = frames[0].image
    shifted = [
        np.roll(image, (dy, dx), axis=(0, 1))
        for dx, dy in ((-320, 0), (320, 0), (0, -240), (0, 240), (-200, -150))
    ]
    cropped = [image[200:, :], image[:, 320:], image[:200], image[:, :320], image[150:330, 220:420]]
    for picture in (*shifted, *cropped):
        for landmarks in landmarks_of(still(picture)):
            assert landmarks is None or np.isfinite(landmarks.points_px).all()


def test_the_size_of_the_image_may_change_in_mid_stream(frames: list[Frame]) -> None:
    small = np.ascontiguousarray(frames[1].image[::2, ::2])
    mixed = [frames[0], Frame(small, 1, 1), frames[2], Frame(small, 3, 3)]
    sizes = [found.image_size for found in landmarks_of(mixed) if found]
    assert sizes == [(640, 480), (320, 240)] * 2


def test_a_face_that_goes_and_comes_back_is_found_again(frames: list[Frame]) -> None:
    empty = Frame(np.zeros_like(frames[0].image), 0, 0)
    found = landmarks_of([*frames[:3], empty, empty, *frames[3:6]])
    assert [landmarks is not None for landmarks in found] == [True] * 3 + [False] * 2 + [True] * 3


def test_the_larger_of_two_faces_is_followed(frames: list[Frame]) -> None:
    """The performer beside a half-size copy, on either side."""
    image = frames[0].image
    half = np.ascontiguousarray(image[::2, ::2])
    for is_left in (True, False):
        wide = np.zeros((480, 960, 3), np.uint8)
        wide[:, 320 * is_left : 320 * is_left + 640] = image
        wide[120:360, 640 * (not is_left) : 640 * (not is_left) + 320] = half
        found = landmarks_of(still(wide), max_faces=2)[-1]
        assert found is not None
        assert found.n_faces == 2
        x_mean = float(found.points_px[:, 0].mean())
        assert abs(x_mean - (320 + 320 * is_left)) < 100


@pytest.mark.parametrize("seconds_away", [0.1, 1.5])
def test_a_performer_who_left_is_followed_again_on_coming_back(
    frames: list[Frame], seconds_away: float
) -> None:
    """Somebody smaller stays in the background; the rig is lent to him only after a while."""
    back, n_away = 30, round(30 * seconds_away)
    pictures = []
    for i in range(back + n_away + 30):
        wide = np.zeros((480, 960, 3), np.uint8)
        image = frames[i % 15].image
        wide[120:360, 640:] = image[::2, ::2]
        if not back <= i < back + n_away:
            wide[:, :640] = image
        pictures.append(Frame(wide, i * 33_333_333, i))
    x_mean = np.array(
        [
            np.nan if each is None else each.points_px[:, 0].mean()
            for each in landmarks_of(pictures, 4)
        ]
    )
    assert (x_mean[:back] < 640).all()
    assert np.isnan(x_mean[back : back + min(n_away, 14)]).all()
    assert (x_mean[back + 16 : back + n_away] > 640).all()
    assert (x_mean[back + n_away + 15 :] < 640).all()


@pytest.mark.facebench
def test_real_clip_whose_face_comes_and_goes(facebench: Path) -> None:
    source = VideoSource(facebench / "real" / "face_noface.mov")
    frames = [frame for _ in range(169) if (frame := source.read())]
    source.close()
    found = landmarks_of(frames)
    assert 10 < sum(landmarks is not None for landmarks in found) < len(found)
    for landmarks in found:
        assert landmarks is None or np.isfinite(landmarks.points_px).all()


@pytest.mark.facebench
@pytest.mark.parametrize("max_faces", [1, 2, 5])
def test_real_image_with_many_small_faces(facebench: Path, max_faces: int) -> None:
    image = read_rgb(facebench / "real" / "multi_face.jpg")
    for landmarks in landmarks_of(still(image), max_faces):
        assert landmarks is None or 1 <= landmarks.n_faces <= max_faces


def test_the_native_libraries_are_silent() -> None:
    """What a fresh process writes while it finds a face and closes: nothing but its own words."""
    program = """
import os, sys
from livefacs.landmarkers.facemesh import FaceMeshLandmarker
from livefacs.resources import data_path
from livefacs.sources.video import VideoSource
source = VideoSource(data_path("performer.mp4"))
landmarker = FaceMeshLandmarker()
assert [landmarker.detect(source.read()) for _ in range(3)][-1] is not None
landmarker.close()
os.write(2, b"the end")
"""
    spoken = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert spoken.stdout == ""
    assert spoken.stderr == "the end"


def test_a_closed_landmarker_says_so(frames: list[Frame]) -> None:
    from livefacs.landmarkers.facemesh import FaceMeshLandmarker

    landmarker = FaceMeshLandmarker()
    landmarker.close()
    with pytest.raises(LandmarkerError, match="closed"):
        landmarker.detect(frames[0])


INTERRUPTED = """
import _thread, random, threading
from livefacs.landmarkers.facemesh import FaceMeshLandmarker
from livefacs.resources import data_path
from livefacs.sources.video import VideoSource

finder, frame = FaceMeshLandmarker(), VideoSource(data_path("performer.mp4")).read()
ended, pace = threading.Event(), random.Random(0)

def press():
    while not ended.wait(pace.uniform(0.003, 0.012)):
        _thread.interrupt_main()

thread, n_interrupted = threading.Thread(target=press), 0
thread.start()
while n_interrupted < 100:
    try:
        finder.detect(frame)
    except KeyboardInterrupt:
        n_interrupted += 1
while thread.is_alive():
    try:
        ended.set()
        thread.join()
    except KeyboardInterrupt:
        pass
assert finder.detect(frame) is not None
print("well")
"""


def test_ctrl_c_in_the_midst_of_a_network_does_not_end_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        preexec_fn=AS_FROM_A_TERMINAL,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "well"), done.stderr
