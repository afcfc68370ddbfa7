"""Files that appear whole or not at all, and are on the disk before anybody is told of them.

The order is always the same: a file beside the target, its bytes to the disk (``fsync``), one
rename over the target, the folder's entry to the disk. Whoever is killed or loses power in between
leaves the old file or the new one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import platform
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from livefacs.files.hashes import hash_bytes
from livefacs.resources import scratch_beside, scratch_of

_LEFT_S: Final = 3600.0
PRIVATE_MODE: Final = 0o600
_SHARED_MODE: Final = 0o666  # less what the user's umask takes away
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)  # absent on Windows, where links are rare
_BINARY: Final = getattr(os, "O_BINARY", 0)
_UNSUPPORTED: Final = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)


@contextlib.contextmanager
def replaced(path: Path, *, private: bool = False, suffix: str | None = None) -> Iterator[Path]:
    """An empty file to be filled, which takes the place of ``path`` when the block ends well.

    A link at ``path`` is replaced, never followed; ``output.output`` follows those of users.

    Parameters
    ----------
    path : Path
        Its folder must be there.
    private : bool
        Only the user may read it (0600); otherwise the mode of the file that it replaces.
    suffix : str or None
        Ending of the unfinished file, for writers that go by it; default: that of ``path``.

    Raises
    ------
    OSError
        It cannot be written; nothing is left behind and the old file stands.
    """
    ending = path.suffix if suffix is None else suffix
    _clear_left(path)
    token = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    unfinished = scratch_beside(path, f"unfinished-{token}{ending}")
    os.close(create(unfinished, private=private))
    try:
        yield unfinished
        _set_mode(unfinished, path, private)
        sync_file(unfinished)
        unfinished.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a file in one step; on return it is on the disk.

    Raises
    ------
    OSError
        As of ``replaced``.
    """
    with replaced(path, private=private, suffix="") as unfinished, unfinished.open("wb") as file:
        file.write(data)


def write_text(path: Path, text: str, *, private: bool = False, errors: str = "strict") -> None:
    """Write UTF-8 text in one step, lines as they are; on return it is on the disk.

    Raises
    ------
    OSError
        As of ``replaced``.
    """
    write_bytes(path, text.encode("utf-8", errors), private=private)


def write_all(
    file: BinaryIO, data: bytes | memoryview, note: Callable[[memoryview], None] | None = None
) -> None:
    """Write everything to an unbuffered file, which may take a part at a time.

    Parameters
    ----------
    note : callable or None
        Told of each part that the system has, also where a later one fails.

    Raises
    ------
    OSError
    """
    view = memoryview(data)
    while len(view):
        n_written = file.write(view) or 0
        if note is not None:
            note(view[:n_written])
        view = view[n_written:]


def create(path: Path, *, private: bool = False) -> int:
    """Descriptor of a new file for reading and writing: never one that exists, nor through a link.

    Raises
    ------
    OSError
    """
    mode = PRIVATE_MODE if private else _SHARED_MODE
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY, mode)


def make_folder(folder: Path) -> None:
    """Make a folder with those above it where they are not there, each with its entry on the disk.

    Raises
    ------
    OSError
    """
    missing = [folder, *folder.parents]
    for index, parent in enumerate(missing):
        if parent.exists():
            missing = missing[:index]
            break
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync_folder(new.parent)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))


def sync_file(path: Path) -> None:
    """Wait until the disk has a file's bytes.

    Raises
    ------
    OSError
    """
    descriptor = os.open(path, os.O_RDWR | _NO_FOLLOW | _BINARY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's entries: names that were made, moved or removed.

    Windows has no such call for folders; some network file systems do not take it.

    Raises
    ------
    OSError
    """
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(descriptor)


def move_folder(source: Path, target: Path) -> None:
    """Give a finished folder its place: every file in it on the disk, one rename, both parents.

    Raises
    ------
    OSError
        It cannot be moved: another disk, or a folder with something in it stands there.
    """
    for folder, _, names in os.walk(source):
        for name in names:
            sync_file(Path(folder, name))
        sync_folder(Path(folder))
    source.replace(target)
    for parent in {target.parent, source.parent}:
        sync_folder(parent)


def _host() -> str:
    """A few digits of this machine's name: numbers of processes mean nothing on another."""
    return hash_bytes(os.fsencode(platform.node()))[:8]


def _clear_left(path: Path) -> None:
    """Take away what killed writers of the same file left: of this machine, or an hour old."""
    for left in scratch_of(path, "unfinished-*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            host, pid = left.name.partition("unfinished-")[2].split("-")[:2]
            is_old = time.time() - left.lstat().st_mtime > _LEFT_S
            if is_old or (host == _host() and not _is_running(int(pid))):
                left.unlink()


def _is_running(pid: int) -> bool:
    if os.name == "nt":  # where signal 0 is no question
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # another user's
    return True


def _set_mode(unfinished: Path, target: Path, private: bool) -> None:
    if private:
        unfinished.chmod(PRIVATE_MODE)
        return
    with contextlib.suppress(FileNotFoundError):
        found = target.lstat().st_mode
        if stat.S_ISREG(found):
            unfinished.chmod(stat.S_IMODE(found))
