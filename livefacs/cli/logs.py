"""The package's log on standard error: off unless ``--verbose`` or ``LIVEFACS_LOG`` asks for it."""

from __future__ import annotations

import logging
import os
from typing import Final

from livefacs.errors import ConfigError
from livefacs.printable import printable

VARIABLE: Final = "LIVEFACS_LOG"
LEVELS: Final = ("debug", "info", "warning", "error")
_FORMAT: Final = "%(asctime)s.%(msecs)03d %(levelname)s %(name)s [%(threadName)s] %(message)s"
_DATE: Final = "%H:%M:%S"


class _PrintableFormatter(logging.Formatter):
    """What is logged may quote other programs."""

    def format(self, record: logging.LogRecord) -> str:
        """One record with its traceback."""
        return printable(super().format(record))


def start_logging(*, verbose: bool) -> None:
    """Write what the package logs to standard error, where that is wanted.

    Parameters
    ----------
    verbose : bool
        Everything; otherwise from the level that ``LIVEFACS_LOG`` names, where it is set.

    Raises
    ------
    ConfigError
        ``LIVEFACS_LOG`` names no level.
    """
    wanted = "debug" if verbose else os.environ.get(VARIABLE, "").strip().lower()
    if not wanted:
        return
    if wanted not in LEVELS:
        raise ConfigError(f"{VARIABLE}={wanted!r}: expected one of {', '.join(LEVELS)}")
    handler = logging.StreamHandler()
    handler.setFormatter(_PrintableFormatter(_FORMAT, _DATE))
    log = logging.getLogger("livefacs")
    log.handlers = [handler]  # a second call does not double the lines
    log.setLevel(wanted.upper())
