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
from livefacs.au.personal import TaughtAction, selected
from livefacs.au.profile import Profile
from livefacs.au.rounds import EXERCISES
from livefacs.au.teaching import MOST_TAUGHT
from tests.au import faces
from tests.au.made_rounds import made_round
from tests.au.test_learning import readings, showing

LIMIT_US = 350.0
LEARNING_S = 5.0


def with_taught(profile: Profile, n: int) -> Profile:
    """The profile with so many taught actions, whose maps are those of what was learned."""
    assert profile.personal is not None
    names = tuple(f"X_own_{i}" for i in range(n))
    rows = profile.personal.learned[:n]
    with_image, without_image = (
        dataclasses.replace(selected(maps, rows), channels=names)
        for maps in (profile.personal.with_image, profile.personal.without_image)
    )
    actions = tuple(TaughtAction(name, name, 1.0) for name in names)
    return dataclasses.replace(profile, taught=actions, taught_maps=(with_image, without_image))


def test_a_full_profile_costs_little(table: Table) -> None:
    model = load_model()
    actions = [action for each in EXERCISES for action in each.actions if "45_" not in action]
    made = made_round([action for action in actions if action != "AU25"])
    began = time.perf_counter()
    learned = learn(model, made)
    took_s = time.perf_counter() - began
    profile = with_taught(
        profile_from_round("x", "facemesh", canonical_neutral(model), model, learned), MOST_TAUGHT
    )
    face = dataclasses.replace(faces.landmarks(faces.face()), readings=readings(showing("AU14")))
    shipped, own = Estimator(model), Estimator(model, profile)

    def by_shipped() -> object:
        return shipped.raw_values(face)

    def by_own() -> object:
        return own.raw_values(face)

    shipped_us, own_us = medians_us(by_shipped, by_own, rounds=100, inner=20)
    n = len(profile.personal.learned) if profile.personal is not None else 0
    what = f"{n} learned channels and {MOST_TAUGHT} taught, beyond the shipped estimate"
    table.note(what, own_us - shipped_us, "µs", f"at most {LIMIT_US:g}")
    table.note("learning a full round", took_s, "s", f"at most {LEARNING_S:g}")
    assert own_us - shipped_us <= LIMIT_US
    assert took_s <= LEARNING_S
    assert n >= 30
    assert np.isfinite(own.raw_values(face)).all()
