"""One Euro filter over all channels at once (G. Casiez, N. Roussel, D. Vogel, CHI 2012)."""

from __future__ import annotations

import math

from livefacs.arrays import F64
from livefacs.kernels._jit import kernel

_TWO_PI = 2.0 * math.pi


@kernel
def one_euro(values: F64, dt_s: float, parameters: F64, state: F64, out: F64) -> None:
    """Low-pass each channel; the faster it moves, the higher the cutoff.

    Parameters
    ----------
    values : (n,) float64
        NaN: unknown; the channel's state is then left alone and ``out`` is NaN.
    dt_s : float
        Seconds since the frame before; <= 0 restarts every channel at its value.
    parameters : (n, 3) float64
        Lowest cutoff in hertz (<= 0: no filter), its rise in hertz per unit a second, cutoff of
        the speed estimate in hertz.
    state : (n, 2) float64, updated
        Filtered value and speed; NaN where the channel has not started.
    out : (n,) float64, written
    """
    for c in range(values.shape[0]):
        v = values[c]
        if v != v:
            out[c] = v
            continue
        if dt_s <= 0.0 or state[c, 0] != state[c, 0] or parameters[c, 0] <= 0.0:
            state[c, 0] = v
            state[c, 1] = 0.0
            out[c] = v
            continue
        a_speed = smoothing_factor(parameters[c, 2], dt_s)
        speed = (v - state[c, 0]) / dt_s
        state[c, 1] += a_speed * (speed - state[c, 1])
        cutoff = parameters[c, 0] + parameters[c, 1] * abs(state[c, 1])
        state[c, 0] += smoothing_factor(cutoff, dt_s) * (v - state[c, 0])
        out[c] = state[c, 0]


@kernel
def smoothing_factor(cutoff_hz: float, dt_s: float) -> float:
    """Weight of the new value in a first-order low-pass."""
    r = _TWO_PI * cutoff_hz * dt_s
    return r / (r + 1.0)
