"""Fast lines of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

CHUNK_ROWS: Final = 4096


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
    for begin in range(0, len(values), CHUNK_ROWS):
        rows = values[begin : begin + CHUNK_ROWS]
        is_known = np.isfinite(rows).all(axis=1)
        for row, known in zip(rows.tolist(), is_known.tolist(), strict=True):
            line = template % tuple(row)
            yield line if known else line.replace(*unknown)
