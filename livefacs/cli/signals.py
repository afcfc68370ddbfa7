"""What ends a command from outside: Ctrl-C, a polite kill, a terminal that is closed."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

ENDING: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last of Windows
    if hasattr(signal, name)
)
_STAYS_IGNORED: Final = "SIGHUP"  # ``nohup`` asks for that

STOPPED: Final = "livefacs: stopped"
STOPPED_CODE: Final = 130

_AGAIN_AFTER_S: Final = 0.5  # by then whatever passed an interrupt over has mostly returned
_raised = threading.Event()
_passed_over = threading.Event()  # what was raised went nowhere

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


class Stopped(KeyboardInterrupt):
    """A signal. Of its own class: where a plain one passes through ``exec``, as dataclasses are
    made with, CPython ends the process by the signal, whoever has caught it meanwhile."""


def _interrupt() -> None:
    _raised.set()
    raise Stopped


class Ending:
    """What stops a command: nothing to begin with, so that opening is interrupted.

    Attributes
    ----------
    stop : callable or None
        Stops what runs; None while it is opened.
    has_come : bool
        The command is to end.
    """

    def __init__(self) -> None:
        self.stop: Stop | None = None
        self.has_come = False

    def __call__(self) -> None:
        """Stop what runs, or interrupt what opens it; closing is not interrupted."""
        is_first, self.has_come = not self.has_come, True
        if self.stop is not None:
            self.stop()
        elif is_first or _passed_over.is_set():
            _passed_over.clear()
            _interrupt()


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Let a polite kill and a closed terminal raise ``KeyboardInterrupt`` too.

    Where Python has to pass one over (a callback out of compiled code, as LLVM makes them while
    kernels are compiled; a finalizer) it comes once more a moment later. An error that arrives in
    its place, as of a library that wraps what comes up in it, counts as the interrupt.
    """
    again: list[threading.Timer] = []

    def tell(passed_over: sys.UnraisableHookArgs) -> None:
        if issubclass(passed_over.exc_type, KeyboardInterrupt):
            _passed_over.set()
            again.append(threading.Timer(_AGAIN_AFTER_S, _wake_main_thread))
            again[-1].start()
        else:
            before(passed_over)

    before, sys.unraisablehook = sys.unraisablehook, tell
    _raised.clear()
    _passed_over.clear()
    try:
        with stopped_by_signals(_interrupt):
            try:
                yield
            except Exception as error:
                if _raised.is_set():
                    raise Stopped from error
                raise
            finally:
                for timer in again:
                    timer.cancel()
                    timer.join()
    finally:
        sys.unraisablehook = before


def _wake_main_thread() -> None:
    """Interrupt it, where it waits for something, too."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


@contextmanager
def ended_at_once() -> Iterator[None]:
    """End the process with a line while nothing has been opened that would need closing."""

    def end() -> None:
        with suppress(OSError):
            os.write(2, f"{STOPPED}\n".encode())
        os._exit(STOPPED_CODE)

    with stopped_by_signals(end):
        yield


def done() -> None:
    """The command has told how it ended: a signal has nothing to stop any more."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


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
