"""The guided calibration, with scripted meshes in place of camera and landmarker."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import livefacs.cli.calibrate as command
from livefacs.au.profile import load_profile
from livefacs.cli.main import main
from livefacs.types import Frame, Landmarks
from tests.au import faces

REST = faces.face()
SMILE = faces.face(corner_left=(0.08, -0.07), corner_right=(-0.08, -0.07))


class Script:
    """A source and a landmarker at once: one scripted shape a frame."""

    name = "facemesh"
    is_live = True

    def __init__(self, shapes: list[np.ndarray]) -> None:
        self._shapes: Iterator[np.ndarray] = iter(shapes)
        self._i_frame = 0

    def read(self) -> Frame | None:
        shape = next(self._shapes, None)
        if shape is None:
            return None
        self._landmarks = faces.landmarks(shape, self._i_frame)
        self._i_frame += 1
        return Frame(np.zeros((1, 1, 3), np.uint8), self._landmarks.t_ns, self._landmarks.i_frame)

    def detect(self, _frame: Frame) -> Landmarks | None:
        return self._landmarks

    def close(self) -> None:
        """Nothing to close."""


def _calibrate(monkeypatch, shapes, *words):
    script = Script(shapes)
    monkeypatch.setattr(command, "open_source", lambda *_a, **_k: script)
    monkeypatch.setattr(command, "open_landmarker", lambda *_a, **_k: script)
    smile = tuple(x for x in command.EXERCISES if "AU12" in x.actions)
    monkeypatch.setattr(command, "EXERCISES", smile)
    try:
        main(["calibrate", "anna", "--hold", "1", *words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_neutral_then_range(monkeypatch, capsys):
    shapes = [SMILE] * 10 + [REST] * 95 + [SMILE] * 60
    assert _calibrate(monkeypatch, shapes) == 0
    profile = load_profile("anna", "facemesh")
    assert profile.has_maximum("AU12_L")
    assert "6+12" in capsys.readouterr().out


def test_neutral_only(monkeypatch):
    assert _calibrate(monkeypatch, [REST] * 120, "--neutral-only") == 0
    assert load_profile("anna").maxima == {}


def test_an_action_that_is_not_seen_stays_uncalibrated(monkeypatch, capsys):
    assert _calibrate(monkeypatch, [REST] * 170) == 0
    assert "not seen" in capsys.readouterr().out
    assert load_profile("anna").maxima == {}


@pytest.mark.parametrize("shapes", [[], [SMILE] * 150], ids=["no frames", "never at rest"])
def test_without_a_neutral_there_is_no_profile(monkeypatch, capsys, shapes):
    assert _calibrate(monkeypatch, shapes) == 3
    assert "three quiet seconds" in capsys.readouterr().err
