"""The sweep behind ``livefacs probe``."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.sinks.probe_frames import POSE_STEPS, Step, SweptRig, sweep_frames, sweep_steps
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX

RIG = SweptRig(
    ("open", "turn", "smile"),
    np.array([[0.0, 1.0], [-1.0, 1.0], [0.0, 2.0]]),
    np.array([1.0, 0.0, 0.0], np.float32),
)
RIGS = {"rig": RIG}


def values_of(step: Step) -> np.ndarray:
    frames = sweep_frames(step, RIGS, seconds=2.0, rate_hz=30.0, i_first=0)
    return np.array([frame.rigs["rig"].values for frame in frames])


def test_every_channel_pose_and_control_is_a_step() -> None:
    steps = sweep_steps(RIGS, units=True)
    assert [step.name for step in steps] == [*AU_CHANNELS, *POSE_STEPS, *RIG.controls]
    assert len(sweep_steps(RIGS, units=False)) == len(POSE_STEPS) + 3


@pytest.mark.parametrize(
    ("name", "lowest", "highest"), [("open", 0.0, 1.0), ("turn", -1.0, 1.0), ("smile", 0.0, 2.0)]
)
def test_a_control_goes_to_its_limits_and_rests_at_both_ends(
    name: str, lowest: float, highest: float
) -> None:
    values = values_of(Step("rig", name))
    index = RIG.controls.index(name)
    assert values[:, index].min() == pytest.approx(lowest, abs=0.01)
    assert values[:, index].max() == pytest.approx(highest, abs=0.01)
    assert values[0] == pytest.approx(RIG.rest)
    assert values[-1] == pytest.approx(RIG.rest, abs=1e-6)
    others = np.delete(values, index, axis=1)
    assert (others == np.delete(RIG.rest, index)).all()


def test_a_channel_moves_alone_and_time_runs_on() -> None:
    step = Step("au", "AU12_L")
    frames = list(sweep_frames(step, RIGS, seconds=1.0, rate_hz=30.0, i_first=30))
    units = np.array([frame.units.intensity for frame in frames])
    moved = units.max(axis=0) > 0
    assert np.flatnonzero(moved).tolist() == [CHANNEL_INDEX["AU12_L"]]
    assert units.max() == pytest.approx(1.0)
    assert frames[0].t_ns == 1_000_000_000
    assert np.all(np.diff([frame.t_ns for frame in frames]) > 0)


@pytest.mark.parametrize("name", POSE_STEPS)
def test_pose_steps_move_one_angle(name: str) -> None:
    frames = list(sweep_frames(Step("pose", name), {}, seconds=1.0, rate_hz=30.0, i_first=0))
    kind, axis = name.split()
    parts = [frame.head if kind == "head" else frame.gaze for frame in frames]
    field = f"{axis}_rad" if kind == "head" else f"left_{axis}_rad"
    angles = [getattr(part, field) for part in parts]
    assert max(angles) == pytest.approx(-min(angles), abs=0.01)
    assert max(angles) > 0.3
    still = {"yaw_rad", "pitch_rad", "roll_rad"} - {field} if kind == "head" else set()
    assert all(getattr(part, other) == 0.0 for part in parts for other in still)
