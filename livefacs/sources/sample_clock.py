"""A microphone's sound without gaps, and when each of its samples was heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S
from livefacs.protocols import SoundBlock
from livefacs.take.sound_timing import SoundTiming, silence
from livefacs.take.wave import SAMPLE_RATE_HZ

_BLOCKS: Final = 64  # whose times are compared with the count of samples


class SampleClock:
    """Counts the samples of a sound from its first block on: block times jitter, the count not.

    Samples that were lost count, too, and silence stands for them: what is heard after a gap is not
    taken to be earlier than it was. This takes a quarter of a second (``SoundTiming``).
    """

    def __init__(self) -> None:
        self._origins: deque[float] = deque(maxlen=_BLOCKS)
        self._n_samples = 0
        self._timing = SoundTiming()

    def put(self, block: SoundBlock) -> Iterator[F32]:
        """Take over the next block; (n, channels): the samples that go on from those before."""
        for n_lost, confirmed in self._timing.put(block):
            for lost in silence(n_lost, block.samples.shape[1]):
                yield self._counted(lost)
            self._origins.append(confirmed.t_ns - self._n_samples * NS_PER_S / SAMPLE_RATE_HZ)
            yield self._counted(confirmed.samples)

    def _counted(self, samples: F32) -> F32:
        self._n_samples += len(samples)
        return samples

    @property
    def origin_ns(self) -> float:
        """Session time of sample 0, by the newest blocks; 0 before the first."""
        return float(np.median(self._origins)) if self._origins else 0.0

    def time_ns(self, sample: float) -> int:
        """Session time of a sample."""
        return round(self.origin_ns + sample * NS_PER_S / SAMPLE_RATE_HZ)
