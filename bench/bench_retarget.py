"""Retargeting: one kernel call a frame, beside the same rules in plain Python."""

from __future__ import annotations

import numpy as np

from bench.timing import Table, medians_us
from livefacs.retarget.library import load_map, load_rig, rig_names
from livefacs.retarget.retargeter import Retargeter
from livefacs.types import Gaze, HeadPose
from livefacs.vocab.facs import AU_CHANNELS
from tests.retarget.making import frame
from tests.retarget.reference import retargeted


def test_a_frame_of_every_rig(table: Table) -> None:
    random = np.random.default_rng(1)
    units = dict(zip(AU_CHANNELS, map(float, random.uniform(0, 1, len(AU_CHANNELS))), strict=True))
    tracked = frame(units, head=HeadPose(0.1, 0.1, 0.1), gaze=Gaze(0.1, 0.1, 0.1, 0.1))
    arkit = load_map("arkit52")
    retargeters = {name: Retargeter(load_rig(name)) for name in rig_names()}
    jobs = [lambda each=each: each.retarget(tracked) for each in retargeters.values()]
    *ours, plain = medians_us(*jobs, lambda: retargeted(arkit, units), rounds=60, inner=20)
    for name, took in zip(retargeters, ours, strict=True):
        table.note(f"retarget {name}", took, "µs")
    ratio = plain / ours[list(retargeters).index("arkit52")]
    table.note("arkit52 in plain Python / in the kernel", ratio, "x", ">= 10 x")
    assert ratio >= 10.0
