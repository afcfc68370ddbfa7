"""``livefacs cameras`` and ``livefacs models`` as a user runs them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from livefacs.landmarkers.downloads import FACE_LANDMARKER
from livefacs.resources import user_models_folder
from livefacs.sources import cameras, microphone, midi
from livefacs.sources.cameras import CameraInfo
from livefacs.sources.microphone import MicrophoneInfo
from tests.support.commands import run

MODEL = (
    Path(__file__).parents[2] / ".." / "shared" / "models" / FACE_LANDMARKER.file_name
).resolve()


def test_no_camera_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cameras, "list_cameras", list)
    monkeypatch.setattr(microphone, "list_microphones", list)
    monkeypatch.setattr(midi, "list_midi_ports", list)
    assert run("cameras") == 0
    said = capsys.readouterr().out
    assert "No camera found" in said
    assert "No microphone found" in said
    assert "No MIDI port found" in said


def test_cameras_are_listed_and_probed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [CameraInfo(61, "Facecam", "/dev/video61"), CameraInfo(62, "Other")]
    heard = [MicrophoneInfo(0, "Booth", 1), MicrophoneInfo(3, "Desk", 2, True)]
    monkeypatch.setattr(cameras, "list_cameras", lambda: found)
    monkeypatch.setattr(microphone, "list_microphones", lambda: heard)
    monkeypatch.setattr(midi, "list_midi_ports", lambda: ["Sync Box"])
    assert run("cameras") == 0
    assert capsys.readouterr().out == (
        "61  Facecam  /dev/video61\n62  Other\n"
        "microphone 0  Booth  1 channel(s)\nmicrophone 3  Desk  2 channel(s)  (auto)\n"
        "MIDI port  Sync Box  (--timecode-source mtc:NAME)\n"
    )
    assert run("cameras", "--probe") == 0
    assert "camera 62" in capsys.readouterr().out  # why it cannot be opened


def test_fetching_from_a_file_then_listing(capsys: pytest.CaptureFixture[str]) -> None:
    if not MODEL.is_file():
        pytest.skip("no face_landmarker.task at ../shared/models")
    assert run("models", "list") == 0
    assert "not fetched" in capsys.readouterr().out
    assert run("models", "fetch", "--url", MODEL.as_uri()) == 0
    assert "SHA-256 checked" in capsys.readouterr().out
    assert run("models", "fetch") == 0
    assert "there already" in capsys.readouterr().out
    (user_models_folder() / FACE_LANDMARKER.file_name).write_bytes(b"spoilt")
    assert run("models", "list") == 0
    assert "other than expected" in capsys.readouterr().out


def test_without_the_library_cameras_are_listed_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cameras, "list_cameras", lambda: [CameraInfo(61, "Facecam")])
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setitem(sys.modules, "mido", None)
    assert run("cameras") == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "61  Facecam"
    assert "pip install 'livefacs[audio]'" in second
    assert "pip install 'livefacs[midi]'" in third


@pytest.mark.parametrize(
    "words", [["models", "fetch", "--url", "http://127.0.0.1:9/x"], ["models", "fetch", "nothing"]]
)
def test_what_cannot_be_fetched_ends_with_the_model_s_exit_code(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 4
    heard = capsys.readouterr().err
    assert heard.startswith("livefacs: ")
    assert heard.count("\n") == 1
