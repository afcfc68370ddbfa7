"""Fusion of the readers: what is weighed, how lines are judged, what is explained away."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.arrays import F64
from livefacs.kernels import fusion as k

CHEEKS = np.array([1, 2])
NO_EVIDENCE = np.zeros(3)
USUAL = np.array([[-3.0, -2.0, 5.0], [-4.0, -4.0, 5.0], [-4.0, -4.0, 5.0]])
UNKNOWN = np.full((3, 3), np.nan)


def depths(patches: F64, own: F64 = UNKNOWN, evidence: F64 = NO_EVIDENCE, quality: float = 1.0):
    out = np.empty(6)
    k.line_depths(patches.astype(np.float32), USUAL, own, evidence, CHEEKS, quality, out)
    return out


def test_usual_skin_shows_no_lines():
    np.testing.assert_allclose(depths(USUAL), 0.0, atol=1e-6)


def test_noise_that_the_cheeks_show_too_is_half_expected():
    noisy = USUAL + np.array((1.0, 1.0, 0.0))
    np.testing.assert_allclose(depths(noisy)[:2], 0.5 / k.LINE_SPREAD, atol=1e-6)


def test_the_persons_own_rest_counts_as_far_as_there_is_evidence():
    own = USUAL + np.array((2.0, 0.0, 0.0))
    lined = own.copy()
    assert depths(lined)[0] == pytest.approx((2.0 - 1.0) / k.LINE_SPREAD)
    assert depths(lined, own, np.ones(3))[0] == pytest.approx(0.0, abs=1e-6)
    assert depths(lined, own, np.full(3, 0.5))[0] == pytest.approx(0.5 / k.LINE_SPREAD)


def test_hair_over_a_patch_and_small_faces_are_silent():
    dark = USUAL.copy()
    dark[0] = (3.0, 3.0, 4.0)  # many lines, far darker than the cheeks
    assert depths(dark)[0] == 0.0
    assert depths(USUAL + 1.0, quality=0.0).max() == 0.0


def test_what_is_not_seen_says_nothing():
    hidden = USUAL.copy()
    hidden[0] = np.nan
    assert depths(hidden)[:2].tolist() == [0.0, 0.0]
    hidden[1] = np.nan  # a cheek: nothing can be expected
    assert not np.isnan(depths(hidden)).any()


def test_the_row_of_evidence():
    relative, mean = np.array((-0.2, 0.3)), np.array((0.1, -0.1))
    shapes, rest = np.array((0.5, 0.25), np.float32), np.array((0.5, 0.0))
    out = np.empty(3 * 2 + 2 * 2 + 2)
    k.gather_evidence(relative, mean, shapes, rest, np.array((7.0, 8.0)), out)
    expected = [-0.2, 0.3, 0.0, 0.3, -0.1, 0.2, 0.5, 0.25, 0.0, 0.25, 7.0, 8.0]
    np.testing.assert_allclose(out, expected)


def test_a_cause_takes_its_share_and_a_full_action_stays_full():
    values = np.array((0.3, 1.0, 1.0))
    targets, causes = np.array((0, 1)), np.array((2, 2))
    k.explain_away(values, targets, causes, np.array((0.4, 0.4)))
    np.testing.assert_allclose(values, (0.0, 1.0, 1.0))
