"""Folders and files that only the user may read."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from livefacs.files.atomic import PRIVATE_MODE, make_folder, sync_folder


def make_private_folder(folder: Path) -> None:
    """A folder that is the user's alone (0700); made with its parents where it is not there.

    Raises
    ------
    OSError
        It cannot be made.
    PermissionError
        What stands there is a link, or belongs to somebody else, or others may write into it.
    """
    make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        sync_folder(folder.parent)
    if not is_own_folder(folder):
        raise PermissionError(f"{folder} is not the user's own folder")


def is_own_folder(folder: Path) -> bool:
    """True where nobody else can put files into a folder: ours, no link, not open to others.

    On Windows the folders of a user are theirs by the system's own rules: any folder will do.
    """
    try:
        found = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(found.st_mode):
        return False
    if os.name == "nt":
        return True
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        return False
    above = folder.parent.stat()  # whoever may rename there can put another in its place
    return not above.st_mode & stat.S_IWOTH or bool(above.st_mode & stat.S_ISVTX)


def close_to_others(path: Path) -> None:
    """Take a file from everybody but its owner (0600), where it is there and the system can."""
    with contextlib.suppress(OSError):
        path.chmod(PRIVATE_MODE)
