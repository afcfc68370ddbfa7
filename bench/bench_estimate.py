"""The estimator: mesh to Action Units in one kernel call, beside plain NumPy."""

from __future__ import annotations

import numpy as np

from bench.timing import Table, medians_us
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.kernels import step as k
from tests import reference
from tests.au import faces


def test_mesh_to_action_units_is_one_short_call(table: Table) -> None:
    estimator, landmarks = Estimator(), faces.landmarks(faces.face(chin=(0.0, 0.1)))
    for _ in range(100):
        estimator.estimate(landmarks)
    model = load_model()
    ids = model.align_ids
    points, neutral = estimator.aligned[ids].copy(), estimator.neutral.shape[ids]

    def by_numpy() -> object:
        return reference.robust_similarity(points, neutral, model.align_prior, 3, 0.02)

    def by_kernel() -> object:
        return k.step(
            estimator._points,
            estimator._blendshapes,
            estimator._patches,
            np.zeros(0, np.uint8),
            estimator._frame,
            estimator._kernel_model,
            estimator._person,
            estimator._state,
            estimator._result,
        )

    numpy_us, kernel_us = medians_us(by_numpy, by_kernel, rounds=100, inner=20)
    table.note("mesh to Action Units, one kernel call", kernel_us, "µs")
    table.note(
        "its alignment alone in NumPy / the whole call", numpy_us / kernel_us, "", "at least 3"
    )
    assert numpy_us >= 3.0 * kernel_us
    assert np.isfinite(estimator._result.intensity).all()
