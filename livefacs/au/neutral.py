"""The person's neutral: automatic from the first quiet frames, captured on demand, or of a clip.

All shapes stand in the face frame: frontal, aligned to the mean neutral face, in units of the
outer-eye distance.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from livefacs import mesh
from livefacs.arrays import F32, F64, Bool
from livefacs.au.estimator_model import N_FEATURES, EstimatorModel
from livefacs.au.face_time import counted_s
from livefacs.au.personal import NO_MAPS, KernelMaps
from livefacs.au.regions import CHANNEL_REGION, N_REGIONS, PATCH_REGION
from livefacs.kernels import arguments as k
from livefacs.kernels.features import N_POSE_TERMS, pose_terms
from livefacs.kernels.step import LID_SHUT, measure
from livefacs.types import Readings
from livefacs.vocab.facs import N_AU
from livefacs.vocab.readings import N_BLENDSHAPES, N_PATCH_READINGS, N_PATCHES

SETTLE_S: Final = 0.1
"""A fresh tracker's first frames are about a pixel off."""
PROVISIONAL_S: Final = 0.38
"""Quiet time after which the automatic neutral is first used."""
FINAL_S: Final = 2.0
"""Time after which the automatic neutral is left alone for good."""
NO_REST: Final = 0.25
"""Less evidence than this in a part: no resting frame was found."""
TRUST_WITHOUT_REST: Final = 0.4
"""Share of confidence that is left to a part of the face whose rest was not seen."""

MAX_YAW_RAD: Final = 0.45
MAX_PITCH_RAD: Final = 0.45
MAX_SPEED: Final = 1.5
"""Eye distances a second: faster frames are blurred."""
MAX_LIP_GAP: Final = 0.045
"""Inner-lip gap of closed lips, outer-eye distances (people at rest: up to 0.03)."""
MIN_LID_GAP: Final = 0.55
"""Lid gap, as a share of the mean neutral face's."""
MAX_CORNER_LIFT: Final = 0.075
"""How far the mouth corners may stand above the mean neutral face's: beyond it, a smile."""
MAX_MOUTH_WIDENING: Final = 0.11
QUIET_INTENSITY: Final = 0.12
"""Once a neutral is known, only frames without an action above this refine it."""
SAME_ANGLE_RAD: Final = 0.05
RELAX_AFTER_S: Final = 4.0
"""With no quiet frame for so long the gates widen, each time by half: a mouth may rest open."""


@dataclass(frozen=True)
class Neutral:
    """A neutral face and what the kernel needs to know of it.

    Attributes
    ----------
    shape : (478, 3) float64
    angles_rad : (3,) float64
        Head yaw, pitch and roll in the neutral.
    blendshapes : (N_BLENDSHAPES,) float64
        What the blendshape net says of it; NaN where unknown: people's usual values stand in.
    patches : (N_PATCHES, 3) float64
        What its skin shows; NaN where unknown.
    evidence : (3,) float64, 0..1
        That brows, lids and nose, and mouth (``au.regions``) were at rest.
    is_confirmed : bool
        False where the face did the same throughout: no other frame tells rest from what it holds.
    """

    shape: F64
    angles_rad: F64
    blendshapes: F64 = field(default_factory=lambda: np.full(N_BLENDSHAPES, np.nan))
    patches: F64 = field(default_factory=lambda: np.full((N_PATCHES, N_PATCH_READINGS), np.nan))
    evidence: F64 = field(default_factory=lambda: np.ones(N_REGIONS))
    is_confirmed: bool = True

    @property
    def has_rest(self) -> bool:
        """Every part is known to rest in some frame."""
        return self.is_confirmed and bool(self.evidence.min() >= NO_REST)

    def person(
        self, model: EstimatorModel, kernel_model: k.Model, gains: F64, maps: KernelMaps = NO_MAPS
    ) -> k.Person:
        """The kernel's arrays."""
        usual = model.usual_blendshapes
        blendshapes = np.where(np.isnan(self.blendshapes), usual, self.blendshapes)
        trust = np.ones(len(gains))
        known = self.evidence * self.is_confirmed
        trust[:N_AU] = (
            TRUST_WITHOUT_REST + (1.0 - TRUST_WITHOUT_REST) * np.append(known, 1.0)[CHANNEL_REGION]
        )
        terms = np.zeros(N_POSE_TERMS)
        yaw, pitch, roll = (float(angle) for angle in self.angles_rad)
        pose_terms(yaw, pitch, roll, terms)
        measures = np.zeros(k.N_MEASURES)
        shape = np.ascontiguousarray(self.shape, np.float64)
        measure(shape, kernel_model, measures)
        return k.Person(
            neutral=shape,
            neutral_terms=terms,
            neutral_angles=np.ascontiguousarray(self.angles_rad, np.float64),
            neutral_measures=measures,
            gains=np.ascontiguousarray(gains, np.float64),
            mean_face=self._against_mean_face(model, kernel_model),
            blendshapes=np.ascontiguousarray(blendshapes, np.float64),
            patches=np.ascontiguousarray(self.patches, np.float64),
            patch_evidence=self.evidence[PATCH_REGION],
            trust=trust,
            with_image=maps[0],
            without_image=maps[1],
        )

    def _against_mean_face(self, model: EstimatorModel, kernel_model: k.Model) -> F64:
        """(N_AU,) what the linear map says of the neutral against the mean face."""
        mean = canonical_neutral(model).shape
        features = np.zeros(N_FEATURES)
        points = np.array(mesh.FEATURE_POINTS)
        features[: 2 * len(points)] = (self.shape - mean)[points, :2].reshape(-1)
        yaw, pitch, roll = (float(angle) for angle in self.angles_rad)
        pose_terms(
            yaw,
            pitch,
            roll,
            features[2 * len(points) : 2 * len(points) + N_POSE_TERMS],
        )
        own, usual = np.zeros(k.N_MEASURES), np.zeros(k.N_MEASURES)
        measure(np.ascontiguousarray(self.shape, np.float64), kernel_model, own)
        measure(np.ascontiguousarray(mean, np.float64), kernel_model, usual)
        measures = features[2 * len(points) + N_POSE_TERMS :]
        measures[:] = own - usual
        measures[:2] = (usual[:2] - own[:2]) / (usual[:2] - LID_SHUT)
        return np.asarray(model.weights.astype(np.float64) @ features)


def normalised(shape: F64) -> F64:
    """The shape scaled about its origin to an outer-eye distance of one."""
    right, left = mesh.OUTER_CORNERS
    return np.asarray(shape / np.linalg.norm(shape[right] - shape[left]), np.float64)


def canonical_neutral(model: EstimatorModel) -> Neutral:
    """The mean neutral face, looking straight ahead: what is assumed of a person never seen."""
    return Neutral(normalised(model.canonical), np.zeros(3), evidence=np.zeros(N_REGIONS))


def neutral_from_shapes(
    shapes: F64, angles_rad: F64, readings: Many[Readings | None] = ()
) -> Neutral:
    """Median of aligned shapes, and of what was read besides.

    Parameters
    ----------
    shapes : (n, 478, 3) float64, n >= 1
    angles_rad : (n, 3) float64
    """
    neutral = Neutral(normalised(np.median(shapes, axis=0)), np.median(angles_rad, axis=0))
    known = [each for each in readings if each is not None]
    if not known:
        return neutral
    return replace(
        neutral,
        blendshapes=median([each.blendshapes for each in known]),
        patches=median([each.patches for each in known]),
    )


def median(values: Many[F32] | Many[F64]) -> F64:
    """Median by element over what is known of it; NaN where nothing is."""
    stacked = np.array(values, np.float64)
    known = np.where(np.isnan(stacked).all(axis=0), 0.0, stacked)
    middle = np.nanmedian(known, axis=0)
    return np.where(np.isnan(stacked).all(axis=0), np.nan, middle)


class NeutralGate:
    """Says whether a frame may be a resting face, judged against the mean neutral face.

    Expressions that are held from the first frame on (an open mouth, closed eyes, a broad smile)
    do not pass; small ones cannot be told from a face of that shape.
    """

    def __init__(self, model: EstimatorModel) -> None:
        shape = canonical_neutral(model).shape
        self._lids = [_gap(shape, mesh.LID_PAIRS_L), _gap(shape, mesh.LID_PAIRS_R)]
        self._lift = _corner_height(shape)
        self._width = _mouth_width(shape)

    def passes(self, shape: F64, head: F64, speed: float, slack: float = 1.0) -> bool:
        """True for a quiet, roughly frontal frame without an evident expression."""
        return not self.objection(shape, head, speed, slack)

    def objection(self, shape: F64, head: F64, speed: float, slack: float = 1.0) -> str:
        """What speaks against the frame, in words; empty where nothing does."""
        objections = self._objections(shape, head, np.float64(speed), slack)
        return next((words for words, is_there in objections if is_there), "")

    def all_that_pass(self, shapes: F64, heads: F64, speeds: F64, slack: float = 1.0) -> Bool:
        """(n,) bool: ``passes`` of many frames at once.

        Parameters
        ----------
        shapes : (n, 478, 3) float64
        heads : (n, >= 2) float64
            Yaw and pitch come first, radians.
        speeds : (n,) float64
            Eye distances a second.
        """
        quiet = np.ones(len(speeds), bool)
        for _, are_there in self._objections(shapes, heads, speeds, slack):
            quiet &= ~are_there
        return quiet

    def _objections(
        self, shape: F64, head: F64, speed: Any, slack: float
    ) -> Iterator[tuple[str, Any]]:
        """Each objection in words, and whether it is there: of one frame, or of rows of them."""
        turned = np.abs(head[..., :2]) > np.array((MAX_YAW_RAD, MAX_PITCH_RAD)) * slack
        yield "the head is turned away from the camera", turned.any(axis=-1)
        yield "the head moves", speed > MAX_SPEED * slack
        yield "the lips are parted", _gap(shape, mesh.LIP_PAIRS) > MAX_LIP_GAP * slack
        lids = [_gap(shape, pairs) for pairs in (mesh.LID_PAIRS_L, mesh.LID_PAIRS_R)]
        narrower = np.minimum(lids[0] / self._lids[0], lids[1] / self._lids[1])
        yield "an eye is closed", narrower < MIN_LID_GAP / slack
        lift, width = _corner_height(shape) - self._lift, _mouth_width(shape) - self._width
        smiles = (lift > MAX_CORNER_LIFT * slack) & (width > 0)
        yield "the mouth smiles or stretches", smiles | (width > MAX_MOUTH_WIDENING * slack)


def _gap(shape: F64, pairs: tuple[tuple[int, int], ...]) -> Any:
    a, b = np.array(pairs).T
    away = shape[..., a, :2] - shape[..., b, :2]
    return np.hypot(away[..., 0], away[..., 1]).mean(axis=-1)


def _corner_height(shape: F64) -> Any:
    lips = 0.5 * (shape[..., 0, 1] + shape[..., 17, 1])
    corners = shape[..., mesh.MOUTH_CORNER_L, 1] + shape[..., mesh.MOUTH_CORNER_R, 1]
    return lips - 0.5 * corners


def _mouth_width(shape: F64) -> Any:
    return shape[..., mesh.MOUTH_CORNER_L, 0] - shape[..., mesh.MOUTH_CORNER_R, 0]


class AutomaticNeutral:
    """Learns the neutral from the first quiet frames, then leaves it alone.

    Feed it every frame; ``neutral`` changes until ``is_final``.
    """

    def __init__(self, model: EstimatorModel) -> None:
        self._gate = NeutralGate(model)
        self.neutral = canonical_neutral(model)
        self.is_known = False
        self.is_final = False
        self._shapes: list[F64] = []
        self._angles: list[F64] = []
        self._quiet_s = 0.0
        self._elapsed_s = 0.0
        self._waited_s = 0.0

    def offer(self, shape: F64, head: F64, speed: float, activity: float, dt_s: float) -> bool:
        """Take one aligned frame into account; True where ``neutral`` changed by it.

        ``activity`` is the strongest intensity of the frame under the neutral so far.
        """
        step_s = counted_s(dt_s)
        self._elapsed_s += step_s
        if self.is_final or self._elapsed_s < SETTLE_S:
            return False
        if self.is_known and activity > QUIET_INTENSITY:
            self.is_final = self._elapsed_s >= FINAL_S
            return False
        slack = 1.5 ** int(self._waited_s / RELAX_AFTER_S)
        if not self._gate.passes(shape, head, speed, slack) or self._has_turned(head):
            self._waited_s += step_s
            return False
        self._shapes.append(shape.copy())
        self._angles.append(head[:3].copy())
        self._quiet_s += step_s
        return self._settle()

    def _has_turned(self, head: F64) -> bool:
        """Turning leaves traces in the mesh: only frames turned like the neutral refine it."""
        if not self.is_known:
            return False
        return bool(np.abs(head[:3] - self.neutral.angles_rad).max() > SAME_ANGLE_RAD)

    def _settle(self) -> bool:
        """Renew the neutral at the first quiet frame, when it is known, and now and then after."""
        becomes_known = not self.is_known and self._quiet_s >= PROVISIONAL_S
        self.is_final = self._quiet_s >= FINAL_S
        n = len(self._shapes)
        if not (n == 1 or becomes_known or self.is_final or (self.is_known and n % 10 == 0)):
            return False
        self.neutral = neutral_from_shapes(np.array(self._shapes), np.array(self._angles))
        self.is_known = self.is_known or becomes_known
        return True


class NeutralCapture:
    """Collects the frames of an explicit capture; no gate: the performer says it is neutral."""

    def __init__(self, duration_s: float = 1.0) -> None:
        self._left_s = duration_s
        self._shapes: list[F64] = []
        self._angles: list[F64] = []
        self._readings: list[Readings | None] = []

    def offer(
        self, shape: F64, head: F64, dt_s: float, readings: Readings | None = None
    ) -> Neutral | None:
        """Take one aligned frame; the neutral once the time is over."""
        self._readings.append(readings)
        self._shapes.append(shape.copy())
        self._angles.append(head[:3].copy())
        self._left_s -= counted_s(dt_s)
        if self._left_s > 0.0:
            return None
        return neutral_from_shapes(np.array(self._shapes), np.array(self._angles), self._readings)
