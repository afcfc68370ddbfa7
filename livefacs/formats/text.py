"""Fast lines of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

CHUNK_ROWS: Final = 4096


def number_lines(values: np.ndarray[Any, Any], template: str, unknown: str = "") -> Iterator[str]:
    """Each row through a %-template; where a value is NaN, ``unknown`` stands in its place.

    Parameters
    ----------
    values : (T, C), float
    template : str
        One ``%``-conversion a column, as ``"%.4f,%.4f\\n"``.
    """
    for begin in range(0, len(values), CHUNK_ROWS):
        rows = values[begin : begin + CHUNK_ROWS]
        is_known = np.isfinite(rows).all(axis=1)
        for row, known in zip(rows.tolist(), is_known.tolist(), strict=True):
            line = template % tuple(row)
            yield line if known else line.replace("nan", unknown)
