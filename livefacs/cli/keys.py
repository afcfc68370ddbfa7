"""Single keys while a session runs: neutral, marker, take, streaming, quit."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from livefacs.errors import TakeError
from livefacs.session.runner import Session
from livefacs.workers import Worker

_POLL_S: Final = 0.1
_SEQUENCE_S: Final = 0.2  # a terminal sends the bytes of one key together; a network parts them
_LONGEST_SEQUENCE: Final = 32

Read = Callable[[float], str | None]
"""Waits some seconds for a character: empty text where none came, None where none comes again."""

HELP: Final = "keys: n neutral · m marker · r take on/off · s streaming on/off · q quit"


def session_keys(session: Session, notify: Callable[[str], None]) -> dict[str, Callable[[], None]]:
    """What each key does to a session; refusals are told, not raised."""

    def take() -> None:
        if session.status()["recording"]:
            notify(f"take ended at {session.record_stop()[0]}")
        else:
            notify(f"take started at {session.record_start()}")

    def streaming() -> None:
        if session.status()["streaming"]:
            session.stop_streaming()
        else:
            session.start_streaming()

    return {
        "n": session.capture_neutral,
        "m": lambda: session.mark("key"),
        "r": take,
        "s": streaming,
        "q": session.stop,
    }


@contextmanager
def keys_pressed(
    actions: Mapping[str, Callable[[], None]],
    notify: Callable[[str], None],
    on_failure: Callable[[BaseException], object] | None = None,
) -> Iterator[bool]:
    """Run actions for keys until the block ends; yields False where no keyboard is at hand.

    ``on_failure`` is told, in the listening thread, of an action that failed; a refusal
    (``TakeError``) goes to ``notify``.
    """
    with _single_characters() as read:
        if read is None:
            yield False
            return
        ending = threading.Event()

        def listen() -> None:
            while not ending.is_set() and (key := read_key(read)) is not None:
                action = actions.get(key.lower())
                if action is None:
                    continue
                try:
                    action()
                except TakeError as refusal:
                    notify(str(refusal))

        worker = Worker(listen, "livefacs-keys", on_failure)
        worker.start()
        try:
            yield True
        finally:
            ending.set()
            worker.join(timeout=1.0)


def read_key(read: Read) -> str | None:
    """One key; empty text for none, and for arrows, function keys and the like; None at the end.

    Such keys send several characters: Escape and more in a terminal (ECMA-48: the introducer ``[``
    or ``O``, parameters, and a final character from ``@`` to ``~``; or Alt and a key), NUL or ``à``
    and one more on Windows. They are swallowed whole.
    """
    first = read(_POLL_S)
    if first in _WINDOWS_PREFIXES:
        read(_SEQUENCE_S)
        return ""
    if first != "\x1b":
        return first
    introducer = read(_SEQUENCE_S)
    if introducer == "\x1b":  # Alt and a key that sends a sequence itself
        introducer = read(_SEQUENCE_S)
    if introducer in ("O", "["):
        for _ in range(_LONGEST_SEQUENCE):
            following = read(_SEQUENCE_S)
            if following == "[":  # the Linux console's F1 to F5: ESC [ [ and a letter
                continue
            if not following or "@" <= following <= "~":
                break
    return ""


if sys.platform == "win32":
    import msvcrt
    import time

    _WINDOWS_PREFIXES: Final = ("\x00", "\xe0")

    @contextmanager
    def _single_characters() -> Iterator[Read | None]:
        """What reads characters as they are typed; None where no keyboard is at hand."""
        if not sys.stdin.isatty():
            yield None
            return

        def read(timeout_s: float) -> str | None:
            ends_at = time.monotonic() + timeout_s
            while not msvcrt.kbhit():
                if time.monotonic() > ends_at:
                    return ""
                time.sleep(min(timeout_s, _SEQUENCE_S) / 3)
            return msvcrt.getwch()

        yield read

else:
    import os
    import select
    import termios
    import tty

    _WINDOWS_PREFIXES: Final = ("\x00",)

    @contextmanager
    def _single_characters() -> Iterator[Read | None]:
        """What reads characters as they are typed; None where no keyboard is at hand."""
        descriptor = _own_terminal()
        if descriptor is None:
            yield None
            return
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)
        try:
            yield lambda timeout_s: _character_from(descriptor, timeout_s)
        finally:
            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(descriptor, termios.TCSANOW, before)

    def _own_terminal() -> int | None:
        """Standard input, where it is a terminal and this job is in its foreground.

        A job in the background must leave the terminal alone, or it is stopped.
        """
        try:
            descriptor = sys.stdin.fileno()
            foreground = os.isatty(descriptor) and os.tcgetpgrp(descriptor) == os.getpgrp()
        except (OSError, ValueError):
            return None
        return descriptor if foreground else None

    def _character_from(descriptor: int, timeout_s: float) -> str | None:
        ready, _, _ = select.select([descriptor], [], [], timeout_s)
        if not ready:
            return ""
        try:
            byte = os.read(descriptor, 1)
        except OSError:  # the terminal is gone
            return None
        return byte.decode("latin-1") if byte else None
