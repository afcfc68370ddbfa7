"""The gated neutral of a calibration, and the strongest values of a clip without prompts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.au.estimator import Estimator
from livefacs.au.face_time import FaceTime
from livefacs.au.neutral import Neutral, NeutralGate, neutral_from_shapes
from livefacs.au.profile import Profile
from livefacs.mesh import N_SKIN
from livefacs.types import Estimate, Readings
from livefacs.vocab.facs import CHANNEL_INDEX

NEUTRAL_S: Final = 3.0
MAX_WANDER: Final = 0.02
"""Root mean square motion of the mesh from the median allowed within a neutral, eye distances."""
STILL_SPEED: Final = 0.35
"""Eye distances a second."""
MIN_MAXIMUM: Final = 0.2
"""A maximum below this is an action that was not seen."""
HELD_FRAMES: Final = 6
"""The maximum is the value reached in so many frames, a fifth of a second: one does not make it."""


class NeutralTake:
    """Three seconds of a resting face: still, frontal, no action; anything else starts it afresh.

    Parameters
    ----------
    estimator : Estimator
        Uncalibrated; its neutral must be the mean face (``canonical``).
    """

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator
        self._gate = NeutralGate(estimator.model)
        self._restart("look into the camera and rest")

    def _restart(self, error: str) -> None:
        self.error = error
        self._time = FaceTime()
        self._shapes: list[F64] = []
        self._angles: list[F64] = []
        self._readings: list[Readings | None] = []

    @property
    def done_s(self) -> float:
        """Seconds of rest so far."""
        return self._time.seconds

    def feed(
        self, estimate: Estimate, t_ns: int, readings: Readings | None = None
    ) -> Neutral | None:
        """Take a frame; the neutral once the time is full. ``error`` says what is in the way."""
        head = estimate.head
        angles = np.array((head.yaw_rad, head.pitch_rad, head.roll_rad))
        shape, speed = self._estimator.aligned, self._estimator.speed
        error = self._gate.objection(shape, angles, speed)
        if not error and speed > STILL_SPEED:
            error = "the head moves"
        if not error and self._shapes and self._wander(shape) > MAX_WANDER:
            error = "the face moves"
        if error:
            self._restart(error)
            return None
        self.error = ""
        self._time.add(t_ns)
        self._shapes.append(shape.copy())
        self._angles.append(angles)
        self._readings.append(readings)
        if self.done_s < NEUTRAL_S:
            return None
        return neutral_from_shapes(np.array(self._shapes), np.array(self._angles), self._readings)

    def _wander(self, shape: F64) -> float:
        """Against the frame at the start of the hold; eyes may look about."""
        away = (shape - self._shapes[0])[:N_SKIN, :2]
        return float(np.sqrt((away**2).sum(axis=1).mean()))


def reached_in(intensity: F32, channels: Iterable[str]) -> dict[str, float]:
    """Strongest held value of channels: what at least ``HELD_FRAMES`` of the frames reach.

    Parameters
    ----------
    intensity : (T, N_AU) float32, T >= 1
        NaN counts as 0.
    """
    reached = {}
    for channel in channels:
        values = np.sort(np.nan_to_num(intensity[:, CHANNEL_INDEX[channel]]))
        reached[channel] = float(values[-min(HELD_FRAMES, len(values))])
    return reached


def maxima_of(intensity: F32, channels: Iterable[str]) -> dict[str, float]:
    """The same, without the channels that were not really moved: a profile's maxima."""
    reached = reached_in(intensity, channels)
    return {channel: value for channel, value in reached.items() if value >= MIN_MAXIMUM}


def new_profile(name: str, backend: str, neutral: Neutral, maxima: dict[str, float]) -> Profile:
    """A profile stamped with the present time."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Profile(name, backend, neutral, maxima, created)
