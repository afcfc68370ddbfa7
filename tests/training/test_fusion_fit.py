"""Weighing the readers: recipes, the fit, people coded by eye."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefacs.au import estimator_model as m
from livefacs.au.estimator_model import load_model
from livefacs.cli.labelled import load_coded
from livefacs.errors import ConfigError
from livefacs.mesh import N_MESH
from livefacs.offline import Meshes
from livefacs.training.coded import CodedClip, Judgement, coded_clip, read_codes
from livefacs.training.coded_scores import area_under_roc, coded_curves, score_coded
from livefacs.training.fusion_fit import (
    RECIPES,
    Evidence,
    Ingredient,
    coded_evidence,
    columns_of,
    fit_fusion,
    recipe_of,
)
from livefacs.vocab.facs import ACTIONS, CHANNEL_INDEX, N_AU

CODES = {
    "neutral_absent": ["12"],
    "clips": {
        "a": {
            "person": "anna",
            "neutral": [0],
            "frames": {"1": {"+": ["12"], "-": ["4"], "stronger": {"12": "L"}}},
        }
    },
}


def empty_meshes(n: int) -> Meshes:
    """Frames without a face."""
    times, n_faces = np.arange(n), np.zeros(n, np.int64)
    return Meshes(np.full((n, N_MESH, 3), np.nan, np.float32), times, (64, 64), None, n_faces)


def test_every_recipe_reads_what_there_is():
    for action in RECIPES:
        assert action in ACTIONS
        for ingredient in recipe_of(action):
            for channel in (action,) if action in CHANNEL_INDEX else (f"{action}_L",):
                columns = columns_of(channel, ingredient)
                assert all(0 <= column < m.N_EVIDENCE for column in columns)


def test_a_sided_channel_reads_its_own_side():
    left = columns_of("AU12_L", Ingredient("net", "mouthSmile*"))
    right = columns_of("AU12_R", Ingredient("net", "mouthSmile*"))
    assert len(left) == len(right) == 1
    assert left != right
    assert len(columns_of("AU17", Ingredient("net", "mouthSmile*"))) == 2


def fitted(sign: float):
    """A fit on made evidence in which the net alone tells smiles."""
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 0.05, (80, m.N_EVIDENCE))
    there = np.arange(80) % 2 == 0
    for side in "LR":
        (column,) = columns_of(f"AU12_{side}", Ingredient("net", "mouthSmile*"))
        rows[:, column] = sign * there
    judgements = tuple(Judgement("AU12", i, bool(there[i])) for i in range(80))
    clip = CodedClip("a", "anna", empty_meshes(80), judgements)
    evidence = Evidence(rows, np.arange(80), None, np.zeros(80, bool))
    return fit_fusion(load_model(), [(clip, evidence)], [])


def test_the_fit_finds_what_tells_and_only_pulls_the_right_way():
    row = CHANNEL_INDEX["AU12_L"]
    (column,) = columns_of("AU12_L", Ingredient("net", "mouthSmile*"))
    assert fitted(1.0).fusion_weights[row, column] > 0.2
    assert fitted(-1.0).fusion_weights[row, column] == 0.0


def test_a_rival_takes_away_what_it_brings_about_and_never_adds():
    """A made person whose mesh reads half of every smile as a dimpler, too."""
    rng = np.random.default_rng(1)
    truth, rows = np.full((400, N_AU), np.nan), np.zeros((400, m.N_EVIDENCE))
    for side in "LR":
        dimple, smile = (CHANNEL_INDEX[f"{action}_{side}"] for action in ("AU14", "AU12"))
        truth[:, dimple], truth[:, smile] = rng.choice((0.0, 0.8), (2, 400))
        rows[:, m.RELATIVE + dimple] = truth[:, dimple] + 0.5 * truth[:, smile]
        rows[:, m.RELATIVE + smile] = truth[:, smile]
    rows[:, m.POSITIVE : m.POSITIVE + N_AU] = rows[:, m.RELATIVE : m.RELATIVE + N_AU]
    person = Evidence(rows, np.arange(400), truth, np.zeros(400, bool))
    weights = fit_fusion(load_model(), [], [person]).fusion_weights
    assert weights[CHANNEL_INDEX["AU14_L"], m.POSITIVE + CHANNEL_INDEX["AU12_L"]] < -0.2
    assert weights[CHANNEL_INDEX["AU14_L"], m.POSITIVE + CHANNEL_INDEX["AU12_R"]] == 0.0
    own = {"AU1", "AU4"}  # their own positive part is in their recipes
    for channel, row in CHANNEL_INDEX.items():
        others = weights[row, m.POSITIVE : m.POSITIVE + N_AU]
        assert channel.split("_")[0] in own or (others <= 0.0).all()


def test_codes_are_read_and_frames_without_a_face_left_out(tmp_path: Path):
    path = tmp_path / "codes.json"
    path.write_text(json.dumps(CODES), encoding="utf-8")
    clip = coded_clip(read_codes(path), "a", empty_meshes(2))
    assert clip.person == "anna"
    assert clip.judgements == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("not json", "does not code clips"),
        (json.dumps({"clips": {}}), "does not code clips"),
        (json.dumps(CODES).replace('"12"', '"99"'), "no action AU99"),
    ],
)
def test_codes_that_cannot_be_used_are_named(tmp_path: Path, change: str, words: str):
    path = tmp_path / "codes.json"
    path.write_text(change, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        read_codes(path)


def test_a_clip_that_is_not_there_is_named(tmp_path: Path):
    path = tmp_path / "codes.json"
    path.write_text(json.dumps(CODES), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"codes a, but there is no a\.mp4"):
        load_coded([tmp_path])


def test_scores_of_known_curves():
    judgements = (Judgement("AU12", 0, is_present=True), Judgement("AU12", 1, is_present=False))
    clip = CodedClip("a", "anna", empty_meshes(2), judgements, ((0, "AU12", "L"),))
    curves = np.zeros((2, N_AU), np.float32)
    curves[0, CHANNEL_INDEX["AU12_L"]] = 0.6
    score = score_coded([(clip, curves)])
    assert score.actions["AU12"].auc == 1.0
    assert (score.index, score.n_sides, score.n_sides_right) == (1.0, 1, 1)
    assert area_under_roc(np.array((1.0, 0.0)), np.array((0.0,))) == 0.75


@pytest.mark.facebench
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_people_whom_the_fusion_never_saw_are_read_right(facebench: Path):
    """Three folds by person; the figures of docs/estimator.md with something to spare."""
    clips = load_coded([facebench / "people"])
    base = replace(load_model(), fusion_weights=np.zeros((N_AU, m.N_EVIDENCE), np.float32))
    rows = [(clip, coded_evidence(base, clip)) for clip in clips]
    persons = sorted({"M030" if "M030" in clip.person else clip.person for clip in clips})
    scored = []
    for i_fold in range(3):
        held = set(persons[i_fold::3])

        def is_held(clip: CodedClip, held: set[str] = held) -> bool:
            return ("M030" if "M030" in clip.person else clip.person) in held

        model = fit_fusion(base, [row for row in rows if not is_held(row[0])], [])
        scored += [(clip, coded_curves(model, clip)) for clip in clips if is_held(clip)]
    score = score_coded(scored)
    assert score.mean_auc() >= 0.95
    assert score.lowest_auc() >= 0.86
    assert score.index >= 0.76
    assert score.n_sides_right == score.n_sides
