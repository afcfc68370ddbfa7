from __future__ import annotations

import subprocess
import sys

import pytest

from livefacs import __version__
from livefacs.cli.main import COMMANDS, main
from tests.support.waiting import PATIENCE_S

HEAVY = ("numba", "mediapipe", "cv2", "av", "zmq", "numpy", "pydantic", "matplotlib", "starlette")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "livefacs.cli.main", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from livefacs.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print('HEAVY', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert "HEAVY []" in done.stdout
    for name in COMMANDS:
        assert name in done.stdout


def test_version() -> None:
    assert run("--version").stdout.strip() == f"livefacs {__version__}"


def test_an_unknown_command_is_a_usage_error() -> None:
    assert run("lvie").returncode == 2


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name: str) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert not end.value.code


READERS = "live,record,calibrate,teach,profiles check,mirror,stage,solve,batch"


@pytest.mark.parametrize("words", READERS.split(","))
def test_whatever_reads_pictures_can_turn_them(words: str, capsys) -> None:
    with pytest.raises(SystemExit):
        main([*words.split(), "--help"])
    assert "--rotate" in capsys.readouterr().out


def test_help_breaks_lines_where_the_terminal_does(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        main(["solve", "--help"])
    said = capsys.readouterr().out
    assert "head and gaze angles, then each action's bilateral value and its sides" in said
