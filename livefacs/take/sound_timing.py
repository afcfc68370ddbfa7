"""Finds samples that a device lost, by the times of its blocks.

A late block is no gap: the next ones catch up. Samples are lost where all of the next blocks are
late by as much, or where the device said so and they are late by less.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S
from livefacs.protocols import SoundBlock
from livefacs.take.wave import SAMPLE_RATE_HZ

_CONFIRMING_S: Final = 0.25
_FEWEST_CONFIRMING: Final = 4
_BASE_BLOCKS: Final = 64
_GAP_S: Final = 0.04
_TOLD_GAP_S: Final = 0.01
_MOST_LOST_S: Final = 24 * 3600.0
_NS_A_SAMPLE: Final = NS_PER_S / SAMPLE_RATE_HZ


def silence(n_samples: int, n_channels: int) -> Iterator[F32]:
    """(n, channels) float32 in place of lost samples, a second at a time at most."""
    for left in range(n_samples, 0, -SAMPLE_RATE_HZ):
        yield np.zeros((min(left, SAMPLE_RATE_HZ), n_channels), np.float32)


class SoundTiming:
    """Gives blocks in their order, each with the samples that were lost before it.

    Blocks are held back for a quarter of a second, until what follows them has confirmed them.
    """

    def __init__(self) -> None:
        self._pending: deque[tuple[SoundBlock, float]] = deque()
        self._base: deque[float] = deque(maxlen=_BASE_BLOCKS)
        self._first_ns: int | None = None
        self._n_samples = 0  # that came, and that were lost

    def put(self, block: SoundBlock) -> Iterator[tuple[int, SoundBlock]]:
        """Take over the next block; those that are confirmed now, with the samples lost before."""
        if self._first_ns is None:
            self._first_ns = block.t_ns
        late_s = (block.t_ns - self._first_ns - self._n_samples * _NS_A_SAMPLE) / NS_PER_S
        self._pending.append((block, late_s))
        self._n_samples += len(block.samples)
        while len(self._pending) > _FEWEST_CONFIRMING and self._held_s() > _CONFIRMING_S:
            yield self._confirm()

    def flush(self) -> Iterator[tuple[int, SoundBlock]]:
        """The blocks that are still held back: nothing comes after them."""
        while self._pending:
            yield self._confirm()

    def _held_s(self) -> float:
        held = sum(len(block.samples) for block, _ in self._pending)
        return (held - len(self._pending[0][0].samples)) / SAMPLE_RATE_HZ

    def _confirm(self) -> tuple[int, SoundBlock]:
        n_lost = self._n_lost()
        if n_lost:  # everything after it stands so much later
            shift_s = n_lost / SAMPLE_RATE_HZ
            self._n_samples += n_lost
            self._pending = deque((block, late - shift_s) for block, late in self._pending)
        block, late_s = self._pending.popleft()
        self._base.append(late_s)
        return n_lost, block

    def _n_lost(self) -> int:
        if not self._base:
            return 0
        base_s = float(np.median(self._base))
        over = [late - base_s for _, late in self._pending]
        least = _TOLD_GAP_S if self._pending[0][0].overflowed else _GAP_S
        if min(over) < least:
            return 0
        return round(min(float(np.median(over)), _MOST_LOST_S) * SAMPLE_RATE_HZ)
