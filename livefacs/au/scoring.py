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
_FLOORS: Final = np.array([floor for _, floor in reversed(LETTER_FLOORS)], np.float32)
_SPANS: Final = np.diff(np.array([0.0, *_FLOORS, 1.0], np.float32))
_LEAVE: Final = _FLOORS - HYSTERESIS * np.minimum(_SPANS[:-1], _SPANS[1:])


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
        self.step(intensity)
        if confidence is not None:
            self._level = np.where(confidence < MIN_CONFIDENCE, 0, self._level)
        return tuple(_NAMES[i] for i in self._level)

    def step(self, intensity: F32) -> I64:
        """The levels of one frame, see ``levels``: the quick part of ``update``.

        A level is entered at its floor and left only at its lower, leaving border.
        """
        value = np.fmax(intensity, 0.0)  # NaN becomes 0
        entered = _FLOORS.searchsorted(value, side="right")
        kept = _LEAVE.searchsorted(value, side="right")
        self._level = np.maximum(entered, np.minimum(self._level, kept))
        return self._level

    def letters(self) -> dict[str, str]:
        """The letters in force, by channel, absent ones left out."""
        return {
            channel: _NAMES[i] for channel, i in zip(AU_CHANNELS, self._level, strict=True) if i
        }
