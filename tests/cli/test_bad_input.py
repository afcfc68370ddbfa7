"""What goes wrong at the command line: one clear line, the right exit code, no traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from livefacs.au.neutral import Neutral
from livefacs.au.profile import Profile
from livefacs.cli import calibrate
from livefacs.errors import ConfigError, ProfileError
from livefacs.training.labels import read_labels
from tests.support.commands import run
from tests.take.synthetic import make_take, tracked_frame


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A file that says it is a clip and is not."""
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"this is no video" * 100)
    return path


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A UDP and TCP port that somebody else holds."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        port = int(tcp.getsockname()[1])
        udp.bind(("127.0.0.1", port))
        tcp.listen()
        yield port


def live(*words: str) -> int:
    """``livefacs live`` on the performer, short and without meters."""
    return run("live", "--no-meters", "--seconds", "0.2", *words)


CASES = {
    "no such clip": (["--source", "absent.mp4"], 3, "absent.mp4"),
    "no such camera": (["--source", "97"], 3, "97"),
    "no such folder": (["--source", "absent/*.png"], 3, "absent"),
    "unknown network camera": (["--source", "http://127.0.0.1:9/video"], 3, "127.0.0.1:9"),
    "unknown scheme": (["--source", "demo", "--to", "oscc://localhost:1"], 5, "did you mean osc"),
    "no port number": (["--source", "demo", "--to", "osc://127.0.0.1:many"], 5, "port"),
    "unknown option": (
        ["--source", "demo", "--to", "osc://127.0.0.1:9000?bundel=off"],
        5,
        "did you mean bundle",
    ),
    "no such host": (["--source", "demo", "--to", "osc://no.such.host.invalid:9000"], 5, "host"),
    "unknown rig": (
        ["--source", "demo", "--to", "osc://127.0.0.1:9000", "--rig", "arkit53"],
        2,
        "arkit52",
    ),
    "unknown configuration": (["--config", "defualt"], 2, "default"),
    "wrong value": (["--landmarker", "facemash"], 2, "facemesh"),
    "no such weights": (["--source", "demo", "--weights", "absent.npz"], 4, "absent.npz"),
    "no such model": (
        ["--source", "demo", "--landmarker", "tasks", "--model", "absent.task"],
        4,
        "absent.task",
    ),
    "no such profile": (["--source", "demo", "--profile", "nobody"], 2, "nobody"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_option_is_told_in_plain_words(
    case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words, code, expected = CASES[case]
    assert live(*words) == code
    errors = capsys.readouterr().err
    assert errors.startswith("livefacs: ")
    assert expected in errors
    assert "Traceback" not in errors


def test_a_file_that_is_no_clip(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert live("--source", str(clip)) == 3
    assert "broken.mp4" in capsys.readouterr().err


def test_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert live("--source", str(empty)) == 3
    assert "empty.mp4" in capsys.readouterr().err


def test_a_model_that_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = tmp_path / "face_landmarker.task"
    model.write_bytes(b"PK no model")
    assert live("--source", "demo", "--landmarker", "tasks", "--model", str(model)) == 4
    assert "face_landmarker.task" in capsys.readouterr().err


def test_weights_that_are_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tmp_path / "mine.npz"
    weights.write_bytes(b"PK no weights")
    assert live("--source", "demo", "--weights", str(weights)) == 4
    assert "mine.npz" in capsys.readouterr().err


def test_ports_in_use(taken_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert live("--source", "demo", "--to", f"zmq://127.0.0.1:{taken_port}") == 5
    assert str(taken_port) in capsys.readouterr().err
    assert live("--source", "demo", "--control-port", str(taken_port)) == 5
    assert str(taken_port) in capsys.readouterr().err


def test_a_rig_map_with_errors_names_them_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = tmp_path / "mine.toml"
    rig.write_text('[rig]\nname = "mine"\n[controls.smile]\nform = { AU99 = 1.0 }\ngian = 2\n')
    code = live("--source", "demo", "--to", "osc://127.0.0.1:9000", "--rig", str(rig))
    errors = capsys.readouterr().err
    assert code == 2
    assert "mine.toml" in errors
    assert errors.count("\n") >= 2


def test_an_unknown_action(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("au", "999") == 2
    assert "999" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error() -> None:
    assert run("live", "--sorce", "demo") == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["takes", "list"], ["rigs", "list"], ["au", "12"], ["solve"]])
def test_a_standard_output_that_is_full_is_told_in_a_line(words: list[str], tmp_path: Path) -> None:
    if words == ["solve"]:
        take = make_take(tmp_path / "t", [tracked_frame(i) for i in range(5)]).folder
        words = ["export", str(take), "-o", str(tmp_path / "a.csv")]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "livefacs.cli.main", *words],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "No space left" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("frame", ["inf", "-inf", "nan", "1e999", "x"])
def test_labels_whose_frame_is_no_number(frame: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"frame,AU12\n{frame},0.5\n")
    with pytest.raises(ConfigError, match="row 2"):
        read_labels(path)


def test_a_calibration_is_not_begun_where_it_cannot_be_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run("calibrate", str(tmp_path / "file" / "me.json"), "--source", "demo") == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_calibration_that_cannot_be_saved_any_more_is_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    profile = Profile("me", "facemesh", Neutral(np.zeros((478, 3)), np.zeros(3)))
    (tmp_path / "file").touch()
    with pytest.raises(ProfileError, match="It is kept at") as told:
        calibrate._save(profile, tmp_path / "file" / "me.json")
    (kept,) = tmp_path.glob("livefacs-*/me.json")
    assert str(kept) in str(told.value)
