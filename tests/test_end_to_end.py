"""The bundled performer through the real chain, against what is known to be acted in the clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from livefacs.config import load_options
from livefacs.session.composition import open_session
from livefacs.types import Health, TrackedFrame
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU
from tests.support.keeping import Keeper


@pytest.fixture(scope="module")
def performance() -> Sequence[TrackedFrame]:
    """All 420 frames, without a face receiver, as fast as they go."""
    options = load_options(
        None,
        {
            "source": {"spec": "demo", "realtime": False},
            "tracking": {"landmarker": "facemesh"},
            "stream": {"to": ("osc://127.0.0.1:9?rig=arkit52",)},
        },
    )
    keeper = Keeper()
    with open_session(options) as session:
        session.watchers.append(keeper)
        session.run()
    return keeper.frames


def mean(performance: Sequence[TrackedFrame], channel: str, from_s: float, to_s: float) -> float:
    """Mean intensity of a channel over a stretch of the clip."""
    values = [
        tracked.units.intensity[CHANNEL_INDEX[channel]]
        for tracked in performance
        if from_s <= tracked.t_ns / 1e9 < to_s
    ]
    return float(np.mean(values))


def peak(performance: Sequence[TrackedFrame], channel: str, from_s: float, to_s: float) -> float:
    """Highest intensity of a channel over a stretch of the clip."""
    return max(
        float(tracked.units.intensity[CHANNEL_INDEX[channel]])
        for tracked in performance
        if from_s <= tracked.t_ns / 1e9 < to_s
    )


def test_no_frame_is_lost_and_times_are_exact(performance: Sequence[TrackedFrame]) -> None:
    assert [tracked.i_frame for tracked in performance] == list(range(420))
    steps = np.diff([tracked.t_ns for tracked in performance])
    assert steps.min() > 33_000_000
    assert steps.max() < 34_000_000
    assert not any(tracked.health & Health.NO_FACE for tracked in performance)


def test_intensities_are_of_the_stated_shape_and_finite(
    performance: Sequence[TrackedFrame],
) -> None:
    for tracked in performance:
        units = tracked.units
        assert units.intensity.shape == units.raw.shape == units.confidence.shape == (N_AU,)
        assert units.intensity.dtype == np.float32
        assert np.isfinite(units.intensity).all()
        assert units.confidence.min() >= 0
        assert units.confidence.max() <= 1


def test_the_smile_raises_both_lip_corners_and_lowers_none(
    performance: Sequence[TrackedFrame],
) -> None:
    for side in "LR":
        assert mean(performance, f"AU12_{side}", 3.5, 4.6) > 0.5
        assert mean(performance, f"AU6_{side}", 3.5, 4.6) > 0.3
        assert mean(performance, f"AU15_{side}", 3.5, 4.6) < 0.15


def test_the_left_wink_closes_the_left_eye_alone(performance: Sequence[TrackedFrame]) -> None:
    left = peak(performance, "AU45_L", 5.6, 6.3)
    right = peak(performance, "AU45_R", 5.6, 6.3)
    assert left > 0.6
    assert right < left / 3


@pytest.mark.parametrize(
    ("channel", "from_s", "to_s"),
    [
        ("AU1_L", 1.9, 2.6),
        ("AU2_R", 1.9, 2.6),
        ("AU4_L", 6.9, 7.6),
        ("AU9_R", 7.0, 7.6),
        ("AU26", 8.6, 9.0),
        ("AU25", 8.6, 9.0),
        ("AU18", 9.7, 10.2),
        ("AU22", 10.7, 11.1),
        ("AU15_R", 11.8, 12.5),
    ],
)
def test_an_action_is_strongest_in_its_own_seconds(
    performance: Sequence[TrackedFrame], channel: str, from_s: float, to_s: float
) -> None:
    own = mean(performance, channel, from_s, to_s)
    rest = mean(performance, channel, 1.0, 1.6)
    assert own > 0.25
    assert own > 3 * abs(rest)


def test_the_rig_follows(performance: Sequence[TrackedFrame]) -> None:
    controls = performance[0].rigs["arkit52"].controls
    jaw = controls.index("jawOpen")
    values = [float(tracked.rigs["arkit52"].values[jaw]) for tracked in performance]
    assert int(np.argmax(values)) in range(int(8.5 * 30), int(9.1 * 30))
    assert len(controls) == 52
    assert all(0 <= value <= 1 for value in values)


def test_two_runs_give_the_same_bytes(performance: Sequence[TrackedFrame]) -> None:
    options = load_options(
        None,
        {
            "source": {"spec": "demo", "realtime": False},
            "tracking": {"landmarker": "facemesh"},
            "seconds": 3.0,
        },
    )
    keeper = Keeper()
    with open_session(options) as session:
        session.watchers.append(keeper)
        session.run()
    assert len(keeper.frames) == 90
    for again, first in zip(keeper.frames, performance, strict=False):
        assert again.units.intensity.tobytes() == first.units.intensity.tobytes()


def test_channel_order_is_the_documented_one() -> None:
    assert AU_CHANNELS[:2] == ("AU1_L", "AU1_R")
    assert len(set(AU_CHANNELS)) == N_AU
