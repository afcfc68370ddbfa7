"""How well an estimator agrees with a coder's eye: ranking, presence, coding index, sides."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, Bool
from livefacs.au.clip_neutral import calibrated_neutral
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.neutral import Neutral
from livefacs.au.profile import Profile
from livefacs.offline import clip_estimator, estimates
from livefacs.training.coded import CodedClip
from livefacs.vocab.facs import CHANNEL_INDEX, channels_of

THERE: Final = 0.15
"""From this value on an action counts as there: letter B."""
STRONG: Final = 0.40
FEWEST: Final = 10
"""Actions with fewer present frames are left out of means."""


@dataclass(frozen=True, slots=True)
class ActionScore:
    """Agreement on one action.

    Attributes
    ----------
    n_present, n_absent : int
        Frames judged.
    auc : float
        Area under the ROC curve of the values as users see them, frames of all people pooled.
    missed : float
        Share of present frames below ``THERE``.
    false, strongly_false : float
        Share of absent frames from ``THERE`` and from ``STRONG`` on.
    """

    n_present: int
    n_absent: int
    auc: float
    missed: float
    false: float
    strongly_false: float


@dataclass(frozen=True, slots=True)
class CodedScore:
    """Agreement on all.

    Attributes
    ----------
    actions : dict of ActionScore
    index : float
        Mean over frames of twice the agreed codes over all codes of both (Wexler's ratio).
    n_sides, n_sides_right : int
        Frames coded one-sided, and those where that side is 1.5 times the other.
    """

    actions: Mapping[str, ActionScore]
    index: float
    n_sides: int
    n_sides_right: int

    def mean_auc(self) -> float:
        """Over the actions with ``FEWEST`` present frames or more; NaN without one."""
        return float(np.mean(self._areas())) if self._areas() else float("nan")

    def lowest_auc(self) -> float:
        """Of the same actions."""
        return min(self._areas(), default=float("nan"))

    def _areas(self) -> list[float]:
        return [s.auc for s in self.actions.values() if s.n_present >= FEWEST and s.n_absent]


def neutral_of_rests(model: EstimatorModel, clip: CodedClip) -> Neutral | None:
    """What a calibration from the frames that were coded as resting gives; None without one."""
    rests = [face for i in clip.rests if (face := clip.meshes[i].landmarks) is not None]
    return calibrated_neutral(model, rests, -np.inf, np.inf) if rests else None


def coded_curves(model: EstimatorModel, clip: CodedClip, calibrated: Neutral | None = None) -> F32:
    """(T, N_AU) intensities of a clip as ``solve`` writes them, filter included; NaN: no face.

    Without a calibrated neutral, that of the whole clip counts.
    """
    profile = None if calibrated is None else Profile(clip.person, "", calibrated)
    found = estimates(clip.meshes, clip_estimator(clip.meshes, model, profile=profile))
    return np.stack([each.units.intensity for each in found])


def score_coded(scored: Many[tuple[CodedClip, F32]]) -> CodedScore:
    """Score curves of coded clips."""
    values: dict[str, list[tuple[bool, float]]] = {}
    frames: dict[tuple[str, int], list[tuple[bool, bool]]] = {}
    n_sides = n_right = 0
    for clip, curves in scored:
        for j in clip.judgements:
            value = _value(curves, j.action, j.i_frame)
            values.setdefault(j.action, []).append((j.is_present, value))
            marks = frames.setdefault((clip.name, j.i_frame), [])
            marks.append((j.is_present, value >= THERE))
        for i_frame, action, side in clip.sides:
            stronger = curves[i_frame, CHANNEL_INDEX[f"{action}_{side}"]]
            weaker = curves[i_frame, CHANNEL_INDEX[f"{action}_{'LR'[side == 'L']}"]]
            n_sides += 1
            n_right += bool(stronger > 1.5 * weaker and stronger > 0)
    actions = {
        action: _action_score(found) for action, found in sorted(values.items(), key=_number)
    }
    return CodedScore(actions, _index(list(frames.values())), n_sides, n_right)


def _number(item: tuple[str, object]) -> int:
    return int("".join(c for c in item[0] if c.isdigit()))


def _value(curves: F32, action: str, i_frame: int) -> float:
    """Mean of the sides; a jaw that drops far counts as 26 and as 27."""
    channels = ("AU26", "AU27") if action == "AU26" else channels_of(action)
    found = [float(curves[i_frame, CHANNEL_INDEX[channel]]) for channel in channels]
    return max(found) if action == "AU26" else float(np.mean(found))


def _action_score(found: Many[tuple[bool, float]]) -> ActionScore:
    present = np.array([value for there, value in found if there])
    absent = np.array([value for there, value in found if not there])
    return ActionScore(
        len(present),
        len(absent),
        area_under_roc(present, absent),
        _share(present < THERE),
        _share(absent >= THERE),
        _share(absent >= STRONG),
    )


def area_under_roc(present: F64, absent: F64) -> float:
    """Chance that a present frame reads higher than an absent one; ties count half."""
    if not len(present) or not len(absent):
        return float("nan")
    difference = present[:, None] - absent[None, :]
    return float(((difference > 0).sum() + 0.5 * (difference == 0).sum()) / difference.size)


def _share(mask: Bool) -> float:
    return float(mask.mean()) if len(mask) else float("nan")


def _index(frames: Many[Many[tuple[bool, bool]]]) -> float:
    ratios = []
    for marks in frames:
        total = sum(int(coder) + int(machine) for coder, machine in marks)
        if total:
            ratios.append(2 * sum(coder and machine for coder, machine in marks) / total)
    return float(np.mean(ratios)) if ratios else float("nan")
