"""Retargeting: one call turns the signals of a frame into the control values of a rig.

The arrays are made by ``retarget.compiler``; their columns are named here. Everything a map says
is data: weighted sums in compressed rows, combinations, suppressions, curves, limits, smoothing.
"""

from __future__ import annotations

import math
from typing import Final

from livefacs.arrays import F32, F64, I64
from livefacs.kernels._jit import kernel

# Columns of ``numbers``, one row a control.
GAIN: Final = 0
OFFSET: Final = 1
LOW: Final = 2
HIGH: Final = 3
DEAD_ZONE: Final = 4
ASYMMETRY: Final = 5
SMOOTHING: Final = 6  # one of the three kinds below
SMOOTHING_A: Final = 7  # time constant in seconds, or lowest cutoff in hertz
SMOOTHING_B: Final = 8  # speed coefficient of the One Euro filter, hertz per unit per second
SMOOTHING_C: Final = 9  # cutoff of the speed estimate, hertz
N_NUMBERS: Final = 10

# Columns of ``spans``: first and one-past-last row of each list, one row a control.
TERMS: Final = 0
COMBINATIONS: Final = 2
SUPPRESSIONS: Final = 4
CURVE: Final = 6
PARTNER: Final = 8  # the control of the other side, -1 where there is none
N_SPANS: Final = 9

# Columns of ``combinations``.
OPERATION: Final = 0
FIRST: Final = 1
LAST: Final = 2

PRODUCT: Final = 0
MAXIMUM: Final = 1

NO_SMOOTHING: Final = 0.0
EXPONENTIAL: Final = 1.0
ONE_EURO: Final = 2.0

# Columns of ``state``.
VALUE: Final = 0
SPEED: Final = 1
DRIVE: Final = 2
N_STATE: Final = 3


@kernel
def complete_signals(signals: F64, mean_pairs: I64) -> None:
    """Write the means of both sides; unknown values become 0.

    The mean of a known and an unknown side is the known one.

    Parameters
    ----------
    signals : (n_signals,) float64, changed in place
        NaN: unknown.
    mean_pairs : (n_means, 3) int64
        Indices of the left and right signal, and of their mean.
    """
    for i in range(mean_pairs.shape[0]):
        left = signals[mean_pairs[i, 0]]
        right = signals[mean_pairs[i, 1]]
        if not math.isfinite(left):
            left = right
        if not math.isfinite(right):
            right = left
        signals[mean_pairs[i, 2]] = 0.5 * (left + right)
    for i in range(signals.size):
        if not math.isfinite(signals[i]):
            signals[i] = 0.0


@kernel
def _drive(
    i: int,
    signals: F64,
    spans: I64,
    entry_signal: I64,
    entry_weight: F64,
    combinations: I64,
    combination_weight: F64,
) -> float:
    total = 0.0
    for k in range(spans[i, TERMS], spans[i, TERMS + 1]):
        total += entry_weight[k] * signals[entry_signal[k]]
    for c in range(spans[i, COMBINATIONS], spans[i, COMBINATIONS + 1]):
        first = combinations[c, FIRST]
        part = entry_weight[first] * signals[entry_signal[first]]
        for k in range(first + 1, combinations[c, LAST]):
            factor = entry_weight[k] * signals[entry_signal[k]]
            if combinations[c, OPERATION] == PRODUCT:
                part *= factor
            elif factor > part:
                part = factor
        total += combination_weight[c] * part
    for k in range(spans[i, SUPPRESSIONS], spans[i, SUPPRESSIONS + 1]):
        held_back = entry_weight[k] * min(max(signals[entry_signal[k]], 0.0), 1.0)
        total *= max(1.0 - held_back, 0.0)
    return total


@kernel
def _shaped(drive: float, dead_zone: float, first: int, last: int, curves: F64) -> float:
    """Dead zone, then response curve; a curve that starts at (0, 0) keeps the sign."""
    size = abs(drive)
    size = max(size - dead_zone, 0.0) / (1.0 - dead_zone)
    sign = -1.0 if drive < 0.0 else 1.0
    if first == last:
        return sign * size
    is_odd = curves[first, 0] == 0.0 and curves[first, 1] == 0.0
    x = size if is_odd else sign * size
    y = curves[last - 1, 1]
    if x <= curves[first, 0]:
        y = curves[first, 1]
    else:
        for k in range(first + 1, last):
            if x <= curves[k, 0]:
                share = (x - curves[k - 1, 0]) / (curves[k, 0] - curves[k - 1, 0])
                y = curves[k - 1, 1] + share * (curves[k, 1] - curves[k - 1, 1])
                break
    if is_odd:
        y = sign * y
    return float(y)


@kernel
def _share_of_new(cutoff_hz: float, dt_s: float) -> float:
    """Weight of the newest sample in a first-order low-pass."""
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * dt_s))


@kernel
def _smoothed(i: int, value: float, numbers: F64, state: F64, dt_s: float) -> float:
    """Exponential or One Euro filter (Casiez, Roussel and Vogel 2012) of one control."""
    kind = numbers[i, SMOOTHING]
    before = state[i, VALUE]
    if dt_s < 0.0:
        state[i, SPEED] = 0.0
    elif dt_s == 0.0:
        if kind != NO_SMOOTHING:
            value = before
    elif kind == EXPONENTIAL:
        value = before + (1.0 - math.exp(-dt_s / numbers[i, SMOOTHING_A])) * (value - before)
    elif kind == ONE_EURO:
        speed = (value - before) / dt_s
        share = _share_of_new(numbers[i, SMOOTHING_C], dt_s)
        state[i, SPEED] += share * (speed - state[i, SPEED])
        cutoff_hz = numbers[i, SMOOTHING_A] + numbers[i, SMOOTHING_B] * abs(state[i, SPEED])
        value = before + _share_of_new(cutoff_hz, dt_s) * (value - before)
    state[i, VALUE] = value
    return value


@kernel
def retarget(
    signals: F64,
    mean_pairs: I64,
    numbers: F64,
    spans: I64,
    entry_signal: I64,
    entry_weight: F64,
    combinations: I64,
    combination_weight: F64,
    curves: F64,
    state: F64,
    dt_s: float,
    values: F32,
) -> None:
    """Control values of one frame.

    Per control: weighted sum, plus combinations, times suppressions; asymmetry gain against the
    other side; dead zone; response curve; gain and offset; limits; smoothing.

    Parameters
    ----------
    signals : (n_signals,) float64, changed in place
        See ``complete_signals``.
    mean_pairs : (n_means, 3) int64
    numbers : (n_controls, N_NUMBERS) float64
    spans : (n_controls, N_SPANS) int64
    entry_signal : (n_entries,) int64
    entry_weight : (n_entries,) float64
    combinations : (n_combinations, 3) int64
    combination_weight : (n_combinations,) float64
    curves : (n_points, 2) float64
        Drive and response, drive rising.
    state : (n_controls, N_STATE) float64, changed in place
    dt_s : float
        Seconds since the frame before; negative on a first frame, which starts the filters.
    values : (n_controls,) float32, written
        Always finite and inside each control's limits.
    """
    complete_signals(signals, mean_pairs)
    n_controls = numbers.shape[0]
    for i in range(n_controls):
        state[i, DRIVE] = _drive(
            i, signals, spans, entry_signal, entry_weight, combinations, combination_weight
        )
    for i in range(n_controls):
        drive = state[i, DRIVE]
        partner = spans[i, PARTNER]
        if partner >= 0:
            other = state[partner, DRIVE]
            drive = 0.5 * (drive + other) + 0.5 * numbers[i, ASYMMETRY] * (drive - other)
        first, last = spans[i, CURVE], spans[i, CURVE + 1]
        value = _shaped(drive, numbers[i, DEAD_ZONE], first, last, curves)
        value = numbers[i, OFFSET] + numbers[i, GAIN] * value
        value = min(max(value, numbers[i, LOW]), numbers[i, HIGH])
        values[i] = _smoothed(i, value, numbers, state, dt_s)
