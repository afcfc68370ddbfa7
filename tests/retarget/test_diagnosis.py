"""What an animator says is wrong, the cause that is found, and that the change mends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from livefacs.errors import ConfigError
from livefacs.retarget.compiler import program_from_map
from livefacs.retarget.diagnosis import Record, diagnose, jitter_of
from livefacs.retarget.inputs import N_SIGNALS, SIGNAL_INDEX, Performance
from livefacs.retarget.library import load_map
from livefacs.retarget.retargeter import Retargeter
from livefacs.retarget.rules import RigMap
from livefacs.retarget.tuning import TunedMap

RATE_HZ = 60
T = 600


def performance(**curves: np.ndarray) -> Performance:
    rows = np.zeros((T, N_SIGNALS))
    for name, curve in curves.items():
        rows[:, SIGNAL_INDEX[name]] = curve
    t_ns = np.arange(T, dtype=np.int64) * (10**9 // RATE_HZ)
    return Performance(np.arange(T), t_ns, rows)


def record(rig: RigMap, played: Performance) -> Record:
    retargeter = Retargeter(program_from_map(rig))
    values, drives, signals = [], [], []
    for i in range(T):
        one = Performance(played.i_frame[i : i + 1], played.t_ns[i : i + 1], played.signals[[i]])
        values.append(retargeter.run(one)[0])
        drives.append(retargeter.drives)
        signals.append(one.signals[0])
    return Record(
        played.t_ns / 1e9, np.array(signals), np.array(drives), np.array(values), rig.controls
    )


def found(rig: RigMap, played: Performance, complaint: str, control: str) -> Any:
    return diagnose(complaint, control, {r.name: r for r in rig.rules}, record(rig, played))


def bell(height: float) -> np.ndarray:
    return height * np.sin(np.linspace(0, np.pi, T)) ** 2


def test_too_weak_gains_what_reaches_the_limit() -> None:
    tuned = TunedMap("arkit52")
    played = performance(AU12_L=bell(0.4))
    finding = found(tuned.load(), played, "weak", "mouthSmileLeft")
    assert "0.40 of 1.00" in finding.says
    assert finding.parts[0][0] == "AU12_L"
    for proposal in finding.proposals:
        peak = record(tuned.change(proposal.changes), played).value("mouthSmileLeft").max()
        assert peak == pytest.approx(1.0, abs=0.02), proposal.says
        tuned.undo()


def test_nothing_drives_it() -> None:
    rig = load_map("arkit52")
    finding = found(rig, performance(), "open", "eyeBlinkLeft")
    assert "nothing drove it" in finding.says
    assert finding.proposals == ()
    assert "Nothing drives it" in found(rig, performance(), "weak", "tongueOut").says


def test_jitter_is_measured_and_filtered_as_told() -> None:
    rng = np.random.default_rng(1)
    tuned = TunedMap("arkit52")
    noisy = np.clip(0.3 + rng.normal(0, 0.01, T), 0, 1)
    played = performance(AU26=noisy)
    before = jitter_of(record(tuned.load(), played).value("jawOpen"))
    assert before == pytest.approx(0.01, rel=0.15)
    finding = found(tuned.load(), played, "jitters", "jawOpen")
    assert "ms later" in finding.proposals[0].says
    smooth = record(tuned.change(finding.proposals[0].changes), played).value("jawOpen")
    assert smooth[60:].std() == pytest.approx(0.35 * noisy[60:].std(), rel=0.3)


def test_jitter_ignores_motion() -> None:
    moving = np.sin(np.linspace(0, 20, T)) * 0.5
    assert jitter_of(moving) < 0.001


def test_a_leak_is_held_back_by_the_action_that_leaks() -> None:
    tuned = TunedMap("arkit52")
    smile = bell(0.9)
    played = performance(AU12_L=smile, AU12_R=smile, AU20_L=0.3 * smile)
    finding = found(tuned.load(), played, "leaks", "mouthStretchLeft")
    assert "AU20_L gives" in finding.says
    held = [p for p in finding.proposals if "suppress" in p.changes["mouthStretchLeft"]]
    assert "AU12" in held[0].says
    for proposal in finding.proposals:
        after = record(tuned.change(proposal.changes), played).value("mouthStretchLeft")
        assert after.max() < 0.5 * 0.27, proposal.says
        tuned.undo()


def test_an_action_is_not_held_back_by_its_other_side() -> None:
    """It would end every smile of both sides."""
    smile = bell(0.9)
    played = performance(AU12_L=smile, AU12_R=smile)
    finding = found(load_map("arkit52"), played, "leaks", "mouthSmileLeft")
    assert finding.says.startswith("While it moved: AU12_L gives")
    assert not any("suppress" in each.changes["mouthSmileLeft"] for each in finding.proposals)


def test_the_wrong_side_exchanges_actions() -> None:
    tuned = TunedMap("arkit52")
    played = performance(AU12_L=bell(0.8))
    finding = found(tuned.load(), played, "side", "mouthSmileLeft")
    after = record(tuned.change(finding.proposals[0].changes), played)
    assert after.value("mouthSmileLeft").max() == 0
    assert after.value("mouthSmileRight").max() == pytest.approx(0.8, abs=0.01)
    assert found(tuned.load(), played, "side", "jawOpen").proposals == ()


def test_bad_questions() -> None:
    rig = load_map("arkit52")
    rules = {rule.name: rule for rule in rig.rules}
    good = record(rig, performance())
    with pytest.raises(ConfigError, match="expected one of"):
        diagnose("ugly", "jawOpen", rules, good)
    with pytest.raises(ConfigError, match="no control"):
        diagnose("weak", "tail", rules, good)
    with pytest.raises(ConfigError, match="less than a second"):
        diagnose("weak", "jawOpen", rules, replace(good, t_s=good.t_s[:5]))
