"""A one-place mailbox between two threads: the newest item wins, what it overwrote is counted."""

from __future__ import annotations

import threading
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class _Empty:
    """Type of the mark for "nothing here"; an item may be None."""


_EMPTY: Final = _Empty()


class Slot(Generic[T]):
    """One place. ``put`` never blocks; ``get`` waits for an item.

    Attributes
    ----------
    overwritten : int
        Items that a newer one replaced before they were taken.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | _Empty = _EMPTY
        self._closed = False
        self.overwritten = 0

    def put(self, item: T) -> None:
        """Leave an item; the one that still lies there is lost and counted. No-op once closed."""
        with self._changed:
            if self._closed:
                return
            if self._item is not _EMPTY:
                self.overwritten += 1
            self._item = item
            self._changed.notify()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the item, waiting for one; None on timeout, or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not _EMPTY, timeout_s)
            if isinstance(self._item, _Empty):
                return None
            item, self._item = self._item, _EMPTY
            return item

    def close(self) -> None:
        """Wake every waiter; what lies there can still be taken once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """True after ``close``."""
        return self._closed
