"""Interleaved timing: what is compared runs in turns, so that a busy machine slows both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, and the limit it is held against."""

    what: str
    value: float
    unit: str
    limit: str


@dataclass(slots=True)
class Table:
    """Rows of all measurements of a run."""

    rows: list[Row] = field(default_factory=list)

    def note(self, what: str, value: float, unit: str = "", limit: str = "") -> None:
        """Add a row."""
        self.rows.append(Row(what, value, unit, limit))


def medians_us(*jobs: Callable[[], object], rounds: int = 200, inner: int = 1) -> list[float]:
    """Median microseconds of one call of each job, run in turns.

    Parameters
    ----------
    jobs : callables without arguments
    rounds : int
        Turns; every job runs ``inner`` times in each.
    """
    took = np.empty((rounds, len(jobs)))
    for i_round in range(rounds):
        for i_job, job in enumerate(jobs):
            began = time.perf_counter_ns()
            for _ in range(inner):
                job()
            took[i_round, i_job] = (time.perf_counter_ns() - began) / (1000 * inner)
    return [float(value) for value in np.median(took, axis=0)]


def quick_us(*jobs: Callable[[], object], rounds: int = 20, inner: int = 20) -> list[float]:
    """Microseconds of a quick call of each job, run in turns as above: the lowest tenth's bound.

    For what takes milliseconds: another program on the machine can only make a call slower, and
    the very best call may be one that had less to do.
    """
    took = np.empty((len(jobs), rounds * inner))
    for i_round in range(rounds):
        for i_job, job in enumerate(jobs):
            for i in range(i_round * inner, (i_round + 1) * inner):
                began = time.perf_counter_ns()
                job()
                took[i_job, i] = (time.perf_counter_ns() - began) / 1000
    return [float(value) for value in np.quantile(took, 0.1, axis=1)]
