"""Exports of takes that run while pages watch how far they are."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from livefacs.errors import ConfigError, LivefacsError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import Format, export_take
from livefacs.formats.text import noting_rows
from livefacs.sinks.trimming import trim_take
from livefacs.sources.take_pictures import open_pictures
from livefacs.take.reader import Take
from livefacs.workers import Worker

_MOST_KEPT: Final = 8  # finished files; the oldest goes first


@dataclass(slots=True)
class Export:
    """One export, in a thread of its own.

    Attributes
    ----------
    path : Path
        The file, in a folder of its own that goes with the job.
    n_rows, n_cut, n_written : int
        Rows that are exported, how many of them are cut out of the take so far, and how many
        are written; formats that are written in one stroke count none.
    state : str
        ``cutting``, ``writing``, ``ready`` or ``failed``.
    error : str
    """

    path: Path
    n_rows: int
    state: str = "cutting"
    n_cut: int = 0
    n_written: int = 0
    error: str = ""
    _seen: int = field(default=0)

    def document(self) -> dict[str, Any]:
        """How far it is; ``bytes`` is what has been written of the file."""
        return {
            "state": self.state,
            "rows": self.n_rows,
            "cut": self.n_cut,
            "written": min(self.n_written, self.n_rows),
            "bytes": self._bytes(),
            "name": self.path.name,
            "error": self.error,
        }

    def _bytes(self) -> int:
        """Of the unfinished file beside the path, too."""
        try:
            sizes = [each.stat().st_size for each in self.path.parent.iterdir() if each.is_file()]
        except OSError:
            return self._seen  # it moves to its place just now
        self._seen = max(self._seen, sum(sizes))
        return self._seen


class Exports:
    """The exports of all pages, by number; the last few are kept to be fetched."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._jobs: OrderedDict[str, Export] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, take: Take, file_format: Format, options: ExportOptions, rows: range) -> str:
        """Start one; its number. ``rows`` may be a part of the take."""
        folder = Path(tempfile.mkdtemp(prefix="livefacs-export-"))
        job = Export(folder / f"{take.folder.name}{file_format.suffixes[0]}", len(rows))
        with self._lock:
            number = str(next(self._numbers))
            self._jobs[number] = job
            for old in [
                key for key, each in self._jobs.items() if each.state in ("ready", "failed")
            ]:
                if len(self._jobs) > _MOST_KEPT:
                    self._forget(old)
        Worker(lambda: _work(job, take, file_format, options, rows), "livefacs-export").start()
        return number

    def find(self, number: str) -> Export:
        """A job by its number.

        Raises
        ------
        ConfigError
            There is none, or no longer.
        """
        with self._lock:
            if number not in self._jobs:
                raise ConfigError("there is no such export: start it again")
            return self._jobs[number]

    def close(self) -> None:
        """Remove every file."""
        with self._lock:
            for number in list(self._jobs):
                self._forget(number)

    def _forget(self, number: str) -> None:
        shutil.rmtree(self._jobs.pop(number).path.parent, ignore_errors=True)


def trim_with_pictures(
    take: Take, rows: range, parent: Path, on_rows: Callable[[int], None] = lambda _n: None
) -> Path:
    """Write some rows as a new take, with the pictures of its video; see ``trim_take``."""
    with open_pictures(take) as pictures:
        known = set() if pictures is None else set(pictures.rows.tolist())
        return trim_take(
            take,
            rows,
            parent,
            lambda row: pictures.image(row) if pictures and row in known else None,
            on_rows,
        )


def _work(
    job: Export, take: Take, file_format: Format, options: ExportOptions, rows: range
) -> None:
    part = job.path.parent / "part"

    def note_cut(n_rows: int) -> None:
        job.n_cut = n_rows

    def note_written(n_rows: int) -> None:
        job.n_written += n_rows

    try:
        if len(rows) < take.n_rows:
            trim = trim_with_pictures if file_format.of_video else trim_take
            take = Take(trim(take, rows, part, on_rows=note_cut))
        job.n_cut, job.state = len(rows), "writing"
        with noting_rows(note_written):
            export_take(take, file_format, job.path, options)
        job.state = "ready"
    except LivefacsError as error:
        job.state, job.error = "failed", str(error)
    except BaseException:
        job.state, job.error = "failed", "the export ended by an error, which the log names"
        raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
