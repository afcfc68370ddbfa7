"""Many clips on all cores, or on a Dask cluster: resumable, failures listed, the rest delivered.

What is done with one clip is the caller's function, which other processes import by its name. A
manifest beside the results remembers what was finished by the content of the clip and the options,
so that a second run does only what is new, changed or failed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from livefacs.errors import ConfigError, LivefacsError, SinkError, TakeError

MANIFEST_NAME: Final = "livefacs-batch.json"
_VERSION: Final = 1
_BLOCK_BYTES: Final = 1 << 20
_MOST_CRASHES: Final = 2
"""A clip during which a process died is tried once more; then it counts as failed."""

Work = Callable[[str, str, Any], dict[str, Any]]
"""(clip, target, options) → report as plain values. A module's own function, to be imported."""


@dataclass(frozen=True, slots=True)
class Job:
    """One clip to be done.

    Attributes
    ----------
    clip, target : str
        Absolute paths.
    key : str
        Hash of the clip's content, the target and the options.
    """

    clip: str
    target: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a clip.

    Attributes
    ----------
    state : str
        ``done``, ``skipped`` (was finished before) or ``failed``.
    report : dict
        What the work function said; empty for a failure.
    error : str
        One line; empty unless it failed.
    """

    job: Job
    state: str
    report: dict[str, Any] = field(default_factory=dict)
    error: str = ""


def content_hash(clip: Path) -> str:
    """SHA-256 of a file, or of a folder's file names and contents.

    Raises
    ------
    TakeError
        It cannot be read.
    """
    digest = hashlib.sha256()
    try:
        files = sorted(p for p in clip.rglob("*") if p.is_file()) if clip.is_dir() else [clip]
        for path in files:
            if clip.is_dir():
                digest.update(str(path.relative_to(clip)).encode() + b"\0")
            with path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
    except OSError as error:
        raise TakeError(f"{clip} cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def key_of(job: Job, options: Any) -> str:
    """Key of a clip's content, its target and the options: changes when one of them does."""
    text = f"{content_hash(Path(job.clip))}\0{job.target}\0{options!r}"
    return hashlib.sha256(text.encode()).hexdigest()


class Manifest:
    """What is finished in an output folder. Written after every clip, in one step.

    Raises
    ------
    TakeError
        The folder cannot be written.
    ConfigError
        The file there is not a manifest of this version.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / MANIFEST_NAME
        self._entries: dict[str, dict[str, Any]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            text = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        except OSError as error:
            raise TakeError(
                f"cannot use {folder}: {error.strerror or error}; name another folder"
            ) from error
        if text:
            self._entries = self._read(text)

    def finished(self, job: Job) -> dict[str, Any] | None:
        """Report of a clip that is finished with the same content and options, target in place."""
        entry = self._entries.get(job.target)
        if entry is None or entry["key"] != job.key or not Path(job.target).exists():
            return None
        report: dict[str, Any] = entry["report"]
        return report

    def note(self, outcome: Outcome) -> None:
        """Remember a finished clip; forget one that failed."""
        if outcome.state == "failed":
            self._entries.pop(outcome.job.target, None)
        elif outcome.state == "done":
            self._entries[outcome.job.target] = {
                "clip": outcome.job.clip,
                "key": outcome.job.key,
                "report": outcome.report,
            }
        document = {"format": "livefacs-batch", "version": _VERSION, "finished": self._entries}
        beside = self.path.with_suffix(".new")
        try:
            beside.write_text(json.dumps(document, indent=1), encoding="utf-8")
            beside.replace(self.path)
        except OSError as error:
            raise TakeError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _read(self, text: str) -> dict[str, dict[str, Any]]:
        try:
            document = json.loads(text)
            if document["format"] != "livefacs-batch" or document["version"] != _VERSION:
                raise ValueError("other format or version")
            entries: dict[str, dict[str, Any]] = document["finished"]
            for entry in entries.values():
                _ = entry["key"], entry["report"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"{self.path} is no manifest of this version ({error}): move it away to start anew"
            ) from None
        return entries


def run_batch(
    jobs: Sequence[Job],
    work: Work,
    options: Any,
    manifest: Manifest,
    *,
    n_processes: int = 0,
    scheduler: str = "",
) -> Iterator[Outcome]:
    """Do every clip that is not finished; outcomes as they come, skipped ones first.

    Parameters
    ----------
    jobs : sequence of Job
        Without keys; their targets differ.
    work : callable
        Raises ``LivefacsError`` (or anything) where the clip cannot be done.
    n_processes : int
        0: one for each core this process may use.
    scheduler : str
        Address of a Dask scheduler, ``tcp://host:8786``; its workers need the same livefacs and
        see the same paths.

    Raises
    ------
    ConfigError, SinkError
        The extra ``dask`` is not installed, or the scheduler does not answer.
    """
    due: list[Job] = []
    noted: list[Job] = []
    for outcome in _looked_up(jobs, options, manifest):
        if outcome.state == "due":
            due.append(outcome.job)
            continue
        noted.append(outcome.job)
        yield outcome
    if scheduler:
        outcomes = _on_dask(due, work, options, scheduler)
    else:
        outcomes = _on_cores(due, work, options, n_processes or usable_cores())
    try:
        for outcome in outcomes:
            manifest.note(outcome)
            noted.append(outcome.job)
            yield outcome
    finally:  # only now: a cluster may ask again for what died with a worker
        for job in noted:
            with contextlib.suppress(OSError):
                _note_path(job).unlink(missing_ok=True)


def _looked_up(jobs: Sequence[Job], options: Any, manifest: Manifest) -> Iterator[Outcome]:
    """Each clip with its key: skipped, failed, or due."""
    for job in jobs:
        try:
            keyed = replace(job, key=key_of(job, options))
        except TakeError as error:
            yield Outcome(job, "failed", error=str(error))
            continue
        report = manifest.finished(keyed)
        if report is None:
            yield Outcome(keyed, "due")
        else:
            yield Outcome(keyed, "skipped", report)


def work_once(work: Work, job: Job, options: Any) -> dict[str, Any]:
    """Do a clip in a worker, and leave a note beside the result until the manifest has it.

    A worker that dies after its clip was done, before its answer arrived, is asked for again
    elsewhere: the note answers, and nothing is done twice.
    """
    note = _note_path(job)
    if note.is_file() and Path(job.target).exists():
        with contextlib.suppress(OSError, ValueError):
            noted: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
            return noted
    report = work(job.clip, job.target, options)
    with contextlib.suppress(OSError):  # a note is a help, not a result
        unfinished = note.with_name(f"{note.name}.{os.getpid()}")
        unfinished.write_text(json.dumps(report), encoding="utf-8")
        unfinished.replace(note)
    return report


def _note_path(job: Job) -> Path:
    target = Path(job.target)
    return target.with_name(f".{target.name}.{job.key[:16]}.done")


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _on_cores(jobs: Sequence[Job], work: Work, options: Any, n: int) -> Iterator[Outcome]:
    """One process a core; when one dies, the clip it had is the one that is blamed."""
    queue = deque(jobs)
    crashes: Counter[str] = Counter()
    pending: dict[Future[dict[str, Any]], tuple[Job, ProcessPoolExecutor]] = {}
    free = [_one_process() for _ in range(min(n, len(jobs)))]
    try:
        while queue or pending:
            while queue and free:
                job, pool = queue.popleft(), free.pop()
                pending[pool.submit(work_once, work, job, options)] = job, pool
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                job, pool = pending.pop(future)
                died = isinstance(future.exception(), BrokenProcessPool)
                free.append(_one_process() if died else pool)
                crashes[job.target] += died
                if not died:
                    yield _outcome(job, future)
                elif crashes[job.target] < _MOST_CRASHES:
                    queue.append(job)
                else:
                    yield Outcome(job, "failed", error=f"{job.clip}: its process died, twice")
    finally:
        for pool in (*free, *(pool for _, pool in pending.values())):
            pool.shutdown(wait=True, cancel_futures=True)


def _one_process() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=_use_one_core)


def _use_one_core() -> None:
    """Each process has a core for itself: libraries must not start threads of their own."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"


def _outcome(job: Job, future: Future[dict[str, Any]]) -> Outcome:
    error = future.exception()
    if error is None:
        return Outcome(job, "done", future.result())
    return Outcome(job, "failed", error=_line(job, error))


def _line(job: Job, error: BaseException) -> str:
    if isinstance(error, LivefacsError):
        return str(error)
    return f"{job.clip}: {type(error).__name__}: {error}"


def _on_dask(jobs: Sequence[Job], work: Work, options: Any, address: str) -> Iterator[Outcome]:
    try:
        dask: Any = importlib.import_module("distributed")
    except ImportError:
        raise ConfigError(
            "a scheduler needs Dask, which is not installed: pip install 'livefacs[dask]'"
        ) from None
    try:
        client = dask.Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise SinkError(
            f"no Dask scheduler answers at {address!r} ({error}); expected tcp://HOST:PORT"
        ) from None
    with client:
        # The key names the result: one that the cluster has, or is making, is not made twice.
        futures = {
            client.submit(work_once, work, job, options, key=f"livefacs-{job.key}", pure=True): job
            for job in jobs
        }
        for future in dask.as_completed(list(futures)):
            job, failure = futures.pop(future), future.exception()
            if failure is None:
                yield Outcome(job, "done", future.result())
            else:
                yield Outcome(job, "failed", error=_line(job, failure))
            future.release()  # a result that was taken is not made again when its worker dies
