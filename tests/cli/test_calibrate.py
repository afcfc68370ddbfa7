"""The guided calibration, with scripted meshes and textures in place of camera and landmarker."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import livefacs.cli.calibrate as command
from livefacs.au.profile import load_profile, profile_path, save_profile
from livefacs.cli.main import main
from tests.au.scripted import OTHER, SMILE, Script, at_rest, turning, twice


def calibrated(monkeypatch, shown, *words):
    script = Script(shown)

    @contextmanager
    def opened(*_a: object, **_k: object) -> Iterator[tuple[Script, Script]]:
        yield script, script

    monkeypatch.setattr(command, "opened", opened)
    try:
        main(["calibrate", "anna", *words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_rest_head_and_prompts_make_a_personal_model(monkeypatch, capsys):
    shown = [(SMILE, "", 0.0, 0.0)] * 10 + at_rest(95) + turning() + at_rest(5)
    shown += twice("AU14") + at_rest(12) + twice("AU24") + at_rest(40)
    assert calibrated(monkeypatch, shown, "--only", "14,24") == 0
    said = capsys.readouterr().out
    profile = load_profile("anna", "facemesh")
    assert set(profile.personal.learned) == {"AU14_L", "AU14_R", "AU24_L", "AU24_R"}
    assert "AU14: learned, " in said
    assert "2 of 2 actions learned" in said
    assert profile.setting.width_share > 0
    assert profile.neutral.blendshapes[0] == pytest.approx(0.25)  # what was read of it stays


def test_an_action_can_be_added_later(monkeypatch, capsys):
    first = at_rest(95) + turning() + twice("AU14") + at_rest(40)
    assert calibrated(monkeypatch, first, "--only", "14") == 0
    second = at_rest(95) + turning() + twice("AU24") + at_rest(40)
    assert calibrated(monkeypatch, second, "--only", "24", "--add") == 0
    assert set(load_profile("anna").personal.learned) >= {"AU14_L", "AU24_L"}
    assert "2 of 2 actions learned" in capsys.readouterr().out


def test_another_person_is_refused_when_the_rest_was_seen(monkeypatch, capsys):
    assert calibrated(monkeypatch, at_rest(95) + turning(), "--neutral-only") == 0
    other = [(OTHER, "", 0.0, 0.0)] * 95
    assert calibrated(monkeypatch, other + turning(), "--only", "24", "--add") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "hardly fits this face: the neutrals differ by" in said
    assert "% of the eye distance" in said


def test_what_other_weights_taught_is_not_added_to(monkeypatch, capsys):
    first = at_rest(95) + turning() + twice("AU14") + at_rest(40)
    assert calibrated(monkeypatch, first, "--only", "14") == 0
    profile = dataclasses.replace(load_profile("anna"), weights="0123456789ab")
    save_profile(profile, profile_path("anna"))
    assert calibrated(monkeypatch, [], "--only", "24", "--add") == 2
    assert "other estimator weights" in capsys.readouterr().err


def test_neutral_only(monkeypatch):
    assert calibrated(monkeypatch, at_rest(95) + turning(), "--neutral-only") == 0
    profile = load_profile("anna")
    assert profile.maxima == {}
    assert profile.personal.learned == ()


def test_what_is_not_seen_is_left_after_a_while(monkeypatch, capsys):
    shown = at_rest(95) + turning() + at_rest(470)
    assert calibrated(monkeypatch, shown, "--only", "14") == 0
    assert "AU14: not seen, kept as shipped" in capsys.readouterr().out


def test_the_camera_may_end_early(monkeypatch, capsys):
    shown = at_rest(95) + turning() + twice("AU14") + at_rest(3)
    assert calibrated(monkeypatch, shown, "--round", "full", "--only", "14,24") == 0
    assert "AU14: learned" in capsys.readouterr().out


@pytest.mark.parametrize("shown", [[], [(SMILE, "", 0.0, 0.0)] * 150], ids=["none", "no rest"])
def test_without_a_neutral_there_is_no_profile(monkeypatch, capsys, shown):
    assert calibrated(monkeypatch, shown) == 3
    assert "three quiet seconds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--round", "29"), "expected short (8), full (28), or how many"),
        (("--round", "long"), "expected short"),
        (("--only", "99"), "no movement shows AU99"),
        (("--add",), "no profile at"),
    ],
)
def test_what_cannot_be(monkeypatch, capsys, words, said):
    assert calibrated(monkeypatch, [], *words) == 2
    assert said in capsys.readouterr().err
