"""Sound for tests: claps, and a PortAudio stream whose blocks a test hands over."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from livefacs.arrays import F32
from livefacs.protocols import SoundBlock
from livefacs.sources.microphone import Heard, Microphone, MicrophoneInfo
from tests.support.clock import SteppedClock

RATE_HZ = 48_000
NS_PER_S = 1_000_000_000


def clap(n_channels: int = 1) -> F32:
    """10 ms of noise that dies away, (n, channels)."""
    noise = np.random.default_rng(7).uniform(0.6, 0.9, (480, n_channels))
    noise[1::2] *= -1.0
    return (noise * np.exp(-np.arange(480) / 120)[:, None]).astype(np.float32)


def onsets(samples: F32) -> list[int]:
    """Where claps begin in one channel."""
    loud = np.flatnonzero(np.abs(samples) > 0.3)
    return [int(at) for at in loud[np.diff(loud, prepend=-(10**9)) > RATE_HZ // 4]]


@dataclass
class FakePortAudio:
    """The narrowest place: what PortAudio does between opening a stream and calling back.

    ``play`` hands samples over as a device would that counts ``drift_ppm`` too fast, on a session
    clock that only it moves.
    """

    clock: SteppedClock = field(default_factory=lambda: SteppedClock(5 * NS_PER_S))
    drift_ppm: float = 0.0
    latency_s: float = 0.02
    jitter_s: float = 0.0
    n_channels: int = 1
    devices: tuple[MicrophoneInfo, ...] = (MicrophoneInfo(3, "Booth", 1, True),)
    is_closed: bool = False

    def __post_init__(self) -> None:
        self._start_ns = self.clock.now_ns
        self._n = 0
        self._random = np.random.default_rng(3)
        self._heard: Heard = lambda *_: None

    def open(self, index: int, n_channels: int, heard: Heard) -> FakePortAudio:
        assert index in {device.index for device in self.devices}
        self.n_channels, self._heard = n_channels, heard
        return self

    def start(self) -> None:
        """Half a second of silence: the device settles."""
        for _ in range(50):
            self.play(np.zeros((480, self.n_channels), np.float32))

    def close(self) -> None:
        self.is_closed = True

    def time_of(self, sample: int) -> int:
        """Session time at which a sample (lost ones count) is heard."""
        return self._start_ns + round(sample * NS_PER_S / (RATE_HZ * (1 + self.drift_ppm * 1e-6)))

    @property
    def n_played(self) -> int:
        """Samples so far, lost ones too."""
        return self._n

    def lose(self, n_samples: int) -> None:
        """Let samples be lost."""
        self._n += n_samples

    def play(self, samples: F32, *, overflowed: bool = False, late_s: float = 0.0) -> None:
        """Hand a block over, as soon as its last sample is heard and ``late_s`` after that."""
        jitter_s = float(self._random.exponential(self.jitter_s)) if self.jitter_s else 0.0
        first_ns = self.time_of(self._n)
        self._n += len(samples)
        told_ns = round((self.latency_s + jitter_s) * NS_PER_S)
        self.clock.now_ns = self.time_of(self._n) + told_ns + round(late_s * NS_PER_S)
        # What the device tells is off by half of the jitter, and late as the callback is.
        age_s = (self.clock.now_ns - first_ns) / NS_PER_S - late_s - jitter_s / 2
        self._heard(samples, age_s, overflowed)

    def microphone(self, spec: str = "auto", n_channels: int | None = None) -> Microphone:
        return Microphone(
            spec,
            n_channels,
            clock=self.clock,
            find=lambda: list(self.devices),
            open_stream=self.open,
        )


def block(n: int, t_s: float, *, overflowed: bool = False) -> SoundBlock:
    """A silent block of one channel at a session time."""
    return SoundBlock(np.zeros((n, 1), np.float32), round(t_s * NS_PER_S), overflowed)
