"""When each sample of a microphone was heard, by the times of its blocks."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.protocols import SoundBlock

_BLOCKS: Final = 64  # whose times are compared with the count of samples


class SampleClock:
    """Counts the samples of a sound from its first block on: block times jitter, the count not.

    Parameters
    ----------
    rate_hz : int
        Samples a second.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._origins: deque[float] = deque(maxlen=_BLOCKS)
        self._n_samples = 0

    def note(self, block: SoundBlock) -> None:
        """Take over the next block."""
        self._origins.append(block.t_ns - self._n_samples * NS_PER_S / self._rate_hz)
        self._n_samples += len(block.samples)

    @property
    def origin_ns(self) -> float:
        """Session time of sample 0, by the newest blocks; 0 before the first."""
        return float(np.median(self._origins)) if self._origins else 0.0

    def time_ns(self, sample: float) -> int:
        """Session time of a sample."""
        return round(self.origin_ns + sample * NS_PER_S / self._rate_hz)
