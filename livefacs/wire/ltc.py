"""Linear timecode (LTC, SMPTE ST 12-1): timecode as sound, and the frame that each moment falls on.

80 bits a frame: the label in binary-coded decimals, 32 user bits, flags, and a sync word. Timecode
above 30 frames a second runs on the wire at half the rate (48 as 24, 59.94 as 29.97): so does what
is written here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
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
from livefacs.timecode import RATES, TimecodeRate

Bits = npt.NDArray[np.uint8]
SYNC: Final[Bits] = np.array([0, 0, *[1] * 12, 0, 1], np.uint8)
WIRE_RATES: Final = ("23.976", "24", "25", "29.97df", "29.97ndf", "30")
"""Rates that run on the wire as they are."""

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
_WORST_STEP_FRAMES: Final = 0.4  # a frame this far from where it is due belongs to another count
_SURE_AFTER: Final = 24  # frames in a row that tell 23.976 from 24, and 29.97 from 30


@dataclass(frozen=True, slots=True)
class LtcFrame:
    """One frame of linear timecode as it was heard.

    Attributes
    ----------
    hour, minute, second, frame : int
    drop : bool
        Its drop-frame flag.
    user_bits : int
        32 bits, the first sent the lowest.
    start, end : float
        Samples since the start of the stream; the label names the moment at ``start``.
    """

    hour: int
    minute: int
    second: int
    frame: int
    drop: bool
    user_bits: int
    start: float
    end: float

    @property
    def label(self) -> str:
        """``HH:MM:SS:FF``, with ``;`` before the frames where drop-frame is flagged."""
        mark = ";" if self.drop else ":"
        return f"{self.hour:02}:{self.minute:02}:{self.second:02}{mark}{self.frame:02}"


def wire_rate(rate: TimecodeRate) -> TimecodeRate:
    """The rate at which a rate's timecode runs on the wire: itself up to 30, else half of it."""
    if rate.name in WIRE_RATES:
        return rate
    half = rate.fraction / 2
    return next(
        RATES[name]
        for name in WIRE_RATES
        if RATES[name].fraction == half and RATES[name].drop == rate.drop
    )


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


def frame_from_bits(bits: Bits, start: float, end: float) -> LtcFrame | None:
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
    return LtcFrame(hour, minute, second, frame, bool(bits[_DROP_BIT]), user_bits, start, end)


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

    def read(self, samples: F32) -> list[LtcFrame]:
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


class LtcFollower:
    """The count that heard timecode belongs to: locks, runs on through gaps, follows jumps.

    Two frames in a row lock it. While none comes it counts on at its rate (jam sync). Where two
    frames in a row agree with each other and not with the count, the count jumps.

    Parameters
    ----------
    sample_rate_hz : int
    rate : TimecodeRate or None
        Known rate; None finds it out (23.976 is told from 24 after a second of timecode).

    Attributes
    ----------
    sample_rate_hz : int
    n_jumps : int
        How often the count was set anew after the first time.
    """

    def __init__(self, sample_rate_hz: int, rate: TimecodeRate | None = None) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._known = None if rate is None else wire_rate(rate)
        self._rate = self._known
        self._run: deque[LtcFrame] = deque(maxlen=_SURE_AFTER + 1)
        self._anchor: tuple[float, int] | None = None
        self._highest = 0
        self.n_jumps = 0

    @property
    def rate(self) -> TimecodeRate | None:
        """The rate on the wire; None before the first lock."""
        return self._rate if self._anchor is not None else None

    @property
    def heard_until(self) -> float:
        """End of the newest frame that the count agrees with, in samples; -inf before the first."""
        return self._run[-1].end if self._run and self._anchor is not None else -np.inf

    def follow(self, frames: Iterable[LtcFrame]) -> None:
        """Take over heard frames, in order."""
        for frame in frames:
            self._take(frame)

    def frame_at(self, sample: float, *, nearest: bool = False) -> int | None:
        """Frame of the day, at the wire's rate, that a moment falls on; None before the first lock.

        Parameters
        ----------
        sample : float
            Samples since the start of the stream; may lie before the lock.
        nearest : bool
            The frame whose beginning is nearest, in place of the one that runs.
        """
        if self._anchor is None or self._rate is None:
            return None
        start, i_frame = self._anchor
        passed = (sample - start) / self._samples_a_frame(self._rate)
        return (
            i_frame + int(np.floor(passed + (0.5 if nearest else 1e-6)))
        ) % self._rate.frames_a_day

    def place_at(self, sample: float) -> float | None:
        """The same with its part of a frame, not brought into the day; None before the lock."""
        if self._anchor is None or self._rate is None:
            return None
        start, i_frame = self._anchor
        return i_frame + (sample - start) / self._samples_a_frame(self._rate)

    def _samples_a_frame(self, rate: TimecodeRate) -> float:
        return float(self.sample_rate_hz / rate.fraction)

    def _take(self, frame: LtcFrame) -> None:
        if self._run and not follows(self._run[-1], frame, self._known):
            self._run.clear()
            self._highest = 0
        self._run.append(frame)
        self._highest = max(self._highest, frame.frame)
        if len(self._run) < 2:
            return
        rate = self._known or self._measured_rate()
        try:
            i_frame = rate.frame_from_label(frame.label)
        except ConfigError:
            return
        if self._anchor is not None and self._rate is not None:
            due = self._anchor[1] + (frame.start - self._anchor[0]) / self._samples_a_frame(
                self._rate
            )
            is_jump = abs((due - i_frame + 0.5) % rate.frames_a_day - 0.5) > 1.0
            self.n_jumps += is_jump
        self._rate = rate
        self._anchor = (frame.start, i_frame)

    def _measured_rate(self) -> TimecodeRate:
        """The rate whose frames are as long as those heard, and whose labels hold them."""
        first, last = self._run[0], self._run[-1]
        frames_hz = (len(self._run) - 1) * self.sample_rate_hz / (last.start - first.start)
        fitting = [
            RATES[name]
            for name in WIRE_RATES
            if RATES[name].drop == last.drop and RATES[name].nominal > self._highest
        ]
        return min(fitting, key=lambda rate: abs(float(rate.fraction) - frames_hz))


def follows(before: LtcFrame, frame: LtcFrame, rate: TimecodeRate | None = None) -> bool:
    """True where a frame follows another without a gap, in time and in count.

    Parameters
    ----------
    before, frame : LtcFrame
    rate : TimecodeRate or None
        The rate on the wire; None: any at which the labels count so.
    """
    step = (frame.start - before.end) / (before.end - before.start)
    if abs(step) > _WORST_STEP_FRAMES or frame.drop != before.drop:
        return False
    rates = [rate] if rate is not None else [RATES[name] for name in WIRE_RATES]
    return any(_next_label(before.label, each) == frame.label for each in rates)


def _next_label(label: str, rate: TimecodeRate) -> str | None:
    try:
        return rate.label_from_frame(rate.frame_from_label(label) + 1)
    except ConfigError:
        return None
