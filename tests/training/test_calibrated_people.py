"""Real people, calibrated from nothing but the frames that were coded as resting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import Neutral
from livefacs.au.profile import Profile
from livefacs.cli.labelled import load_coded
from livefacs.offline import estimates
from livefacs.training.coded import CodedClip, without_rests
from livefacs.training.coded_scores import coded_curves, neutral_of_rests, score_coded

pytestmark = [pytest.mark.facebench, pytest.mark.slow, pytest.mark.timeout(900)]

SAME = 0.02
"""Of one clip, which has some ten coded frames."""


def live_curves(clip: CodedClip, neutral: Neutral | None) -> np.ndarray:
    """As a camera would have it: rest is found on the way."""
    profile = None if neutral is None else Profile(clip.person, "", neutral)
    found = estimates(clip.meshes, Estimator(load_model(), profile), holds=True)
    return np.stack([each.units.intensity for each in found])


def solved_curves(clip: CodedClip, neutral: Neutral | None) -> np.ndarray:
    return coded_curves(load_model(), clip, neutral)


@pytest.fixture(scope="module")
def people(request: pytest.FixtureRequest) -> list[CodedClip]:
    folder: Path = request.getfixturevalue("facebench") / "people"
    return load_coded([folder])


@pytest.fixture(scope="module", params=[solved_curves, live_curves], ids=["solved", "live"])
def curves(
    people: list[CodedClip], request: pytest.FixtureRequest
) -> list[tuple[CodedClip, np.ndarray, np.ndarray | None]]:
    """Each clip, uncalibrated and calibrated; None where none of its frames rests."""
    found = []
    for clip in people:
        neutral = neutral_of_rests(load_model(), clip)
        before = request.param(clip, None)
        after = None if neutral is None else request.param(clip, neutral)
        found.append((without_rests(clip), before, after))
    return found


@pytest.mark.parametrize("curves_of", [solved_curves, live_curves], ids=["solved", "live"])
def test_nor_by_a_single_one(people: list[CodedClip], curves_of) -> None:
    """One frame alone, each that was coded as resting: by chance it is the wrong one."""
    for clip in people:
        scored, before = without_rests(clip), None
        for row in clip.rests if len(clip.rests) > 1 else ():
            neutral = neutral_of_rests(load_model(), replace(clip, rests=(row,)))
            before = curves_of(clip, None) if before is None else before
            was, now = (
                score_coded([(scored, values)]).index
                for values in (before, curves_of(clip, neutral))
            )
            print(f"{clip.name}, frame {row}: coding index {was:.2f} -> {now:.2f}")
            assert now >= was - SAME, (clip.name, row)


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
    assert sum(change > SAME for change in changes.values()) >= 3, changes
