"""What a full personal profile costs a frame, and what learning one takes."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from bench.timing import Table, quick_us
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.learning import learn, profile_from_round
from livefacs.au.neutral import canonical_neutral
from livefacs.au.personal import TaughtAction, selected
from livefacs.au.profile import Profile
from livefacs.au.rounds import EXERCISES
from livefacs.au.teaching import MOST_TAUGHT
from tests.au import faces
from tests.au.made_rounds import made_round
from tests.au.test_learning import readings, showing

MOST_TIMES_SHIPPED = 3.0
MOST_TIMES_ESTIMATES = 2.0
N_ESTIMATES = 10_000


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
    learned = learn(model, made)
    profile = with_taught(
        profile_from_round("x", "facemesh", canonical_neutral(model), model, learned), MOST_TAUGHT
    )
    face = dataclasses.replace(faces.landmarks(faces.face()), readings=readings(showing("AU14")))
    shipped, own = Estimator(model), Estimator(model, profile)

    def by_shipped() -> object:
        return shipped.raw_values(face)

    def by_own() -> object:
        return own.raw_values(face)

    def cpu_s(job: Callable[[], object], n_times: int = 1) -> float:
        began = time.process_time()
        for _ in range(n_times):
            job()
        return time.process_time() - began

    shipped_us, own_us = quick_us(by_shipped, by_own, rounds=50, inner=20)
    turns = [(cpu_s(lambda: learn(model, made)), cpu_s(by_shipped, N_ESTIMATES)) for _ in range(3)]
    learning_s, estimates_s = (min(column) for column in zip(*turns, strict=True))
    n = len(profile.personal.learned) if profile.personal is not None else 0
    what = f"{n} learned channels and {MOST_TAUGHT} taught, beyond the shipped estimate"
    table.note(what, own_us - shipped_us, "µs")
    table.note("the whole estimate / the shipped one", own_us / shipped_us, "×",
               f"at most {MOST_TIMES_SHIPPED:g}")  # fmt: skip
    table.note("learning a full round, processor time", learning_s, "s")
    table.note(f"that / {N_ESTIMATES} shipped estimates", learning_s / estimates_s, "×",
               f"at most {MOST_TIMES_ESTIMATES:g}")  # fmt: skip
    assert own_us <= MOST_TIMES_SHIPPED * shipped_us
    assert learning_s <= MOST_TIMES_ESTIMATES * estimates_s
    assert n >= 30
    assert np.isfinite(own.raw_values(face)).all()
