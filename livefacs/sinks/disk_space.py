"""Room for a take: an empty folder on a disk that is not full, watched while it is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from livefacs.errors import TakeError
from livefacs.files.atomic import make_folder
from livefacs.take.layout import unwritable

_LEAST_BYTES: Final = 64 * 1024 * 1024
_WARN_BYTES: Final = 500 * 1000 * 1000
_WARN_S: Final = 300.0

FreeBytes = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """Bytes that can still be written where a folder lies."""
    return shutil.disk_usage(folder).free


def make_take_room(folder: Path, free: FreeBytes) -> None:
    """Make the folder of a take.

    Raises
    ------
    TakeError
        It cannot be written, holds something already, or its disk is full.
    """
    try:
        make_folder(folder)
        if any(folder.iterdir()):
            raise TakeError(
                f"{folder} is not empty: a take never goes over what is there; name a new folder"
            )
        left = free(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    if left < _LEAST_BYTES:
        raise TakeError(
            f"cannot record in {folder}: {left // 10**6} MB left on its disk,"
            f" at least {_LEAST_BYTES // 10**6} MB are needed; free some or name another folder"
        )


def low_space_warning(folder: Path, left: int, n_bytes: int, elapsed_s: float) -> str:
    """What to say of the space that is left; empty where it is enough.

    Parameters
    ----------
    folder : Path
    left : int
        Bytes left.
    n_bytes : int
        Written so far.
    elapsed_s : float
        Since the take began, seconds.
    """
    rate = n_bytes / elapsed_s if elapsed_s > 1 else 0.0
    left_s = left / rate if rate else float("inf")
    if left >= _WARN_BYTES and left_s >= _WARN_S:
        return ""
    still = f", about {left_s:.0f} s of this take" if left_s < 3600 else ""
    return (
        f"low disk space: {left // 10**6} MB left at {folder}{still};"
        " free some, the take ends when it is full"
    )
