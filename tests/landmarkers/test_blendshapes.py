"""The blendshape network: its names, and MediaPipe's own numbers from MediaPipe's own points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from livefacs.resources import data_path
from livefacs.sources.video import VideoSource


def test_there_are_52_names_and_the_tongue_is_none_of_them() -> None:
    from livefacs.vocab.readings import BLENDSHAPES

    assert len(BLENDSHAPES) == len(set(BLENDSHAPES)) == 52
    assert BLENDSHAPES[:3] == ("_neutral", "browDownLeft", "browDownRight")
    assert "tongueOut" not in BLENDSHAPES


def test_its_scores_are_those_of_mediapipes_tasks(model: Path) -> None:
    mp = pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    from mediapipe.tasks.python import BaseOptions, vision

    from livefacs.landmarkers.blendshapes import BlendshapeNetwork
    from livefacs.landmarkers.stderr_filter import native_logs_silenced
    from livefacs.vocab.readings import BLENDSHAPES

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        output_face_blendshapes=True,
    )
    source, network = VideoSource(data_path("performer.mp4")), BlendshapeNetwork()
    frames = [source.read() for _ in range(300)][::60]
    source.close()
    with native_logs_silenced(), vision.FaceLandmarker.create_from_options(options) as peer:
        for frame in frames:
            assert frame is not None
            found = peer.detect(mp.Image(image_format=mp.ImageFormat.SRGB, data=frame.image))
            (face,), (categories,) = found.face_landmarks, found.face_blendshapes
            points = np.array([(p.x * 640, p.y * 480, p.z * 640) for p in face], np.float32)
            assert tuple(each.category_name for each in categories) == BLENDSHAPES
            theirs = [each.score for each in categories]
            np.testing.assert_allclose(network.scores(points), theirs, atol=2e-4)


def test_without_what_no_score_needs_they_are_the_same_to_the_last_bit() -> None:
    from livefacs.landmarkers.blendshapes import last_block_of_one_token
    from livefacs.landmarkers.network import Network
    from livefacs.landmarkers.weights import read_weights

    weights = read_weights("face_blendshapes")
    whole = Network("whole", weights, [2 * 146], [52])
    cut = Network("cut", last_block_of_one_token(weights), [2 * 146], [52])
    random = np.random.default_rng(0)
    for _ in range(20):
        points = random.normal(300.0, 60.0, (1, 146, 2)).astype(np.float32)
        for network in (whole, cut):
            network.inputs[0]()[:] = points
            network.run()
        np.testing.assert_array_equal(cut.outputs[0](), whole.outputs[0]())

    def n_tokens_at_the_end(network: Network) -> int:
        details = network._interpreter.get_tensor_details()
        return next(int(each["shape"][2]) for each in details if each["index"] == 189)

    assert (n_tokens_at_the_end(whole), n_tokens_at_the_end(cut)) == (97, 1)


def test_where_and_how_large_the_face_is_does_not_matter() -> None:
    from livefacs.landmarkers.blendshapes import BlendshapeNetwork
    from livefacs.landmarkers.facemesh import FaceMeshLandmarker

    source = VideoSource(data_path("performer.mp4"))
    frame = source.read()
    source.close()
    assert frame is not None
    landmarks = FaceMeshLandmarker().detect(frame)
    assert landmarks is not None
    network = BlendshapeNetwork()
    here = network.scores(landmarks.points_px).copy()
    moved = landmarks.points_px * np.float32(1.7) + np.float32(40)
    np.testing.assert_allclose(network.scores(moved), here, atol=1e-3)
    assert ((here >= 0) & (here <= 1)).all()
