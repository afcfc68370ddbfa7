"""Letters A to E with hysteresis."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.arrays import F32, I64
from livefacs.vocab.facs import LETTER_FLOORS, N_AU

HYSTERESIS: Final = 0.25
"""A letter is left only when the value has sunk this share of the span below its floor."""

_FLOORS: Final = np.array([floor for _, floor in reversed(LETTER_FLOORS)], np.float32)
_SPANS: Final = np.diff(np.array([0.0, *_FLOORS, 1.0], np.float32))
_LEAVE: Final = _FLOORS - HYSTERESIS * np.minimum(_SPANS[:-1], _SPANS[1:])


class LetterScale:
    """The letter of each channel, steady at the borders between letters."""

    def __init__(self) -> None:
        self._level: I64 = np.zeros(N_AU, np.int64)

    @property
    def levels(self) -> I64:
        """(N_AU,) int64: 0 absent, 1 for A … 5 for E; replaced by the next update, not changed."""
        return self._level

    def step(self, intensity: F32) -> I64:
        """The levels of one frame, see ``levels``.

        A level is entered at its floor and left only at its lower, leaving border.

        Parameters
        ----------
        intensity : (N_AU,) float32
            Filtered, 0..1; NaN has no letter.
        """
        value = np.fmax(intensity, 0.0)  # NaN becomes 0
        entered = _FLOORS.searchsorted(value, side="right")
        kept = _LEAVE.searchsorted(value, side="right")
        self._level = np.maximum(entered, np.minimum(self._level, kept))
        return self._level
