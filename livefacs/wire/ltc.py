"""Linear timecode (LTC, SMPTE ST 12-1): timecode as sound, and the frame that each moment falls on.

80 bits a frame: the label in binary-coded decimals, 32 user bits, flags, and a sync word. Timecode
above 30 frames a second runs on the wire at half the rate (48 as 24, 59.94 as 29.97): so does what
is written here.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from livefacs.arrays import F32
from livefacs.errors import ConfigError
from livefacs.kernels.biphase import (
    N_BITS,
    N_STATE,
    decode_biphase,
    encode_biphase,
    start_decoder,
)
from livefacs.timecode import TimecodeRate
from livefacs.wire.following import HeardFrame, wire_rate

Bits = npt.NDArray[np.uint8]
SYNC: Final[Bits] = np.array([0, 0, *[1] * 12, 0, 1], np.uint8)

_FIELDS: Final = (  # first bit, number of bits, factor
    *((0, 4, 1), (8, 2, 10)),  # frames
    *((16, 4, 1), (24, 3, 10)),  # seconds
    *((32, 4, 1), (40, 3, 10)),  # minutes
    *((48, 4, 1), (56, 2, 10)),  # hours
)
_DROP_BIT: Final = 10
_USER_BITS: Final = tuple(first + bit for first in range(4, 64, 8) for bit in range(4))
_POLARITY_BIT: Final = {25: 59}
_USUAL_POLARITY_BIT: Final = 27
_BLOCK_FRAMES: Final = 64


def bits_from_label(label: str, rate: TimecodeRate, user_bits: int = 0) -> Bits:
    """The 80 bits of a frame.

    Parameters
    ----------
    label : str
    rate : TimecodeRate
        One of ``WIRE_RATES``.
    user_bits : int
        0 … 2³² - 1.

    Raises
    ------
    ConfigError
        No such label at the rate, or user bits out of range.
    """
    rate.frame_from_label(label)
    if not 0 <= user_bits < 1 << 32:
        raise ConfigError(f"user bits {user_bits:#x}: expected 32 bits")
    bits = np.zeros(N_BITS, np.uint8)
    numbers = [int(label[begin : begin + 2]) for begin in (9, 6, 3, 0)]
    digits = [digit for number in numbers for digit in (number % 10, number // 10)]
    for (first, n_bits, _), digit in zip(_FIELDS, digits, strict=True):
        bits[first : first + n_bits] = [digit >> k & 1 for k in range(n_bits)]
    bits[_DROP_BIT] = rate.drop
    bits[list(_USER_BITS)] = [user_bits >> k & 1 for k in range(32)]
    bits[-len(SYNC) :] = SYNC
    # An even number of zeros (and so of ones) gives every frame the same polarity.
    bits[_POLARITY_BIT.get(rate.nominal, _USUAL_POLARITY_BIT)] = bits.sum() % 2
    return bits


def frame_from_bits(bits: Bits, start: float, end: float) -> HeardFrame | None:
    """What 80 bits say; returns None if a number is out of range."""
    values = [
        factor * sum(int(bits[first + k]) << k for k in range(n_bits))
        for first, n_bits, factor in _FIELDS
    ]
    if any(value > 9 for value in values[::2]):
        return None
    frame, second, minute, hour = (
        units + tens for units, tens in zip(values[::2], values[1::2], strict=True)
    )
    if hour > 23 or minute > 59 or second > 59 or frame > 29:
        return None
    user_bits = sum(int(bits[place]) << k for k, place in enumerate(_USER_BITS))
    drop = bool(bits[_DROP_BIT])
    return HeardFrame(hour, minute, second, frame, drop, start, end, user_bits=user_bits)


class LtcWriter:
    """Writes linear timecode as audio, frame by frame without a seam.

    Parameters
    ----------
    rate : TimecodeRate
    label : str
        Of the first frame, at the rate on the wire (``wire_rate``).
    sample_rate_hz : int
    level : float
        Amplitude, 0..1.
    user_bits : int

    Raises
    ------
    ConfigError
        No such label at the rate, user bits or level out of range.
    """

    def __init__(
        self,
        rate: TimecodeRate,
        label: str,
        sample_rate_hz: int = 48_000,
        *,
        level: float = 0.25,
        user_bits: int = 0,
    ) -> None:
        if not 0.0 < level <= 1.0:
            raise ConfigError(f"level {level:g}: expected more than 0, at most 1 (full scale)")
        self.rate = wire_rate(rate)
        self._i_frame = self.rate.frame_from_label(label)
        self._period = float(sample_rate_hz / self.rate.fraction / N_BITS)
        self._level = level
        self._user_bits = user_bits
        self._n_frames = 0
        self._n_written = 0
        self._rest = np.zeros(0, np.float32)
        bits_from_label(label, self.rate, user_bits)

    def write(self, n_frames: int) -> F32:
        """(n,) float32: the next frames, up to the last whole sample."""
        begin = self._n_frames * N_BITS * self._period - self._n_written
        self._n_frames += n_frames
        end = self._n_frames * N_BITS * self._period - self._n_written
        out = np.zeros(int(np.ceil(end)) + 2, np.float32)
        out[: len(self._rest)] = self._rest
        for _ in range(n_frames):
            label = self.rate.label_from_frame(self._i_frame)
            bits = bits_from_label(label, self.rate, self._user_bits)
            begin, self._level = encode_biphase(bits, begin, self._period, self._level, out)
            self._i_frame += 1
        n_whole = int(end)
        self._rest = out[n_whole:]
        self._n_written += n_whole
        return out[:n_whole]


class LtcReader:
    """Finds linear timecode in a stream of audio.

    Parameters
    ----------
    sample_rate_hz : int
        8000 or more.

    Raises
    ------
    ConfigError
        The sample rate is too low.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        if sample_rate_hz < 8000:
            raise ConfigError(
                f"audio at {sample_rate_hz} Hz cannot carry timecode: expected 8000 Hz or more"
            )
        self.sample_rate_hz = sample_rate_hz
        self._state: npt.NDArray[Any] = np.empty(N_STATE)
        self._bits = np.empty((_BLOCK_FRAMES, N_BITS), np.uint8)
        self._spans = np.empty((_BLOCK_FRAMES, 2))
        self._n_block = sample_rate_hz  # a second holds at most 33 frames
        start_decoder(float(sample_rate_hz), self._state)

    def read(self, samples: F32) -> list[HeardFrame]:
        """The frames that end in the next samples of the stream.

        Parameters
        ----------
        samples : (n,) float32, full scale ±1
        """
        found = []
        for begin in range(0, len(samples), self._n_block):
            block = np.ascontiguousarray(samples[begin : begin + self._n_block], np.float32)
            n_frames = decode_biphase(
                block, float(self.sample_rate_hz), SYNC, self._state, self._bits, self._spans
            )
            for bits, (start, end) in zip(
                self._bits[:n_frames], self._spans[:n_frames].tolist(), strict=True
            ):
                frame = frame_from_bits(bits, start, end)
                if frame is not None:
                    found.append(frame)
        return found
