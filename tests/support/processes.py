"""Processes as a terminal starts them, whoever started the tests."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Final


def _set_signals_back() -> None:
    """Jobs in the background begin with Ctrl-C ignored, those of ``nohup`` with hang-ups."""
    for name in ("SIGINT", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


AS_FROM_A_TERMINAL: Final[Callable[[], None] | None] = (
    _set_signals_back if hasattr(signal, "SIGHUP") else None
)
"""``preexec_fn`` of a process that is to be stopped by signals; None where there are none."""
