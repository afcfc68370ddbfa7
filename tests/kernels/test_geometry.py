"""Geometry kernels against their plain NumPy twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.kernels import geometry
from tests import reference

ANGLE = st.floats(-1.0, 1.0)


def _cloud(seed: int, n: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3)) * (1.0, 1.3, 0.5)


def _fit(a, b, prior, n_rounds=3, softness=0.05):
    turn, offset = np.empty((3, 3)), np.empty(3)
    ids = np.arange(len(a))
    scale, residual = geometry.fit_similarity(a, b, ids, prior, n_rounds, softness, turn, offset)
    return scale, turn, offset, residual


@given(st.integers(0, 2**32 - 1), ANGLE, ANGLE, ANGLE, st.floats(0.01, 100.0))
@settings(max_examples=50, deadline=None)
def test_a_similarity_is_found_again(seed, yaw, pitch, roll, size):
    b = _cloud(seed)
    turn = reference.rotation(yaw, pitch, roll)
    a = (size * b @ turn.T) + (3.0, -2.0, 7.0)
    scale, found, offset, residual = _fit(a, b, np.ones(len(a)))
    np.testing.assert_allclose(found, turn.T, atol=1e-9)
    np.testing.assert_allclose(scale * a @ found.T + offset, b, atol=1e-8)
    assert scale == pytest.approx(1.0 / size)
    assert residual < 1e-8
    assert geometry.angles_from_rotation(found) == pytest.approx((yaw, pitch, roll), abs=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_the_robust_fit_equals_its_twin(seed, n_rounds):
    rng = np.random.default_rng(seed)
    a, b = _cloud(seed), _cloud(seed) + rng.normal(size=(40, 3)) * 0.05
    prior = rng.uniform(0.1, 1.0, 40)
    scale, turn, offset, _ = _fit(a, b, prior, n_rounds)
    twin = reference.robust_similarity(a, b, prior, n_rounds, 0.05)
    assert scale == pytest.approx(twin[0], rel=1e-7)
    np.testing.assert_allclose(turn, twin[1], atol=1e-7)
    np.testing.assert_allclose(offset, twin[2], atol=1e-7)


def test_a_mirrored_cloud_gives_a_rotation_not_a_reflection():
    b = _cloud(1)
    _, turn, _, _ = _fit(b * (-1.0, 1.0, 1.0), b, np.ones(len(b)))
    assert np.linalg.det(turn) == pytest.approx(1.0)


def test_moved_points_do_not_drag_the_fit():
    b = _cloud(2, 100)
    a = b.copy()
    a[:20, 1] += 0.5  # a fifth of the points moves: an expression
    plain = _fit(a, b, np.ones(100), n_rounds=1)
    robust = _fit(a, b, np.ones(100), n_rounds=4)
    away = [np.abs(s * a[20:] @ r.T + o - b[20:]).max() for s, r, o, _ in (plain, robust)]
    assert away[1] < 0.2 * away[0]


def test_perspective_is_undone():
    rng = np.random.default_rng(3)
    solid, focal, depth = rng.normal(size=(30, 3)) * 40.0, 700.0, 700.0
    z = depth + solid[:, 2]
    seen = np.column_stack((solid[:, :2] / z[:, None] * focal + (320, 240), solid[:, 2]))
    out = np.empty((30, 3))
    geometry.undo_perspective(seen.astype(np.float32), 320.0, 240.0, focal, out)
    np.testing.assert_allclose(out, solid, atol=1e-3)
    twin = reference.undo_perspective(seen.astype(np.float32), (320.0, 240.0), focal)
    np.testing.assert_allclose(out, twin, atol=1e-9)


def test_coinciding_points_give_scale_zero_and_no_nan_rotation():
    scale, turn, _, _ = _fit(np.ones((40, 3)), _cloud(4), np.ones(40))
    assert scale == 0.0
    assert np.isfinite(turn).all()
