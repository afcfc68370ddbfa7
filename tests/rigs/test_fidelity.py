"""The arkit52 map on people that its estimator never saw, beside MediaPipe's own blendshapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.rig_fidelity import mean_scores, scores
from livefacs.training.dataset import load_rendered
from livefacs.training.training import train

TRAINED = ("id00", "id01", "id02", "id03", "id04", "id05")
HELD_OUT = ("id06", "id07")


@pytest.mark.slow
@pytest.mark.facebench
def test_controls_follow_the_truth_better_than_mediapipes_blendshapes(facebench: Path) -> None:
    model = train([load_rendered(facebench / "train" / f"{name}.npz") for name in TRAINED])
    people = [scores(facebench / "train" / f"{name}.npz", model) for name in HELD_OUT]
    table = mean_scores(people)
    ours, peer = np.mean(list(table.values()), axis=0)
    assert len(table) >= 48
    assert ours > peer + 0.03
    assert ours > 0.5
    for control in ("mouthSmileLeft", "jawOpen", "eyeBlinkRight", "browOuterUpLeft"):
        assert table[control][0] > 0.7
