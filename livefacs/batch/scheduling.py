"""All clips that are due, on cores or on a cluster."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from livefacs.batch.cluster import on_dask
from livefacs.batch.cores import on_cores
from livefacs.batch.jobs import Job, Outcome, Work, failure, forget_notes, key_of, usable_cores
from livefacs.batch.manifest import Manifest
from livefacs.errors import TakeError


def run_batch(
    jobs: Sequence[Job],
    work: Work,
    options: Any,
    manifest: Manifest,
    *,
    mark: str = "",
    n_processes: int = 0,
    scheduler: str = "",
) -> Generator[Outcome]:
    """Do every clip that is not finished; outcomes as they come. Close it to stop early.

    Parameters
    ----------
    jobs : sequence of Job
        Without keys; their targets differ.
    work : callable
        Raises ``LivefacsError`` (or anything) where the clip cannot be done.
    mark : str
        What the results depend on besides the clips; empty: the options as they print.
    n_processes : int
        0: one for each core this process may use.
    scheduler : str
        Address of a Dask scheduler, ``tcp://host:8786``; its workers need the same livefacs and
        see the same paths.

    Raises
    ------
    ConfigError, SinkError
        The extra ``dask`` is not installed, or the scheduler does not answer, or no longer.
    """
    looked_up = _looked_up(jobs, mark or repr(options), manifest)
    if scheduler:
        outcomes = on_dask(looked_up, work, options, scheduler)
    else:
        outcomes = on_cores(looked_up, work, options, n_processes or usable_cores())
    noted: list[Job] = []
    try:
        with closing(outcomes):
            for outcome in outcomes:
                if outcome.state != "skipped":
                    manifest.note(outcome)
                noted.append(outcome.job)
                yield outcome
    finally:  # only now: a cluster may ask again for what died with a worker
        for job in noted:
            forget_notes(job)


def _looked_up(jobs: Sequence[Job], mark: str, manifest: Manifest) -> Iterator[Outcome]:
    """Each clip with its key: skipped, failed, or due. Clips are read as they are asked for."""
    for job in jobs:
        try:
            keyed = replace(
                job,
                key=key_of(job, mark, manifest.folder),
                replaces=manifest.has_made(job),
            )
        except TakeError as error:
            yield failure(job, error)
            continue
        report = manifest.finished(keyed)
        if report is None:
            yield Outcome(keyed, "due")
        else:
            yield Outcome(keyed, "skipped", report)
