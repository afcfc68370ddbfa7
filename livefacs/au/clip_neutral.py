"""The neutral of a whole clip, for offline solving."""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import replace
from typing import Final

import numpy as np

from livefacs import mesh
from livefacs.arrays import F64, I64, Bool
from livefacs.au.estimator import N_FACE_CHANNELS, Estimator
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.neutral import (
    Neutral,
    NeutralGate,
    canonical_neutral,
    neutral_from_shapes,
)
from livefacs.au.regions import N_REGIONS
from livefacs.au.resting import RestingFrames, neutral_from_parts
from livefacs.au.smoothing import OFF
from livefacs.clock import s_from_ns
from livefacs.errors import SourceError
from livefacs.types import Landmarks
from livefacs.vocab.facs import CHANNEL_INDEX

OPENING_S: Final = 1.0
"""Performers mostly start from rest: quiet frames this early come first."""
MIN_FRAMES: Final = 5
MIN_SHARE: Final = 0.03
"""So many frames, or so large a share of the clip, must pass the gate; else it is widened."""
LOW_ACTIVITY: Final = 0.20
"""Frames without an action above this count as resting under the neutral so far."""
N_ROUNDS: Final = 3
MAX_FRAMES: Final = 900
"""Longer clips are looked at in even steps: the neutral needs no more."""
GLIMPSE_S: Final = 0.3
GLIMPSES_OF_A_CLIP: Final = 2.0
"""The rest that is found in a clip weighs as much as so many glimpses of a calibration."""
ENOUGH_REST: Final = 0.8
"""From it on, eight glimpses in 2.4 seconds, a calibration stands by itself."""


class _Shapes:
    """Aligned meshes of a clip, with what the gate asks for."""

    def __init__(self, model: EstimatorModel, frames: Many[Landmarks]) -> None:
        estimator = Estimator(model, smoothing=OFF, neutral=canonical_neutral(model))
        n = len(frames)
        self.shapes = np.empty((n, mesh.N_MESH, 3))
        self.angles = np.empty((n, 3))
        self.speeds = np.empty(n)
        for i, landmarks in enumerate(frames):
            estimator.raw_values(landmarks)
            self.shapes[i] = estimator.aligned
            self.angles[i] = estimator.head[:3]
            self.speeds[i] = estimator.speed

    def quiet(self, gate: NeutralGate) -> Bool:
        """(n,) bool: frames that may be at rest; the gate is widened until there are some."""
        n, slack = len(self.speeds), 1.0
        while True:
            quiet = gate.all_that_pass(self.shapes, self.angles, self.speeds, slack)
            if quiet.sum() >= min(n, max(MIN_FRAMES, int(MIN_SHARE * n))):
                return quiet
            slack *= 1.2

    def neutral(self, chosen: Bool | I64) -> Neutral:
        """Median of the chosen frames."""
        return neutral_from_shapes(self.shapes[chosen], self.angles[chosen])


def neutral_of_clip(
    model: EstimatorModel, frames: Many[Landmarks], prior: Neutral | None = None
) -> Neutral:
    """Resting face of a clip: its quiet frames that agree with one another.

    Where more than the mesh was read, brows, lids and mouth are looked at by themselves
    (``au.resting``). From meshes alone: starts from the first quiet frames of the first second
    where there are any, else from all quiet frames, and is then drawn to those in which nothing
    acts. A ``prior``, what a short calibration knows of the person, is completed by the former
    and takes the place of the latter.

    Raises
    ------
    SourceError
        No frame has a face, and there is no prior.
    """
    if not frames:
        if prior is not None:
            return prior
        raise SourceError("no face in the clip: expected at least one frame with a visible face")
    some = _evenly(frames)
    if all(each.readings and not np.isnan(each.readings.blendshapes[0]) for each in some):
        return _from_resting_frames(model, some, prior)
    if prior is not None:
        return prior
    shapes = _Shapes(model, some)
    quiet = shapes.quiet(NeutralGate(model))
    times = np.array([s_from_ns(each.t_ns - frames[0].t_ns) for each in some])
    early = quiet & (times < OPENING_S)
    early[np.flatnonzero(early)[MIN_FRAMES:]] = False
    chosen = early if early.sum() >= 2 else quiet
    for _ in range(N_ROUNDS):
        neutral = shapes.neutral(chosen)
        activity = _activity(model, neutral, some, quiet)
        calm = quiet & (activity < LOW_ACTIVITY)
        if calm.sum() < MIN_FRAMES:  # nothing holds still: what comes nearest to the start
            nearest = np.argsort(activity, kind="stable")[: min(MIN_FRAMES, int(quiet.sum()))]
            return shapes.neutral(nearest)
        if bool((calm == chosen).all()):
            break
        chosen = calm
    return shapes.neutral(chosen)


def _evenly(frames: Many[Landmarks]) -> list[Landmarks]:
    """At most ``MAX_FRAMES`` of them."""
    return list(frames[:: 1 + (len(frames) - 1) // MAX_FRAMES])


def _from_resting_frames(
    model: EstimatorModel, frames: Many[Landmarks], prior: Neutral | None
) -> Neutral:
    """Brows, lids and mouth by themselves, where more than the mesh was read."""
    estimator = Estimator(model, smoothing=OFF, neutral=canonical_neutral(model))
    resting = RestingFrames(model)
    for landmarks in frames:
        assert landmarks.readings is not None  # asked before
        values = estimator.raw_values(landmarks)
        resting.add(
            estimator.aligned,
            estimator.head,
            estimator.speed,
            estimator.lip_gap,
            landmarks.readings,
            s_from_ns(landmarks.t_ns - frames[0].t_ns),
            float(values[CHANNEL_INDEX["AU18"]]),
        )
    return neutral_from_parts(model, resting.parts(is_whole=True), prior)


def _activity(
    model: EstimatorModel, neutral: Neutral, frames: Many[Landmarks], wanted: Bool
) -> F64:
    """(n,) strongest intensity of each wanted frame under a neutral; infinite for the others."""
    estimator = Estimator(model, smoothing=OFF, neutral=neutral)
    activity = np.full(len(frames), np.inf)
    for i in np.flatnonzero(wanted):
        raw = estimator.raw_values(frames[int(i)])
        activity[i] = float(np.partition(raw[:N_FACE_CHANNELS], -3)[-3])  # two outliers forgiven
    return activity


def neutral_of_seconds(
    model: EstimatorModel, frames: Many[Landmarks], start_s: float, end_s: float
) -> Neutral:
    """Neutral from the frames between two times that the user names.

    Raises
    ------
    SourceError
        There is no face between them.
    """
    named = [each for each in frames if start_s <= s_from_ns(each.t_ns) <= end_s]
    if not named:
        raise SourceError(
            f"no face between {start_s:g} s and {end_s:g} s: name seconds in which the face shows"
        )
    some = _evenly(named)
    shapes = _Shapes(model, some)
    return neutral_from_shapes(shapes.shapes, shapes.angles, [each.readings for each in some])


def calibrated_neutral(
    model: EstimatorModel, frames: Many[Landmarks], start_s: float, end_s: float
) -> Neutral:
    """The same, with the evidence that so short a look at a resting face is for a profile.

    Raises
    ------
    SourceError
        There is no face between them.
    """
    neutral = neutral_of_seconds(model, frames, start_s, end_s)
    times = (s_from_ns(each.t_ns) for each in frames)
    evidence = evidence_of_rest([t for t in times if start_s <= t <= end_s])
    return replace(neutral, evidence=np.full(N_REGIONS, evidence))


def evidence_of_rest(times_s: Many[float]) -> float:
    """How much frames of a resting face say of it, 0 to 1.

    A face never rests in the same way twice: a glimpse is one way of resting, ten are the person's.

    Parameters
    ----------
    times_s : list of float
        Of the frames; those nearer than ``GLIMPSE_S`` are one glimpse.
    """
    n_glimpses, last = 0, -np.inf
    for time in sorted(times_s):
        if time - last >= GLIMPSE_S:
            n_glimpses, last = n_glimpses + 1, time
    evidence = n_glimpses / (n_glimpses + GLIMPSES_OF_A_CLIP)
    return 1.0 if evidence >= ENOUGH_REST else evidence
