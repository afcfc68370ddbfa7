"""Counts and newest values of a received stream."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from livefacs.sinks.receiving import Receiver
from livefacs.wire.packet_reading import MAX_NAMES, Reading

_MOVED: Final = 0.01
_WINDOW: Final = 120
_MAX_GAP: Final = 10_000  # a larger step is a new sender, not a gap


class Tally:
    """What came so far. Memory is bounded: at most 2000 names are kept.

    Attributes
    ----------
    n_packets, n_bad : int
        Packets that were understood, and that were not.
    n_missed : int
        Frames that the frame numbers say are missing.
    values : dict of name to newest value
    ranges : dict of name to (lowest, highest)
    moved : set of names whose value changed
    texts : dict of name to newest text
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wall_clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._clock = clock
        self._wall_clock_ns = wall_clock_ns
        self.n_packets = 0
        self.n_bad = 0
        self.n_missed = 0
        self.last_error = ""
        self.values: dict[str, float] = {}
        self.ranges: dict[str, tuple[float, float]] = {}
        self.moved: set[str] = set()
        self.texts: dict[str, str] = {}
        self._frame: int | None = None
        self._arrivals: deque[float] = deque(maxlen=_WINDOW)
        self._latencies_ms: deque[float] = deque(maxlen=_WINDOW)

    def take(self, receiver: Receiver, timeout_s: float) -> None:
        """Wait for a packet and count it, whatever it is."""
        try:
            reading = receiver.receive(timeout_s)
        except ValueError as error:
            self.n_bad += 1
            self.last_error = str(error)
            return
        if reading is not None:
            self.note(reading)

    def note(self, reading: Reading) -> None:
        """Take one packet over."""
        self.n_packets += 1
        self._arrivals.append(self._clock())
        if reading.unix_ns is not None:
            self._latencies_ms.append((self._wall_clock_ns() - reading.unix_ns) / 1e6)
        if reading.frame is not None:
            gap = 0 if self._frame is None else reading.frame - self._frame - 1
            self.n_missed += gap if 0 < gap < _MAX_GAP else 0
            self._frame = reading.frame
        for name, value in reading.values.items():
            self._note_value(name, value)
        for name, text in reading.texts.items():
            if name in self.texts or len(self.texts) < MAX_NAMES:
                self.texts[name] = text

    def rate_hz(self) -> float:
        """Packets a second, over the last ones."""
        if len(self._arrivals) < 2:
            return 0.0
        span = self._arrivals[-1] - self._arrivals[0]
        return (len(self._arrivals) - 1) / span if span > 0.0 else 0.0

    def latency_ms(self) -> float | None:
        """Median age on arrival of the last packets; None where they carry no capture time."""
        ages = sorted(self._latencies_ms)
        return ages[len(ages) // 2] if ages else None

    def headline(self) -> str:
        """Counts, rate and latency in one line."""
        words = [f"{self.n_packets} packets, {self.rate_hz():.1f} a second"]
        if self._frame is not None:
            words.append(f"frame {self._frame}, {self.n_missed} missed")
        latency = self.latency_ms()
        if latency is not None:
            words.append(f"capture to arrival {latency:.1f} ms")
        if self.n_bad:
            words.append(f"{self.n_bad} not understood ({self.last_error})")
        return " · ".join(words)

    def _note_value(self, name: str, value: float) -> None:
        known = self.ranges.get(name)
        if known is None:
            if len(self.ranges) >= MAX_NAMES:
                return
            known = (value, value)
        low, high = min(known[0], value), max(known[1], value)
        self.values[name] = value
        self.ranges[name] = (low, high)
        if high - low > _MOVED:
            self.moved.add(name)
