"""Calibration: the gated neutral, the maxima."""

from __future__ import annotations

import numpy as np

from livefacs.au.calibration import NeutralTake, maxima_of
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import canonical_neutral
from livefacs.au.prompts import action_error
from livefacs.au.rounds import EXERCISES
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX
from tests.au import faces


def _estimator() -> Estimator:
    model = load_model()
    return Estimator(model, neutral=canonical_neutral(model))


def _feed(take, estimator, shapes, start=0):
    for i, (shape, where) in enumerate(shapes):
        landmarks = faces.landmarks(shape, start + i, **where)
        found = take.feed(estimator.estimate(landmarks), landmarks.t_ns)
        if found is not None:
            return found, i
    return None, len(shapes)


def test_three_quiet_seconds_make_a_neutral():
    estimator = _estimator()
    odd = faces.face(brow_left=(0, -0.03), brow_right=(0, -0.03))
    neutral, frames = _feed(NeutralTake(estimator), estimator, [(odd, {"yaw": 0.1})] * 100)
    assert 88 <= frames <= 92
    assert abs(neutral.angles_rad[0] - 0.1) < 0.01
    assert np.abs(neutral.shape - canonical_neutral(load_model()).shape).max() > 0.02


def test_what_is_in_the_way_is_said_and_starts_it_afresh():
    estimator, rest = _estimator(), faces.face()
    take = NeutralTake(estimator)
    _feed(take, estimator, [(rest, {})] * 30)
    assert take.error == ""
    assert take.done_s > 0.9
    wrong = {
        "lips": (faces.face(chin=(0, 0.3)), {}),
        "turned": (rest, {"yaw": 0.7}),
        "eye": (faces.closed(rest, "L"), {}),
        "smiles": (faces.face(corner_left=(0.1, -0.1), corner_right=(-0.1, -0.1)), {}),
    }
    for i, (word, frame) in enumerate(wrong.items()):
        _feed(take, estimator, [frame] * 2, 30 + 2 * i)
        assert word in take.error
        assert take.done_s == 0.0


def test_a_moving_head_is_not_neutral():
    estimator = _estimator()
    moving = [(faces.face(), {"centre": (4.0 * i, 0.0)}) for i in range(30)]
    take = NeutralTake(estimator)
    _feed(take, estimator, moving)
    assert take.done_s < 0.2


def test_maxima_come_from_held_peaks_and_unseen_actions_are_left_out():
    rows = np.zeros((60, len(AU_CHANNELS)), np.float32)
    rows[20:50, CHANNEL_INDEX["AU12_L"]] = 0.6
    rows[30, CHANNEL_INDEX["AU12_L"]] = 1.4  # one wild frame
    rows[:, CHANNEL_INDEX["AU12_R"]] = 0.05
    maxima = maxima_of(rows, ["AU12_L", "AU12_R"])
    assert set(maxima) == {"AU12_L"}
    assert abs(maxima["AU12_L"] - 0.6) < 0.01


def test_every_exercise_names_measured_actions():
    assert not any(action_error(action) for each in EXERCISES for action in each.actions)
    assert len(EXERCISES) == len({each.actions for each in EXERCISES}) == 28
