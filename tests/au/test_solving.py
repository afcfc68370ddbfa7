"""Offline solving: the neutral of a whole clip, named seconds, frames without a face."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.au.clip_neutral import neutral_of_clip, neutral_of_seconds
from livefacs.au.model import load_model
from livefacs.au.neutral import normalised
from livefacs.au.solving import Mesh, solve
from livefacs.errors import SourceError
from livefacs.vocab.facs import CHANNEL_INDEX
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


def test_frames_without_a_face_stay_in_their_place():
    meshes = [Mesh(i, f.t_ns, f) for i, f in enumerate(_clip(*[REST] * 30 + [SMILE] * 30))]
    meshes[40] = Mesh(40, meshes[40].t_ns, None)
    rows = solve(meshes, load_model())
    assert [i for i, _, _ in rows] == list(range(60))
    assert rows[40][2] is None
    smile = rows[50][2]
    assert smile is not None
    assert smile.units.intensity[CHANNEL_INDEX["AU12_L"]] > 0.3


def test_a_clip_without_any_face():
    with pytest.raises(SourceError, match="no face in the clip"):
        solve([Mesh(0, 0, None)], load_model())
