"""Threads whose failure is kept, jobs side by side, the end of many parts within a time limit."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, wait
from contextlib import ExitStack, suppress
from typing import Final, TypeVar

T = TypeVar("T")
_log = logging.getLogger(__name__)

CLOSING_S: Final = 5.0
"""All parts of a session are closed within this time, whatever one of them does."""
_NICER: Final = 10  # levels: a tenth of the time of a core that is fought for
_TURN_S: Final = 0.5  # how long the next part waits for the one before it


class Worker(threading.Thread):
    """A daemon thread; an exception that ends it is logged with its traceback, kept and told.

    Parameters
    ----------
    run : callable
    name : str
    on_failure : callable(exception) or None
        Called in this thread.
    gives_way : bool
        On Linux it and the threads that it starts let others have a busy core first.

    Attributes
    ----------
    failure : BaseException or None
        What ended it; None while it runs, and where it ended by itself.
    """

    def __init__(
        self,
        run: Callable[[], object],
        name: str,
        on_failure: Callable[[BaseException], object] | None = None,
        *,
        gives_way: bool = False,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._gives_way = gives_way
        self._work = run
        self._on_failure = on_failure
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Work; not to be called by hand (see ``start``)."""
        if self._gives_way:
            _lower_priority()
        try:
            self._work()
        except BaseException as failure:  # whoever owns the worker decides what becomes of it
            _log.exception("%s ended", self.name)
            self.failure = failure
            if self._on_failure is not None:
                self._on_failure(failure)


def _lower_priority() -> None:
    """Of this thread: on Linux; elsewhere it would be the whole program's."""
    if sys.platform == "linux":
        with suppress(OSError):  # it works all the same
            thread = threading.get_native_id()
            level = os.getpriority(os.PRIO_PROCESS, thread) + _NICER
            os.setpriority(os.PRIO_PROCESS, thread, level)


class Closing:
    """Closes parts in the reverse order of their adding, all of them, within a time limit.

    Each part is closed in a thread of its own. The next one has its turn when that is done, or
    after half a second; one that fails or hangs therefore keeps no other from being closed.

    Parameters
    ----------
    limit_s : float

    Attributes
    ----------
    failures : list of exceptions
        What closing raised.
    hung : list of str
        Parts that were not closed in time.
    """

    def __init__(self, limit_s: float = CLOSING_S) -> None:
        self._limit_s = limit_s
        self._ends_at_s = 0.0
        self._stack = ExitStack()
        self._running: list[Worker] = []
        self.failures: list[BaseException] = []
        self.hung: list[str] = []

    def add(self, part: str, close: Callable[[], object]) -> None:
        """Close this, before all that was added earlier."""
        self._stack.callback(self._close_one, part, close)

    def close(self) -> None:
        """Close everything; never raises. Nothing is closed twice."""
        self._ends_at_s = time.monotonic() + self._limit_s
        self._stack.close()
        for worker in self._running:
            worker.join(max(0.0, self._ends_at_s - time.monotonic()))
        self.failures += [one.failure for one in self._running if one.failure is not None]
        self.hung += [one.name for one in self._running if one.is_alive()]
        self._running.clear()
        if self.hung:
            _log.error("not closed within %.0f s: %s", self._limit_s, ", ".join(self.hung))

    def _close_one(self, part: str, close: Callable[[], object]) -> None:
        worker = Worker(close, part)
        self._running.append(worker)
        worker.start()
        worker.join(min(_TURN_S, max(0.0, self._ends_at_s - time.monotonic())))


def close_all(
    parts: Iterable[tuple[str, Callable[[], object]]], limit_s: float = CLOSING_S
) -> None:
    """Close parts in their order, all of them, within a time limit.

    Raises
    ------
    BaseException
        The first that closing raised, when all is closed.
    """
    closing = Closing(limit_s)
    for part, close in reversed(tuple(parts)):
        closing.add(part, close)
    closing.close()
    if closing.failures:
        raise closing.failures[0]


def side_by_side(jobs: Sequence[Callable[[], T]], pool: Executor | None) -> list[T]:
    """What jobs return, in their order: the first runs in this thread, the others in the pool.

    Parameters
    ----------
    jobs : sequence of callables
    pool : Executor or None
        None: one after the other in this thread.

    Raises
    ------
    Exception
        What the first of them raised that failed, when none is running any more.
    """
    if pool is None:
        return [job() for job in jobs]
    waiting = [pool.submit(job) for job in jobs[1:]]
    try:
        first = [job() for job in jobs[:1]]
    finally:
        wait(waiting)
    return first + [each.result() for each in waiting]
