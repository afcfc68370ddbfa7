"""Which frames rest, part by part, and the neutral face that follows from them.

A talker's brows rest while the mouth acts, so brows, lids and mouth are looked at by themselves.
The blendshape net needs no neutral: what it and the skin between the brows say tells how much a
part acts in a frame. The quietest frames of a part are taken; how quiet they are is the evidence
that they rest. The neutral is theirs as far as that evidence goes, and the mean face's for the
rest: an expression that is held from the first frame to the last is not learnt as neutral. A part
that never changes in a whole clip is judged more strictly: nothing shows that its quietest frames
are quiet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.au.acting import (
    beyond_rest,
    frowning,
    frowning_a_little,
    held_mouth_activity,
    is_held,
    mouth_activity,
    score,
)
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.face_time import counted_s
from livefacs.au.neutral import Neutral, canonical_neutral, median
from livefacs.au.regions import (
    BLENDSHAPE_REGION,
    BROWS,
    LIDS,
    MOUTH,
    N_REGIONS,
    PATCH_REGION,
    shares_of_points,
)
from livefacs.kernels.fusion import line_depths
from livefacs.types import Readings
from livefacs.vocab.readings import N_PATCH_READINGS, N_PATCHES, PATCH_INDEX

SHARE: Final = 0.13
"""Of the frames, the quietest of each part that are taken; at least three, at most sixty."""
LEAST_FRAMES, MOST_FRAMES = 3, 60
RESTS_BELOW, ACTS_ABOVE = 0.1, 0.4
"""Activity, scores of the net: evidence of rest is 1 below the one and 0 above the other."""
USUAL_LIDS, USUAL_MOUTH = 0.2, 0.2
"""What faces at rest score."""
MAX_TURN_RAD: Final = 0.6
MAX_SPEED: Final = 1.5
OPENING_S, OPENING_BONUS = 0.5, 0.2
"""Performers mostly start from rest: frames so early are taken before others as quiet."""
CALM, NEARLY_CALM = 0.2, 0.35
"""Activity beyond the usual under which an opening is believed: for brows, for lids and mouth."""
OPENING_EVIDENCE: Final = 0.8
HELD_RESTS_BELOW, HELD_ACTS_ABOVE = 0.15, 0.25
"""Evidence of rest in a mouth that is held, of which more is looked at."""
HELD_OPENING_BELOW: Final = 0.6
"""Brows that are held higher do not count as resting because lids and mouth rest."""


@dataclass(frozen=True, slots=True)
class PartAtRest:
    """The quietest frames of one part of the face.

    Attributes
    ----------
    shape : (478, 3) float64
    angles_rad : (3,) float64
    blendshapes : (52,) float64
    patches : (N_PATCHES, 3) float64
    evidence : float, 0..1
        That they rest.
    """

    shape: F64
    angles_rad: F64
    blendshapes: F64
    patches: F64
    evidence: float


class RestingFrames:
    """Gathers frames and finds those at rest.

    Parameters
    ----------
    model : EstimatorModel
    """

    def __init__(self, model: EstimatorModel) -> None:
        self._usual = model.usual_patches.astype(np.float64)
        self._cheeks = np.array([PATCH_INDEX["cheek_L"], PATCH_INDEX["cheek_R"]], np.int64)
        self._shapes: list[F32] = []
        self._angles: list[F64] = []
        self._readings: list[Readings] = []
        self._frowns: list[float] = []
        self._gaps: list[float] = []
        self._puckers: list[float] = []
        self._speeds: list[float] = []
        self._is_opening: list[bool] = []

    def __len__(self) -> int:
        return len(self._shapes)

    def add(
        self,
        shape: F64,
        head: F64,
        speed: float,
        lip_gap: float,
        readings: Readings,
        elapsed_s: float,
        pucker: float = 0.0,
    ) -> None:
        """Take one frame in.

        Parameters
        ----------
        shape : (478, 3) float64
            Aligned to the mean face.
        head : (>= 3,) float64
            Yaw, pitch, roll.
        speed : float
            Eye distances a second.
        lip_gap : float
            Inner-lip gap beyond the mean face's, eye distances.
        readings : Readings
            With the net's scores.
        elapsed_s : float
            Since the first frame.
        pucker : float
            AU18 against the mean face.
        """
        self._is_opening.append(elapsed_s < OPENING_S)
        self._shapes.append(shape.astype(np.float32))
        self._angles.append(head[:3].copy())
        self._readings.append(readings)
        self._frowns.append(self._frown_lines(readings.patches))
        self._gaps.append(lip_gap)
        self._puckers.append(pucker)
        self._speeds.append(speed)

    def parts(self, *, is_whole: bool = False) -> tuple[PartAtRest, ...]:
        """Brows, lids and mouth at rest, from the frames so far; there must be one.

        Parameters
        ----------
        is_whole : bool
            They are a whole clip: what is held through them has no quieter frames to come.
        """
        usable, activities = self._usable(), self._activities()
        scores, lines = self._scores(), np.array(self._frowns)
        busy, limits = frowning(scores, lines), [(RESTS_BELOW, ACTS_ABOVE)] * N_REGIONS
        if is_whole and is_held(activities[BROWS][0][usable == 0.0]):
            usual, judged = activities[BROWS]
            judged = np.maximum(judged, frowning_a_little(scores, lines))
            activities[BROWS] = usual, judged
            busy = np.where(judged < HELD_OPENING_BELOW, frowning_a_little(scores, lines), judged)
        if is_whole and is_held(activities[MOUTH][0][usable == 0.0]):
            usual, judged = activities[MOUTH]
            activities[MOUTH] = usual, judged + held_mouth_activity(scores, np.array(self._puckers))
            limits[MOUTH] = HELD_RESTS_BELOW, HELD_ACTS_ABOVE
        parts = [
            self._quietest(*activity, usable, *limit)
            for activity, limit in zip(activities, limits, strict=True)
        ]
        judged_each = [judged for _, judged in activities]
        opening = self._calm_opening(usable, judged_each, busy, CALM)
        if len(opening):
            evidence = max(parts[BROWS].evidence, OPENING_EVIDENCE)
            parts[BROWS] = self._part(opening, evidence)
        opening = self._calm_opening(usable, judged_each, busy, NEARLY_CALM)
        for region in (LIDS, MOUTH) if len(opening) else ():
            parts[region] = _halfway(parts[region], self._part(opening, parts[region].evidence))
        return tuple(parts)

    def _calm_opening(self, usable: F64, judged: list[F64], busy: F64, limit: float) -> I64:
        """Frames of the first half second in which lids and mouth rest and no brow is ``busy``.

        Then the brows rest, too, however high they stand: that differs between people. Lids and
        mouth are drawn to it: weak actions, which the net does not see, pass for rest later on.
        """
        opening = np.array(self._is_opening) & (usable == 0.0)
        calm = opening & (judged[LIDS] < limit) & (judged[MOUTH] < limit) & (busy < limit)
        enough = calm.sum() >= max(LEAST_FRAMES, opening.sum() / 2)
        return np.flatnonzero(calm) if enough else np.zeros(0, np.int64)

    def _frown_lines(self, patches: F32) -> float:
        depths = np.zeros(2 * N_PATCHES)
        unknown = np.full((N_PATCHES, N_PATCH_READINGS), np.nan)
        line_depths(
            np.array(patches), self._usual, unknown, np.zeros(N_PATCHES), self._cheeks, 1.0, depths
        )
        return float(depths[2 * PATCH_INDEX["glabella"]])

    def _usable(self) -> F64:
        """(n,) 0 for slow, roughly frontal frames, and a large number for the others."""
        away = np.abs(np.array(self._angles))[:, :2].max(axis=1) > MAX_TURN_RAD
        bad = away | (np.array(self._speeds) > MAX_SPEED)
        bad[0] = len(bad) > LEAST_FRAMES  # a tracker's first frame is a pixel off
        return np.where(bad, 9.0, 0.0) if (~bad).sum() >= LEAST_FRAMES else np.zeros(len(bad))

    def _activities(self) -> list[tuple[F64, F64]]:
        """How much each part acts in each frame, and the same for judging that it rests."""
        scores, lines = self._scores(), np.array(self._frowns)
        raised = np.maximum(score(scores, "browInnerUp"), score(scores, "browOuterUp*"))
        brows = raised + 0.4 * np.maximum(0.0, lines - np.percentile(lines, 10))
        lids = score(scores, "eyeBlink*") + 2.0 * score(scores, "eyeWide*")
        lids += 0.5 * score(scores, "eyeSquint*")
        lids += np.maximum(0.0, score(scores, "eyeLookDown*") - 0.3)
        mouth = mouth_activity(scores, np.array(self._gaps))
        return [
            (brows, np.maximum(beyond_rest(raised), frowning(scores, lines))),
            (lids, lids - USUAL_LIDS),
            (mouth, mouth - USUAL_MOUTH),
        ]

    def _scores(self) -> F64:
        return np.array([each.blendshapes for each in self._readings], np.float64)

    def _quietest(
        self, activity: F64, judged: F64, usable: F64, rests_below: float, acts_above: float
    ) -> PartAtRest:
        n = len(activity)
        padded = np.pad(activity, 1, "edge")
        smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3.0
        n_wanted = int(np.clip(SHARE * (usable == 0.0).sum(), LEAST_FRAMES, MOST_FRAMES))
        smooth -= OPENING_BONUS * np.array(self._is_opening)
        chosen = np.argsort(smooth + usable, kind="stable")[: min(n, n_wanted)]
        low = float(np.median(judged[chosen]))
        evidence = np.clip((acts_above - low) / (acts_above - rests_below), 0.0, 1.0)
        return self._part(chosen, float(evidence))

    def _part(self, chosen: I64, evidence: float) -> PartAtRest:
        return PartAtRest(
            np.median([self._shapes[i] for i in chosen], axis=0).astype(np.float64),
            np.median([self._angles[i] for i in chosen], axis=0),
            median([self._readings[i].blendshapes for i in chosen]),
            median([self._readings[i].patches for i in chosen]),
            evidence,
        )


def _halfway(one: PartAtRest, other: PartAtRest) -> PartAtRest:
    """Midway between two findings of one part, with the evidence of the first."""
    midway = [
        0.5 * (getattr(one, name) + getattr(other, name))
        for name in ("shape", "angles_rad", "blendshapes")
    ]
    patches = median([one.patches, other.patches])
    return PartAtRest(midway[0], midway[1], midway[2], patches, one.evidence)


def neutral_from_parts(
    model: EstimatorModel, parts: tuple[PartAtRest, ...], prior: Neutral | None = None
) -> Neutral:
    """One neutral from what is known before and what was found, each as far as its evidence goes.

    The mean face has the rest: neither a glimpse nor a doubtful rest is taken for the whole truth.

    Parameters
    ----------
    parts : brows, lids, mouth
    prior : Neutral or None
        The person's; None: nothing is known of them.
    """
    mean = canonical_neutral(model)
    prior, usual = prior or mean, model.usual_blendshapes.astype(np.float64)
    known = np.where(np.isnan(prior.blendshapes), usual, prior.blendshapes)
    shares = shares_of_points(mean.shape)
    shape, blendshapes, patches = mean.shape.copy(), usual.copy(), prior.patches.copy()
    open_to = 1.0 - prior.evidence
    added = np.array([parts[region].evidence for region in range(N_REGIONS)]) * open_to
    for region in (BROWS, LIDS, MOUTH):
        part, earlier = parts[region], float(prior.evidence[region])
        for weight, face in ((earlier, prior.shape), (added[region], part.shape)):
            shape += (weight * shares[region])[:, None] * (face - mean.shape)
        mine = region == BLENDSHAPE_REGION
        beyond = earlier * (known - usual) + added[region] * (part.blendshapes - usual)
        blendshapes[mine] += beyond[mine]
        mine = region == PATCH_REGION
        share = added[region] / max(added[region] + earlier, 1e-9)
        drawn = patches[mine] + share * (part.patches - patches)[mine]
        patches[mine] = np.where(np.isnan(patches[mine]), part.patches[mine], drawn)
    turned = np.median([part.angles_rad for part in parts], axis=0)
    angles = prior.angles_rad + open_to.mean() * (turned - prior.angles_rad)
    return Neutral(shape, angles, blendshapes, patches, prior.evidence + added)


def known_so_far(model: EstimatorModel, prior: Neutral | None) -> Neutral:
    """What a person's neutral is taken for before any rest of theirs is found."""
    if prior is None:
        return canonical_neutral(model)
    blendshapes = np.where(np.isnan(prior.blendshapes), model.usual_blendshapes, prior.blendshapes)
    nothing = PartAtRest(prior.shape, prior.angles_rad, blendshapes, prior.patches, 0.0)
    return neutral_from_parts(model, (nothing,) * N_REGIONS, prior)


PROVISIONAL_S, FINAL_S = 0.38, 2.0
"""Seconds of a face after which its neutral is first used, and after which it is settled."""
SETTLE_S: Final = 0.1
"""A fresh tracker's first frames are about a pixel off."""
SETTLED: Final = 0.5
"""Parts with so much evidence after ``FINAL_S`` are left alone for good."""
BETTER_BY: Final = 0.1
RENEWED_EVERY: Final = 10  # frames
WAITS_FOR: Final = 600
"""Frames among which rest is looked for in parts that are not settled."""


class LiveRest:
    """Learns the neutral from the first seconds; parts that act are waited for. Nothing drifts.

    Feed it every frame; ``neutral`` changes until ``is_final``. A ``prior`` is what a short
    calibration knows of the person.
    """

    def __init__(self, model: EstimatorModel, prior: Neutral | None = None) -> None:
        self._model = model
        self._prior = prior
        self._frames = RestingFrames(model)
        self._parts: tuple[PartAtRest, ...] = ()
        self._elapsed_s = 0.0
        self.neutral = known_so_far(model, prior)
        self.is_known = False
        self.is_final = False

    def offer(
        self,
        shape: F64,
        head: F64,
        speed: float,
        lip_gap: float,
        readings: Readings,
        dt_s: float,
    ) -> bool:
        """Take one aligned frame into account; True where ``neutral`` changed by it."""
        self._elapsed_s += counted_s(dt_s)
        if self.is_final or self._elapsed_s < SETTLE_S:
            return False
        self._frames.add(shape, head, speed, lip_gap, readings, self._elapsed_s)
        becomes_known = not self.is_known and self._elapsed_s >= PROVISIONAL_S
        if not becomes_known and (not self.is_known or len(self._frames) % RENEWED_EVERY):
            return False
        self.is_known = True
        return self._renew()

    def _renew(self) -> bool:
        found = self._frames.parts()
        is_late = self._elapsed_s >= FINAL_S
        if is_late and self._parts:
            found = tuple(
                old if old.evidence >= SETTLED or new.evidence < old.evidence + BETTER_BY else new
                for old, new in zip(self._parts, found, strict=True)
            )
        is_new = any(a is not b for a, b in zip(found, self._parts or (None,) * 3, strict=True))
        self._parts = found
        self.neutral = neutral_from_parts(self._model, found, self._prior)
        settled = all(part.evidence >= SETTLED for part in found)
        self.is_final = is_late and (settled or len(self._frames) >= WAITS_FOR)
        return is_new
