"""Sound for tests: claps, and a PortAudio stream whose blocks a test hands over."""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.signal import butter, lfilter, oaconvolve

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


def speech(seconds: float, seed: int = 1) -> F32:
    """Sound like speech: voiced syllables with formants, hisses, stops with their bursts, pauses.

    (n,) float32 at 48 kHz, its loudest near 0.3.
    """
    random = np.random.default_rng(seed)
    whole = np.zeros(round(seconds * RATE_HZ) + RATE_HZ)
    at = random.uniform(0.05, 0.3)
    while at < seconds:
        length = random.uniform(0.08, 0.3)
        n = round(length * RATE_HZ)
        kind = random.choice(["voiced", "voiced", "voiced", "hiss", "stop"])
        noise = random.standard_normal(n)
        shape = np.sin(np.pi * np.linspace(0, 1, n)) ** 0.7
        if kind == "voiced":
            pitch = random.uniform(90, 220) * np.linspace(1, random.uniform(0.8, 1.2), n)
            pulses = np.diff(np.floor(np.cumsum(pitch) / RATE_HZ), prepend=0.0)
            part = _formants(pulses, random.uniform([300, 900, 2300], [800, 2000, 3200])) * shape
        elif kind == "hiss":
            part = np.diff(noise, prepend=0.0) * 0.2 * shape
        else:  # a stop: silence, a burst of some milliseconds, breath after it
            part = noise * np.exp(-np.arange(n) / RATE_HZ / random.uniform(0.008, 0.03))
        begin = round(at * RATE_HZ)
        level = random.uniform(0.3, 1.0) / (np.abs(part).max() + 1e-9)
        whole[begin : begin + n] += level * part[: len(whole) - begin]
        at += length * (0.8 if kind != "stop" else 0.3)
        at += random.uniform(0.3, 1.2) if random.random() < 0.12 else 0.0
    whole = whole[: round(seconds * RATE_HZ)]
    return (0.3 * whole / np.abs(whole).max()).astype(np.float32)


def _formants(pulses: np.ndarray, hz: np.ndarray) -> np.ndarray:
    filtered = pulses
    for centre in hz:
        radius = np.exp(-np.pi * 90 / RATE_HZ)
        turn = 2 * np.cos(2 * np.pi * centre / RATE_HZ)
        filtered = lfilter([1 - radius], [1, -radius * turn, radius**2], filtered)
    return filtered


def heard(sound: F32, seed: int, *, gain: float = 1.0, snr_db: float = 20.0) -> F32:
    """A sound as another microphone in the room hears it: echoes, colour, level, its own noise."""
    random = np.random.default_rng(seed)
    n = RATE_HZ // 4
    room = random.standard_normal(n) * np.exp(-np.arange(n) / (0.06 * RATE_HZ)) * 0.02
    room[0] = 1.0
    coloured = lfilter(*butter(2, random.uniform(80, 200), "high", fs=RATE_HZ), sound)
    coloured = lfilter(*butter(1, random.uniform(3000, 9000), fs=RATE_HZ), coloured)
    echoed = oaconvolve(coloured, room)[: len(sound)]
    noise = random.standard_normal(len(sound)) * np.std(echoed) * 10 ** (-snr_db / 20)
    return (gain * (echoed + noise)).astype(np.float32)


def write_wav(path: Path, samples: F32) -> Path:
    """One channel at 48 kHz, 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


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
