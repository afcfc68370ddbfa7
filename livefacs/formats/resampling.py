"""Curves on another time grid, and smoothing without delay.

SciPy is imported where it is used: half a second that a plain solve does not spend.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from livefacs.arrays import F64
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.timecode import TimecodeRate

LONGEST_BRIDGE_S: Final = 0.25
"""Unknown values are bridged over at most this long; beyond it the curve stays unknown."""
_FILTER_ORDER: Final = 2  # applied forwards and backwards, so 4 in effect


def uniform_times_ns(
    first_ns: int, last_ns: int, rate: TimecodeRate
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Times of whole frames from the first moment to the last, exact for 1001-rates."""
    n_frames = rate.frames_from_ns(last_ns - first_ns) + 1
    offsets = [rate.ns_from_frames(i_frame) for i_frame in range(n_frames)]
    return first_ns + np.array(offsets, np.int64)


def resample(
    times_ns: np.ndarray[Any, Any], values: np.ndarray[Any, Any], new_ns: np.ndarray[Any, Any]
) -> F64:
    """Values at other times by monotone cubic interpolation (PCHIP), which never overshoots.

    Parameters
    ----------
    times_ns : (T,) int64, strictly rising
    values : (T, C)
        NaN: unknown. A gap longer than ``LONGEST_BRIDGE_S`` stays NaN.
    new_ns : (S,) int64

    Returns
    -------
    (S, C) float64
        Outside the known times: NaN, but half a frame at either end holds the nearest value.
    """
    origin = int(times_ns[0]) if len(times_ns) else 0
    old_s = (times_ns - origin) / NS_PER_S
    new_s = (new_ns - origin) / NS_PER_S
    known = np.isfinite(values)
    result = np.full((len(new_ns), values.shape[1]), np.nan)
    for columns in _columns_by_gaps(known):
        rows = known[:, columns[0]]
        if rows.any():
            result[:, columns] = _resample_known(old_s[rows], values[rows][:, columns], new_s)
    return result


def _columns_by_gaps(known: np.ndarray[Any, Any]) -> list[list[int]]:
    """Columns that are known at the same rows, together: most are, everywhere."""
    groups: dict[bytes, list[int]] = {}
    for column in range(known.shape[1]):
        groups.setdefault(np.packbits(known[:, column]).tobytes(), []).append(column)
    return list(groups.values())


def _resample_known(old_s: F64, values: F64, new_s: F64) -> F64:
    from scipy.interpolate import PchipInterpolator

    period = float(np.median(np.diff(new_s))) if len(new_s) > 1 else 0.0
    inside = np.clip(new_s, old_s[0], old_s[-1])
    if len(old_s) == 1:
        result = np.repeat(values.astype(np.float64), len(new_s), axis=0)
    else:
        result = np.asarray(PchipInterpolator(old_s, values, axis=0)(inside), np.float64)
    too_wide = _gaps(old_s, inside) > LONGEST_BRIDGE_S
    result[too_wide | (np.abs(new_s - inside) > period / 2 + 1e-9)] = np.nan
    return result


def in_hole(
    times_ns: np.ndarray[Any, Any], new_ns: np.ndarray[Any, Any]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(S,) True where nothing was recorded around a moment, for longer than is bridged.

    Parameters
    ----------
    times_ns : (T,) int64, rising
    new_ns : (S,) int64
    """
    return np.asarray(_gaps(times_ns, new_ns) > LONGEST_BRIDGE_S * NS_PER_S)


def _gaps(old: np.ndarray[Any, Any], new: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """From the last known time before each new one to the next after it; 0 at a known one."""
    after = np.clip(np.searchsorted(old, new, side="left"), 0, len(old) - 1)
    before = np.clip(np.searchsorted(old, new, side="right") - 1, 0, len(old) - 1)
    return np.asarray(old[after] - old[before])


def smooth_zero_phase(
    times_ns: np.ndarray[Any, Any], values: np.ndarray[Any, Any], cutoff_hz: float
) -> F64:
    """Low-pass without delay: a Butterworth filter run forwards and backwards (SciPy).

    Uneven times are brought to an even grid for the filter and back. Unknown values stay unknown,
    and each known stretch is filtered by itself; a hole in the recording ends one, too.

    Parameters
    ----------
    times_ns : (T,) int64
    values : (T, C)
    cutoff_hz : float
        Where the amplitude has fallen by half (-6 dB, both passes together).

    Raises
    ------
    ConfigError
        The cutoff is not between 0 and half the frame rate.
    """
    from scipy.signal import butter

    result = np.array(values, np.float64)
    if len(times_ns) < 3:
        return result
    steps_s = np.diff(times_ns) / NS_PER_S
    is_hole = steps_s > max(LONGEST_BRIDGE_S, 2 * float(np.median(steps_s)))
    rate_hz = 1.0 / float(steps_s[~is_hole].mean())
    if not 0 < cutoff_hz < rate_hz / 2:
        raise ConfigError(
            f"smoothing at {cutoff_hz:g} Hz: expected more than 0 and less than half the frame"
            f" rate, {rate_hz / 2:.2f} Hz"
        )
    sections = butter(_FILTER_ORDER, cutoff_hz, fs=rate_hz, output="sos")
    known = np.isfinite(result)
    for columns in _columns_by_gaps(known):
        for begin, end in _stretches(known[:, columns[0]], is_hole):
            result[begin:end, columns] = _smooth_stretch(
                times_ns[begin:end], result[begin:end][:, columns], sections, rate_hz
            )
    return result


def _smooth_stretch(
    times_ns: np.ndarray[Any, Any], values: F64, sections: F64, rate_hz: float
) -> F64:
    from scipy.interpolate import PchipInterpolator
    from scipy.signal import sosfiltfilt

    n_samples = len(times_ns)
    if n_samples < 3:
        return values
    times_s = (times_ns - times_ns[0]) / NS_PER_S
    grid_s = np.linspace(0.0, times_s[-1], n_samples)
    even = np.asarray(PchipInterpolator(times_s, values, axis=0)(grid_s))
    padding = min(n_samples - 1, round(rate_hz))
    filtered = sosfiltfilt(sections, even, axis=0, padlen=padding)
    return np.asarray(PchipInterpolator(grid_s, filtered, axis=0)(times_s), np.float64)


def _stretches(known: np.ndarray[Any, Any], is_hole: np.ndarray[Any, Any]) -> list[tuple[int, int]]:
    """Begin and end of each run of known rows; ``is_hole``: between a row and the next."""
    goes_on = known[1:] & known[:-1] & ~is_hole
    begins = np.flatnonzero(known & ~np.concatenate(([False], goes_on)))
    ends = np.flatnonzero(known & ~np.concatenate((goes_on, [False]))) + 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))
