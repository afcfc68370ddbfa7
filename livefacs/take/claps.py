"""Finds claps (of a slate, of hands) in sound: short, sudden, over all frequencies, and alone.

Speech has bursts as sudden (p, t, k), but a vowel, a breath or a hiss stands before or behind them.
A clap stands out from what is a quarter of a second before it and from a tenth of a second after
it on, as far as a room lets it die away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from livefacs.arrays import F32, F64
from livefacs.take.wave import SAMPLE_RATE_HZ

_FRAME: Final = SAMPLE_RATE_HZ // 1000  # one millisecond
_BANDS_HZ: Final = (1000.0, 4000.0)
_BEFORE: Final = 250  # milliseconds that are looked at before a clap, and after it
_AFTER: Final = 350
_AT_ONCE: Final = 100
_APART: Final = 60
_LEAST_DB: Final = -45.0
_LEAST_SHARES_DB: Final = (-6.0, -16.0)  # of what is above each of the bands' edges
_STANDS_OUT_DB: Final = 15.0
_RISE: Final = (8, 2)  # so long before its peak it is quiet still
_DIES_DB: Final = 12.0
_DIES_BY: Final = 45
_RECENT: Final = 5000
_BELOW_LOUDEST_DB: Final = 6.0
_EMPTY_DB: Final = -120.0


@dataclass(frozen=True, slots=True)
class Clap:
    """One clap.

    Attributes
    ----------
    sample : int
        Where it begins.
    level_db : float
        Of its loudest millisecond, dB of full scale (of the mean square).
    """

    sample: int
    level_db: float


class ClapFinder:
    """Finds claps in sound that comes in blocks, a third of a second later."""

    def __init__(self) -> None:
        from scipy.signal import butter

        self._filters = [butter(2, hz, "high", fs=SAMPLE_RATE_HZ, output="sos") for hz in _BANDS_HZ]
        self._states: list[F64] = [np.zeros((len(sos), 2)) for sos in self._filters]
        self._rest = np.zeros(0, np.float32)  # less than a millisecond
        self._kept = np.zeros(0, np.float32)  # samples of the levels that are kept
        # Levels (T, 3) in dB by the millisecond: all of it, and what is above each band's edge.
        self._levels = np.full((_BEFORE, 1 + len(_BANDS_HZ)), _EMPTY_DB)
        self._first = -_BEFORE  # millisecond of the first of them
        self._loudest: list[tuple[int, float]] = []

    def find(self, samples: F32) -> list[Clap]:
        """Take over (n,) float32 at 48 kHz; the claps that are certain now."""
        from scipy.signal import sosfilt

        samples = np.concatenate([self._rest, samples])
        n = len(samples) // _FRAME * _FRAME if len(samples) >= _AT_ONCE * _FRAME else 0
        samples, self._rest = samples[:n], samples[n:]
        if not n:
            return []
        parts = [samples]
        for k, sos in enumerate(self._filters):
            part, self._states[k] = sosfilt(sos, samples, zi=self._states[k])
            parts.append(part)
        power = [(p.reshape(-1, _FRAME).astype(np.float64) ** 2).mean(axis=1) for p in parts]
        new = 10.0 * np.log10(np.maximum(np.stack(power, axis=1), 1e-12))
        self._levels = np.concatenate([self._levels, new])
        self._kept = np.concatenate([self._kept, samples])
        claps = [self._clap(at) for at in self._sudden() if self._is_clap(at)]
        self._forget(max(0, len(self._levels) - _AFTER - _BEFORE))
        return claps

    def flush(self) -> list[Clap]:
        """The claps of the last moments: nothing comes any more."""
        return self.find(np.zeros(_AFTER * _FRAME, np.float32))

    def _sudden(self) -> list[int]:
        """Milliseconds that are much louder than those just before them."""
        level = self._levels[:, 0]
        last = len(level) - _AFTER
        if last <= _BEFORE:
            return []
        rise, skip = _RISE
        before = sliding_window_view(level[_BEFORE - rise : last - skip - 2], rise - skip - 1)
        floor = before.min(axis=1)[: last - _BEFORE]
        now = level[_BEFORE:last]
        is_sudden = (now > _LEAST_DB) & (floor <= now - _STANDS_OUT_DB)
        return [_BEFORE + int(k) for k in np.flatnonzero(is_sudden)]

    def _is_clap(self, at: int) -> bool:
        levels = self._levels
        around = levels[at - _APART : at + _APART, 0]
        peak = float(levels[at, 0])
        if peak < around.max() or int(np.argmax(around)) != _APART:
            return False
        quiet = peak - _STANDS_OUT_DB
        burst = levels[at - 1 : at + 4].max(axis=0)
        return bool(
            all(burst[k + 1] - burst[0] >= share for k, share in enumerate(_LEAST_SHARES_DB))
            and levels[at - _BEFORE : at - _RISE[0], 0].max() <= quiet
            and levels[at + _DIES_BY : at + _DIES_BY + 15, 0].mean() <= peak - _DIES_DB
            and _mean_db(levels[at + 120 : at + _AFTER, 0]) <= quiet
            and peak >= self._loudest_before(self._first + at) - _BELOW_LOUDEST_DB
        )

    def _clap(self, at: int) -> Clap:
        """Where it begins: the first sample of a third of its height."""
        begin = (self._first + at) * _FRAME
        offset = self._first + len(self._levels) - len(self._kept) // _FRAME
        first = max(0, begin - 4 * _FRAME - offset * _FRAME)
        near = np.abs(self._kept[first : begin + _FRAME - offset * _FRAME])
        sample = offset * _FRAME + first + int(np.argmax(near >= near.max() / 3))
        return Clap(sample, float(self._levels[at, 0]))

    def _loudest_before(self, millisecond: int) -> float:
        return max(
            (db for at, db in self._loudest if millisecond - at <= _RECENT), default=_EMPTY_DB
        )

    def _forget(self, n: int) -> None:
        if not n:
            return
        passed = self._levels[:n, 0]
        self._loudest.append((self._first + n, float(passed.max())))
        self._loudest = [each for each in self._loudest if self._first + n - each[0] <= _RECENT]
        self._levels = self._levels[n:]
        self._first += n
        n_kept = (len(self._levels)) * _FRAME
        self._kept = self._kept[max(0, len(self._kept) - n_kept) :]


def _mean_db(levels: F64) -> float:
    return float(10.0 * np.log10(np.mean(10.0 ** (levels / 10.0))))
