"""Waiting for what another thread or process does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 180.0
"""So long a test waits for what takes a moment on an idle machine: only what hangs takes longer."""

_PACE_S: Final = 0.002


def wait_until(is_true: Callable[[], object], what: str = "it") -> None:
    """Look again and again; fails, saying what was waited for, when it does not come true."""
    ends_at = time.monotonic() + PATIENCE_S
    pace = threading.Event()
    while not is_true():
        if time.monotonic() > ends_at:
            raise AssertionError(f"waited in vain for {what}")
        pace.wait(_PACE_S)
