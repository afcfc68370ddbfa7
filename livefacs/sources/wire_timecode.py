"""Timecode as it comes on a wire: which label each moment has.

The wire's count is followed as ``TimecodeFollower`` does: two frames lock it, it runs on through
drop-outs (jam sync), and jumps where two frames in a row agree on another count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import numpy as np

from livefacs.clock import NS_PER_S, now_ns
from livefacs.errors import ConfigError
from livefacs.protocols import SoundBlock, SoundInput
from livefacs.sources.sample_clock import SampleClock
from livefacs.timecode import RATES, TimecodeRate
from livefacs.wire.following import TimecodeFollower
from livefacs.wire.ltc import LtcReader

_RATE_HZ: Final = 48_000
_FOLLOWED_FRAMES: Final = 0.6  # a count that is as far from the wire's is set anew
_LONG_SILENCE_S: Final = 1.5


class WireTimecode:
    """The timecode on a wire; any thread may ask. Whoever listens to the wire feeds the follower.

    Parameters
    ----------
    description : str
    follower : TimecodeFollower
        Its ticks are counted from ``_origin_ns`` of the session clock.
    clock : callable, nanoseconds
    """

    def __init__(
        self,
        description: str,
        follower: TimecodeFollower,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self.description = description
        self._follower = follower
        self._clock = clock
        self._lock = threading.Condition()

    def close(self) -> None:
        """Listen no more."""

    def wait(self, seconds: float) -> bool:
        """Whether timecode is heard, now or within some seconds."""
        with self._lock:
            return self._lock.wait_for(lambda: self._follower.rate is not None, seconds)

    def rate(self, source_hz: float) -> TimecodeRate | None:
        """The wire's rate; twice that where it is nearer to the source's; None before the lock."""
        with self._lock:
            wire = self._follower.rate
        if wire is None:
            return None
        double = 2 * wire.fraction
        alike = (r for r in RATES.values() if r.fraction == double and r.drop == wire.drop)
        fast = next(alike, wire)
        is_fast = abs(source_hz - float(double)) < abs(source_hz - float(wire.fraction))
        return fast if is_fast else wire

    def place(self, t_ns: int, rate: TimecodeRate) -> float | None:
        """Frames of the day at a session time, with its part of a frame; None before the lock.

        Parameters
        ----------
        t_ns : int
        rate : TimecodeRate
            As ``rate`` gave it.
        """
        with self._lock:
            wire = self._follower.rate
            if wire is None:
                return None
            tick = (t_ns - self._origin_ns()) * self._follower.ticks_hz / NS_PER_S
            place = self._follower.place_at(tick)
        return None if place is None else place * float(rate.fraction / wire.fraction)

    @property
    def is_heard(self) -> bool:
        """False while nothing has run on the wire for a second and a half, or never did."""
        with self._lock:
            return self._clock() - self._ns(self._follower.heard_until) < _LONG_SILENCE_S * NS_PER_S

    @property
    def running_since_ns(self) -> int | None:
        """Session time at which the first frame of the running timecode began; None: none runs."""
        with self._lock:
            begun = self._follower.running_since
            return None if begun is None else round(self._ns(begun))

    def _origin_ns(self) -> float:
        """Session time of the follower's tick 0."""
        return 0.0

    def _ns(self, tick: float) -> float:
        return self._origin_ns() + tick * NS_PER_S / self._follower.ticks_hz


class SoundTimecode(WireTimecode):
    """Linear timecode in a channel of a microphone.

    Parameters
    ----------
    source : SoundInput
    channel : int
        From 1.
    rate : TimecodeRate or None
        The rate that is expected.
    clock : callable, nanoseconds

    Raises
    ------
    ConfigError
        The microphone has not so many channels.
    """

    def __init__(
        self,
        source: SoundInput,
        channel: int,
        rate: TimecodeRate | None = None,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        if channel > source.n_channels:
            raise ConfigError(
                f"timecode source 'ltc:{channel}': {source.description}; ask for more with"
                " --audio-channels"
            )
        words = f"linear timecode in channel {channel} of {source.description}"
        super().__init__(words, TimecodeFollower(_RATE_HZ, rate), clock)
        self._source = source
        self._channel = channel - 1
        self._reader = LtcReader(_RATE_HZ)
        self._reader.read(np.zeros(8, np.float32))  # compiles now, not in the device's thread
        self._reader = LtcReader(_RATE_HZ)
        self._samples = SampleClock()
        source.subscribe(self._hear)

    def close(self) -> None:
        """Listen no more."""
        self._source.unsubscribe(self._hear)

    def _origin_ns(self) -> float:
        return self._samples.origin_ns

    def _hear(self, block: SoundBlock) -> None:
        """In the device's thread: some microseconds a block."""
        with self._lock:
            for samples in self._samples.put(block):
                self._follower.follow(self._reader.read(samples[:, self._channel]))
            self._lock.notify_all()


class WireCount:
    """Labels of a take's frames by the wire: they count evenly, and stay with it.

    Block times jitter by a few milliseconds, so a label is not asked for anew with each frame: the
    count goes on from the take's first moment at the exact rate, and is set anew where it has come
    more than half a frame away from the wire.

    Parameters
    ----------
    wire : WireTimecode
    rate : TimecodeRate
    t_ns : int
        Session time at which the take begins.

    Attributes
    ----------
    rate : TimecodeRate
    n_corrections : int
    """

    def __init__(self, wire: WireTimecode, rate: TimecodeRate, t_ns: int) -> None:
        self._wire = wire
        self.rate = rate
        self._t_ns = t_ns
        self._place = wire.place(t_ns, rate) or 0.0
        self.n_corrections = 0

    @property
    def start(self) -> tuple[str, int]:
        """Label of the frame that ran when the take began, and the session time of its start."""
        whole = int(np.floor(self._place))
        begun_ns = round((self._place - whole) * NS_PER_S / float(self.rate.fraction))
        return self.rate.label_from_frame(whole), self._t_ns - begun_ns

    def frame_at(self, t_ns: int) -> int:
        """Frame of the day at a session time."""
        day = self.rate.frames_a_day
        due = self._place + (t_ns - self._t_ns) * float(self.rate.fraction) / NS_PER_S
        heard = self._wire.place(t_ns, self.rate)
        if heard is not None and abs((heard - due + day / 2) % day - day / 2) > _FOLLOWED_FRAMES:
            self._t_ns, self._place, due = t_ns, heard, heard
            self.n_corrections += 1
        return int(np.floor(due)) % day
