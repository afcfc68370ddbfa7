"""Fast lines of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import numpy as np

CHUNK_ROWS: Final = 4096
_NOTE: ContextVar[Callable[[int], None] | None] = ContextVar("note", default=None)


@contextmanager
def noting_rows(note: Callable[[int], None]) -> Iterator[None]:
    """Tell how many more rows this thread has made lines of, now and then while the block runs.

    Formats that write no lines of numbers say nothing.
    """
    before = _NOTE.set(note)
    try:
        yield
    finally:
        _NOTE.reset(before)


def number_lines(
    values: np.ndarray[Any, Any], template: str, unknown: tuple[str, str] = ("nan", "")
) -> Iterator[str]:
    """Each row through a %-template, with something else in the place of NaN.

    Parameters
    ----------
    values : (T, C), float
    template : str
        One ``%``-conversion a column, as ``"%.4f,%.4f\\n"``.
    unknown : (str, str)
        A NaN as it comes out, with what stands before it where the template holds words of its
        own, and what is written instead.
    """
    note = _NOTE.get()
    for begin in range(0, len(values), CHUNK_ROWS):
        rows = values[begin : begin + CHUNK_ROWS]
        is_known = np.isfinite(rows).all(axis=1)
        for row, known in zip(rows.tolist(), is_known.tolist(), strict=True):
            line = template % tuple(row)
            yield line if known else line.replace(*unknown)
        if note is not None:
            note(len(rows))
