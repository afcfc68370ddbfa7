"""Guided range of motion: how far each action goes when it is done on purpose."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from livefacs.arrays import F32
from livefacs.au.calibration import HELD_FRAMES, maxima_of, reached_in
from livefacs.errors import ConfigError
from livefacs.types import TrackedFrame
from livefacs.vocab.facs import N_AU, find_code

ROUND: Final = ("1", "2", "4", "5", "6", "7", "9", "10", "12", "14", "15", "16", "17", "18", "20",
                "22", "24", "26", "28", "43")  # fmt: skip
"""Actions of one round, upper face first."""


class RangeRound:
    """Watches one action after the other and keeps what each reached.

    Attributes
    ----------
    frames : dict
        Frames seen while an action was asked for, by action code.
    """

    def __init__(self) -> None:
        self.frames: dict[str, list[TrackedFrame]] = {}
        self._action = ""

    def watch(self, action: str) -> None:
        """Begin to watch an action; doing it again starts it afresh.

        Raises
        ------
        ConfigError
            The action is unknown or not measured.
        """
        code = find_code(action)
        if not code.channels:
            raise ConfigError(f"action {action!r} is not measured by the camera")
        self._action = code.code
        self.frames[code.code] = []

    def step(self, tracked: TrackedFrame) -> None:
        """Take one frame (at most 20 s of each action are kept, without images)."""
        frames = self.frames.get(self._action)
        if frames is not None and tracked.landmarks is not None and len(frames) < 1200:
            frames.append(without_image(tracked))

    def state(self) -> dict[str, Any]:
        """What the page shows while an action is watched."""
        frames = self.frames.get(self._action, [])
        return {
            "action": self._action,
            "frames": len(frames),
            "reached": {c: round(v, 4) for c, v in self._reached(self._action).items()},
        }

    def _reached(self, action: str) -> dict[str, float]:
        values = self._intensity(action)
        return reached_in(values, find_code(action).channels) if len(values) else {}

    def _intensity(self, action: str) -> F32:
        frames = self.frames.get(action, [])
        if len(frames) < HELD_FRAMES:
            return np.zeros((0, N_AU), np.float32)
        return np.stack([frame.units.intensity for frame in frames])

    def maxima(self) -> dict[str, float]:
        """What each watched action's channels reached; without those that were not really moved."""
        maxima: dict[str, float] = {}
        for action in self.frames:
            values = self._intensity(action)
            if len(values):
                maxima |= maxima_of(values, find_code(action).channels)
        return maxima


def without_image(tracked: TrackedFrame) -> TrackedFrame:
    """The same frame without its pixels."""
    from dataclasses import replace

    return replace(tracked, image=None)
