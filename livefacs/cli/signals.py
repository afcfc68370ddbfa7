"""What ends a command from outside: Ctrl-C, a polite kill, a terminal that is closed."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

ENDING: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last of Windows
    if hasattr(signal, name)
)
_STAYS_IGNORED: Final = "SIGHUP"  # ``nohup`` asks for that

Stop = Callable[[], object]


@contextmanager
def stopped_by_signals(stop: Stop) -> Iterator[None]:
    """Call ``stop``, instead of what was to happen, when the command is to end.

    Outside the main thread nothing is done: it has the signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {
        number: signal.signal(number, handle)
        for number in ENDING
        if number.name != _STAYS_IGNORED or signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        with _stopped_by_console(stop):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Let a polite kill and a closed terminal raise ``KeyboardInterrupt`` too."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    with stopped_by_signals(interrupt):
        yield


if sys.platform == "win32":
    # Written from Microsoft's documentation of SetConsoleCtrlHandler; it has not been run yet.
    import ctypes

    _CLOSING: Final = (2, 5, 6)  # the window is closed, logging off, shutting down
    _GRACE_S: Final = 6.0  # the system ends the process when the handler returns

    @contextmanager
    def _stopped_by_console(stop: Stop) -> Iterator[None]:
        left = threading.Event()

        @ctypes.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)
        def handle(event: int) -> int:
            if event not in _CLOSING:
                return 0
            stop()
            left.wait(_GRACE_S)
            return 1

        ctypes.windll.kernel32.SetConsoleCtrlHandler(handle, 1)
        try:
            yield
        finally:
            left.set()
            ctypes.windll.kernel32.SetConsoleCtrlHandler(handle, 0)

else:

    @contextmanager
    def _stopped_by_console(_stop: Stop) -> Iterator[None]:
        """Elsewhere a closed terminal is a signal."""
        yield
