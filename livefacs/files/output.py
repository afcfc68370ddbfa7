"""Where a user wants a result: a file, a link to one, a pipe, a device, standard output."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from livefacs.files.atomic import make_folder, replaced

STANDARD_OUTPUT: Final = Path("-")
_SYSTEM: Final = ("/dev/", "/proc/")  # names of what is open already: never replaced


@contextlib.contextmanager
def output(path: Path, *, suffix: str | None = None) -> Iterator[Path]:
    """An empty file to be filled, which reaches ``path`` whole when the block ends well.

    A regular file is replaced in one step, through links to it, and is on the disk on return.
    Pipes, sockets and devices are written through; ``-`` is standard output.

    Parameters
    ----------
    path : Path
        As the user named it; folders that are not there are made.
    suffix : str or None
        Ending of the unfinished file, for writers that go by it; default: that of ``path``.

    Raises
    ------
    OSError
        It cannot be written: a folder of that name, no room, nobody reads the pipe, closed links.
    """
    ending = path.suffix if suffix is None else suffix
    if path == STANDARD_OUTPUT or _is_node(path):
        with _spooled(path, ending) as unfinished:
            yield unfinished
        return
    target = Path(os.path.realpath(path))
    make_folder(target.parent)
    with replaced(target, suffix=ending) as unfinished:
        yield unfinished


def _is_node(path: Path) -> bool:
    """True for what must not be replaced: neither a regular file nor a name for a new one."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(21, "it is a folder", str(path))
    return not stat.S_ISREG(mode) or os.path.abspath(path).startswith(_SYSTEM)  # noqa: PTH100 - resolve() would follow the link


@contextlib.contextmanager
def _spooled(path: Path, suffix: str) -> Iterator[Path]:
    """A result is made whole in the temporary folder first: it may need seeking, or fail."""
    descriptor, name = tempfile.mkstemp(suffix, "livefacs-")
    os.close(descriptor)
    unfinished = Path(name)
    try:
        yield unfinished
        with unfinished.open("rb") as whole:
            if path == STANDARD_OUTPUT:
                sys.stdout.flush()
                shutil.copyfileobj(whole, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                with os.fdopen(os.open(path, os.O_WRONLY), "wb") as node:
                    shutil.copyfileobj(whole, node)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
