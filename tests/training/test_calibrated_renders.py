"""A rendered person calibrated from a range of motion that went wrong in usual ways."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from livefacs.au.clip_neutral import calibrated_neutral
from livefacs.au.estimator_model import load_model
from livefacs.au.features import REGIONS
from livefacs.au.learning import Asked, Round, frames_of, learn, profile_from_round
from livefacs.au.prompts import load_prompts
from livefacs.offline import Meshes, SolveOptions, clip_estimator, estimates, working_take
from livefacs.training.dataset import truth_from_shapes
from livefacs.vocab.facs import ACTIONS, CHANNEL_INDEX, channels_of

pytestmark = [pytest.mark.facebench, pytest.mark.slow, pytest.mark.timeout(1800)]

PERSON = "id00"
"""Whose head leaks least without a calibration, so that there is most to lose."""
MODEL = load_model()
GAZE = ("AU61", "AU62", "AU63", "AU64")
SCORED = [action for action in ACTIONS if action in REGIONS]
MIXTURES, TURNS, REST = slice(45, 525), slice(525, None), slice(10, 45)
THERE = 0.15
SHIFT_S = 0.3


def meshes_of(clip: Path) -> Meshes:
    with working_take(str(clip), SolveOptions()) as working:
        return Meshes.of_take(working.take).copied()


def truth_of(path: Path) -> np.ndarray:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    shapes = [name for name in rows[0] if name.endswith(("_L", "_R")) or name.startswith("mouth")]
    shapes += ["jawForward", "jawLeft", "jawRight", "jawOpen"]
    values = np.array([[float(row[name]) for name in shapes] for row in rows], np.float32)
    return truth_from_shapes(values, shapes)


def by_action(values: np.ndarray) -> dict[str, np.ndarray]:
    return {
        action: values[:, [CHANNEL_INDEX[c] for c in channels_of(action)]].mean(axis=1)
        for action in SCORED
    }


def figures(values: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Of curves against the truth; the more the better."""
    shown, true = by_action(np.clip(values, 0, 1)), by_action(truth)
    known = [action for action in SCORED if np.nanmax(true[action][MIXTURES]) > 0.1]
    r = [np.corrcoef(shown[a][MIXTURES], true[a][MIXTURES])[0, 1] for a in known]
    error = [np.abs(shown[a] - true[a])[MIXTURES].mean() for a in known]
    cross = [shown[a][MIXTURES][true[a][MIXTURES] <= 0].mean() for a in known]
    ours, theirs = (
        np.array([each[a][MIXTURES] >= THERE for a in known if a not in GAZE])
        for each in (shown, true)
    )
    total = ours.sum(axis=0) + theirs.sum(axis=0)
    agreed = 2 * (ours & theirs).sum(axis=0)[total > 0] / total[total > 0]
    return {
        "r": float(np.nan_to_num(r).mean()),
        "error": -float(np.mean(error)),
        "coding index": float(agreed.mean()),
        "leak": -float(np.mean([np.percentile(shown[a][TURNS], 95) for a in known])),
        "jitter": -float(np.mean([shown[a][REST].std() for a in known])),
        "cross-talk": -float(np.mean(cross)),
    }


def test_a_round_that_went_wrong_is_no_worse_than_none(facebench: Path) -> None:
    rom = facebench / "rom"
    prompts = load_prompts(rom / f"{PERSON}_rom.json")
    faces = meshes_of(rom / f"{PERSON}_rom.mp4").faces
    mixture, truth = meshes_of(rom / f"{PERSON}_mix.mp4"), truth_of(rom / f"{PERSON}_mix.csv")
    neutral = calibrated_neutral(MODEL, faces, *prompts.neutral)
    frames = frames_of(MODEL, faces, neutral)
    rest = frames.between(*prompts.neutral)
    rng = np.random.default_rng(4)

    def figures_of(rows: list[np.ndarray] | None) -> dict[str, float]:
        profile = None
        if rows is not None:
            asked = [Asked(p.actions, some) for p, some in zip(prompts.prompts, rows, strict=True)]
            assert prompts.head is not None
            learned = learn(MODEL, Round(frames, rest, frames.between(*prompts.head), asked))
            profile = profile_from_round(PERSON, "facemesh", neutral, MODEL, learned)
        found = estimates(mixture, clip_estimator(mixture, MODEL, profile=profile))
        return figures(np.stack([each.units.intensity for each in found]), truth)

    def rows_of(shifts: np.ndarray, resting: list[int]) -> list[np.ndarray]:
        rows = [
            frames.between(p.start_s + shift, p.end_s + shift)
            for p, shift in zip(prompts.prompts, shifts, strict=True)
        ]
        for i in resting:
            rows[i] = np.sort(rng.choice(rest, min(len(rest), len(rows[i])), replace=False))
        return rows

    n = len(prompts.prompts)
    quarter = rng.choice(n, n // 4, replace=False).tolist()
    as_asked = np.zeros(n)
    before = figures_of(None)
    rounds = {
        "as asked": rows_of(as_asked, []),
        "windows late": rows_of(as_asked + SHIFT_S, []),
        "windows early": rows_of(as_asked - SHIFT_S, []),
        "windows early or late": rows_of(rng.choice((-SHIFT_S, SHIFT_S), n), []),
        "a quarter not performed": rows_of(as_asked, quarter),
        "both": rows_of(rng.choice((-SHIFT_S, SHIFT_S), n), quarter),
    }
    for name, rows in rounds.items():
        after = figures_of(rows)
        print(name, {key: f"{before[key]:.3f} -> {after[key]:.3f}" for key in after})
        assert all(after[figure] >= before[figure] for figure in after), (name, before, after)
