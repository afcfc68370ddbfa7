"""Changes written into a map that extends another: what is kept, refused, undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefacs.errors import ConfigError, RigMapError
from livefacs.resources import rigs_folder, user_rigs_folder
from livefacs.retarget.library import find_rig, load_map
from livefacs.retarget.rules import ControlRule
from livefacs.retarget.tuning import TunedMap, new_map


def rule(tuned: TunedMap, name: str) -> ControlRule:
    return next(rule for rule in tuned.load().rules if rule.name == name)


def test_a_shipped_map_is_extended_under_its_own_name() -> None:
    shipped = (rigs_folder() / "arkit52.toml").read_text()
    tuned = TunedMap("arkit52")
    tuned.change({"mouthSmileLeft": {"gain": 1.5, "curve": [[0, 0], [0.5, 0.8], [1, 1]]}})
    assert tuned.path == user_rigs_folder() / "arkit52.toml"
    assert find_rig("arkit52") == tuned.path
    assert (rigs_folder() / "arkit52.toml").read_text() == shipped
    assert rule(tuned, "mouthSmileLeft").gain == 1.5
    assert rule(tuned, "mouthSmileLeft").curve == ((0, 0), (0.5, 0.8), (1, 1))
    assert rule(tuned, "mouthSmileLeft").partner == "mouthSmileRight"
    assert rule(tuned, "mouthSmileRight").gain == 1.0
    text = tuned.path.read_text()
    assert "jawOpen" not in text  # only what differs
    assert tuned.written_keys() == {"mouthSmileLeft": ("gain", "curve")}


OWN = """# My fox.
[rig]
title = "fox"  # the best
audience = "a film"
names_from = "the rigger"
extends = "arkit52"

# Smiles are big.
[controls."mouthSmile{side}"]
gain = 1.2 # as he likes it

[controls.jawOpen]
dead_zone = 0.05
"""


@pytest.fixture
def fox(tmp_path: Path) -> TunedMap:
    path = tmp_path / "fox.toml"
    path.write_text(OWN)
    return TunedMap(str(path))


def test_comments_and_order_of_a_file_stay(fox: TunedMap) -> None:
    fox.change({"jawOpen": {"gain": 0.9}})
    text = fox.path.read_text()
    assert text.startswith(OWN.rstrip("\n"))
    assert text.removeprefix(OWN.rstrip("\n")).strip() == "gain = 0.9"


def test_one_side_of_a_rule_for_both_makes_two(fox: TunedMap) -> None:
    fox.change({"mouthSmileLeft": {"gain": 2}})
    assert rule(fox, "mouthSmileLeft").gain == 2
    assert rule(fox, "mouthSmileRight").gain == 1.2
    assert rule(fox, "mouthSmileRight").terms == {"AU12_R": 1.0}
    assert "# My fox." in fox.path.read_text()


def test_what_would_be_a_error_is_refused_and_the_file_stands(fox: TunedMap) -> None:
    for keys in ({"limits": [1, 0]}, {"terms": {"AU99": 1.0}}, {"gain": "much"}, {"curve": "bent"}):
        with pytest.raises(RigMapError) as refused:
            fox.change({"jawOpen": keys})
        assert any("jawOpen" in error for error in refused.value.errors)
        assert fox.path.read_text() == OWN
    with pytest.raises(ConfigError, match="cannot be tuned"):
        fox.change({"jawOpen": {"side_names": ["a", "b"]}})
    assert not fox.can_undo


def test_undo_and_redo_go_through_every_step(fox: TunedMap) -> None:
    gains = [1.1, 1.2, 1.3]
    for gain in gains:
        fox.change({"jawOpen": {"gain": gain}})
    texts = []
    while fox.can_undo:
        texts.append(fox.path.read_text())
        fox.undo()
    assert len(texts) == 3
    assert fox.path.read_text() == OWN
    with pytest.raises(ConfigError, match="nothing to undo"):
        fox.undo()
    for text in reversed(texts):
        fox.redo()
        assert fox.path.read_text() == text
    fox.undo()
    fox.change({"jawOpen": {"gain": 5}})
    assert not fox.can_redo


def test_changes_of_one_gesture_are_undone_together(fox: TunedMap) -> None:
    text = fox.path.read_text()
    fox.change({"mouthSmileLeft": {"gain": 1.2}}, "a")  # as it is: nothing to undo
    for gain in (1.3, 1.4, 1.5):
        fox.change({"mouthSmileLeft": {"gain": gain}}, "a")
    dragged = fox.path.read_text()
    fox.change({"mouthSmileLeft": {"gain": 1.6}}, "b")
    fox.undo()
    assert fox.path.read_text() == dragged
    fox.undo()
    assert fox.path.read_text() == text
    assert not fox.can_undo
    fox.redo()
    assert fox.path.read_text() == dragged


def test_an_edit_by_hand_within_a_gesture_is_kept(fox: TunedMap) -> None:
    fox.change({"mouthSmileLeft": {"gain": 1.3}}, "a")
    by_hand = fox.path.read_text().replace("1.3", "1.9")
    fox.path.write_text(by_hand)
    fox.change({"mouthSmileLeft": {"gain": 1.4}}, "a")
    fox.undo()
    assert fox.path.read_text() == by_hand


def test_undoing_the_first_change_of_a_shipped_map_leaves_no_file() -> None:
    tuned = TunedMap("arkit52")
    tuned.change({"jawOpen": {"gain": 2}})
    tuned.undo()
    assert not tuned.path.exists()
    assert rule(tuned, "jawOpen").gain == 1.0


def test_a_reset_takes_a_control_out(fox: TunedMap) -> None:
    fox.reset("mouthSmileLeft")
    assert rule(fox, "mouthSmileLeft").gain == 1.0
    assert rule(fox, "mouthSmileRight").gain == 1.2


def test_an_edit_by_hand_can_be_undone_too(fox: TunedMap) -> None:
    assert not fox.note_edit()
    fox.path.write_text(OWN.replace("1.2", "1.9"))
    assert fox.note_edit()
    fox.undo()
    assert rule(fox, "mouthSmileLeft").gain == 1.2


def test_a_broken_file_is_not_written_over(fox: TunedMap) -> None:
    fox.path.write_text("[rig\n")
    with pytest.raises(RigMapError, match="mend it first"):
        fox.change({"jawOpen": {"gain": 2}})
    assert fox.path.read_text() == "[rig\n"


def test_new_maps(tmp_path: Path) -> None:
    path = new_map("fox", "arkit52", tmp_path)
    made = load_map(path)
    assert made.controls == load_map("arkit52").controls
    assert made.vocabulary == "arkit52"
    for name, base, word in (
        ("fox", "arkit52", "exists"),
        ("../fox", "arkit52", "letters"),
        ("arkit52", "arkit52", "would extend"),
        ("bear", "nothing", "no rig"),
    ):
        with pytest.raises(ConfigError, match=word):
            new_map(name, base, tmp_path)
