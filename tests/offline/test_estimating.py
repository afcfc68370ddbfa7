"""The offline engine: the neutral of a whole clip, named seconds, frames without a face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from livefacs.au.clip_neutral import calibrated_neutral, neutral_of_clip, neutral_of_seconds
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import normalised
from livefacs.au.profile import Profile
from livefacs.errors import SourceError
from livefacs.offline import Meshes, clip_estimator, estimates
from livefacs.types import Health, Readings
from livefacs.vocab.facs import CHANNEL_INDEX
from livefacs.vocab.readings import N_TEXTURE
from tests.au import faces

REST = faces.face(brow_left=(0, -0.03), brow_right=(0, -0.03))
SMILE = REST + 0.0
for _group, _sign in (("corner_left", 1.0), ("corner_right", -1.0)):
    SMILE[faces.GROUPS[_group]] += (0.1 * _sign, -0.09, 0.0)
TALK = REST + 0.0
TALK[faces.GROUPS["chin"]] += (0.0, 0.15, 0.0)
RAISED = REST + 0.0
for _group in ("brow_left", "brow_right"):
    RAISED[faces.GROUPS[_group]] += (0.0, -0.06, 0.0)


def _clip(*shapes):
    return [faces.landmarks(shape, i) for i, shape in enumerate(shapes)]


def _away(neutral):
    return float(np.abs(neutral.shape - normalised(REST)).max())


@pytest.mark.parametrize(
    "shapes",
    [
        [REST] * 40 + [SMILE] * 100,
        [SMILE] * 100 + [REST] * 20 + [TALK] * 60,
        [REST, TALK, REST, SMILE] * 30,
        [REST] * 8 + [RAISED] * 150,
    ],
    ids=["rest first", "rest later", "rest between", "raised brows after a short rest"],
)
def test_the_resting_face_of_a_clip_is_found(shapes):
    assert _away(neutral_of_clip(load_model(), _clip(*shapes))) < 0.01


def test_a_clip_without_a_quiet_frame_still_has_a_neutral():
    neutral = neutral_of_clip(load_model(), _clip(*[TALK] * 30))
    assert np.isfinite(neutral.shape).all()


def test_named_seconds_win():
    frames = _clip(*[REST] * 60 + [SMILE] * 60)
    neutral = neutral_of_seconds(load_model(), frames, 2.5, 3.5)
    assert float(np.abs(neutral.shape - normalised(SMILE)).max()) < 0.01
    with pytest.raises(SourceError, match="no face between 60 s and 61 s"):
        neutral_of_seconds(load_model(), frames, 60.0, 61.0)


def test_a_calibration_is_worth_as_much_as_how_often_the_face_was_seen_at_rest():
    model, frames = load_model(), _clip(*[REST] * 300)

    def evidence(*rows):
        some = [frames[row] for row in rows]
        return calibrated_neutral(model, some, -np.inf, np.inf).evidence.tolist()

    assert evidence(0) == evidence(0, 1, 2) == [1 / 3] * 3
    assert evidence(0, 100) == [1 / 2] * 3
    assert evidence(*range(81)) == [1.0] * 3


def test_a_short_calibration_is_completed_by_the_rest_of_a_clip_and_a_long_one_stands():
    model = load_model()
    quiet = Readings(model.usual_patches, np.zeros(N_TEXTURE, np.uint8), model.usual_blendshapes)
    frames = [replace(face, readings=quiet) for face in _clip(*[REST] * 60)]
    faces_ = np.stack([f.points_px for f in frames]), np.array([f.t_ns for f in frames])
    clip = Meshes(*faces_, frames[0].image_size, readings=lambda _: quiet)
    other = neutral_of_seconds(model, _clip(RAISED), -np.inf, np.inf)

    def away(neutral, **named):
        estimator = clip_estimator(clip, model, profile=Profile("anna", "", neutral), **named)
        assert estimator.is_calibrated
        return _away(estimator.neutral)

    whole = away(other)
    short = replace(other, evidence=np.full(3, 0.5))
    assert whole > 0.05
    assert away(short) < 0.6 * whole
    assert away(short, neutral_s=(0.0, 1.0)) < 0.01
    live = Estimator(model, Profile("anna", "", short))
    for face in frames[:75]:
        estimate = live.estimate(face)
        assert not estimate.health & Health.UNCALIBRATED
    assert _away(live.neutral) < 0.6 * whole
    blind = Estimator(model, Profile("anna", "", short), reader="geometry")
    for face in frames[:75]:
        blind.estimate(face)
    assert blind.neutral is short


def _meshes(shapes, n_faces=None):
    frames = _clip(*shapes)
    return Meshes(
        np.stack([f.points_px for f in frames]),
        np.array([f.t_ns for f in frames]),
        frames[0].image_size,
        n_faces=n_faces,
    )


def test_frames_without_a_face_stay_in_their_place():
    n_faces = np.ones(60, int)
    n_faces[40] = 0
    meshes = _meshes([REST] * 30 + [SMILE] * 30, n_faces)
    rows = [*estimates(meshes, clip_estimator(meshes, load_model()))]
    assert len(rows) == 60
    assert np.isnan(rows[40].units.intensity).all()
    assert rows[40].health == Health.NO_FACE
    assert rows[50].units.intensity[CHANNEL_INDEX["AU12_L"]] > 0.3


def test_a_face_that_is_gone_is_held_where_a_live_run_is_repeated():
    n_faces = np.ones(60, int)
    n_faces[45:50] = 0
    meshes = _meshes([REST] * 30 + [SMILE] * 30, n_faces)
    rows = [*estimates(meshes, Estimator(), holds=True)]
    before, held = (rows[i].units.intensity for i in (44, 47))
    assert held.tolist() == before.tolist()
    assert Health.HELD in rows[47].health


def test_the_neutral_is_captured_where_it_was():
    meshes = _meshes([REST] * 30 + [SMILE] * 90)
    channel = CHANNEL_INDEX["AU12_L"]
    plain = [*estimates(meshes, Estimator())]
    captured = [*estimates(meshes, Estimator(), captures={40})]
    assert plain[-1].units.intensity[channel] > 0.3
    assert captured[-1].units.intensity[channel] < 0.05


def test_a_clip_without_any_face():
    with pytest.raises(SourceError, match="no face in the clip"):
        clip_estimator(_meshes([REST], np.zeros(1, int)), load_model())
