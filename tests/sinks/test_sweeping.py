"""A sink that is swept in the middle of a session."""

from __future__ import annotations

import numpy as np

from livefacs.retarget.library import load_rig
from livefacs.sinks.probe_frames import POSE_STEPS, SweptRig
from livefacs.sinks.sweeping import Sweeping
from tests.mirror.conftest import make_frame
from tests.support.keeping import Keeper


def test_a_sweep_moves_every_control_once_and_then_the_face_again() -> None:
    program = load_rig("arkit52")
    rest = np.zeros(len(program.controls), np.float32)
    rigs = {"arkit52": SweptRig(program.controls, program.limits, rest)}
    kept, told = Keeper(), list[str]()
    sink = Sweeping(kept)
    face = make_frame(7, AU12_L=0.5)
    sink.send(face)
    assert kept.frames == [face]
    sink.toggle(rigs, units=False, on_step=told.append)
    n = 0
    while "" not in told:
        sink.send(make_frame(n))
        n += 1
    assert told == [*POSE_STEPS, *program.controls, ""]
    swept = kept.frames[1:-1]
    peaks = np.max([frame.rigs["arkit52"].values for frame in swept], axis=0)
    assert np.allclose(peaks, program.limits[:, 1], atol=0.02)
    assert [frame.t_ns for frame in swept[:3]] == [make_frame(i).t_ns for i in range(3)]
    sink.send(face)
    assert kept.frames[-1] is face


def test_a_second_press_ends_it() -> None:
    kept, told = Keeper(), list[str]()
    sink = Sweeping(kept)
    for _ in range(2):
        sink.toggle({}, units=True, on_step=told.append)
    face = make_frame(1)
    sink.send(face)
    assert kept.frames == [face]
    assert told == [""]
