"""Who is writing a take: a lock that ends with the process, however it ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":

    def hold(file: BinaryIO) -> None:
        """Nothing: a lock there would keep readers out, too."""

    def is_held(path: Path) -> bool:
        """Not known."""
        return False

else:
    import fcntl
    from contextlib import suppress

    def hold(file: BinaryIO) -> None:
        """Keep an open file as one that is being written, where its file system has locks."""
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_held(path: Path) -> bool:
        """True while a process writes the file."""
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                return False  # no locks there
        return False
