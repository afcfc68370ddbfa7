"""Agreement, missed and added codes, letters apart; packs and their errors."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefacs.errors import ConfigError
from livefacs.mirror.coding import Tally, agreement_index, compare
from livefacs.mirror.packs import SchemeParser, load_pack, load_packs
from livefacs.vocab.facs import letter_from_intensity
from livefacs.vocab.notation import parse_notation

PACK = """
schema = 1
name = "mine"
title = "My clips"
rights = "my own"
source = "my camera"
{more}
[[item]]
name = "one"
clip = "clip.mp4"
start = 0
end = 30
apex = 20
key = "{key}"
"""


def test_worked_example_of_the_agreement_index() -> None:
    comparison = compare(parse_notation("1+2+5+6+12"), parse_notation("5+6+12"))
    assert comparison.index == 0.75
    assert comparison.agreed == ("5", "6", "12")
    assert comparison.missed == ("1", "2")
    assert comparison.added == ()


def test_letters_are_compared_apart_and_do_not_count() -> None:
    comparison = compare(parse_notation("1C+2D+12E"), parse_notation("1C+2C+12A"))
    assert comparison.index == 1.0
    assert (comparison.letters_equal, comparison.letters_near) == (1, 2)
    assert comparison.letters_compared == 3


def test_both_sides_apart_are_one_code_with_the_higher_letter() -> None:
    comparison = compare(parse_notation("12C"), parse_notation("L12C+R12B"))
    assert comparison.index == 1.0
    assert comparison.letters == (("12", "C", "C"),)
    assert comparison.sides_differ == ()


def test_wrong_side_is_named() -> None:
    assert compare(parse_notation("L12C"), parse_notation("R12C")).sides_differ == ("12",)


def test_optional_codes_neither_help_nor_cost() -> None:
    key, free = parse_notation("26"), parse_notation("25+27")
    without = compare(key, parse_notation("26"), free)
    assert without.index == compare(key, parse_notation("25+26"), free).index == 1.0
    assert compare(key, parse_notation("25+26"), free).optional == ("25",)


def test_neutral_on_both_sides_agrees() -> None:
    assert compare(parse_notation("0"), ()).index == 1.0


@given(st.sets(st.sampled_from("1 2 4 5 6 12")), st.sets(st.sampled_from("1 2 4 5 6 12")))
def test_index_is_symmetric_and_bounded(one: set[str], other: set[str]) -> None:
    index = agreement_index(one, other)
    assert index == agreement_index(other, one)
    assert 0 <= index <= 1
    assert (index == 1) == (one == other)


def test_tally_counts_key_missed_and_added() -> None:
    tally = Tally()
    tally.add(compare(parse_notation("1+2"), parse_notation("1+4")))
    tally.add(compare(parse_notation("2"), parse_notation("2")))
    assert tally.mean_index == pytest.approx(0.75)
    rows = {row["code"]: row for row in tally.rows()}
    assert rows["2"] == {"code": "2", "in_key": 2, "missed": 1, "added": 0}
    assert rows["4"] == {"code": "4", "in_key": 0, "missed": 0, "added": 1}


def test_other_schemes_take_their_own_codes() -> None:
    parse = SchemeParser("MaqFACS", ["AU1+2", "AU1", "AU12", "EAU3"])
    assert [str(score) for score in parse("AU1+2 + LAU12C+EAU3")] == ["AU1+2", "LAU12C", "EAU3"]
    with pytest.raises(ConfigError, match="'AU99' is no code of MaqFACS"):
        parse("AU1+AU99")
    with pytest.raises(ConfigError, match="missing after the last"):
        parse("AU1+")


def test_shipped_packs_are_sound() -> None:
    library = load_packs()
    assert library.errors == ()
    assert len(library.packs["performer"].items) == 9


def test_pack_of_another_scheme_lists_its_codes(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    path = tmp_path / "pack.toml"
    more = 'scheme = "callifacs"\n[codes]\nX1 = "a movement"\n'
    path.write_text(PACK.format(more=more, key="X1"))
    pack = load_pack(path)
    assert pack.scheme == "CalliFACS"
    assert [str(score) for score in pack.items["one"].key] == ["X1"]
    path.write_text(PACK.format(more='scheme = "callifacs"', key="X1"))
    with pytest.raises(ConfigError, match="list them in"):
        load_pack(path)


def test_all_errors_of_a_pack_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pack.toml"
    path.write_text(
        PACK.format(more="", key="1+999") + PACK.format(more="", key="2").split("\n\n")[-1]
    )
    with pytest.raises(ConfigError) as caught:
        load_pack(path)
    assert len(caught.value.errors) >= 2
    path.write_text('schema = 1\nname = "A b"\npass_line = 7\nbogus = 1\n')
    with pytest.raises(ConfigError) as caught:
        load_pack(path)
    told = " ".join(caught.value.errors)
    assert all(word in told for word in ("name", "pass_line", "bogus", "rights", "item"))


def test_pack_may_not_leave_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"x")
    folder = tmp_path / "pack"
    folder.mkdir()
    text = PACK.format(more="", key="1").replace("clip.mp4", "../secret.mp4")
    (folder / "pack.toml").write_text(text)
    with pytest.raises(ConfigError, match="leads out of the pack"):
        load_pack(folder / "pack.toml")


def test_broken_pack_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "pack.toml").write_text("not toml [")
    library = load_packs([tmp_path])
    assert library.packs == {}
    assert "pack.toml:1: not TOML" in library.errors[0]


SHAPES_OF = {
    "1": ("browInnerUp",), "2": ("browOuterUp",), "4": ("browDown",), "5": ("eyeWide",),
    "6": ("cheekSquint", "cheekRaiser"), "9": ("noseSneer",), "10": ("mouthUpperUp",),
    "12": ("mouthSmile",), "15": ("mouthFrown",), "17": ("mouthShrugLower",),
    "18": ("mouthPucker",), "22": ("mouthFunnel",), "26": ("jawOpen",),
    "45": ("eyeBlink",), "46": ("eyeBlink",),
}  # fmt: skip


@pytest.mark.facebench
def test_key_of_the_performer_is_what_the_animation_says(facebench: Path) -> None:
    """Every code's coefficient at the apex gives its letter, and no other code is there."""
    with (facebench / "clips" / "performer.csv").open() as file:
        rows = list(csv.DictReader(file))
    for item in load_packs().packs["performer"].items.values():
        row = {name: float(value) for name, value in rows[item.apex].items()}
        found = {}
        for code, shapes in SHAPES_OF.items():
            sides = {
                side: min(
                    1.0, sum(row.get(f"{shape}_{side}", row.get(shape, 0)) for shape in shapes)
                )
                for side in "LR"
            }
            one_eye = (sides["L"] >= 0.15) != (sides["R"] >= 0.15)
            if max(sides.values()) >= 0.15 and (
                code not in {"45", "46"} or one_eye == (code == "46")
            ):
                side = "" if sides["L"] == sides["R"] else max(sides, key=lambda s: sides[s])
                found[code] = (side, letter_from_intensity(max(sides.values())))
        key = {score.code: (score.side, score.letter) for score in item.key}
        assert set(key) == set(found), item.name
        for code, (side, letter) in key.items():
            assert side == found[code][0], (item.name, code)
            assert letter in ("", found[code][1]), (item.name, code)
