"""What a full personal profile costs a frame, and what learning one takes."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from bench.timing import Table, medians_us
from livefacs.au.estimator import Estimator
from livefacs.au.learning import learn, profile_from_round
from livefacs.au.model import load_model
from livefacs.au.neutral import canonical_neutral
from livefacs.au.rounds import EXERCISES
from tests.au import faces
from tests.au.made_rounds import made_round
from tests.au.test_learning import readings, showing

LIMIT_US = 350.0
LEARNING_S = 5.0


def test_a_full_profile_costs_little(table: Table) -> None:
    model = load_model()
    actions = [action for each in EXERCISES for action in each.actions if "45_" not in action]
    made = made_round([action for action in actions if action != "AU25"])
    began = time.perf_counter()
    learned = learn(model, made)
    took_s = time.perf_counter() - began
    profile = profile_from_round("x", "facemesh", canonical_neutral(model), model, learned)
    face = dataclasses.replace(faces.landmarks(faces.face()), readings=readings(showing("AU14")))
    shipped, own = Estimator(model), Estimator(model, profile)

    def by_shipped() -> object:
        return shipped.raw_values(face)

    def by_own() -> object:
        return own.raw_values(face)

    shipped_us, own_us = medians_us(by_shipped, by_own, rounds=100, inner=20)
    n = len(profile.personal.learned) if profile.personal is not None else 0
    table.note(f"{n} learned channels, beyond the shipped estimate", own_us - shipped_us, "µs",
               f"at most {LIMIT_US:g}")  # fmt: skip
    table.note("learning a full round", took_s, "s", f"at most {LEARNING_S:g}")
    assert own_us - shipped_us <= LIMIT_US
    assert took_s <= LEARNING_S
    assert n >= 30
    assert np.isfinite(own.raw_values(face)).all()
