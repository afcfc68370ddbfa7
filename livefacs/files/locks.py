"""Locks that end with the process, however it ends."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from typing import Final

from filelock import BaseFileLock, FileLock, Timeout

_NO_LOCKS_THERE: Final = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, errno.EINVAL)


class Lock:
    """A file that is ours until ``close``, or until the process ends.

    Where a file system has no locks at all, nothing is locked.

    Parameters
    ----------
    path : Path
        Of the lock itself; its folder must be there.

    Raises
    ------
    BlockingIOError
        Another has it.
    OSError
        It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: BaseFileLock = FileLock(
            path, timeout=0, thread_local=False, fallback_to_soft=False
        )
        try:
            self._lock.acquire()
        except Timeout:
            raise BlockingIOError(f"{path} is locked") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS_THERE:
                raise

    def close(self, *, remove: bool = False) -> None:
        """Let it go. Twice is no error.

        Parameters
        ----------
        remove : bool
            Take the file away, too: for a lock that nobody waits for.
        """
        self._lock.release(force=True)
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)


def is_locked(path: Path) -> bool:
    """True while a process holds the lock; False where there is none, or it cannot be known."""
    if not path.exists():
        return False
    try:
        Lock(path).close()
    except BlockingIOError:
        return True
    except OSError:
        return False  # not ours to write, or no lock at all
    return False
