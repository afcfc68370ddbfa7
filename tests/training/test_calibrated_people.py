"""Real people, calibrated from nothing but the frames that were coded as resting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from livefacs.au.model import load_model
from livefacs.cli.labelled import load_coded
from livefacs.training.coded import CodedClip, without_rests
from livefacs.training.coded_scores import coded_curves, neutral_of_rests, score_coded

pytestmark = [pytest.mark.facebench, pytest.mark.slow, pytest.mark.timeout(900)]

SAME = 0.02
"""Of one clip, which has some ten coded frames."""


@pytest.fixture(scope="module")
def curves(
    request: pytest.FixtureRequest,
) -> list[tuple[CodedClip, np.ndarray, np.ndarray | None]]:
    """Each clip, uncalibrated and calibrated; None where none of its frames rests."""
    model = load_model()
    found = []
    folder: Path = request.getfixturevalue("facebench") / "people"
    for clip in load_coded([folder]):
        neutral = neutral_of_rests(model, clip)
        calibrated = None if neutral is None else coded_curves(model, clip, neutral)
        found.append((without_rests(clip), coded_curves(model, clip), calibrated))
    return found


def test_nothing_gets_worse_by_a_resting_frame(curves) -> None:
    assert len(curves) >= 21
    known = [(clip, before, after) for clip, before, after in curves if after is not None]
    assert len(known) >= 13  # eight clips hold no resting frame
    every = [(clip, before, before if after is None else after) for clip, before, after in curves]
    for name, some in (("calibrated", known), ("all", every)):
        before = score_coded([(clip, values) for clip, values, _ in some])
        after = score_coded([(clip, values) for clip, _, values in some])
        for word, was, now in (
            ("mean area", before.mean_auc(), after.mean_auc()),
            ("lowest area", before.lowest_auc(), after.lowest_auc()),
            ("coding index", before.index, after.index),
            ("sides right", before.n_sides_right, after.n_sides_right),
        ):
            print(f"{name}, {len(some)} clips: {word} {was:.3f} -> {now:.3f}")
        for action, row in after.actions.items():
            then = before.actions[action]
            print(f"  {action}: area {then.auc:.3f} -> {row.auc:.3f}, missed {then.missed:.2f} -> "
                  f"{row.missed:.2f}, false {then.false:.2f} -> {row.false:.2f}")  # fmt: skip
        assert after.index >= before.index
        assert after.mean_auc() >= before.mean_auc()
        assert after.lowest_auc() >= before.lowest_auc()
        assert after.n_sides_right >= before.n_sides_right


def test_what_a_resting_frame_changes_by_person(curves) -> None:
    changes = {}
    for clip, before, after in curves:
        if after is not None:
            was, now = (score_coded([(clip, values)]).index for values in (before, after))
            print(f"{clip.name}: coding index {was:.2f} -> {now:.2f}")
            changes[clip.name] = now - was
    assert min(changes.values()) >= -SAME, changes
    assert sum(change > SAME for change in changes.values()) >= 4, changes
