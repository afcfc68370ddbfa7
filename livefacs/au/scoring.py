"""Letters A to E with hysteresis, and whether they are provisional."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.arrays import F32, I64
from livefacs.au.profile import Profile
from livefacs.vocab.facs import AU_CHANNELS, LETTER_FLOORS, N_AU

HYSTERESIS: Final = 0.25
"""A letter is left only when the value has sunk this share of the span below its floor."""
MIN_CONFIDENCE: Final = 0.05
"""Below this a channel gets no letter: it is not seen."""

_NAMES: Final = ("", *(letter for letter, _ in reversed(LETTER_FLOORS)))
_FLOORS: Final = np.array([0.0, *(floor for _, floor in reversed(LETTER_FLOORS))])
_SPANS: Final = np.diff(np.append(_FLOORS, 1.0))
_LEAVE: Final = np.append(0.0, _FLOORS[1:] - HYSTERESIS * np.minimum(_SPANS[:-1], _SPANS[1:]))


class LetterScale:
    """The letter of each channel, steady at the borders between letters.

    Parameters
    ----------
    profile : Profile or None
        Channels whose maximum the profile knows have final letters, all others provisional ones:
        the scale is relative to the person's own strongest movement.
    """

    def __init__(self, profile: Profile | None = None) -> None:
        known = profile.maxima if profile else {}
        self.is_provisional = np.array([channel not in known for channel in AU_CHANNELS])
        self._level: I64 = np.zeros(N_AU, np.int64)

    def reset(self) -> None:
        """All absent."""
        self._level[:] = 0

    @property
    def levels(self) -> I64:
        """(N_AU,) int64: 0 absent, 1 for A … 5 for E; replaced by the next update, not changed."""
        return self._level

    def update(self, intensity: F32, confidence: F32 | None = None) -> tuple[str, ...]:
        """Letters of one frame, in channel order; empty: absent or not seen.

        Parameters
        ----------
        intensity : (N_AU,) float32
            Filtered, 0..1; NaN has no letter.
        confidence : (N_AU,) float32 or None
        """
        value = np.maximum(np.nan_to_num(np.asarray(intensity, np.float64), nan=0.0), 0.0)
        up = np.searchsorted(_FLOORS, value, side="right") - 1
        stay = value >= _LEAVE[self._level]
        down = np.minimum(self._level, np.searchsorted(_LEAVE, value, side="right") - 1)
        level = np.where(up > self._level, up, np.where(stay, self._level, down))
        if confidence is not None:
            level = np.where(confidence < MIN_CONFIDENCE, 0, level)
        self._level = level.astype(np.int64)
        return tuple(_NAMES[i] for i in self._level)

    def letters(self) -> dict[str, str]:
        """The letters in force, by channel, absent ones left out."""
        return {
            channel: _NAMES[i] for channel, i in zip(AU_CHANNELS, self._level, strict=True) if i
        }
