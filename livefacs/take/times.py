"""Times of a take that can be believed: rising, without leaps that nothing confirms."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Final

import numpy as np

from livefacs.clock import NS_PER_S

I64 = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

_END_LEAP_NS: Final = 60 * NS_PER_S


def doubtful_times(times_ns: I64) -> Mask:
    """(N,) True where a time cannot be right beside the others.

    The fewest that have to go so that the rest never falls (a repeated time stays); and a first or
    last one that stands a minute off: in the middle a leap is confirmed by what follows.
    """
    doubtful = np.zeros(len(times_ns), bool)
    if (np.diff(times_ns) < 0).any():
        doubtful[:] = True
        doubtful[_longest_rise(times_ns.tolist())] = False
    kept = np.flatnonzero(~doubtful)
    if len(kept) > 2:
        doubtful[kept[-1]] = _leap(times_ns, kept[-2], kept[-1])
        doubtful[kept[0]] = _leap(times_ns, kept[0], kept[1])
    return doubtful


def _leap(times_ns: I64, before: Any, after: Any) -> bool:
    return int(times_ns[after]) - int(times_ns[before]) > _END_LEAP_NS


def mended_times(times_ns: I64, doubtful: Mask) -> I64:
    """Times with the doubtful ones put where they lie between the others, by their row.

    Parameters
    ----------
    times_ns : (N,) int64
    doubtful : (N,) bool

    Returns
    -------
    (N,) int64
        The same array where nothing is doubtful, or everything is.
    """
    good = np.flatnonzero(~doubtful)
    if not len(good) or len(good) == len(times_ns):
        return times_ns
    origin = int(times_ns[good[0]])
    offsets = (times_ns[good] - origin).astype(np.float64)
    step = float(np.median(np.diff(offsets) / np.diff(good))) if len(good) > 1 else 0.0
    rows = np.arange(len(times_ns))
    placed = np.interp(rows, good, offsets)
    placed += np.minimum(rows - good[0], 0) * step + np.maximum(rows - good[-1], 0) * step
    mended = times_ns.copy()
    mended[doubtful] = origin + np.round(placed[doubtful]).astype(np.int64)
    return mended


def _longest_rise(values: list[int]) -> list[int]:
    """Indices of the longest run of values that never fall, others left out (patience sorting)."""
    ends: list[int] = []  # the smallest value that a run of each length ends with
    end_at: list[int] = []
    before = [-1] * len(values)
    for index, value in enumerate(values):
        length = bisect_right(ends, value)
        before[index] = end_at[length - 1] if length else -1
        if length == len(ends):
            ends.append(value)
            end_at.append(index)
        else:
            ends[length], end_at[length] = value, index
    rise = []
    index = end_at[-1] if end_at else -1
    while index >= 0:
        rise.append(index)
        index = before[index]
    return rise[::-1]
