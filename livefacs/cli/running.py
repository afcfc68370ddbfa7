"""Running a session from the command line: signals, meters, summary."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType

from rich.console import Console

from livefacs.app import OpenSession, open_session
from livefacs.cli.keys import HELP, keys_pressed, session_keys
from livefacs.cli.meters import Meters, summary_lines
from livefacs.config import SessionOptions


def run_session(
    options: SessionOptions, *, meters: bool = True, mirror_port: int | None = None
) -> None:
    """Open what the options ask for, run until it ends or is stopped, print the summary."""
    console = Console(highlight=False, soft_wrap=True)

    def notify(sentence: str) -> None:
        console.print(sentence, markup=False)

    with (
        open_session(options, notify, keep_image=mirror_port is not None) as opened,
        _mirror(opened, mirror_port, notify),
    ):
        session = opened.session
        if meters and console.is_terminal:
            session.watchers.append(Meters(session.status, console))
        with (
            stopped_by_signals(opened),
            keys_pressed(session_keys(session, notify), notify) as keys,
        ):
            if keys:
                console.print(HELP, style="dim")
            session.run()
        for line in (*summary_lines(session.final_status()), *session.source.closing_notices()):
            notify(line)


def _mirror(
    opened: OpenSession, port: int | None, notify: Callable[[str], None]
) -> AbstractContextManager[object]:
    if port is None:
        return nullcontext()
    from livefacs.cli.mirroring import mirror_beside

    return mirror_beside(opened, port, notify)


@contextmanager
def stopped_by_signals(opened: OpenSession) -> Iterator[None]:
    """Ctrl-C and a polite kill end the session after the frame at hand."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        opened.session.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
