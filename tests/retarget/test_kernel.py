from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.kernels import retarget
from livefacs.kernels._jit import signature_count
from livefacs.retarget.compiler import program_from_map
from livefacs.retarget.inputs import (
    INTENSITY_SIGNALS,
    MEAN_SIGNALS,
    POSE_SIGNALS,
    SIGNALS,
    sides_of,
)
from livefacs.retarget.library import load_rig, rig_names
from livefacs.retarget.retargeter import Retargeter
from livefacs.retarget.rules import Combination, ControlRule, RigMap
from livefacs.retarget.schema import NAMED_CURVES, curve_points
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX
from tests.retarget import reference
from tests.retarget.making import FRAME_NS, by_name, frame, write_map

weights = st.floats(-3, 3, width=32)
shares = st.floats(0, 1, width=32)
curves = st.one_of(
    st.just(()),
    st.sampled_from(sorted(NAMED_CURVES)).map(curve_points),
    st.lists(st.tuples(st.floats(-1, 2), weights), min_size=2, max_size=5, unique_by=lambda p: p[0])
    .map(lambda points: tuple(sorted(points)))
    .filter(lambda points: all(b[0] - a[0] > 1e-3 for a, b in itertools.pairwise(points))),
)


@st.composite
def combinations(draw: st.DrawFn, signal_names: st.SearchStrategy[str]) -> Combination:
    names = draw(st.lists(signal_names, min_size=2, max_size=3, unique=True))
    kind = draw(st.sampled_from(("product", "largest")))
    factors = tuple(draw(weights) for _ in names) if kind == "largest" else (1.0,) * len(names)
    return Combination(kind, tuple(names), factors, draw(weights))


@st.composite
def rules(draw: st.DrawFn, name: str, side: str, partner: str, read: Sequence[str]) -> ControlRule:
    signal_names = st.sampled_from(read)
    low = draw(st.floats(-5, 0.5))
    return ControlRule(
        name=name,
        side=side,
        partner=partner,
        terms=draw(st.dictionaries(signal_names, weights, max_size=5)),
        combine=tuple(draw(st.lists(combinations(signal_names), max_size=2))),
        suppress=draw(st.dictionaries(signal_names, shares, max_size=2)),
        gain=draw(weights),
        offset=draw(weights),
        limits=(low, low + draw(st.floats(0.1, 5))),
        curve=draw(curves),
        dead_zone=draw(st.floats(0, 0.5)),
        asymmetry=draw(st.floats(0, 3)),
    )


@st.composite
def maps_and_units(draw: st.DrawFn) -> tuple[RigMap, dict[str, float]]:
    """A map over a few signals, and intensities of the channels that those are made of."""
    read = draw(
        st.lists(st.sampled_from(sorted(INTENSITY_SIGNALS)), min_size=2, max_size=4, unique=True)
    )
    made = (
        draw(rules("left", "L", "right", read)),
        draw(rules("right", "R", "left", read)),
        draw(rules("middle", "", "", read)),
    )
    channels = [
        side for name in read for side in (sides_of(name) if name in MEAN_SIGNALS else (name,))
    ]
    units = {channel: draw(intensities) for channel in channels}
    return RigMap("any", "t", "a", "n", (), "facs", "", (Path("any.toml"),), made), units


intensities = st.one_of(st.floats(0.0625, 1.25, width=32), st.just(math.nan), st.just(0.0))


def test_kernel_says_what_the_plain_twin_says() -> None:
    live: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None)
    @given(drawn=maps_and_units())
    def compare(drawn: tuple[RigMap, dict[str, float]]) -> None:
        rig_map, units = drawn
        made = Retargeter(program_from_map(rig_map)).retarget(frame(units))
        expected = reference.retargeted(rig_map, units)
        assert np.all(np.isfinite(made.values))
        for name, value in by_name(made).items():
            assert value == pytest.approx(expected[name], abs=1e-4, rel=1e-5)
        live.update(live_parts(rig_map, units))

    compare()
    # The comparison says something only where the parts of a map are not multiplied by nothing.
    assert live.keys() >= {"terms", "product", "largest", "suppress", "curve", "inside the limits"}
    assert min(live.values()) > 15, live


def live_parts(rig_map: RigMap, units: Mapping[str, float]) -> set[str]:
    """Parts of a map that have a share in the values of a frame."""
    signals = reference.completed(units)
    values = reference.retargeted(rig_map, units)
    found = set()
    for rule in rig_map.rules:
        if any(weight * signals[name] for name, weight in rule.terms.items()):
            found.add("terms")
        for part in rule.combine:
            if part.weight and all(signals[name] for name in part.signals):
                found.add(part.kind)
        if any(weight * signals[name] for name, weight in rule.suppress.items()):
            found.add("suppress")
        if rule.curve and rule.gain and reference.drive(rule, signals):
            found.add("curve")
        if rule.limits[0] < values[rule.name] < rule.limits[1]:
            found.add("inside the limits")
    return found


def test_suppression_goes_by_the_calibrated_range(tmp_path: Path) -> None:
    """A signal beyond its maximum holds back no more than one at it."""
    path = write_map(
        tmp_path,
        "[controls.smile]\nterms = { AU12 = 1.0 }\nsuppress = { AU18 = 0.5 }\n",
    )
    for pucker, left in ((0.0, 1.0), (0.4, 0.8), (1.0, 0.5), (1.25, 0.5)):
        made = Retargeter(load_rig(path)).retarget(
            frame({"AU12_L": 0.6, "AU12_R": 0.6, "AU18": pucker})
        )
        assert by_name(made)["smile"] == pytest.approx(0.6 * left)


@settings(max_examples=40, deadline=None)
@given(
    bad=st.dictionaries(
        st.sampled_from(AU_CHANNELS), st.sampled_from((math.nan, math.inf, -math.inf, 1e30, -1e30))
    )
)
def test_no_input_leaves_the_limits_or_poisons_later_frames(bad: dict[str, float]) -> None:
    program = load_rig("metahuman")
    retargeter = Retargeter(program)
    made = retargeter.retarget(frame(bad))
    assert np.all(np.isfinite(made.values))
    assert np.all(made.values >= program.limits[:, 0] - 1e-6)
    assert np.all(made.values <= program.limits[:, 1] + 1e-6)
    after = retargeter.retarget(frame(t_ns=FRAME_NS))
    assert np.array_equal(after.values, Retargeter(program).retarget(frame()).values)


def test_mean_of_a_known_and_an_unknown_side_is_the_known_one(tmp_path: Path) -> None:
    path = write_map(tmp_path, "[controls.brow]\nterms = { AU1 = 1.0 }\n")
    retargeter = Retargeter(load_rig(path))
    made = retargeter.retarget(frame({"AU1_L": 0.6, "AU1_R": math.nan}))
    assert by_name(made)["brow"] == pytest.approx(0.6)
    made = retargeter.retarget(frame({"AU1_L": 0.6, "AU1_R": 0.2}))
    assert by_name(made)["brow"] == pytest.approx(0.4)


def test_exponential_smoothing_follows_its_time_constant(tmp_path: Path) -> None:
    body = "[controls.jaw]\nterms = { AU26 = 1.0 }\nsmoothing = { time_constant_ms = 100 }\n"
    retargeter = Retargeter(load_rig(write_map(tmp_path, body)))
    retargeter.retarget(frame({"AU26": 0.0}, t_ns=0))
    for step in range(1, 8):
        t_ns = step * 20_000_000
        made = by_name(retargeter.retarget(frame({"AU26": 1.0}, t_ns=t_ns)))["jaw"]
        assert made == pytest.approx(1.0 - math.exp(-0.02 * step / 0.1), abs=1e-6)


def test_one_euro_smoothing_follows_its_paper(tmp_path: Path) -> None:
    smoothing = "{ min_cutoff_hz = 1.0, beta = 0.5, speed_cutoff_hz = 2.0 }"
    body = f"[controls.jaw]\nterms = {{ AU26 = 1.0 }}\nsmoothing = {smoothing}\n"
    retargeter = Retargeter(load_rig(write_map(tmp_path, body)))
    random = np.random.default_rng(4)
    times_s = np.cumsum(random.uniform(0.01, 0.05, 60))
    wanted = np.clip(0.5 + 0.4 * np.sin(3 * times_s) + 0.05 * random.normal(size=60), 0, 1)
    value, speed, before_ns = float(np.float32(wanted[0])), 0.0, 0
    for i, (t_s, x) in enumerate(zip(times_s, wanted, strict=True)):
        t_ns = round(t_s * 1e9)
        made = by_name(retargeter.retarget(frame({"AU26": float(x)}, t_ns=t_ns)))["jaw"]
        if i:
            dt = (t_ns - before_ns) * 1e-9
            x32 = float(np.float32(x))
            speed += ((x32 - value) / dt - speed) / (1 + 1 / (2 * math.pi * 2.0 * dt))
            cutoff = 1.0 + 0.5 * abs(speed)
            value += (x32 - value) / (1 + 1 / (2 * math.pi * cutoff * dt))
        before_ns = t_ns
        assert made == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("later_ns", [-FRAME_NS, 1_500_000_000])
def test_smoothing_starts_anew_after_a_gap_or_a_step_back(tmp_path: Path, later_ns: int) -> None:
    body = "[controls.jaw]\nterms = { AU26 = 1.0 }\nsmoothing = { time_constant_ms = 500 }\n"
    retargeter = Retargeter(load_rig(write_map(tmp_path, body)))
    retargeter.retarget(frame({"AU26": 0.0}, t_ns=0))
    made = retargeter.retarget(frame({"AU26": 1.0}, t_ns=later_ns))
    assert by_name(made)["jaw"] == 1.0


def test_the_same_frame_twice_leaves_smoothed_values(tmp_path: Path) -> None:
    body = "[controls.jaw]\nterms = { AU26 = 1.0 }\nsmoothing = { min_cutoff_hz = 1.0 }\n"
    retargeter = Retargeter(load_rig(write_map(tmp_path, body)))
    retargeter.retarget(frame({"AU26": 0.0}, t_ns=0))
    first = retargeter.retarget(frame({"AU26": 1.0}, t_ns=FRAME_NS))
    second = retargeter.retarget(frame({"AU26": 1.0}, t_ns=FRAME_NS))
    assert np.array_equal(first.values, second.values)


def test_every_map_runs_the_same_compiled_kernel() -> None:
    read_only = frame({"AU12_L": 0.5})
    read_only.units.intensity.setflags(write=False)
    for name in rig_names():
        retargeter = Retargeter(load_rig(name))
        retargeter.retarget(frame())
        retargeter.retarget(read_only)
    assert signature_count(retarget.retarget) == 1


def test_signals_cover_every_channel_in_order() -> None:
    assert SIGNALS[: len(AU_CHANNELS)] == AU_CHANNELS
    assert all(SIGNALS[index] == name for name, index in CHANNEL_INDEX.items())
    assert set(POSE_SIGNALS) < set(SIGNALS)
