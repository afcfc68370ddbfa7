from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livefacs.errors import RigMapError
from livefacs.files.toml import TomlFile
from livefacs.retarget.library import load_map, load_rig
from livefacs.retarget.schema import read_map_file
from tests.retarget.making import HEADER, write_map

BAD = """[rig]
title = "bad"
names_from = "x"
vocabulary = "arkit25"
extra = 1

[controls.jawOpen]
terms = { AU62x = 1.0, "AU12L" = "a" }
limit = [0, 1]

[controls."mouthSmile{side}"]
terms = { "AU12_{side}" = 1.0 }
limits = [1, 0]
curve = [
  [0, 0],
  [0.5, 1],
  [0.4, 1],
]
smoothing = { time_constant_ms = 40, min_cutoff_hz = 1 }

[controls.mouthSmileLeft]
terms = { "AU12_{side}" = 1.0 }
suppress = { head_yaw_deg = 0.5 }

[controls.foo]
combine = [{ product = ["AU1_L"] }, { largest = { AU1L = 1, AU2 = nan } },
  { product = ["AU1_L", "AU2_X"] }]
curve = "easein"
smoothing = "non"

[control.y]
"""
EXPECTED = (
    (1, "rig.audience: is missing"),
    (4, "did you mean 'arkit52'?"),
    (5, "rig.extra: unknown key"),
    (8, "got 'AU62x'; did you mean 'AU62'"),
    (8, "got 'AU12L'; did you mean 'AU12_L'"),
    (8, "expected a valid number, got 'a'"),
    (9, "unknown key; did you mean 'limits'?"),
    (13, "expected [lowest, highest], got [1.0, 0.0]"),
    (14, "expected points [drive, response] in order of rising drive"),
    (19, "expected either time_constant_ms (exponential) or min_cutoff_hz (One Euro)"),
    (21, "'mouthSmileLeft' is already written by line 11"),
    (22, "has {side}, but the control's name has not"),
    (23, "expected an action on the 0..1 scale, such as AU12_L, got 'head_yaw_deg'"),
    (26, "got 'AU1L'; did you mean 'AU1_L'"),
    (26, "expected 2 entries, got 1"),
    (26, "expected a finite number, got nan"),
    (27, "got 'AU2_X'"),
    (28, "got 'easein'; did you mean 'ease_in'"),
    (29, "got 'non'; did you mean 'none'?"),
    (31, "did you mean 'controls'?"),
)


def errors_of(path: Path) -> tuple[str, ...]:
    with pytest.raises(RigMapError) as caught:
        load_rig(path)
    return caught.value.errors


def test_all_errors_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(BAD)
    errors = errors_of(path)
    for line, words in EXPECTED:
        assert any(error.startswith(f"{path}:{line}:") and words in error for error in errors), (
            f"line {line}: {words}"
        )
    assert len(errors) == len(EXPECTED)


def test_a_mistyped_control_is_named_with_what_was_meant(tmp_path: Path) -> None:
    header = HEADER + 'vocabulary = "arkit52"\n'
    path = write_map(tmp_path, "[controls.jawOpne]\nterms = { AU26 = 1.0 }\n", header=header)
    (error,) = errors_of(path)
    assert error.startswith(f"{path}:7:")
    assert "did you mean 'jawOpen'" in error


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[controls.x]\n", "nothing drives it"),
        ('[controls.x]\nterms = { AU12 = 1 }\nundriven = "no"\n', "called undriven, but has terms"),
        ("[controls.x]\nterms = { AU12 = true }\n", "expected a valid number, got True"),
        ("[controls.x]\nterms = { AU12 = 1e9 }\n", "less than or equal to 1000000"),
        ("[controls.x]\nterms = { AU12 = 1 }\ndead_zone = 1.0\n", "less than 1"),
        (
            "[controls.x]\nterms = { AU12 = 1 }\nsuppress = { AU15 = 2 }\n",
            "less than or equal to 1",
        ),
        ("[controls.x]\nterms = { AU12 = 1 }\ncurve = [[0, 0]]\n", "two or more points"),
        ("[controls.x]\nterms = { AU12 = 1 }\nasymmetry = 2\n", "asymmetry needs both sides"),
        ("[controls.x]\nterms = 3\n", "expected a valid dictionary, got 3"),
        ("[controls]\nx = 3\n", "got 3"),
        ("controls = 3\n", "rig.controls: unknown key"),
        ("[defaults]\ngain = 'much'\n[controls.x]\nterms = { AU12 = 1 }\n", "got 'much'"),
        ("", "expected at least one [controls.NAME]"),
        ('[controls."a{side}"]\nside_names = ["L"]\nterms = { AU12 = 1 }\n', "expected 2 entries"),
        ("[controls.x]\ncombine = [{ weight = 1.0 }]\n", "expected either product"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(tmp_path: Path, body: str, words: str) -> None:
    assert any(words in error for error in errors_of(write_map(tmp_path, body)))


def test_a_file_that_is_not_toml_names_the_line(tmp_path: Path) -> None:
    path = write_map(tmp_path, "[controls.x]\nterms = { AU12 = \n")
    (error,) = errors_of(path)
    assert error.startswith(f"{path}:{HEADER.count(chr(10)) + 2}:")


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "noise.toml"
    path.write_bytes(b"\xff\xfe\x00rig")
    (error,) = errors_of(path)
    assert "cannot be read" in error


def test_an_empty_file_and_a_rig_that_is_no_table(tmp_path: Path) -> None:
    assert any("no [rig] table" in f for f in errors_of(write_map(tmp_path, "", header="")))
    assert errors_of(write_map(tmp_path, "rig = 3\ncontrols = 4\n", header=""))


def test_unknown_names_get_near_ones() -> None:
    with pytest.raises(RigMapError, match="did you mean 'arkit52'"):
        load_map("arkti52")
    with pytest.raises(RigMapError, match="expected a TOML file"):
        load_map("nowhere/at/all.toml")


keys = st.sampled_from(
    ("rig", "defaults", "controls", "title", "terms", "limits", "curve", "combine", "suppress", "x")
)
leaves = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(string.printable.replace("\r", "").replace("\x0b", "").replace("\x0c", ""), max_size=6),
    st.just("AU12_{side}"),
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=st.dictionaries(keys, values, max_size=4))
def test_no_document_breaks_the_reader(document: dict[str, Any]) -> None:
    source = TomlFile(Path("any.toml"), "# nothing\n", document)
    read_map_file(source)
    assert all(problem.words for problem in source.problems)
