"""Many takes: what lies in a folder, and the mending of what a crash left."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

from livefacs.errors import TakeError
from livefacs.files.atomic import create, sync_folder
from livefacs.files.bounded_reading import copy_tail, open_own
from livefacs.files.locks import is_locked
from livefacs.take.document import line_from_marker, write_document
from livefacs.take.integrity import errors_of, missing_pictures, recorded_rows
from livefacs.take.layout import DOCUMENT_NAME, LOCK_FILE, MARKERS_FILE, Marker
from livefacs.take.reader import Take
from livefacs.take.sound import mend_sound
from livefacs.take.writer import RESERVE_FILE

TORN_FOLDER: Final = "torn"


@dataclass(frozen=True, slots=True)
class Repair:
    """What ``repair`` found and did.

    Attributes
    ----------
    n_rows : int
        Whole frames.
    torn : dict of file name to bytes after the last whole record, kept under ``torn/``
    state : str
        State of the take before.
    errors : tuple of str
        What repairing cannot mend, as ``integrity.errors_of`` has it.
    n_sound : int or None
        Samples of the sound whose header was mended; None where there was nothing to mend.
    """

    folder: Path
    n_rows: int
    duration_s: float
    n_markers: int
    torn: dict[str, int]
    state: str
    errors: tuple[str, ...] = ()
    n_sound: int | None = None


def find_takes(folder: Path) -> tuple[list[Take], list[TakeError]]:
    """Takes in a folder (or the folder itself), by name, and the errors of those unreadable."""
    if (folder / DOCUMENT_NAME).is_file():
        folders = [folder]
    elif folder.is_dir():
        folders = sorted(path.parent for path in folder.glob(f"*/{DOCUMENT_NAME}"))
    else:
        raise TakeError(f"{folder}: no such folder")
    takes, errors = [], []
    for path in folders:
        try:
            take = Take(path)
            _ = take.markers
            takes.append(take)
        except TakeError as error:
            errors.append(error)
    return takes, errors


def repair(folder: Path) -> Repair:
    """Close a take that was not closed: cut torn tails off (they are kept) and say what is there.

    Raises
    ------
    TakeError
        Not a take, one that is being recorded, or it cannot be written.
    """
    take = Take(folder)
    files = take.stream_files
    if is_locked(folder / LOCK_FILE):
        raise TakeError(f"{folder} is being recorded: end the take first, then repair it")
    whole = {files[name]: take.whole_bytes(name) for name in files}
    errors, recorded = errors_of(take), recorded_rows(take)
    if take.state == "recording":
        errors += missing_pictures(take)
    report = Repair(
        take.folder, take.n_rows, take.duration_s, len(take.markers), {}, take.state, errors
    )
    document = dict(take.document)
    del take  # a mapped file cannot be cut on every system
    try:
        for file, n_bytes in whole.items():
            n_torn = _cut(folder / file, n_bytes)
            if n_torn:
                report.torn[file] = n_torn
        for name in (RESERVE_FILE, LOCK_FILE):
            (folder / name).unlink(missing_ok=True)
        try:
            report = replace(report, n_sound=mend_sound(folder, document))
        except TakeError as error:  # the curves are mended all the same
            report = replace(report, errors=(*report.errors, str(error)))
        if report.torn or report.n_sound is not None or document["state"] == "recording":
            document["state"] = "repaired"
            more = {} if recorded is None else {"rows_before_repair": recorded}
            document["summary"] = {**(document["summary"] or {}), "rows": report.n_rows, **more}
            write_document(folder, document)
    except OSError as error:
        raise TakeError(f"cannot repair {folder}: {error.strerror or error}") from error
    return report


def add_markers(take: Take, markers: Sequence[Marker]) -> int:
    """Append markers to a finished take; those that are there already are passed over.

    Returns
    -------
    int
        How many were new.

    Raises
    ------
    TakeError
        The take is being recorded, or cannot be written.
    """
    folder = take.folder
    if is_locked(folder / LOCK_FILE):
        raise TakeError(f"{folder} is being recorded: end the take first, then mark it")
    new = [marker for marker in markers if marker not in take.markers]
    if not new:
        return 0
    path = folder / MARKERS_FILE
    try:
        if not path.exists():
            os.close(create(path))
        with open_own(path, write=True) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            torn = b"\n" if size and file.read(1) != b"\n" else b""  # a kill's last line
            file.seek(size)
            file.write(torn + b"".join(map(line_from_marker, new)))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise TakeError(f"cannot mark {folder}: {error.strerror or error}") from error
    return len(new)


def _cut(path: Path, n_bytes: int) -> int:
    """Keep the first bytes of a file, put the rest beside it; how many those were.

    The rest is on the disk before anything is cut; nothing is written through a link.
    """
    with open_own(path, write=True) as file:
        if os.fstat(file.fileno()).st_size <= n_bytes:
            return 0
        kept = path.parent / TORN_FOLDER
        with contextlib.suppress(FileExistsError):
            kept.mkdir()
        if kept.is_symlink() or not kept.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{kept} is no folder of the take")
        with _new_file(kept, f"{path.name}.{n_bytes}") as rest:
            n_torn = copy_tail(file, n_bytes, rest)
            os.fsync(rest.fileno())
        sync_folder(kept)
        sync_folder(path.parent)
        file.truncate(n_bytes)
        os.fsync(file.fileno())
    return n_torn


def _new_file(folder: Path, name: str) -> BinaryIO:
    """A file that was not there: ``NAME``, or ``NAME-2`` and so on."""
    for number in itertools.count(1):
        with contextlib.suppress(FileExistsError):
            return os.fdopen(create(folder / (name if number == 1 else f"{name}-{number}")), "w+b")
    raise AssertionError("unreachable: the numbers do not end")
