"""One process a core. No worker outlives the batch, however that ends."""

from __future__ import annotations

import _thread
import contextlib
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, Final

from livefacs.batch.jobs import Job, Outcome, Work, failure, work_once

_MOST_CRASHES: Final = 2
"""A clip during which a process died is tried once more; then it counts as failed."""
_GRACE_S: Final = 5.0
"""For a worker that is told to stop, to take its unfinished files away."""


def on_cores(
    looked_up: Iterator[Outcome], work: Work, options: Any, n_processes: int
) -> Generator[Outcome]:
    """Do what is due, pass on what is not; clips are looked up while the workers work."""
    with _Workers(work, options) as workers:
        for outcome in looked_up:
            if outcome.state != "due":
                yield outcome
                continue
            while workers.n_busy == n_processes:
                yield from workers.finished()
            workers.start(outcome.job)
        while workers.n_busy:
            yield from workers.finished()


class _Workers:
    """Processes with a clip each; when one dies, the clip it had is the one that is blamed."""

    def __init__(self, work: Work, options: Any) -> None:
        self._work, self._options = work, options
        self._context = multiprocessing.get_context("spawn")
        self._lifeline, self._held = self._context.Pipe(duplex=False)
        self._free: list[ProcessPoolExecutor] = []
        self._pending: dict[Future[dict[str, Any]], tuple[Job, ProcessPoolExecutor]] = {}
        self._crashes: Counter[str] = Counter()

    @property
    def n_busy(self) -> int:
        """Clips in work."""
        return len(self._pending)

    def start(self, job: Job) -> None:
        """Give a clip to a process that is free, or to a new one."""
        pool = self._free.pop() if self._free else self._one_process()
        try:
            future = _submitted(pool, self._work, job, self._options)
        except BrokenProcessPool:  # it died while it had nothing to do
            pool.shutdown()
            pool = self._one_process()
            future = _submitted(pool, self._work, job, self._options)
        self._pending[future] = job, pool

    def finished(self) -> Iterator[Outcome]:
        """Wait until something ends; a clip whose process died begins again."""
        done, _ = wait(self._pending, return_when=FIRST_COMPLETED)
        for future in done:
            job, pool = self._pending.pop(future)
            error = future.exception()
            if not isinstance(error, BrokenProcessPool):
                self._free.append(pool)
                yield Outcome(job, "done", future.result()) if not error else failure(job, error)
                continue
            pool.shutdown()
            self._crashes[job.target] += 1
            if self._crashes[job.target] < _MOST_CRASHES:
                self.start(job)
            else:
                yield Outcome(job, "failed", error=f"{job.clip}: its process died, twice")

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes; those that still work are told to stop."""
        if self._pending:
            self._held.close()
        for pool in (*self._free, *(pool for _, pool in self._pending.values())):
            pool.shutdown(wait=True, cancel_futures=True)
        self._held.close()
        self._lifeline.close()

    def _one_process(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            1, mp_context=self._context, initializer=_begin, initargs=(self._lifeline,)
        )


def _submitted(
    pool: ProcessPoolExecutor, work: Work, job: Job, options: Any
) -> Future[dict[str, Any]]:
    """The process starts with its first clip, and with Ctrl-C held back: that is for the parent."""
    if not hasattr(signal, "pthread_sigmask"):
        return pool.submit(_work_in_process, work, job, options)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(_work_in_process, work, job, options)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(lifeline: Connection) -> None:
    """Each process has a core for itself: libraries must not start threads of their own."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(1)


def _end_with_parent(lifeline: Connection) -> None:
    """Stop when the parent lets go of the line: it stopped, or is no longer there."""
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    _thread.interrupt_main(signal.SIGTERM)
    threading.Event().wait(_GRACE_S)
    os._exit(1)


def _work_in_process(work: Work, job: Job, options: Any) -> dict[str, Any]:
    try:
        return work_once(work, job, options)
    except SystemExit:  # told to stop; what was unfinished is gone, and nobody waits for an answer
        os._exit(1)
