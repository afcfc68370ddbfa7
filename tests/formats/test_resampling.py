"""Resampling and smoothing: exact at known frames, no overshoot, no delay, gaps kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from livefacs.errors import ConfigError, TakeError
from livefacs.formats.curves import ExportOptions, curves_from_take, resampled
from livefacs.formats.resampling import (
    LONGEST_BRIDGE_S,
    resample,
    smooth_zero_phase,
    uniform_times_ns,
)
from livefacs.timecode import RATES
from tests.take.synthetic import clip_info, make_take, tracked_frame

PERIOD_NS = 16_666_667


def times(n: int) -> np.ndarray:
    return 7_000_000_000 + np.arange(n, dtype=np.int64) * PERIOD_NS


@given(
    values=arrays(np.float32, st.tuples(st.integers(2, 30), st.integers(1, 3)),
                  elements=st.floats(0, 1, width=32)),
    n_new=st.integers(1, 40),
)  # fmt: skip
def test_no_overshoot_and_exact_at_the_samples(values: np.ndarray, n_new: int) -> None:
    values = values.astype(np.float64)
    old = times(len(values))
    np.testing.assert_allclose(resample(old, values, old), values, atol=1e-12)
    between = np.linspace(old[0], old[-1], n_new).astype(np.int64)
    found = resample(old, values, between)
    after = np.searchsorted(old, between).clip(0, len(old) - 1)
    before = np.searchsorted(old, between, side="right").clip(1) - 1
    low = np.minimum(values[before], values[after]) - 1e-7
    high = np.maximum(values[before], values[after]) + 1e-7
    assert ((found >= low) & (found <= high)).all()


def test_short_gaps_are_bridged_and_long_ones_stay() -> None:
    old = times(120)
    values = np.linspace(0, 1, 120)[:, None].repeat(2, axis=1)
    values[10:20, 0] = np.nan  # 11 periods, 0.18 s
    values[50:70, 1] = np.nan  # 21 periods, 0.35 s
    assert 11 * PERIOD_NS / 1e9 < LONGEST_BRIDGE_S < 21 * PERIOD_NS / 1e9
    found = resample(old, values, old)
    np.testing.assert_allclose(found[:, 0], np.linspace(0, 1, 120), atol=1e-12)
    assert np.isnan(found[50:70, 1]).all()
    assert np.isfinite(found[:50, 1]).all()
    assert np.isfinite(found[70:, 1]).all()


def test_outside_what_is_known_is_unknown() -> None:
    old = times(10)
    values = np.ones((10, 1))
    values[:3] = np.nan
    found = resample(old, values, old)[:, 0]
    assert np.isnan(found[:3]).all()
    assert (found[3:] == 1).all()
    assert np.isnan(resample(old, np.full((10, 1), np.nan), old)).all()


def test_even_times_are_exact_for_ntsc_rates() -> None:
    rate = RATES["29.97df"]
    found = uniform_times_ns(0, 1_001_000_000_000, rate)
    assert len(found) == 30001
    assert found[30000] == 1_001_000_000_000
    assert found[1] == 33366667


def test_smoothing_has_no_delay() -> None:
    old = times(240)
    bump = np.exp(-(((np.arange(240) - 120) / 12.0) ** 2))[:, None]
    smooth = smooth_zero_phase(old, bump, 4.0)
    assert int(smooth[:, 0].argmax()) == 120
    np.testing.assert_allclose(smooth[1:][::-1], smooth[1:], atol=2e-3)


def test_smoothing_halves_at_the_cutoff_and_keeps_slow_motion() -> None:
    old = times(1200)
    t_s = np.arange(1200) * PERIOD_NS / 1e9
    for hertz, share in ((5.0, 0.5), (0.5, 1.0), (20.0, 0.0)):
        wave = np.sin(2 * np.pi * hertz * t_s)[:, None]
        inside = smooth_zero_phase(old, wave, 5.0)[300:900]
        assert float(np.abs(inside).max()) == pytest.approx(share, abs=0.02)


def test_smoothing_at_uneven_times_and_around_gaps() -> None:
    rng = np.random.default_rng(2)
    old = np.cumsum(rng.integers(10_000_000, 24_000_000, 400)).astype(np.int64)
    slow = np.sin(2 * np.pi * 0.4 * old / 1e9)[:, None]
    slow[100:130] = np.nan
    found = smooth_zero_phase(old, slow, 6.0)
    assert np.isnan(found[100:130]).all()
    known = np.isfinite(slow)
    np.testing.assert_allclose(found[known], slow[known], atol=0.02)


@pytest.mark.parametrize("cutoff_hz", [-1.0, 30.0, 100.0])
def test_an_impossible_cutoff_is_named(cutoff_hz: float) -> None:
    with pytest.raises(ConfigError, match=r"less than half the frame rate, 30\.00 Hz"):
        smooth_zero_phase(times(100), np.zeros((100, 1)), cutoff_hz)


def test_a_take_on_another_rate(tmp_path: Path) -> None:
    take = make_take(
        tmp_path, [tracked_frame(i) for i in range(61)], clip_info("60", "10:00:59:30")
    )
    curves = curves_from_take(take, ExportOptions(fps="25"))
    assert (len(curves), curves.is_even) == (26, True)
    assert curves.label(0) == "10:00:59:12"
    assert curves.label(25) == "10:01:00:12"
    smile = curves.values[:, curves.names.index("AU12_L")]
    assert smile[0] == 0
    assert smile[5] == pytest.approx(0.8, abs=0.01)  # 0.2 s: frame 12 of 60
    np.testing.assert_allclose(curves.times_ns, take.t_ns[0] + np.arange(26) * 40_000_000)
    ntsc = resampled(curves, RATES["29.97df"])
    assert ntsc.label(0) == "10:00:59;14"


def test_labels_that_drop_frame_skips_are_stepped_over(tmp_path: Path) -> None:
    take = make_take(tmp_path, [tracked_frame(i) for i in range(5)], clip_info("60", "10:01:00:00"))
    curves = curves_from_take(take, ExportOptions(fps="29.97"))
    assert curves.label(0) == "10:01:00;02"


def test_repeated_stamps_do_not_break_interpolation(tmp_path: Path) -> None:
    frames = [tracked_frame(i if i != 7 else 6) for i in range(30)]
    take = make_take(tmp_path, frames)
    curves = curves_from_take(take, ExportOptions(fps="24", smooth_hz=5))
    assert np.isfinite(curves.values[:, curves.names.index("AU12_L")]).all()


def test_one_frame_and_no_frame(tmp_path: Path) -> None:
    one = make_take(tmp_path / "one", [tracked_frame(0)])
    assert len(curves_from_take(one, ExportOptions(fps="24", smooth_hz=3))) == 1
    none = make_take(tmp_path / "none", [])
    with pytest.raises(TakeError, match="has no frames"):
        curves_from_take(none, ExportOptions())
