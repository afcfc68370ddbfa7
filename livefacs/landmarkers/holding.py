"""Signals held back while a native library calls back into Python.

MediaPipe's graph calls a Python function while it holds a lock of its own. An exception out of a
signal handler there (Ctrl-C) would unwind through that lock, and the library ends the process.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final

_HELD: Final = (signal.SIGINT, signal.SIGTERM)


class DeferSignals:
    """While it is entered, signals with a Python handler wait; what came is handled afterwards.

    Only the main thread handles signals; in any other thread nothing is done.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._came: list[int] = []

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in _HELD:
                if callable(handler := signal.getsignal(number)):
                    self._before[number] = handler
                    signal.signal(number, self._note)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for number in self._came:
            signal.raise_signal(number)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._came.append(number)
