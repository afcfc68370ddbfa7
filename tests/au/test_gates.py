"""Gates, holds and reserves of the estimator: when a neutral is believed, when a value is not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from livefacs.arrays import F64
from livefacs.au.estimator import RESTART_S, UNKNOWN_NEUTRAL_CONFIDENCE, Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import (
    FINAL_S,
    PROVISIONAL_S,
    QUIET_INTENSITY,
    RELAX_AFTER_S,
    SAME_ANGLE_RAD,
    SETTLE_S,
    AutomaticNeutral,
    Neutral,
    canonical_neutral,
)
from livefacs.au.smoothing import OFF
from livefacs.kernels import step as k
from livefacs.kernels.intensity import linear_map
from livefacs.types import Estimate, Health
from livefacs.vocab.facs import CHANNEL_INDEX
from tests.au import faces

DT_S = 1 / faces.FPS
SMILE = {"corner_left": (0.08, -0.07), "corner_right": (-0.08, -0.07)}
ANGLES = np.zeros(6)


def known(neutral: Neutral | None = None) -> Estimator:
    """Unfiltered, with a neutral that is known: the mean face's, or another."""
    model = load_model()
    return Estimator(model, smoothing=OFF, neutral=neutral or canonical_neutral(model))


def value(estimate: Estimate, channel: str) -> float:
    return float(estimate.units.intensity[CHANNEL_INDEX[channel]])


def confidence(estimate: Estimate, channel: str = "AU12_L") -> float:
    return float(estimate.units.confidence[CHANNEL_INDEX[channel]])


def seconds(duration_s: float) -> Iterator[int]:
    yield from range(round(duration_s / DT_S))


class Fed:
    """An automatic neutral and what it was fed."""

    def __init__(self) -> None:
        self.automatic = AutomaticNeutral(load_model())
        self.rest: F64 = self.automatic.neutral.shape.copy()

    def feed(
        self, duration_s: float, shape: F64, *, activity: float = 0.0, yaw_rad: float = 0.0
    ) -> None:
        head = ANGLES.copy()
        head[0] = yaw_rad
        for _ in seconds(duration_s):
            self.automatic.offer(shape, head, 0.0, activity, DT_S)

    def feed_until_known(self) -> None:
        self.feed(SETTLE_S + PROVISIONAL_S + 3 * DT_S, self.rest)
        assert self.automatic.is_known
        assert not self.automatic.is_final

    def parted(self) -> F64:
        """A mouth that rests a little open: over the gate, under the widened one."""
        shape = self.rest.copy()
        shape[faces.GROUPS["chin"], 1] += 0.055
        return shape


def test_a_mouth_that_rests_open_is_believed_after_a_while_and_not_before() -> None:
    fed = Fed()
    fed.feed(SETTLE_S + RELAX_AFTER_S - 4 * DT_S, fed.parted())
    assert not fed.automatic.is_known
    np.testing.assert_array_equal(fed.automatic.neutral.shape, fed.rest)
    fed.feed(PROVISIONAL_S + RELAX_AFTER_S / 2, fed.parted())
    assert fed.automatic.is_known
    assert np.abs(fed.automatic.neutral.shape - fed.rest).max() > 0.03


@pytest.mark.parametrize(("times", "refines"), [(0.8, True), (1.5, False)])
def test_only_frames_turned_like_the_neutral_refine_it(times: float, refines: bool) -> None:
    fed = Fed()
    fed.feed_until_known()
    before = fed.automatic.neutral.shape.copy()
    other = fed.rest.copy()
    other[:, 0] *= 1.01
    fed.feed(FINAL_S, other, yaw_rad=times * SAME_ANGLE_RAD)
    changed = not np.array_equal(fed.automatic.neutral.shape, before)
    assert (changed, fed.automatic.is_final) == (refines, refines)


def test_a_known_neutral_becomes_final_by_time_while_the_face_moves() -> None:
    fed = Fed()
    fed.feed_until_known()
    moved = fed.rest + 0.01
    fed.feed(FINAL_S / 2, moved, activity=2 * QUIET_INTENSITY)
    assert not fed.automatic.is_final
    fed.feed(FINAL_S / 2, moved, activity=2 * QUIET_INTENSITY)
    assert fed.automatic.is_final
    np.testing.assert_array_equal(fed.automatic.neutral.shape, fed.rest)


def test_a_face_that_comes_back_starts_where_it_is() -> None:
    estimator = Estimator(neutral=canonical_neutral(load_model()))  # filtered
    for i_frame in range(30):
        estimator.estimate(faces.landmarks(faces.face(), i_frame))
    smile = faces.face(**SMILE)
    back = 30 + round(0.9 * faces.FPS)
    for i_frame in range(30, back):
        estimator.hold(round(i_frame * 1e9 / faces.FPS))
    assert RESTART_S > DT_S  # it is not the gap in time that starts the filter anew
    estimate = estimator.estimate(faces.landmarks(smile, back))
    np.testing.assert_array_equal(estimate.units.intensity, estimate.units.raw)
    assert value(estimate, "AU12_L") > 0.3


def test_a_short_loss_does_not_start_the_filter_anew() -> None:
    estimator = Estimator(neutral=canonical_neutral(load_model()))
    for i_frame in range(30):
        estimator.estimate(faces.landmarks(faces.face(), i_frame))
    estimator.hold(round(31 * 1e9 / faces.FPS))
    estimate = estimator.estimate(faces.landmarks(faces.face(**SMILE), 32))
    assert value(estimate, "AU12_L") < 0.9 * float(estimate.units.raw[CHANNEL_INDEX["AU12_L"]])


def test_before_a_neutral_is_known_confidence_is_held_back() -> None:
    first = Estimator(smoothing=OFF).estimate(faces.landmarks(faces.face()))
    sure = known().estimate(faces.landmarks(faces.face()))
    assert confidence(first) == pytest.approx(UNKNOWN_NEUTRAL_CONFIDENCE * confidence(sure))
    assert UNKNOWN_NEUTRAL_CONFIDENCE < 0.9


def is_hidden(estimator: Estimator, i_frame: int, yaw_deg: float) -> bool:
    seen = faces.landmarks(faces.face(), i_frame, yaw=np.radians(yaw_deg))
    return Health.SIDE_HIDDEN in estimator.estimate(seen).health


def test_a_hidden_side_comes_back_later_than_it_went() -> None:
    estimator = known()
    degrees = (0, 38, 39, 42, 39, 38, 34, 38)
    seen = [is_hidden(estimator, i, float(yaw)) for i, yaw in enumerate(degrees)]
    assert seen == [False, False, False, True, True, True, False, False]


def test_confidence_falls_with_speed() -> None:
    def confidence_at(eye_distances_a_second: float) -> float:
        estimator = known()
        step_px = eye_distances_a_second * faces.EYES_PX / faces.FPS
        for i_frame in range(2):
            seen = faces.landmarks(faces.face(), i_frame, centre=(i_frame * step_px, 0.0))
            estimate = estimator.estimate(seen)
        return confidence(estimate)

    still, slow, fast = (confidence_at(speed) for speed in (0.0, 1.0, 5.0))
    assert slow == pytest.approx(still, rel=0.02)
    assert fast < 0.6 * still


@pytest.mark.parametrize(("parted", "share"), [(0.0, 1.0), (0.05, 1.0), (0.16, 0.5), (0.6, 0.25)])
def test_an_opening_mouth_takes_au15_back(parted: float, share: float) -> None:
    """The share that is left at an inner-lip gap in eye distances, over the neutral's."""
    estimator = known()
    estimator.estimate(faces.landmarks(faces.face()))
    model, person, result = estimator._kernel_model, estimator._person, estimator._result
    down = [CHANNEL_INDEX["AU15_L"], CHANNEL_INDEX["AU15_R"]]
    result.values[:] = 0.8
    result.facts["lip_gap"] = person.neutral_measures[6] + parted
    k.gate_corners(model, person, result)
    assert result.values[down] == pytest.approx([0.8 * share] * 2, abs=1e-6)
    assert np.delete(result.values, down) == pytest.approx(0.8)


def test_the_gate_of_au15_stands_in_the_chain() -> None:
    estimator = known()
    low = {"corner_left": (0.0, 0.15), "corner_right": (0.0, 0.15)}
    estimate = estimator.estimate(faces.landmarks(faces.face(chin=(0.0, 0.15), **low)))
    model, ungated = estimator._kernel_model, np.zeros_like(estimator._result.values)
    linear_map(estimator.features, model.starts, model.columns, model.weights, model.bias, ungated)
    assert ungated[CHANNEL_INDEX["AU15_L"]] > 0.5
    assert value(estimate, "AU15_L") < 0.7 * ungated[CHANNEL_INDEX["AU15_L"]]


def test_a_neutral_with_lowered_lids_is_a_partly_closed_eye() -> None:
    model = load_model()
    awake, asleep = faces.face(), faces.closed(faces.closed(faces.face(), "L"), "R")

    def blink_at_rest(share_closed: float) -> float:
        shape = (1 - share_closed) * awake + share_closed * asleep
        estimator = known(Neutral(shape / _eyes(shape), np.zeros(3)))
        return value(estimator.estimate(faces.landmarks(shape)), "AU45_L")

    assert model.canonical.shape == awake.shape
    assert blink_at_rest(0.0) < 0.05
    assert blink_at_rest(0.75) > 0.3


def _eyes(shape: F64) -> float:
    """Outer-eye distance."""
    return float(np.linalg.norm(shape[33] - shape[263]))
