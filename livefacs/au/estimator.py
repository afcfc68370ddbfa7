"""Meshes to Action Units: one kernel call a frame, the neutral's life, health, letters outside."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import numpy as np

from livefacs.arrays import F32, F64, U8
from livefacs.au.estimator_model import N_EVIDENCE, N_FEATURES, EstimatorModel, load_model
from livefacs.au.holding import RESTART_S, held_estimate
from livefacs.au.neutral import (
    AutomaticNeutral,
    Neutral,
    NeutralCapture,
    canonical_neutral,
)
from livefacs.au.personal import NO_MAPS
from livefacs.au.profile import Profile
from livefacs.au.resting import LiveRest
from livefacs.au.smoothing import Smoothing
from livefacs.clock import s_from_ns
from livefacs.kernels import arguments
from livefacs.kernels import step as k
from livefacs.mesh import N_MESH
from livefacs.types import ActionUnits, Estimate, Gaze, HeadPose, Health, Landmarks, Readings
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU
from livefacs.vocab.readings import N_BLENDSHAPES, N_PATCH_READINGS, N_PATCHES, N_TEXTURE

__all__ = ["Estimator", "load_model"]

ReaderChoice = Literal["all", "geometry"]

UNKNOWN_NEUTRAL_CONFIDENCE: Final = 0.3
_NO_TEXTURE: Final = np.zeros(0, np.uint8)
N_FACE_CHANNELS: Final = CHANNEL_INDEX["AU51"]
"""Channels before this are facial actions; from it on, head and eyes."""


class Estimator:
    """Action Units, head pose and gaze of one performer, frame by frame.

    Reads no clock and no file once it is made. The same frames give the same numbers.

    Parameters
    ----------
    model : EstimatorModel or Path or None
        Weights; None for those that ship.
    profile : Profile or None
        A calibrated person; None learns the neutral from the first quiet frames.
    smoothing : Smoothing
        One Euro parameters.
    focal_px : float or None
        Focal length of the camera; None assumes that of common webcams and phones, the longer
        side of the image.
    neutral : Neutral or None
        A neutral that is known already, as in offline solving; goes before the profile's.
    reader : str
        ``geometry`` leaves out what was read besides the mesh, even where it is there.
    """

    def __init__(
        self,
        model: EstimatorModel | Path | None = None,
        profile: Profile | None = None,
        smoothing: Smoothing | None = None,
        *,
        focal_px: float | None = None,
        neutral: Neutral | None = None,
        reader: ReaderChoice = "all",
    ) -> None:
        self.model = model if isinstance(model, EstimatorModel) else load_model(model)
        self.profile = profile
        self._focal_px = focal_px
        self._reader = reader
        self._smoothing = smoothing or Smoothing()
        taught = profile.taught if profile else ()
        self.channels = profile.channels if profile else AU_CHANNELS
        self._kernel_model = self.model.kernel_model({a.channel: a.reliability for a in taught})
        self._gains = profile.gain_array() if profile else np.ones(len(self.channels))
        self._maps = profile.kernel_maps() if profile else NO_MAPS
        self._given = neutral or (profile.neutral if profile else None)
        self._is_open = self._given is None or (
            neutral is None and profile is not None and profile.is_open_to_rest
        )
        self._points = np.zeros((N_MESH, 3), np.float32)
        self._blendshapes = np.full(N_BLENDSHAPES, np.nan, np.float32)
        self._patches = np.full((N_PATCHES, N_PATCH_READINGS), np.nan, np.float32)
        self._texture = np.zeros(N_TEXTURE, np.uint8)
        self._frame = np.zeros(6)
        self._result = _new_result(len(self.channels))
        mean = canonical_neutral(self.model)
        person = mean.person(self.model, self._kernel_model, self._gains, self._maps)
        self._mean_lip_gap = float(person.neutral_measures[-1])
        self.reset()

    def reset(self) -> None:
        """Forget the performer: neutral (unless given), filter, held values."""
        self._automatic: AutomaticNeutral | LiveRest | None = None
        self._is_automatic = self._given is None
        self._seeks_rest = self._is_open
        self._readings: Readings | None = None
        self._capture: NeutralCapture | None = None
        self._use_neutral(self._given or canonical_neutral(self.model))
        self._state = _new_state(self._smoothing, len(self.channels))
        self._last_ns: int | None = None
        self._seen_ns: int | None = None
        self._last: Estimate | None = None

    def capture_neutral(self, duration_s: float = 1.0) -> None:
        """Take the frames of the next ``duration_s`` seconds as the person's neutral."""
        self._capture = NeutralCapture(duration_s)

    def set_smoothing(self, smoothing: Smoothing) -> None:
        """Filter otherwise from the next frame on; what is filtered goes on without a jump."""
        self._smoothing = smoothing
        self._state.filter_parameters[:] = smoothing.parameters()

    @property
    def smoothing(self) -> Smoothing:
        """The filter in use."""
        return self._smoothing

    @property
    def neutral(self) -> Neutral:
        """The neutral in use."""
        return self._neutral

    @property
    def is_calibrated(self) -> bool:
        """True with a profile, a given neutral or one that was captured on demand."""
        return not self._is_automatic

    @property
    def aligned(self) -> F64:
        """(478, 3) float64, the last mesh in the face frame; a view, overwritten by the next."""
        return self._result.aligned

    @property
    def head(self) -> F64:
        """(6,) float64 of the last frame: yaw, pitch, roll, x, y, z; a view."""
        return self._result.head

    @property
    def features(self) -> F64:
        """(N_FEATURES,) float64 of the last frame; a view, overwritten by the next."""
        return self._result.features

    @property
    def lip_gap(self) -> float:
        """Inner-lip gap of the last frame beyond the mean face's, eye distances."""
        return float(self._result.facts["lip_gap"][0]) - self._mean_lip_gap

    @property
    def evidence(self) -> F64:
        """(N_EVIDENCE,) float64 of the last frame with readings, see ``kernels.fusion``; a view."""
        return self._result.evidence

    @property
    def speed(self) -> float:
        """How fast the face was at the last frame, eye distances a second."""
        return float(self._result.facts["speed"][0])

    def warm_up(self) -> None:
        """Compile the kernel with the arrays of a live run, without touching the performer."""
        n = len(self.channels)
        state, points = _new_state(self._smoothing, n), np.zeros((N_MESH, 3), np.float32)
        points[:] = 100.0 * self.model.canonical + 300.0
        frame = np.array((320.0, 240.0, 640.0, 640.0, 480.0, 0.0))
        person = canonical_neutral(self.model).person(
            self.model, self._kernel_model, self._gains, self._maps
        )
        k.step(
            points,
            self._blendshapes,
            self._patches,
            _NO_TEXTURE,
            frame,
            self._kernel_model,
            person,
            state,
            _new_result(n),
        )

    def estimate(self, landmarks: Landmarks) -> Estimate:
        """Action Units, head pose and gaze of one mesh.

        Parameters
        ----------
        landmarks : Landmarks
            Times must rise; a step back or a gap over a second restarts the filter.
        """
        dt_s, flags = self._step(landmarks)
        self._learn_neutral(dt_s)
        self._last = self._read_result(flags)
        return self._last

    def raw_values(self, landmarks: Landmarks) -> F32:
        """Unfiltered intensities alone, for passes over many frames.

        Learns no neutral and keeps nothing to be held. ``aligned``, ``head``, ``features`` and
        ``speed`` are of this frame, too.

        Returns
        -------
        (n,) float32
            By ``channels``; a view, overwritten by the next frame.
        """
        self._step(landmarks)
        return self._result.raw

    def _step(self, landmarks: Landmarks) -> tuple[float, int]:
        """One call of the kernel; seconds since the frame before, and the kernel's flags."""
        dt_s = self._elapsed_s(landmarks.t_ns)
        self._last_ns = self._seen_ns = landmarks.t_ns
        np.copyto(self._points, landmarks.points_px)  # one signature, whatever its flags
        width, height = landmarks.image_size
        focal_px = self._focal_px or float(max(width, height))
        self._frame[:] = width / 2.0, height / 2.0, focal_px, width, height, dt_s
        texture = self._take_readings(landmarks)
        self._begin_to_seek_rest()
        flags = k.step(
            self._points,
            self._blendshapes,
            self._patches,
            texture,
            self._frame,
            self._kernel_model,
            self._person,
            self._state,
            self._result,
        )
        return dt_s, flags

    def _take_readings(self, landmarks: Landmarks) -> U8:
        """Readings into arrays of our own, so that the kernel has one signature; the texture."""
        readings = landmarks.readings if self._reader == "all" else None
        self._readings = None
        if readings is None:
            self._blendshapes[0] = np.nan
            return _NO_TEXTURE
        if not np.isnan(readings.blendshapes[0]):
            self._readings = readings
        np.copyto(self._blendshapes, readings.blendshapes)
        np.copyto(self._patches, readings.patches)
        np.copyto(self._texture, readings.texture)
        return self._texture

    def hold(self, t_ns: int) -> Estimate:
        """The frame has no face: the last values stand for half a second, then fade to neutral."""
        self._last_ns = t_ns
        if self._last is None or self._seen_ns is None:
            health = Health.NO_FACE | self._calibration_health()
            units = ActionUnits.neutral(self.channels)
            return Estimate(units, HeadPose(), Gaze(), health)
        lost_s = s_from_ns(max(0, t_ns - self._seen_ns))
        return held_estimate(self._last, lost_s, self._calibration_health(), self._state.filter)

    def _elapsed_s(self, t_ns: int) -> float:
        if self._last_ns is None:
            return 0.0
        dt_s = s_from_ns(t_ns - self._last_ns)
        return 0.0 if dt_s < 0.0 or dt_s > RESTART_S else max(dt_s, 1e-3)

    def _learn_neutral(self, dt_s: float) -> None:
        result = self._result
        if self._capture is not None:
            captured = self._capture.offer(result.aligned, result.head, dt_s, self._readings)
            if captured is not None:
                self._capture = self._automatic = None
                self._is_automatic = self._seeks_rest = False
                self._use_neutral(captured)
        elif self._seeks_rest and self._offer_to_automatic(dt_s):
            assert self._automatic is not None
            self._use_neutral(self._automatic.neutral)

    def _begin_to_seek_rest(self) -> None:
        """The first frame says by what: with readings, a neutral of a few glimpses is completed."""
        if self._automatic is not None or not self._seeks_rest:
            return
        if self._readings is not None:
            self._automatic = LiveRest(self.model, self._given)
        elif self._given is None:
            self._automatic = AutomaticNeutral(self.model)
        else:
            return
        self._use_neutral(self._automatic.neutral)

    def _offer_to_automatic(self, dt_s: float) -> bool:
        """Let the automatic neutral see the frame."""
        result, speed = self._result, self.speed
        if self._automatic is None:
            return False
        if isinstance(self._automatic, LiveRest):
            if self._readings is None:
                return False
            return self._automatic.offer(
                result.aligned, result.head, speed, self.lip_gap, self._readings, dt_s
            )
        activity = float(result.values[:N_FACE_CHANNELS].max())
        return self._automatic.offer(result.aligned, result.head, speed, activity, dt_s)

    def _use_neutral(self, neutral: Neutral) -> None:
        self._neutral = neutral
        self._person = neutral.person(self.model, self._kernel_model, self._gains, self._maps)

    def _calibration_health(self) -> Health:
        health = Health.OK if self.is_calibrated else Health.UNCALIBRATED
        is_sought = self._is_automatic and not (self._automatic and self._automatic.is_known)
        if not (is_sought or self._neutral.has_rest):
            health |= Health.NO_NEUTRAL
        return health

    def _read_result(self, flags: int) -> Estimate:
        result = self._result
        confidence = result.confidence.copy()
        if self._is_automatic and not (self._automatic and self._automatic.is_known):
            confidence *= np.float32(UNKNOWN_NEUTRAL_CONFIDENCE)
        units = ActionUnits(
            _frozen(result.intensity.copy()),
            _frozen(result.raw.copy()),
            _frozen(confidence),
            self.channels,
        )
        health = self._calibration_health()
        if flags & k.FLAG_OUT_OF_RANGE:
            health |= Health.OUT_OF_RANGE
        if flags & (k.FLAG_LEFT_HIDDEN | k.FLAG_RIGHT_HIDDEN):
            health |= Health.SIDE_HIDDEN
        return Estimate(units, HeadPose(*result.head.tolist()), Gaze(*result.gaze.tolist()), health)


def _frozen(values: F32) -> F32:
    values.setflags(write=False)
    return values


def _new_state(smoothing: Smoothing, n: int) -> arguments.State:
    memory = np.zeros(1, arguments.MEMORY)
    memory["centre_px"] = np.nan
    return arguments.State(
        filter_parameters=smoothing.parameters(n - N_AU),
        filter=np.full((n, 2), np.nan),
        held=np.zeros(n),
        gaze=np.zeros(4),
        memory=memory,
    )


def _new_result(n: int) -> arguments.Result:
    return arguments.Result(
        orthographic=np.zeros((N_MESH, 3)),
        aligned=np.zeros((N_MESH, 3)),
        rotation=np.eye(3),
        offset=np.zeros(3),
        features=np.zeros(N_FEATURES),
        lines=np.zeros(2 * N_PATCHES),
        evidence=np.zeros(N_EVIDENCE),
        values=np.zeros(n),
        filtered=np.zeros(n),
        raw=np.zeros(n, np.float32),
        intensity=np.zeros(n, np.float32),
        confidence=np.zeros(n, np.float32),
        head=np.zeros(6),
        gaze=np.zeros(4),
        facts=np.zeros(1, arguments.FACTS),
    )
