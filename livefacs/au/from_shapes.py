"""Another tracker's blend shapes to Action Units; neutral, gains and filter as for meshes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.au.holding import RESTART_S, held_estimate
from livefacs.au.profile import Profile
from livefacs.au.smoothing import Smoothing
from livefacs.clock import s_from_ns
from livefacs.kernels.smoothing import one_euro
from livefacs.types import ActionUnits, Estimate, Gaze, HeadPose, Health, Landmarks, Shapes
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, HEAD_CHANNELS, N_AU

_N_SHAPES: Final = 52
_HEAD_RAD: Final = np.radians((45.0, 35.0, 35.0))
"""Turns at which AU51 to 56 are 1, as for meshes."""
_FIRST_HEAD: Final = CHANNEL_INDEX[HEAD_CHANNELS[0]]
_HEAD_CONFIDENCE: Final = 0.9
_CEILING: Final = 1.5
_MOST_NEUTRAL: Final = 0.9  # a shape that rests higher is stuck, not neutral


class ShapeMap(Protocol):
    """How shapes become channels; ``retarget.inverse.InverseMap`` is one."""

    @property
    def weights(self) -> F32:
        """(N_AU, 52)."""

    @property
    def confidence(self) -> F32:
        """(N_AU,)."""

    @property
    def digest(self) -> str:
        """SHA-256 of the map."""

    @property
    def description(self) -> Callable[[], dict[str, Any]]:
        """What a status tells of it."""


class ShapeEstimator:
    """Action Units of one performer from the shapes that another tracker sends.

    The neutral is taken on demand only (``capture_neutral``): such trackers have one of their own.

    Parameters
    ----------
    model : ShapeMap
    profile : Profile or None
        Its gains apply; its neutral is a mesh's and does not.
    smoothing : Smoothing

    Attributes
    ----------
    channels : tuple of str
        Those of FACS: what a performer taught, such trackers do not see.
    """

    channels = AU_CHANNELS

    def __init__(
        self,
        model: ShapeMap,
        profile: Profile | None = None,
        smoothing: Smoothing | None = None,
    ) -> None:
        self.model = model
        self.profile = profile
        self._gains = profile.gain_array()[:N_AU] if profile else np.ones(N_AU)
        self._smoothing = (smoothing or Smoothing()).parameters()
        self._confidence = model.confidence.copy()
        self._confidence[_FIRST_HEAD : _FIRST_HEAD + len(HEAD_CHANNELS)] = _HEAD_CONFIDENCE
        self._unmeasured = self._confidence == 0.0
        self._rest: F32 = np.zeros(_N_SHAPES, np.float32)
        self._rest_head = np.zeros(3)
        self._capture: list[tuple[F32, F64, float]] | None = None
        self._capture_s = 0.0
        self._filter = np.full((N_AU, 2), np.nan)
        self._last_ns: int | None = None
        self._seen_ns: int | None = None
        self._last: Estimate | None = None

    def capture_neutral(self, duration_s: float = 1.0) -> None:
        """Take the shapes of the next ``duration_s`` seconds as the person's neutral."""
        self._capture, self._capture_s = [], duration_s

    def warm_up(self) -> None:
        """Compile the filter."""
        values, state = np.zeros(N_AU), np.full((N_AU, 2), np.nan)
        one_euro(values, 0.0, self._smoothing, state, np.empty(N_AU))

    def estimate(self, landmarks: Landmarks) -> Estimate:
        """A mesh among another tracker's shapes: there is none; held values."""
        return self.hold(landmarks.t_ns)

    def estimate_shapes(self, shapes: Shapes, t_ns: int) -> Estimate:
        """Action Units, head pose and gaze of one frame."""
        if not shapes.has_face:
            return self.hold(t_ns)
        dt_s = self._elapsed_s(t_ns)
        self._last_ns = self._seen_ns = t_ns
        head = np.array((shapes.head.yaw_rad, shapes.head.pitch_rad, shapes.head.roll_rad))
        self._learn_neutral(shapes.weights, head, dt_s)
        known = np.isfinite(shapes.weights)
        weights = np.where(known, shapes.weights, np.float32(0.0))
        weights = np.maximum((weights - self._rest) / (1.0 - self._rest), np.float32(0.0))
        values = np.clip(self.model.weights @ weights, 0.0, 1.0).astype(np.float64)
        values = np.minimum(values * self._gains, _CEILING)
        self._set_head(values, head)
        values[self._unmeasured] = np.nan
        filtered = np.empty(N_AU)
        one_euro(values, dt_s, self._smoothing, self._filter, filtered)
        units = ActionUnits(
            _frozen(filtered.astype(np.float32)),
            _frozen(values.astype(np.float32)),
            _frozen(np.where(self._unmeasured, np.float32(0.0), self._confidence)),
        )
        health = Health.OK if self.profile else Health.UNCALIBRATED
        self._last = Estimate(units, shapes.head, shapes.gaze, health)
        return self._last

    def hold(self, t_ns: int) -> Estimate:
        """No face, or nothing came: the last values stand for half a second, then fade."""
        self._last_ns = t_ns
        health = Health.OK if self.profile else Health.UNCALIBRATED
        if self._last is None or self._seen_ns is None:
            return Estimate(ActionUnits.neutral(), HeadPose(), Gaze(), Health.NO_FACE | health)
        lost_s = s_from_ns(max(0, t_ns - self._seen_ns))
        return held_estimate(self._last, lost_s, health, self._filter)

    def _set_head(self, values: F64, head: F64) -> None:
        for k, turn in enumerate((head - self._rest_head) / _HEAD_RAD * (1.0, -1.0, -1.0)):
            values[_FIRST_HEAD + 2 * k] = max(0.0, turn)
            values[_FIRST_HEAD + 2 * k + 1] = max(0.0, -turn)

    def _elapsed_s(self, t_ns: int) -> float:
        if self._last_ns is None:
            return 0.0
        dt_s = s_from_ns(t_ns - self._last_ns)
        return 0.0 if dt_s < 0.0 or dt_s > RESTART_S else max(dt_s, 1e-3)

    def _learn_neutral(self, weights: F32, head: F64, dt_s: float) -> None:
        if self._capture is None:
            return
        self._capture.append((weights.copy(), head, dt_s))
        if sum(seconds for _, _, seconds in self._capture) < self._capture_s:
            return
        rest = np.nan_to_num(np.median([w for w, _, _ in self._capture], axis=0))
        self._rest = np.clip(rest, 0.0, _MOST_NEUTRAL).astype(np.float32)
        self._rest_head = np.median([angles for _, angles, _ in self._capture], axis=0)
        self._capture = None


def _frozen(values: F32) -> F32:
    values.setflags(write=False)
    return values
