"""Keys of a running session: letters act, function keys and the end of a terminal do not."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import pytest

from livefacs.cli import keys
from livefacs.cli.keys import keys_pressed, read_key
from tests.support.waiting import PATIENCE_S

FUNCTION_KEYS = {
    "F1 to F4": "\x1bOP \x1bOQ \x1bOR \x1bOS",
    "F5, F12": "\x1b[15~ \x1b[24~",
    "arrows": "\x1b[A \x1b[B \x1b[C \x1b[D \x1bOA \x1bOB",
    "home, end, pages": "\x1b[H \x1b[F \x1b[5~ \x1b[6~ \x1b[2~",
    "with shift and control": "\x1b[1;2Q \x1b[1;5S \x1b[3;5~ \x1bO2R",
    "Linux console F1 to F5": "\x1b[[A \x1b[[B \x1b[[C \x1b[[D \x1b[[E",
    "rxvt": "\x1b[7~ \x1b[8~ \x1b[a \x1b\x1b[A",
    "Alt and a letter": "\x1bq \x1br \x1bs",
}


class Typed:
    """Characters as a terminal gives them; None when there are no more."""

    def __init__(self, text: str) -> None:
        self._text = iter(text)

    def __call__(self, timeout_s: float) -> str | None:
        """The next character."""
        return next(self._text, None)


def keys_in(text: str) -> list[str]:
    read = Typed(text)
    found = []
    while (key := read_key(read)) is not None:
        if key:
            found.append(key)
    return found


@pytest.mark.parametrize("sequences", FUNCTION_KEYS.values(), ids=FUNCTION_KEYS.keys())
def test_function_keys_are_swallowed_whole(sequences: str) -> None:
    for sequence in sequences.split(" "):
        assert keys_in(f"n{sequence}m") == ["n", "m"], repr(sequence)


@pytest.mark.parametrize("prefix", ["\x00", "\xe0"])
def test_both_characters_of_a_windows_key_are_swallowed(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_WINDOWS_PREFIXES", ("\x00", "\xe0"))
    for second in "HPKMGOIQRS;":  # arrows, home, end, pages, insert, delete, F1
        assert keys_in(f"n{prefix}{second}m") == ["n", "m"]


def test_escape_alone_is_no_key() -> None:
    class Paused(Typed):
        def __call__(self, timeout_s: float) -> str | None:
            character = super().__call__(timeout_s)
            return "" if character == "." else character  # a moment without one

    read = Paused("\x1b.q")
    assert [read_key(read), read_key(read)] == ["", "q"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Our side of a terminal whose other side is standard input."""
    if sys.platform == "win32":
        pytest.skip("POSIX terminals")
    ours, theirs = os.openpty()
    monkeypatch.setattr(keys, "_own_terminal", lambda: theirs)
    yield ours
    for descriptor in (ours, theirs):
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test closed it


def test_letters_act_and_function_keys_do_not_in_a_real_terminal(terminal: int) -> None:
    pressed: list[str] = []
    done = threading.Event()
    actions = {key: (lambda key=key: pressed.append(key)) for key in "nrsq"}
    with keys_pressed({**actions, "m": done.set}, print) as has_keys:
        assert has_keys
        os.write(terminal, b"\x1bOQ\x1bOR\x1bOSN\x1b[15~sm")
        assert done.wait(PATIENCE_S)
    assert pressed == ["n", "s"]


def test_a_terminal_that_is_gone_ends_the_listening(terminal: int) -> None:
    failures: list[BaseException] = []
    with keys_pressed({}, print, failures.append):
        listener = next(t for t in threading.enumerate() if t.name == "livefacs-keys")
        os.close(terminal)
        listener.join(PATIENCE_S)
        assert not listener.is_alive()
    assert failures == []


def test_an_action_that_fails_is_told_to_the_sessions_owner(terminal: int) -> None:
    failures: list[BaseException] = []
    told = threading.Event()

    def fail() -> None:
        raise ZeroDivisionError

    def tell(failure: BaseException) -> None:
        failures.append(failure)
        told.set()

    with keys_pressed({"n": fail}, print, tell):
        os.write(terminal, b"n")
        assert told.wait(PATIENCE_S)
    assert isinstance(failures[0], ZeroDivisionError)
