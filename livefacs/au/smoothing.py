"""One Euro parameters per channel, in real time units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs.arrays import F64
from livefacs.vocab.facs import AU_CHANNELS, EYE_CHANNELS, HEAD_CHANNELS

DEFAULT_CUTOFF_HZ: Final = 1.0
DEFAULT_BETA: Final = 2.0
SPEED_CUTOFF_HZ: Final = 6.0

LID_CUTOFF_HZ: Final = 8.0
"""Lids blink in a tenth of a second: a low cutoff would swallow the blink."""

_LID_ACTIONS: Final = ("AU43_L", "AU43_R", "AU45_L", "AU45_R")


@dataclass(frozen=True, slots=True)
class Smoothing:
    """One Euro filter: quiet at rest, prompt in motion.

    Attributes
    ----------
    cutoff_hz : float
        Cutoff at rest; lower is steadier. 0 switches the filter off.
    beta : float
        Rise of the cutoff, hertz per unit of intensity a second; higher follows faster.
    """

    cutoff_hz: float = DEFAULT_CUTOFF_HZ
    beta: float = DEFAULT_BETA

    def parameters(self, n_more: int = 0) -> F64:
        """(N_AU + n_more, 3) float64 for ``kernels.smoothing.one_euro``."""
        rows = np.empty((len(AU_CHANNELS) + n_more, 3))
        rows[:] = self.cutoff_hz, self.beta, SPEED_CUTOFF_HZ
        if self.cutoff_hz > 0:
            for i, channel in enumerate(AU_CHANNELS):
                if channel in _LID_ACTIONS:
                    rows[i, 0] = max(self.cutoff_hz, LID_CUTOFF_HZ)
                elif channel in HEAD_CHANNELS or channel in EYE_CHANNELS:
                    rows[i, 1] = 1.5 * self.beta
        return rows


OFF: Final = Smoothing(cutoff_hz=0.0)
"""No temporal filter."""
