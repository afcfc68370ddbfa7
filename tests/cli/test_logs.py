"""The log: quiet by default, on standard error where it is asked for."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.waiting import PATIENCE_S

WORDS = ("export", "no-such-take", "--to", "csv")


def errors_of(*words: str, level: str | None = None) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if name != "LIVEFACS_LOG"}
    if level is not None:
        environment["LIVEFACS_LOG"] = level
    done = subprocess.run(
        [sys.executable, "-m", "livefacs.cli.main", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stderr


def test_an_error_is_one_line_unless_more_is_asked_for() -> None:
    code, said = errors_of(*WORDS)
    assert code == 5
    assert said.startswith("livefacs: no-such-take is no take")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "level"), [(("--verbose", *WORDS), None), (WORDS, "debug"), (WORDS, "DEBUG")]
)
def test_where_an_error_came_from_is_logged_on_demand(
    words: tuple[str, ...], level: str | None
) -> None:
    code, said = errors_of(*words, level=level)
    assert code == 5
    assert "DEBUG livefacs.cli.main [MainThread] where it came from" in said
    assert "Traceback" in said
    assert "TakeError" in said


def test_a_level_that_is_none_is_told() -> None:
    code, said = errors_of(*WORDS, level="loud")
    assert code == 2
    assert "LIVEFACS_LOG='loud': expected one of debug, info, warning, error" in said
