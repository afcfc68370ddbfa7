"""The guided calibration, with scripted meshes and textures in place of camera and landmarker."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import livefacs.cli.calibrate as command
from livefacs.au.profile import load_profile
from livefacs.cli.main import main
from livefacs.types import Frame, Landmarks
from livefacs.vocab.readings import N_TEXTURE
from tests.au import faces
from tests.au.made_rounds import BASE, direction
from tests.au.test_learning import readings

REST = faces.face()
SMILE = faces.face(corner_left=(0.08, -0.07), corner_right=(-0.08, -0.07))


class Script:
    """A source and a landmarker at once: one scripted face a frame."""

    name = "facemesh"

    def __init__(self, shown: list[tuple[np.ndarray, str, float, float]]) -> None:
        self._shown = iter(shown)
        self._rng = np.random.default_rng(0)
        self._i_frame = 0

    def read(self) -> Frame | None:
        shown = next(self._shown, None)
        if shown is None:
            return None
        shape, movement, strength, yaw = shown
        noisy = shape + self._rng.normal(0, 2e-4, shape.shape)
        face = faces.landmarks(noisy, self._i_frame, yaw=yaw)
        texture = BASE + 0.004 * self._rng.normal(size=N_TEXTURE)
        if movement:
            texture = texture + 1.2 * strength * direction(movement, N_TEXTURE)
        self._landmarks = dataclasses.replace(face, readings=readings(texture))
        self._i_frame += 1
        return Frame(np.zeros((1, 1, 3), np.uint8), face.t_ns, face.i_frame)

    def detect(self, _frame: Frame) -> Landmarks | None:
        return self._landmarks


def at_rest(n: int):
    return [(REST, "", 0.0, 0.0)] * n


def turning(n: int = 170):
    return [(REST, "", 0.0, 0.3 * np.sin(i / 12)) for i in range(n)]


def twice(movement: str, n: int = 80):
    courses = np.sin(2 * np.pi * np.arange(n) / n) ** 2
    return [(REST, movement, float(strength), 0.0) for strength in courses]


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


def test_an_action_can_be_added_later(monkeypatch, capsys):
    first = at_rest(95) + turning() + twice("AU14") + at_rest(40)
    assert calibrated(monkeypatch, first, "--only", "14") == 0
    second = at_rest(95) + turning() + twice("AU24") + at_rest(40)
    assert calibrated(monkeypatch, second, "--only", "24", "--add") == 0
    assert set(load_profile("anna").personal.learned) >= {"AU14_L", "AU24_L"}
    assert "2 of 2 actions learned" in capsys.readouterr().out


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
