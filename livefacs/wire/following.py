"""The count that timecode belongs to, whatever the wire: sound (``ltc``) or MIDI (``mtc``).

A reader gives the frames that it heard, with their labels and when they began and ended; the
follower locks to them, runs on through gaps and follows jumps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs.errors import ConfigError
from livefacs.timecode import RATES, TimecodeRate

WIRE_RATES: Final = ("23.976", "24", "25", "29.97df", "29.97ndf", "30")
"""Rates that run on the wire as they are."""

_WORST_STEP_FRAMES: Final = 0.4  # a frame this far from where it is due belongs to another count
_REMEMBERED_FRAMES: Final = 24  # in a row, that the rate is measured from


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """One frame of timecode as it was heard.

    Attributes
    ----------
    hour, minute, second, frame : int
    drop : bool
        Its drop-frame flag.
    start, end : float
        Ticks of the wire's clock (samples of sound, nanoseconds of MIDI); the label names the
        moment at ``start``.
    user_bits : int
        32 bits, the first sent the lowest.
    nominal : int or None
        Frame numbers in a second, where the wire says them.
    """

    hour: int
    minute: int
    second: int
    frame: int
    drop: bool
    start: float
    end: float
    user_bits: int = 0
    nominal: int | None = None

    @property
    def label(self) -> str:
        """``HH:MM:SS:FF``, with ``;`` before the frames where drop-frame is flagged."""
        mark = ";" if self.drop else ":"
        return f"{self.hour:02}:{self.minute:02}:{self.second:02}{mark}{self.frame:02}"

    @property
    def rates(self) -> list[TimecodeRate]:
        """The rates on a wire that its label may count at."""
        return [
            rate
            for rate in map(RATES.__getitem__, WIRE_RATES)
            if rate.drop == self.drop
            and rate.nominal > self.frame
            and self.nominal in (None, rate.nominal)
        ]


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


class TimecodeFollower:
    """The count that heard timecode belongs to: locks, runs on through gaps, follows jumps.

    Two frames in a row lock it. While none comes it counts on at its rate (jam sync). Where two
    frames in a row agree with each other and not with the count, the count jumps.

    Parameters
    ----------
    ticks_hz : float
        Ticks of the wire's clock in a second: samples of sound, nanoseconds.
    rate : TimecodeRate or None
        The rate that is expected, taken where the frames' numbers allow it; None finds it out.
    is_exact : bool
        The frames' times tell 23.976 from 24 (after a second), and 29.97 from 30. Otherwise the
        whole rate is taken where nothing is expected.

    Attributes
    ----------
    ticks_hz : float
    n_jumps : int
        How often the count was set anew after the first time.
    """

    def __init__(
        self, ticks_hz: float, rate: TimecodeRate | None = None, *, is_exact: bool = True
    ) -> None:
        self.ticks_hz = ticks_hz
        self._expected = None if rate is None else wire_rate(rate)
        self._is_exact = is_exact
        self._rate: TimecodeRate | None = None
        self._run: deque[HeardFrame] = deque(maxlen=_REMEMBERED_FRAMES + 1)
        self._begun: float | None = None
        self._anchor: tuple[float, int] | None = None
        self._heard_until = -np.inf
        self._highest = 0
        self.n_jumps = 0

    @property
    def rate(self) -> TimecodeRate | None:
        """The rate on the wire; None before the first lock."""
        return self._rate if self._anchor is not None else None

    @property
    def heard_until(self) -> float:
        """End of the newest frame that runs with the one before it; -inf where none does."""
        return self._heard_until

    @property
    def running_since(self) -> float | None:
        """Start of the first of the frames that run without a gap; None where none does."""
        return self._begun if len(self._run) > 1 and self._anchor is not None else None

    def follow(self, frames: Iterable[HeardFrame]) -> None:
        """Take over heard frames, in order."""
        for frame in frames:
            self._take(frame)

    def locate(self, frame: HeardFrame) -> None:
        """Set the count to a frame that is told and does not run."""
        self._run.clear()
        self._heard_until = -np.inf
        self._highest = frame.frame
        self._set(frame)

    def frame_at(self, tick: float, *, nearest: bool = False) -> int | None:
        """Frame of the day, at the wire's rate, that a moment falls on; None before the first lock.

        Parameters
        ----------
        tick : float
            Since the start of the stream; may lie before the lock.
        nearest : bool
            The frame whose beginning is nearest, in place of the one that runs.
        """
        place = self.place_at(tick)
        if place is None or self._rate is None:
            return None
        return int(np.floor(place + (0.5 if nearest else 1e-6))) % self._rate.frames_a_day

    def place_at(self, tick: float) -> float | None:
        """The same with its part of a frame, not brought into the day; None before the lock."""
        if self._anchor is None or self._rate is None:
            return None
        start, i_frame = self._anchor
        return i_frame + (tick - start) * float(self._rate.fraction) / self.ticks_hz

    def _take(self, frame: HeardFrame) -> None:
        if self._run and not follows(self._run[-1], frame):
            self._run.clear()
            self._highest = 0
        if not self._run:
            self._begun = frame.start
        self._run.append(frame)
        self._highest = max(self._highest, frame.frame)
        if len(self._run) > 1 and self._set(frame):
            self._heard_until = frame.end

    def _set(self, frame: HeardFrame) -> bool:
        """Put the count where a frame says; False where no rate has such a label."""
        try:
            rate = self._rate_of(frame)
            i_frame = rate.frame_from_label(frame.label)
        except (ConfigError, ValueError):
            return False
        due, half_day = self.place_at(frame.start), rate.frames_a_day / 2
        if due is not None:
            self.n_jumps += abs((due - i_frame + half_day) % (2 * half_day) - half_day) > 1.0
        self._rate = rate
        self._anchor = (frame.start, i_frame)
        return True

    def _rate_of(self, frame: HeardFrame) -> TimecodeRate:
        """The expected rate, or the one whose frames are as long as those heard."""
        fitting = [rate for rate in frame.rates if rate.nominal > self._highest]
        if self._expected in fitting:
            return self._expected
        first, last = (self._run[0], self._run[-1]) if len(self._run) > 1 else (frame, frame)
        n_frames, ticks = len(self._run) - 1, last.start - first.start
        if not self._is_exact or not ticks:
            return max(fitting, key=lambda rate: rate.fraction == rate.nominal)
        frames_hz = n_frames * self.ticks_hz / ticks
        return min(fitting, key=lambda rate: abs(float(rate.fraction) - frames_hz))


def follows(before: HeardFrame, frame: HeardFrame) -> bool:
    """True where a frame follows another without a gap, in time and in count, at any rate."""
    step = (frame.start - before.end) / (before.end - before.start)
    if abs(step) > _WORST_STEP_FRAMES or frame.drop != before.drop:
        return False
    return frame.nominal == before.nominal and any(
        _next_label(before.label, rate) == frame.label for rate in before.rates
    )


def _next_label(label: str, rate: TimecodeRate) -> str | None:
    try:
        return rate.label_from_frame(rate.frame_from_label(label) + 1)
    except ConfigError:
        return None
