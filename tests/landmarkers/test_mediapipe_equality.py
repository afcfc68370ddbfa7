"""Our FaceMesh against MediaPipe's: the same mesh, lost and found on the same frames.

Distances are pixels in three dimensions. From the same start, what is left is rounding of other
kernels (median .0003 px). In closed loop each frame's region comes from the last mesh, whose
rounding moves single pixels of the crop by 1/32: the loop carries that on, in MediaPipe alone too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from livefacs.arrays import F32
from livefacs.au.estimator import Estimator
from livefacs.resources import data_path
from livefacs.sources.video import VideoSource
from livefacs.types import Frame, Landmarks
from tests.landmarkers.mediapipe_mesh import MediaPipeMesh, has_mediapipe_facemesh

pytestmark = [
    pytest.mark.skipif(not has_mediapipe_facemesh(), reason="mediapipe 0.10.21 is not installed"),
]

CLIPS = ("clips/id03.mp4", "people/dped.mp4", "people/sky5.mp4", "people/vox3.mov")
N_FRAMES = 90


def frames_of(path: Path, n_frames: int = N_FRAMES) -> list[Frame]:
    with closing(VideoSource(path)) as source:
        return [frame for _ in range(n_frames) if (frame := source.read()) is not None]


def reference(frames: list[Frame]) -> list[F32 | None]:
    with closing(MediaPipeMesh()) as theirs:
        return [next(iter(theirs.faces(frame.image)), None) for frame in frames]


def closed_loop(frames: list[Frame], max_faces: int = 1) -> list[Landmarks | None]:
    from livefacs.landmarkers.facemesh import FaceMeshLandmarker

    with closing(FaceMeshLandmarker(max_faces=max_faces)) as ours:
        return [ours.detect(frame) for frame in frames]


def from_the_same_start(frames: list[Frame], meshes: list[F32 | None]) -> Iterator[F32]:
    """Distance of every point where MediaPipe's last mesh says where to look."""
    from livefacs.landmarkers.mesh_networks import MeshNetworks, empty_points, region_of

    networks, points = MeshNetworks(), empty_points()
    for frame, before, expected in zip(frames[1:], meshes, meshes[1:], strict=False):
        if before is not None and expected is not None:
            networks.find(frame.image, region_of(before), points)
            yield np.linalg.norm(points - expected, axis=1)


def in_closed_loop(found: list[Landmarks | None], meshes: list[F32 | None]) -> Iterator[F32]:
    for landmarks, expected in zip(found, meshes, strict=True):
        if landmarks is not None and expected is not None:
            yield np.linalg.norm(landmarks.points_px - expected, axis=1)


def check_clip(path: Path) -> None:
    frames = frames_of(path)
    meshes = reference(frames)
    same = np.concatenate(list(from_the_same_start(frames, meshes)))
    assert float(np.median(same)) <= 0.005
    assert float(same.max()) <= 0.1
    loop = np.concatenate(list(in_closed_loop(closed_loop(frames), meshes)))
    assert float(np.median(loop)) <= 0.05
    assert float(np.quantile(loop, 0.99)) <= 0.5


def test_the_performers_mesh_is_mediapipes() -> None:
    check_clip(data_path("performer.mp4"))


@pytest.mark.slow
@pytest.mark.facebench
@pytest.mark.parametrize("clip", CLIPS)
def test_the_mesh_of_other_people_is_mediapipes(facebench: Path, clip: str) -> None:
    check_clip(facebench / clip)


def test_intensities_are_those_of_mediapipes_mesh() -> None:
    frames = frames_of(data_path("performer.mp4"), 400)
    ours, theirs = Estimator(), Estimator()
    apart = []
    for frame, found, expected in zip(frames, closed_loop(frames), reference(frames), strict=True):
        assert found is not None
        assert expected is not None
        as_theirs = Landmarks(expected, frame.t_ns, frame.i_frame, found.image_size)
        apart.append(
            ours.estimate(found).units.intensity - theirs.estimate(as_theirs).units.intensity
        )
    within = np.abs(np.concatenate(apart)) <= 0.01
    assert within.mean() >= 0.99


@pytest.mark.facebench
def test_a_face_is_lost_and_found_on_the_same_frames(facebench: Path) -> None:
    frames = frames_of(facebench / "real" / "face_noface.mov", 169)
    theirs = np.array([mesh is not None for mesh in reference(frames)])
    ours = np.array([found is not None for found in closed_loop(frames)])
    assert 10 < theirs.sum() < len(frames)
    changes, expected = np.flatnonzero(np.diff(ours)), np.flatnonzero(np.diff(theirs))
    assert len(changes) == len(expected)
    assert np.abs(changes - expected).max() <= 1


@pytest.mark.parametrize(
    "part",
    [np.s_[:, 280:], np.s_[200:], np.s_[:280], np.s_[150:330, 220:420]],
    ids=["left half out", "brow out", "chin out", "fills the image"],
)
def test_a_face_that_lies_half_outside_is_seen_alike(part: tuple[slice, ...] | slice) -> None:
    frames = [
        Frame(np.ascontiguousarray(frame.image[part]), frame.t_ns, frame.i_frame)
        for frame in frames_of(data_path("performer.mp4"), 40)
    ]
    same = np.concatenate(list(from_the_same_start(frames, reference(frames))))
    assert float(np.median(same)) <= 0.005
    assert float(same.max()) <= 0.1


def test_the_first_frame_of_a_detection_is_seen_alike() -> None:
    for frame in frames_of(data_path("performer.mp4"), 400)[::40]:
        (expected,) = reference([frame])
        (found,) = closed_loop([frame])
        assert found is not None
        assert expected is not None
        assert float(np.linalg.norm(found.points_px - expected, axis=1).max()) <= 0.1


def test_two_faces_are_mediapipes_two() -> None:
    """The performer beside a smaller copy: the followed one has the same points as alone."""
    image = frames_of(data_path("performer.mp4"), 1)[0].image
    wide = np.zeros((480, 960, 3), np.uint8)
    wide[:, :640] = image
    wide[120:360, 640:] = image[::2, ::2]
    frames = [Frame(wide, i * 33_333_333, i) for i in range(5)]
    with closing(MediaPipeMesh(2)) as theirs:
        expected = [theirs.faces(frame.image) for frame in frames][-1]
    found = closed_loop(frames, 2)[-1]
    assert found is not None
    assert found.n_faces == len(expected) == 2
    largest = max(expected, key=lambda face: float(np.ptp(face[:, 0])))
    assert float(np.median(np.linalg.norm(found.points_px - largest, axis=1))) <= 0.05
