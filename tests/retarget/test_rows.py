"""Many frames at once are what one after the other gives."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.retarget.inputs import N_SIGNALS, Performance, read_signals, signal_rows
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.take.layout import GAZE_FIELDS, HEAD_FIELDS
from livefacs.types import TrackedFrame
from tests.take.synthetic import tracked_frame

FRAMES = [tracked_frame(i) for i in range(40)]


def rows_of(frames: list[TrackedFrame]) -> np.ndarray:
    return signal_rows(
        np.array([each.units.intensity for each in frames]),
        np.array([[getattr(each.head, name) for name in HEAD_FIELDS] for each in frames]),
        np.array([[getattr(each.gaze, name) for name in GAZE_FIELDS] for each in frames]),
    )


def test_signals_of_many_frames_are_those_of_each() -> None:
    expected = np.zeros((len(FRAMES), N_SIGNALS))
    for row, each in zip(expected, FRAMES, strict=True):
        read_signals(each, row)
    assert np.ptp(expected, axis=0).any()
    np.testing.assert_array_equal(rows_of(FRAMES), expected)


@pytest.mark.parametrize("rig", ["arkit52", "vrm1", "live2d", "marmoset"])
def test_values_of_many_frames_are_those_of_each(rig: str) -> None:
    one, many = (Retargeter(load_rig(rig)) for _ in range(2))
    expected = np.array([one.retarget(each).values for each in FRAMES])
    times_ns = np.array([each.t_ns for each in FRAMES])
    assert np.ptp(expected, axis=0).any()
    performance = Performance(np.arange(len(FRAMES)), times_ns, rows_of(FRAMES))
    np.testing.assert_array_equal(many.run(performance), expected)
