"""Running a session from the command line: signals, meters, summary."""

from __future__ import annotations

import logging

from livefacs.cli.keys import HELP, keys_pressed, session_keys
from livefacs.cli.meters import Meters, summary_lines
from livefacs.cli.signals import Ending, stopped_by_signals
from livefacs.cli.terminal import make_console
from livefacs.config import SessionOptions
from livefacs.session.composition import open_session
from livefacs.session.parts import profile_name, tracking_of_performers

_log = logging.getLogger(__name__)


def run_session(
    options: SessionOptions,
    *,
    meters: bool = True,
    mirror_port: int | None = None,
    mirror_face: int = 1,
) -> None:
    """Open what the options ask for, run until it ends or is stopped, print the summary."""
    console = make_console(highlight=False, soft_wrap=True)

    def notify(sentence: str) -> None:
        try:
            console.print(sentence, markup=False)
        except OSError as error:  # the terminal is gone; what runs has to be ended all the same
            _log.warning("not shown: %s (%s)", sentence, error)

    ending = Ending()
    with (
        stopped_by_signals(ending),
        open_session(options, notify, keep_image=mirror_port is not None) as session,
    ):
        ending.stop = session.stop
        if mirror_port is not None:
            from livefacs.session.mirror_beside import open_mirror_beside

            owns = tracking_of_performers(options.tracking)
            profile = profile_name(owns[min(mirror_face, len(owns)) - 1])
            folder = options.record.folder
            open_mirror_beside(session, mirror_port, notify, folder, profile, mirror_face)
        if meters and console.is_terminal:
            session.watchers.append(Meters(session.status, console))
        with keys_pressed(session_keys(session, notify), notify, session.fail) as has_keys:
            if has_keys:
                notify(HELP)
            session.run()
        for line in (*summary_lines(session.final_status()), *session.source.closing_notices()):
            notify(line)
