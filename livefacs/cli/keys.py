"""Single keys while a session runs: neutral, marker, take, streaming, quit."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from livefacs.errors import TakeError
from livefacs.session.runner import Session

_POLL_S: Final = 0.1

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
    actions: Mapping[str, Callable[[], None]], notify: Callable[[str], None]
) -> Iterator[bool]:
    """Run actions for keys until the block ends; yields False where no keyboard is at hand."""
    with _single_keys() as read_key:
        if read_key is None:
            yield False
            return
        ending = threading.Event()

        def listen() -> None:
            while not ending.is_set():
                action = actions.get(read_key().lower())
                if action is None:
                    continue
                try:
                    action()
                except TakeError as refusal:
                    notify(str(refusal))

        thread = threading.Thread(target=listen, name="livefacs-keys", daemon=True)
        thread.start()
        try:
            yield True
        finally:
            ending.set()
            thread.join(timeout=1.0)


if sys.platform == "win32":
    import msvcrt
    import time

    @contextmanager
    def _single_keys() -> Iterator[Callable[[], str] | None]:
        """A function that waits a moment for a key; empty text where none came."""
        if not sys.stdin.isatty():
            yield None
            return

        def read_key() -> str:
            if msvcrt.kbhit():
                return msvcrt.getwch()
            time.sleep(_POLL_S)
            return ""

        yield read_key

else:
    import os
    import select
    import termios
    import tty

    @contextmanager
    def _single_keys() -> Iterator[Callable[[], str] | None]:
        """A function that waits a moment for a key; empty text where none came."""
        descriptor = _own_terminal()
        if descriptor is None:
            yield None
            return
        before = termios.tcgetattr(descriptor)
        tty.setcbreak(descriptor)
        try:
            yield lambda: _key_from(descriptor)
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

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

    def _key_from(descriptor: int) -> str:
        ready, _, _ = select.select([descriptor], [], [], _POLL_S)
        return os.read(descriptor, 1).decode("ascii", "ignore") if ready else ""
