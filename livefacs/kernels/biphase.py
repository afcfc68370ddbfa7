"""Biphase mark code, the line code of linear timecode (SMPTE ST 12-1): audio to bits and back.

The level changes at the start of every bit, and once more in the middle of a one.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from livefacs.arrays import F32, F64
from livefacs.kernels._jit import kernel

N_BITS = 80
"""Bits of one frame of linear timecode."""
N_SYNC = 16
N_STATE = 10 + 2 * N_BITS
"""Length of a decoder's state: ten values, then the last bits and where each began."""

# Places in the state.
(
    _HIGH,  # upper envelope
    _LOW,  # lower envelope
    _BEFORE,  # the sample before
    _LEVEL,  # side of the signal: +1, -1, 0 unknown
    _CROSSING,  # newest crossing of the middle, in samples since the start
    _CHANGE,  # newest change of level
    _HALF,  # start of a half bit that waits for its other half; NaN: none
    _PERIOD,  # samples a bit
    _N_VALID,  # bits in a row without an error, at most 80
    _N_SEEN,  # samples seen
) = range(10)

_HYSTERESIS = 0.2  # of the distance between the envelopes, on each side of the middle
_QUIET = 2e-3  # distance of the envelopes below which there is no signal: -54 dB of full scale
_ENVELOPE_BITS = 24.0  # time constant of the envelopes
_SHORTEST, _HALF_BIT, _LONGEST = 0.35, 0.75, 1.4  # of a bit: glitch < half bit < bit < gap
_FOLLOW = 0.05  # weight of a new bit in the bit period
_SLOWEST_BITS_HZ, _FASTEST_BITS_HZ = 1760.0, 2600.0  # 24000/1001 to 30 frames a second, 8 % around


@kernel
def start_decoder(sample_rate_hz: float, state: F64) -> None:
    """Set a decoder's state, (N_STATE,) float64, to the start of a stream."""
    state[:] = 0.0
    state[_HALF] = math.nan
    state[_PERIOD] = sample_rate_hz / 2150.0


@kernel
def decode_biphase(
    samples: F32,
    sample_rate_hz: float,
    sync: npt.NDArray[np.uint8],
    state: F64,
    frames: npt.NDArray[np.uint8],
    spans: F64,
) -> int:
    """Find the frames that end within a block of audio.

    A frame is 80 bits in a row that end with the sync word, at 22 to 32.5 frames a second; anything
    else (noise, gaps, faster or slower play, reverse) gives none. Level and offset may change.

    Parameters
    ----------
    samples : (n,) float32
        Full scale is ±1; a NaN counts as 0.
    sample_rate_hz : float
    sync : (16,) uint8
        Bits of the sync word, in the order in which they are sent.
    state : (N_STATE,) float64, updated
        See ``start_decoder``; carries what spans the blocks.
    frames : (m, 80) uint8, written
    spans : (m, 2) float64, written
        Start of a frame's first bit and end of its last, in samples since the start of the stream.

    Returns
    -------
    int
        Number of frames; no more than ``m`` are written, later ones of the block are lost.
    """
    decay = math.exp(-2150.0 / (_ENVELOPE_BITS * sample_rate_hz))
    slowest, fastest = sample_rate_hz / _SLOWEST_BITS_HZ, sample_rate_hz / _FASTEST_BITS_HZ
    n_found = 0
    for i in range(samples.shape[0]):
        v = float(samples[i])
        if v != v:
            v = 0.0
        middle = 0.5 * (state[_HIGH] + state[_LOW])
        state[_HIGH] = max(v, middle + (state[_HIGH] - middle) * decay)
        state[_LOW] = min(v, middle + (state[_LOW] - middle) * decay)
        middle = 0.5 * (state[_HIGH] + state[_LOW])
        spread = state[_HIGH] - state[_LOW]
        before = state[_BEFORE]
        state[_BEFORE] = v
        at = state[_N_SEEN]
        state[_N_SEEN] = at + 1.0
        if (before - middle) * (v - middle) <= 0.0 and before != v:
            state[_CROSSING] = at - (v - middle) / (v - before)
        if spread < _QUIET:
            state[_N_VALID] = 0.0
            state[_HALF] = math.nan
            continue
        if v > middle + _HYSTERESIS * spread:
            level = 1.0
        elif v < middle - _HYSTERESIS * spread:
            level = -1.0
        else:
            continue
        if level == state[_LEVEL]:
            continue
        state[_LEVEL] = level
        is_bit, bit, start = _take_change(state, slowest, fastest)
        if not is_bit:
            continue
        _push(state, bit, start)
        if state[_N_VALID] < N_BITS or not _ends_with(state, sync):
            continue
        state[_N_VALID] = 0.0
        if n_found < frames.shape[0]:
            for k in range(N_BITS):
                frames[n_found, k] = np.uint8(state[10 + k])
            spans[n_found, 0] = state[10 + N_BITS]
            spans[n_found, 1] = state[_CHANGE]
            n_found += 1
    return n_found


@kernel
def _take_change(state: F64, slowest: float, fastest: float) -> tuple[bool, float, float]:
    """A change of level at ``_CROSSING``: whether it ends a bit, the bit, and where that began."""
    start, period = state[_CHANGE], state[_PERIOD]
    length = state[_CROSSING] - start
    state[_CHANGE] = state[_CROSSING]
    waiting = state[_HALF]
    state[_HALF] = math.nan
    if length < _SHORTEST * period or length > _LONGEST * period:
        state[_N_VALID] = 0.0
        return False, 0.0, 0.0
    if length < _HALF_BIT * period:
        if waiting != waiting:
            state[_HALF] = start
            return False, 0.0, 0.0
        start, bit = waiting, 1.0
    else:
        bit = 0.0
        if waiting == waiting:  # half a bit stands alone: counting starts anew
            state[_N_VALID] = 0.0
    period += _FOLLOW * (state[_CROSSING] - start - period)
    state[_PERIOD] = min(max(period, fastest), slowest)
    return True, bit, start


@kernel
def _push(state: F64, bit: float, start: float) -> None:
    for k in range(10, 10 + N_BITS - 1):
        state[k] = state[k + 1]
        state[k + N_BITS] = state[k + 1 + N_BITS]
    state[10 + N_BITS - 1] = bit
    state[10 + 2 * N_BITS - 1] = start
    state[_N_VALID] = min(state[_N_VALID] + 1.0, float(N_BITS))


@kernel
def _ends_with(state: F64, sync: npt.NDArray[np.uint8]) -> bool:
    same = True
    for k in range(N_SYNC):
        same &= state[10 + N_BITS - N_SYNC + k] == sync[k]
    return same


@kernel
def encode_biphase(
    bits: npt.NDArray[np.uint8], start: float, period: float, level: float, out: F32
) -> tuple[float, float]:
    """Write bits as audio.

    Each sample is the mean of the ideal square wave from half a sample before it to half a sample
    after, so that a change between two samples is where it belongs.

    Parameters
    ----------
    bits : (n,) uint8
    start : float
        Where the first bit begins, in samples from the start of ``out``.
    period : float
        Samples a bit.
    level : float
        Amplitude; its sign is the level before the first bit.
    out : (m,) float32, added to
        0 before; samples outside are left out.

    Returns
    -------
    float, float
        Where the next bit begins, and the level before it.
    """
    for i in range(bits.shape[0]):
        level = -level
        if bits[i]:
            _add_level(out, start, start + 0.5 * period, level)
            level = -level
            _add_level(out, start + 0.5 * period, start + period, level)
        else:
            _add_level(out, start, start + period, level)
        start += period
    return start, level


@kernel
def _add_level(out: F32, begin: float, end: float, level: float) -> None:
    begin += 0.5
    end += 0.5
    first = max(math.floor(begin), 0)
    last = min(math.ceil(end), out.shape[0])
    for i in range(first, last):
        out[i] += np.float32(level * (min(end, i + 1.0) - max(begin, float(i))))
