"""The One Euro kernel: twin, golden values from time zero, unknown values, delay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from livefacs.au.smoothing import OFF, Smoothing
from livefacs.kernels.smoothing import one_euro
from livefacs.vocab.facs import CHANNEL_INDEX
from tests import reference


def _filtered(values, dt_s, parameters):
    state, out = np.full((1, 2), np.nan), np.empty(1)
    rows = []
    for i, value in enumerate(values):
        one_euro(np.array([value]), 0.0 if i == 0 else dt_s, parameters, state, out)
        rows.append(out[0])
    return np.array(rows)


@given(
    hnp.arrays(np.float64, 30, elements=st.floats(-2, 2)),
    st.floats(0.1, 20.0),
    st.floats(0.0, 50.0),
    st.floats(0.004, 0.2),
)
@settings(max_examples=60, deadline=None)
def test_the_filter_equals_its_twin(values, cutoff, beta, dt_s):
    mine = _filtered(values, dt_s, np.array([[cutoff, beta, 6.0]]))
    twin = reference.one_euro(values, np.arange(30) * dt_s, cutoff, beta, 6.0)
    np.testing.assert_allclose(mine, twin, atol=1e-9)


def test_golden_values_from_time_zero():
    """Cutoff 1 Hz, no speed term, 1/(2 pi) s a frame: every step goes half way."""
    mine = _filtered([0.0, 1.0, 1.0, 1.0], 1.0 / (2.0 * np.pi), np.array([[1.0, 0.0, 1.0]]))
    np.testing.assert_allclose(mine, [0.0, 0.5, 0.75, 0.875])


def test_an_unknown_value_leaves_the_channel_alone():
    parameters = np.array([[1.0, 0.0, 1.0]])
    with_gap = _filtered([0.2, np.nan, 0.4], 0.1, parameters)
    without = _filtered([0.2, 0.4], 0.1, parameters)
    assert np.isnan(with_gap[1])
    assert with_gap[2] == without[1]


def test_a_negative_step_restarts():
    state, out = np.array([[0.9, 5.0]]), np.empty(1)
    one_euro(np.array([0.1]), -1.0, np.array([[1.0, 0.0, 1.0]]), state, out)
    assert out[0] == 0.1
    assert state[0, 1] == 0.0


def test_off_changes_nothing():
    values = np.random.default_rng(0).normal(size=20)
    row = OFF.parameters()[CHANNEL_INDEX["AU12_L"]][None]
    np.testing.assert_array_equal(_filtered(values, 0.03, row), values)


@pytest.mark.parametrize("channel", ["AU12_L", "AU45_R", "AU26", "AU61"])
def test_default_delay_on_a_ramp_is_under_a_frame(channel):
    """Half height of a ramp of 0.2 s at 30 frames a second."""
    t_s = np.arange(60) / 30.0
    ramp = np.clip((t_s - 0.5) / 0.2, 0.0, 1.0)
    row = Smoothing().parameters()[CHANNEL_INDEX[channel]][None]
    filtered = _filtered(ramp, 1.0 / 30.0, row)
    delay_s = np.interp(0.5, filtered, t_s) - np.interp(0.5, ramp, t_s)
    assert 0.0 <= delay_s < 1.0 / 30.0
