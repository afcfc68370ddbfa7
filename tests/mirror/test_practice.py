"""Drills: files, errors, and scores of attempts whose outcome is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefacs.errors import ConfigError
from livefacs.mirror.drills import Drill, drill_from_table, load_drills
from livefacs.mirror.practice import SETTLE_S, DrillRun
from livefacs.mirror.schema import DrillTable
from livefacs.mirror.scoring import Result
from livefacs.take.layout import TakeInfo
from livefacs.take.writer import TakeWriter
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from tests.mirror.conftest import make_frame

RATE = 30


def drill(kind: str = "hold", actions: tuple[str, ...] = ("12",), **more: Any) -> Drill:
    table = {"name": "d", "title": "D", "kind": kind, "actions": list(actions), **more}
    return drill_from_table(DrillTable.model_validate(table), "Set")


def perform(of: Drill, levels: Callable[[float], dict[str, float]], seconds: float) -> Result:
    """Run a drill; ``levels(t)`` gives channels by time after the settling."""
    run = DrillRun(of)
    for i in range(math.ceil((SETTLE_S + seconds) * RATE) + 3):
        values = np.zeros(N_AU, np.float32)
        t_s = i / RATE
        if run.phase == "go":
            for channel, level in levels(t_s - SETTLE_S).items():
                values[CHANNEL_INDEX[channel]] = level
        run.step(t_s, values, True)
    assert run.phase == "done"
    assert run.result is not None
    return run.result


def both(level: float) -> dict[str, float]:
    return {"AU12_L": level, "AU12_R": level}


def test_a_clean_hold_passes_with_full_marks() -> None:
    result = perform(drill(level="C", hold_s=1.0), lambda t: both(0.4 if t > 1 else 0.0), 3)
    assert result.passed
    assert result.total > 97
    assert result.intruders == ()
    assert result.advice.key == "good"


def test_not_reaching_the_letter_fails_and_says_how_far() -> None:
    result = perform(drill(level="D", time_limit_s=4), lambda t: both(0.4), 4)
    assert not result.passed
    assert result.advice.key == "not_reached"
    assert result.advice.values["letter"] == "C"
    assert result.advice.values["level"] == "D"


def test_nothing_moved_is_told() -> None:
    result = perform(drill(time_limit_s=3), lambda t: {}, 3)
    assert not result.passed
    assert result.advice.key == "nothing"


def test_letting_go_too_early_fails() -> None:
    result = perform(
        drill(level="C", hold_s=2.0, time_limit_s=4), lambda t: both(0.5 if 1 < t < 2 else 0), 4
    )
    assert not result.passed
    assert result.advice.key == "not_held"


def test_intruder_is_named_and_measured() -> None:
    of = drill("isolate", level="B", hold_s=1.0)
    result = perform(of, lambda t: {**both(0.3), "AU4_L": 0.5}, 3)
    assert not result.passed
    assert result.intruders[0] == ("AU4_L", pytest.approx(0.5))
    assert (result.advice.key, result.advice.values["channel"]) == ("intruder", "AU4_L")
    assert perform(of, lambda t: both(0.3), 3).passed


def test_what_rested_high_is_no_intruder() -> None:
    run = DrillRun(drill("isolate", level="B", hold_s=0.5))
    values = np.zeros(N_AU, np.float32)
    values[CHANNEL_INDEX["AU4_L"]] = 0.5  # a resting face that the estimator takes for a frown
    for i in range(90):
        if run.phase == "go":
            values[CHANNEL_INDEX["AU12_L"]] = values[CHANNEL_INDEX["AU12_R"]] = 0.4
        run.step(i / RATE, values.copy(), True)
    assert run.result is not None
    assert run.result.intruders == ()


def test_a_blink_does_not_count_as_an_intruder() -> None:
    blink = {"AU45_L": 1.0, "AU45_R": 1.0}
    result = perform(
        drill("isolate", hold_s=1.0),
        lambda t: {**both(0.4), **(blink if 0.5 < t < 0.65 else {})},
        3,
    )
    assert result.intruders == ()


def test_one_side_wants_the_other_quiet() -> None:
    of = drill("one-side", side="left", level="B", hold_s=0.5)
    assert perform(of, lambda t: {"AU12_L": 0.5}, 3).passed
    failed = perform(of, lambda t: {"AU12_L": 0.5, "AU12_R": 0.5}, 3)
    assert not failed.passed
    assert failed.advice.key == "other_side"
    assert not perform(
        drill("one-side", side="left", time_limit_s=3), lambda t: {"AU12_R": 0.5}, 3
    ).reached


def test_symmetry_names_the_weaker_side() -> None:
    of = drill("symmetry", level="B", hold_s=0.5)
    assert perform(of, lambda t: both(0.5), 3).passed
    uneven = perform(of, lambda t: {"AU12_L": 0.5, "AU12_R": 0.2}, 3)
    assert not uneven.passed
    assert uneven.parts["symmetry"] == pytest.approx(40, abs=1)
    assert uneven.advice.values["channel"] == "AU12_R"


def test_a_combination_needs_every_action() -> None:
    of = drill("combine", ("6", "12"), level="C", hold_s=0.5, time_limit_s=3)
    six = {"AU6_L": 0.5, "AU6_R": 0.5}
    assert perform(of, lambda t: {**both(0.5), **six}, 3).passed
    assert not perform(of, lambda t: both(0.9), 3).passed


RAMP = [[0.0, 0.0], [1.0, 0.0], [4.0, 0.6], [5.0, 0.6], [6.0, 0.0]]


def ramp(t: float) -> float:
    return float(np.interp(t, *np.array(RAMP).T))


def test_following_a_curve_measures_the_lag() -> None:
    of = drill("ramp", curve=RAMP)
    assert perform(of, lambda t: both(ramp(t)), 6).total > 97
    late = perform(of, lambda t: both(ramp(t - 0.4)), 6)
    assert late.lag_s == pytest.approx(0.4, abs=0.05)
    assert late.passed
    assert late.total < 97
    assert not perform(of, lambda t: both(0.0), 6).passed


def test_alternation_counts_turns() -> None:
    of = drill("alternate", level="B", cycles=3, time_limit_s=6)
    swing = perform(of, lambda t: both(0.5 if t % 1 < 0.5 else 0.0), 6)
    assert swing.passed
    assert not perform(of, lambda t: both(0.5), 6).passed
    turns = drill("alternate", ("18", "12"), level="B", cycles=2, time_limit_s=8)
    result = perform(turns, lambda t: {"AU18": 0.6} if int(t) % 2 == 0 else both(0.6), 8)
    assert result.passed


def test_without_a_face_nothing_is_scored() -> None:
    run = DrillRun(drill(time_limit_s=2))
    for i in range(300):
        run.step(i / RATE, np.zeros(N_AU, np.float32), i < 50)
    assert run.phase == "done"
    assert run.result is not None
    assert not run.result.passed


def test_unknown_values_are_no_movement() -> None:
    run = DrillRun(drill(time_limit_s=2))
    for i in range(120):
        run.step(i / RATE, np.full(N_AU, np.nan, np.float32), True)
    assert run.result is not None
    assert math.isfinite(run.result.total)


def test_every_shipped_drill_can_be_passed_by_a_perfect_face() -> None:
    library = load_drills()
    assert library.errors == ()
    assert len(library.drills) > 40
    for each in library.drills.values():
        if each.kind == "letters":  # what is asked depends on what was given: test_intensity
            continue
        result = perform(each, lambda t, each=each: _perfect(each, t), each.length_s)
        assert result.passed, (each.name, result)


def _perfect(of: Drill, t: float) -> dict[str, float]:
    if of.curve:
        level = float(np.interp(t, *np.array(of.curve).T))
        return dict.fromkeys(of.targets, level)
    if of.kind != "alternate":
        return dict.fromkeys(of.targets, min(1.0, of.floor + 0.05))
    step = int(t / 0.5)
    names = [[n for n in of.targets if CHANNEL_INDEX[n] in group] for group in of.groups]
    if len(names) == 1:
        return dict.fromkeys(names[0], 0.5 if step % 2 == 0 else 0.0)
    return dict.fromkeys(names[step % 2], 0.5)


def test_all_errors_of_a_drill_file_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "drills.toml"
    path.write_text(
        'schema = 1\ntitle = "T"\n'
        '[[drill]]\nname = "a"\ntitle = "A"\nkind = "dance"\nactions = []\n'
        '[[drill]]\nname = "b"\ntitle = "B"\nkind = "ramp"\nactions = ["12"]\n'
        '[[drill]]\nname = "c"\ntitle = "C"\nkind = "one-side"\nactions = ["12"]\nlevle = "C"\n'
    )
    library = load_drills([tmp_path])
    told = library.errors[0]
    assert library.drills == {}
    assert all(
        word in told for word in ("drill[1].kind", "drill[1].actions", "a ramp needs", "levle")
    )


def test_unmeasured_and_unknown_actions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d.toml").write_text(
        'schema = 1\ntitle = "T"\n'
        '[[drill]]\nname = "a"\ntitle = "A"\nkind = "hold"\nactions = ["21", "77"]\n'
    )
    told = load_drills([tmp_path]).errors[0]
    assert "'21' is not measured" in told
    assert "no FACS code '77'" in told


@pytest.mark.parametrize(
    "curve", [[[0, 0], [0, 1]], [[1, 0], [2, 1]], [[0, 0], [1, 2]], [[0, 0], [500, 1]]]
)
def test_impossible_curves_are_refused(curve: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="curve"):
        DrillTable.model_validate(
            {"name": "a", "title": "A", "kind": "ramp", "actions": ["12"], "curve": curve}
        )


def test_a_take_can_be_followed(tmp_path: Path) -> None:
    folder = tmp_path / "lead"
    folder.mkdir()
    writer = TakeWriter(folder, TakeInfo(rate_hz=30.0))
    levels = [0.5 * math.sin(i / 30) ** 2 for i in range(90)]
    writer.append([make_frame(i, AU12_L=v, AU12_R=v) for i, v in enumerate(levels)])
    writer.close()
    (tmp_path / "d.toml").write_text(
        'schema = 1\ntitle = "T"\n[[drill]]\nname = "a"\ntitle = "A"\nkind = "follow"\n'
        'actions = ["12"]\ntake = "lead"\n'
        '[[drill]]\nname = "b"\ntitle = "B"\nkind = "follow"\nactions = ["12"]\ntake = "gone"\n'
    )
    assert "take 'gone' cannot be followed" in load_drills([tmp_path]).errors[0]
    text = (tmp_path / "d.toml").read_text().partition('[[drill]]\nname = "b"')[0]
    (tmp_path / "d.toml").write_text(text)
    library = load_drills([tmp_path])
    assert library.errors == ()
    curve = np.array(library.drills["a"].curve)
    assert curve[:, 1] == pytest.approx(0.5 * np.sin(curve[:, 0]) ** 2, abs=0.01)


def test_error_type_is_the_projects_own() -> None:
    with pytest.raises(ConfigError):
        drill(actions=("nonsense",))


def test_a_face_lost_for_a_moment_does_not_end_the_hold() -> None:
    """.3 s away are waited for and do not count; .7 s away end the hold."""
    for lost_s, held in ((0.3, True), (0.7, False)):
        run = DrillRun(drill(level="C", hold_s=2.0, time_limit_s=20))
        values = np.zeros(N_AU, np.float32)
        for channel, level in both(0.5).items():
            values[CHANNEL_INDEX[channel]] = level
        rest = np.zeros(N_AU, np.float32)
        t_s = 0.0
        while run.phase == "settle":
            run.step(t_s, rest, True)
            t_s += 1 / RATE
        began_s = t_s
        while t_s < began_s + 1.0:
            run.step(t_s, values, True)
            t_s += 1 / RATE
        lost_until_s = t_s + lost_s
        while t_s < lost_until_s:
            run.step(t_s, rest, False)
            assert run.state()["face"] is False
            t_s += 1 / RATE
        run.step(t_s, values, True)
        assert run.state()["face"] is True
        if held:
            assert run.state()["held_s"] == pytest.approx(1.0, abs=0.1)
        else:
            assert run.state()["held_s"] < 0.1


def test_the_page_is_told_each_side() -> None:
    run = DrillRun(drill("combine", ("12", "26"), level="C"))
    for i in range(60):
        values = np.zeros(N_AU, np.float32)
        for channel, level in {"AU12_L": 0.4, "AU12_R": 0.2, "AU26": 0.6}.items():
            values[CHANNEL_INDEX[channel]] = level
        run.step(i / RATE, values, True)
    assert run.state()["sides"] == pytest.approx({"L": 0.4, "R": 0.2, "": 0.6}, abs=1e-3)
    one = DrillRun(drill("one-side", ("12",), side="right"))
    for i in range(60):
        one.step(i / RATE, values, True)
    assert one.state()["sides"] == pytest.approx({"R": 0.2}, abs=1e-3)


def test_a_result_tells_its_rule() -> None:
    result = perform(drill("isolate", level="B", pass_score=55), lambda t: both(0.3), 3)
    assert result.document()["rule"] == {"total": 55.0, "part": "isolation", "mark": 60.0}
