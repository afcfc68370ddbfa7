"""The page's calibration and the command's come to the same profile."""

from __future__ import annotations

import numpy as np

from livefacs.au.calibration import EXERCISES, RangeTake
from livefacs.mirror.ranges import RangeRound
from livefacs.types import ActionUnits, Estimate, Gaze, HeadPose, Health, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from tests.take.synthetic import tracked_frame


def test_both_calibrations_take_the_same_maxima() -> None:
    """Thirty frames of which some are wild and one side is not moved."""
    rows = np.random.default_rng(4).uniform(0.3, 0.9, (30, N_AU)).astype(np.float32)
    rows[:, CHANNEL_INDEX["AU9_R"]] = 0.1
    rows[7, CHANNEL_INDEX["AU9_L"]] = 4.0
    exercise = next(each for each in EXERCISES if each.actions == ("AU9",))
    command, page = RangeTake(exercise), RangeRound()
    page.watch("9")
    seen = tracked_frame(0)
    for row in rows:
        units = ActionUnits(row, row, np.ones(N_AU, np.float32))
        command.feed(Estimate(units, HeadPose(), Gaze(), Health.OK))
        page.step(TrackedFrame(0, 0, Health.OK, (1, 1), seen.landmarks, HeadPose(), Gaze(), units))
    assert command.maxima() == page.maxima()
    assert set(page.maxima()) == {"AU9_L"}
    assert page.maxima()["AU9_L"] < 1.0
