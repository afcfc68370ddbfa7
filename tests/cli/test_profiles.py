"""``livefacs profiles`` and ``teach``, as their users type them."""

from __future__ import annotations

import pytest

from livefacs.au.profile import load_profile, profile_names, profile_path, save_profile
from tests.au.test_profile import made
from tests.au.test_teaching import base_profile, taught
from tests.support.commands import run


@pytest.fixture
def anna():
    profile, _ = taught(base_profile())
    save_profile(profile, profile_path("anna"))
    return profile


def test_list_tells_what_each_knows_and_of_damaged_ones(anna, capsys):
    save_profile(made("bob", AU12_L=0.5), profile_path("bob"))
    profile_path("carl").write_text("{")
    assert run("profiles", "list") == 2
    said = capsys.readouterr()
    assert "anna" in said.out
    assert "3 actions learned, 1 taught" in said.out
    assert "neutral and 1 maxima" in said.out
    assert "carl" in said.err


def test_no_profiles_say_how_to_make_one(capsys):
    assert run("profiles", "list") == 0
    assert "livefacs calibrate NAME" in capsys.readouterr().out


def test_show_tells_every_lesson(anna, capsys):
    assert run("profiles", "show", "anna") == 0
    said = capsys.readouterr().out
    assert "AU14: learned, " in said
    assert "tongue-out: taught as X_tongue_out" in said


def test_rename_and_remove(anna):
    assert run("profiles", "rename", "anna", "berta") == 0
    assert profile_names() == ["berta"]
    assert load_profile("berta").name == "berta"
    assert profile_path("berta").stat().st_mode & 0o777 == 0o600
    assert run("profiles", "remove", "berta", "--yes") == 0
    assert profile_names() == []


def test_a_name_that_is_taken_is_not_overwritten(anna, capsys):
    save_profile(made("bob"), profile_path("bob"))
    assert run("profiles", "rename", "anna", "bob") == 2
    assert "already" in capsys.readouterr().err
    assert load_profile("bob").taught == ()


def test_forget(anna, capsys):
    assert run("profiles", "forget", "anna", "tongue-out") == 0
    assert load_profile("anna").taught == ()
    assert run("profiles", "forget", "anna", "sneer") == 2
    assert "it has: none" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("show",), ("remove", "--yes"), ("check",), ("forget", "x")])
def test_an_absent_profile(words, capsys):
    command, *rest = words
    assert run("profiles", command, "nobody", *rest) == 2
    assert "no profile at" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("anna", "AU12"), "channel of FACS"),
        (("anna", "tongue-out"), "already"),
        (("anna", "puff", "--rest", "3:1"), "expected START:END"),
        (("nobody", "puff"), "no profile at"),
    ],
)
def test_teach_refuses_what_cannot_be(anna, tmp_path, capsys, words, said):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"no clip")
    spans = () if "--rest" in words else ("--rest", "0:3", "--action", "3:6")
    assert run("teach", *words, "-s", str(clip), *spans) == 2
    assert said in capsys.readouterr().err


def test_rigs_check_tells_who_taught_a_signal(anna, tmp_path, capsys):
    path = tmp_path / "tongue.toml"
    path.write_text(
        '[rig]\ntitle = "T"\naudience = "t"\nnames_from = "t"\n'
        "[controls.a]\nterms = { X_tongue_out = 1.0 }\n[controls.b]\nterms = { X_sneer = 1.0 }\n"
    )
    assert run("rigs", "check", str(path)) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "X_tongue_out: taught in profile anna" in said
    assert "X_sneer: taught in none of your profiles, counts as 0" in said


def test_a_lesson_before_the_camera(anna, monkeypatch, capsys):
    """Five seconds of rest, five of the action, twice; no key is needed."""
    from contextlib import contextmanager

    from livefacs.session import watching
    from tests.au.scripted import Script, at_rest, twice

    script = Script(2 * (at_rest(152) + twice("sneer", 76) + twice("sneer", 76)))

    @contextmanager
    def opened(*_a, **_k):
        yield script, script

    monkeypatch.setattr(watching, "opened", opened)
    assert run("teach", "anna", "sneer") == 0
    assert "sneer: taught as X_sneer" in capsys.readouterr().out
    assert [each.channel for each in load_profile("anna").taught] == ["X_tongue_out", "X_sneer"]


def test_a_lesson_that_ends_early_teaches_nothing(anna, monkeypatch, capsys):
    from contextlib import contextmanager

    from livefacs.session import watching
    from tests.au.scripted import Script, at_rest

    script = Script(at_rest(100))

    @contextmanager
    def opened(*_a, **_k):
        yield script, script

    monkeypatch.setattr(watching, "opened", opened)
    assert run("teach", "anna", "sneer") == 2
    assert "ended early" in capsys.readouterr().err


def checked(monkeypatch, shown):
    from contextlib import contextmanager

    from livefacs.session import watching
    from tests.au.scripted import Script

    script = Script(shown)

    @contextmanager
    def opened(*_a, **_k):
        yield script, script

    monkeypatch.setattr(watching, "opened", opened)
    return run("profiles", "check", "carla", "--seconds", "3")


def test_check_looks_at_the_resting_face(monkeypatch, capsys):
    from contextlib import contextmanager

    import livefacs.cli.calibrate as command
    from tests.au.scripted import OTHER, Script, at_rest, turning

    script = Script(at_rest(95) + turning())

    @contextmanager
    def opened(*_a, **_k):
        yield script, script

    monkeypatch.setattr(command, "opened", opened)
    assert run("calibrate", "carla", "--neutral-only") == 0
    assert checked(monkeypatch, at_rest(120)) == 0
    said = capsys.readouterr().out
    assert "the profile still holds" in said
    other = [(OTHER, "", 0.0, 0.0)] * 120
    assert checked(monkeypatch, other) == 1
    said = capsys.readouterr().out
    assert "another person, or not at rest" in said
    assert "calibration should be renewed: livefacs calibrate carla" in said
    assert checked(monkeypatch, []) == 3
