"""The prompts of a recorded range of motion: read whole, every error told at once."""

from __future__ import annotations

import json

import pytest

from livefacs.au.prompts import load_prompts
from livefacs.errors import ConfigError

SOUND = {
    "neutral": [0, 3],
    "head": [3, 8],
    "prompts": [
        {"actions": ["AU6", "AU12"], "start_s": 8.0, "end_s": 10.6},
        {"actions": ["AU45_L"], "start_s": 10.6, "end_s": 13.2},
        {"actions": ["AD30_L"], "start_s": 13.2, "end_s": 15.8},
    ],
}


def written(tmp_path, document):
    path = tmp_path / "prompts.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_a_sound_file_comes_back(tmp_path):
    prompts = load_prompts(written(tmp_path, SOUND), 16.0)
    assert prompts.neutral == (0.0, 3.0)
    assert prompts.head == (3.0, 8.0)
    assert [each.name for each in prompts.prompts] == ["AU6+AU12", "AU45_L", "AD30_L"]


def test_head_turns_may_be_absent(tmp_path):
    document = {key: value for key, value in SOUND.items() if key != "head"}
    assert load_prompts(written(tmp_path, document)).head is None


def test_every_error_is_told_at_once(tmp_path):
    document = {
        "neutral": [3, 1],
        "heads": [3, 8],
        "prompts": [
            {"actions": ["AU99"], "start_s": 8, "end_s": 10},
            {"actions": [], "start_s": 10, "end_s": 12, "hold": 1},
            {"actions": ["AU12_M"], "start_s": "10", "end_s": 12},
            "AU12",
            {"actions": ["AU4"], "start_s": 9.5, "end_s": 9.9},
            {"actions": ["AU6"], "start_s": 12, "end_s": 40},
        ],
    }
    with pytest.raises(ConfigError) as raised:
        load_prompts(written(tmp_path, document), 16.0)
    text = str(raised.value)
    for said in ("heads: no such key", "neutral: expected", "'AU99'", "[2].hold", "[2].actions",
                 "'AU12_M'", "[3]: expected start_s", "[4]: expected an object",
                 "prompts[5] AU4 begins at 9.5 s, before prompts[1] AU99 ends",
                 "prompts[5] AU4: 9.5 to 9.9 s, expected at least",
                 "prompts[6] AU6: 12 to 40 s lies outside"):  # fmt: skip
        assert said in text
    assert len(raised.value.errors) == 11


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"end_s": 40.0}, "outside the clip, the clip 0 to 16.00 s"),
        ({"start_s": -1.0}, "outside the clip"),
        ({"start_s": 7.0}, "begins at 7 s, before head ends at 8 s"),
        ({"end_s": 8.5}, "at least 0.8 s"),
        ({"end_s": 10**400}, "expected start_s before end_s"),
        ({"end_s": float("inf")}, "expected start_s before end_s"),
        ({"actions": ["AU51"]}, "no action that can be learned"),
        ({"actions": [12]}, "expected a name such as AU12"),
    ],
)
def test_what_cannot_be(tmp_path, change, said):
    document = json.loads(json.dumps(SOUND))
    document["prompts"][0] |= change
    with pytest.raises(ConfigError, match=said):
        load_prompts(written(tmp_path, document), 16.0)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\ufeff{}", "[" * 5000])
def test_no_prompts_at_all(tmp_path, text):
    with pytest.raises(ConfigError):
        load_prompts(written(tmp_path, text))


def test_an_absent_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot read prompts"):
        load_prompts(tmp_path / "none.json")
