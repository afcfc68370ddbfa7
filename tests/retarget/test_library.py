from __future__ import annotations

from pathlib import Path

import pytest

from livefacs.errors import RigMapError
from livefacs.resources import user_rigs_folder
from livefacs.retarget.library import find_rig, load_map, load_rig, rig_names
from livefacs.retarget.retargeter import Retargeter
from livefacs.retarget.rules import ControlRule
from livefacs.retarget.words import map_words, shape_words, source_words
from tests.retarget.making import HEADER, by_name, frame, write_map

SIDED = '[controls."smile{side}"]\nterms = { "AU12_{side}" = 1.0, AU6 = 0.5 }\n'


def rule_of(path: Path, control: str) -> ControlRule:
    return next(rule for rule in load_map(path).rules if rule.name == control)


def test_one_sided_rule_makes_both_sides(tmp_path: Path) -> None:
    path = write_map(tmp_path, SIDED)
    left, right = load_map(path).rules
    assert (left.name, left.side, left.partner) == ("smileLeft", "L", "smileRight")
    assert (right.name, right.side, right.partner) == ("smileRight", "R", "smileLeft")
    assert dict(left.terms) == {"AU12_L": 1.0, "AU6": 0.5}
    assert dict(right.terms) == {"AU12_R": 1.0, "AU6": 0.5}


def test_sides_are_spelled_as_the_rig_spells_them(tmp_path: Path) -> None:
    header = HEADER + 'side_names = ["_l", "_r"]\n'
    own = '[controls."eye{side}Open"]\nside_names = ["A", "B"]\nterms = { "AU5_{side}" = 1.0 }\n'
    path = write_map(tmp_path, SIDED + own, header=header)
    assert load_map(path).controls == ("smile_l", "smile_r", "eyeAOpen", "eyeBOpen")


def test_asymmetry_gain_widens_and_closes_the_gap(tmp_path: Path) -> None:
    units = {"AU12_L": 0.6, "AU12_R": 0.4}
    for gain, left, right in ((1.0, 0.6, 0.4), (2.0, 0.7, 0.3), (0.0, 0.5, 0.5)):
        body = f'[controls."s{{side}}"]\nterms = {{ "AU12_{{side}}" = 1.0 }}\nasymmetry = {gain}\n'
        made = by_name(Retargeter(load_rig(write_map(tmp_path, body))).retarget(frame(units)))
        assert made["sLeft"] == pytest.approx(left)
        assert made["sRight"] == pytest.approx(right)


def test_a_child_changes_single_keys_of_its_parent(tmp_path: Path) -> None:
    write_map(tmp_path, SIDED + "[controls.jaw]\nterms = { AU26 = 1.0 }\ngain = 0.5\n", "parent")
    body = "[controls.jaw]\nterms = { AU27 = 2.0 }\n[controls.smileLeft]\ngain = 3.0\n"
    child = write_map(tmp_path, body, "child", HEADER + 'extends = "parent"\n')
    assert load_map(child).controls == ("smileLeft", "smileRight", "jaw")
    jaw = rule_of(child, "jaw")
    assert (dict(jaw.terms), jaw.gain) == ({"AU27": 2.0}, 0.5)
    smile = rule_of(child, "smileLeft")
    assert (dict(smile.terms), smile.gain, smile.partner) == (
        {"AU12_L": 1.0, "AU6": 0.5},
        3.0,
        "smileRight",
    )
    assert rule_of(child, "smileRight").gain == 1.0
    assert [path.stem for path in load_map(child).files] == ["child", "parent"]


def test_a_child_removes_and_silences(tmp_path: Path) -> None:
    write_map(tmp_path, SIDED + "[controls.jaw]\nterms = { AU26 = 1.0 }\n", "parent")
    header = HEADER + 'extends = "parent"\nremove = ["smileRight"]\n'
    child = write_map(tmp_path, '[controls.jaw]\nundriven = "no jaw"\n', "child", header)
    assert load_map(child).controls == ("smileLeft", "jaw")
    assert rule_of(child, "jaw").undriven == "no jaw"
    bad = write_map(tmp_path, "", "bad", header.replace("smileRight", "smileRihgt"))
    with pytest.raises(RigMapError, match="did you mean 'smileRight'"):
        load_map(bad)


def test_defaults_of_the_child_win_over_those_of_the_parent(tmp_path: Path) -> None:
    write_map(tmp_path, "[defaults]\ngain = 2.0\ndead_zone = 0.1\n" + SIDED, "parent")
    header = HEADER + 'extends = "parent"\n'
    child = write_map(tmp_path, "[defaults]\ngain = 4.0\n", "child", header)
    rule = rule_of(child, "smileLeft")
    assert (rule.gain, rule.dead_zone) == (4.0, 0.1)


def test_errors_of_the_parent_are_the_childs_too(tmp_path: Path) -> None:
    parent = write_map(tmp_path, "[controls.jaw]\nterms = { AU99 = 1.0 }\n", "parent")
    header = HEADER + 'extends = "parent"\n'
    child = write_map(tmp_path, "[controls.b]\nterms = { AU98 = 1.0 }\n", "child", header)
    with pytest.raises(RigMapError) as caught:
        load_map(child)
    assert sorted(error.split(":")[0] for error in caught.value.errors) == sorted(
        map(str, (child, parent))
    )


def test_circles_and_unknown_parents_are_errors(tmp_path: Path) -> None:
    a = write_map(tmp_path, SIDED, "a", HEADER + 'extends = "b"\n')
    write_map(tmp_path, SIDED, "b", HEADER + 'extends = "a"\n')
    with pytest.raises(RigMapError, match="in a circle"):
        load_map(a)
    c = write_map(tmp_path, SIDED, "c", HEADER + 'extends = "arkit51"\n')
    with pytest.raises(RigMapError, match="did you mean 'arkit52'"):
        load_map(c)


def test_the_users_own_maps_are_found_first_and_may_extend_shipped_ones() -> None:
    folder = user_rigs_folder()
    folder.mkdir(parents=True)
    shipped = find_rig("arkit52")
    header = HEADER + 'extends = "arkit52"\n'
    write_map(folder, '[controls."mouthSmile{side}"]\ngain = 1.5\n', "arkit52", header)
    write_map(folder, "", "mine", header)
    assert find_rig("arkit52").parent == folder
    assert load_map("arkit52").files[1] == shipped
    assert len(load_map("mine").rules) == 52
    assert "mine" in rig_names()
    smile = next(rule for rule in load_map("mine").rules if rule.name == "mouthSmileLeft")
    assert smile.gain == 1.5


def test_rules_read_well(tmp_path: Path) -> None:
    body = """
[controls.a]
terms = { AU26 = 1.0, AU27 = -0.5 }
combine = [{ product = ["AU6", "AU12"], weight = 0.7 }, { largest = { AU45 = 1, AU43 = 0.5 } }]
suppress = { AU25 = 0.3 }
gain = 2
offset = 1
curve = "ease_in"
dead_zone = 0.1
smoothing = { time_constant_ms = 40 }
"""
    rule = rule_of(write_map(tmp_path, body), "a")
    assert source_words(rule) == (
        "AU26 - 0.5 AU27 + 0.7 AU6 × AU12 + largest of (AU45, 0.5 AU43), held back by 0.3 AU25"
    )
    assert shape_words(rule) == ("gain 2, rests at 1, dead zone 0.1, ease in, smoothed over 40 ms")


def test_both_sides_of_a_rule_read_as_one_line(tmp_path: Path) -> None:
    own = '[controls."eye{side}Open"]\nside_names = ["L", "R"]\nterms = { "AU5_{side}" = 1.0 }\n'
    lines = map_words(load_map(write_map(tmp_path, SIDED + own)))
    assert [(line.control, line.source) for line in lines] == [
        ("smileLeft|Right", "AU12_L|R + 0.5 AU6"),
        ("eyeL|ROpen", "AU5_L|R"),
    ]
    changed = write_map(
        tmp_path, "[controls.smileLeft]\ngain = 2.0\n", "b", HEADER + 'extends = "rig"\n'
    )
    assert [line.control for line in map_words(load_map(changed))] == [
        "smileLeft",
        "smileRight",
        "eyeL|ROpen",
    ]
