"""One clip of a batch: what it is known by, what becomes of it, and its work in a worker."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from livefacs.errors import LivefacsError, TakeError
from livefacs.files.atomic import write_text
from livefacs.files.hashes import content_hash, hash_bytes
from livefacs.resources import scratch_beside, scratch_of

_DONE: Final = "done"

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
    replaces : bool
        What stands at the target is an earlier result of the same batch, and gives way.
    """

    clip: str
    target: str
    key: str = ""
    replaces: bool = False


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


class WorkError(LivefacsError):
    """A clip failed for a reason that nobody foresaw; plain text, so that it crosses processes."""


def content_of(clip: Path) -> str:
    """What a clip is known by: the hash of its content.

    Raises
    ------
    TakeError
        It cannot be read, or is neither file nor folder.
    """
    try:
        return content_hash(clip)
    except OSError as error:
        raise TakeError(f"{clip} cannot be read: {error.strerror or error}") from error


def key_of(job: Job, mark: str, folder: Path) -> str:
    """Key of a clip's content, its place under the output folder, and the options' ``mark``."""
    place = os.path.relpath(job.target, folder)
    text = f"{content_of(Path(job.clip))}\0{place}\0{mark}"
    return hash_bytes(os.fsencode(text))


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
    forget_notes(job)  # of other contents or options: what they tell of is about to go
    try:
        with earlier_aside(job):
            report = work(job.clip, job.target, options)
    except LivefacsError:
        raise
    except Exception as error:
        raise WorkError(f"{job.clip}: {type(error).__name__}: {error}") from error
    with contextlib.suppress(OSError):  # a note is a help, not a result
        write_text(note, json.dumps(report))
    return report


@contextlib.contextmanager
def earlier_aside(job: Job) -> Iterator[None]:
    """An earlier result that is a folder makes room; it comes back where the work fails."""
    target = Path(job.target)
    aside = scratch_beside(target, "before")
    if job.replaces and target.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
        target.rename(aside)
    try:
        yield
    except BaseException:
        if aside.is_dir() and not target.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def forget_notes(job: Job) -> None:
    """Remove the notes beside a target: the manifest has it, or it is made anew."""
    for note in scratch_of(Path(job.target), f"{_DONE}-*"):
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)


def _note_path(job: Job) -> Path:
    return scratch_beside(Path(job.target), f"{_DONE}-{job.key[:16]}")


def failure(job: Job, error: BaseException) -> Outcome:
    """The outcome of a clip that cannot be done, in one line."""
    text = " ".join(str(error).splitlines())
    if not isinstance(error, LivefacsError):
        text = f"{type(error).__name__}: {text}"
    if job.clip not in text:
        text = f"{job.clip}: {text}"
    return Outcome(job, "failed", error=text)


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
