"""Score an estimator against known truth: agreement, cross-talk, head-pose leakage, jitter.

Curves come from the estimator as it ships, frame by frame, filter and automatic neutral included.
Figures on the 0 to 5 scale are marked so. Agreement is measured on mixtures of actions, cross-talk
on sweeps of single actions, leakage on a neutral face that turns, jitter on a still one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.au.agreement import icc31
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.features import REGIONS
from livefacs.offline import estimates
from livefacs.training.dataset import N_NEUTRAL_FRAMES, N_SETTLING_FRAMES, Sequence, Subject
from livefacs.training.extract import meshes_of
from livefacs.vocab.facs import ACTIONS, CHANNEL_INDEX, channels_of

SCALE: Final = 5.0
MAX_GAIN: Final = 20.0
"""A dead channel must not be scaled up to noise."""
ACTIVE: Final = 0.1
SCORED: Final = tuple(action for action in ACTIONS if action in REGIONS)

Curves = dict[str, F32]
"""(T, N_AU) intensities of one subject, by sequence."""


@dataclass(frozen=True)
class Row:
    """Figures of one action, or of one of its sides.

    Attributes
    ----------
    name : str
        Action (mean of its sides) or channel.
    r, icc : float
        Pearson correlation and ICC(3,1) with the truth, mean over subjects.
    error : float
        Mean absolute error where the truth exceeds 0.1, 0 to 5 scale.
    crosstalk : float
        Mean response to other single actions, as a share of that to its own.
    worst : tuple of (action or shape, share)
    leak_p95, leak_max : float
        Response to turning of a neutral head, 0 to 5 scale.
    jitter : float
        Standard deviation at rest, 0 to 5 scale.
    """

    name: str
    r: float
    icc: float
    error: float
    crosstalk: float
    worst: tuple[tuple[str, float], ...]
    leak_p95: float
    leak_max: float
    jitter: float


@dataclass(frozen=True)
class Evaluation:
    """Rows by name, and the correlation of AU45 on the blink sequence (both, left, right)."""

    rows: dict[str, Row] = field(default_factory=dict)
    blink: tuple[float, float, float] = (float("nan"),) * 3

    def mean(self, figure: str) -> float:
        """Mean of a figure over the actions that have it."""
        values = [getattr(self.rows[name], figure) for name in SCORED if name in self.rows]
        known = [value for value in values if not np.isnan(value)]
        return float(np.mean(known)) if known else float("nan")


def curves_of(model: EstimatorModel, subject: Subject) -> Curves:
    """Intensities of every sequence, each with a fresh estimator, as live."""
    estimator = Estimator(model)
    curves: Curves = {}
    for sequence in subject.sequences:
        estimator.reset()
        found = estimates(meshes_of(sequence), estimator)
        curves[sequence.name] = np.stack([each.units.intensity for each in found])
    return curves


def evaluate(
    held: Many[tuple[Subject, Curves]], trained: Many[tuple[Subject, Curves]] = ()
) -> Evaluation:
    """Score curves of subjects that were not trained on.

    Parameters
    ----------
    held : list of (Subject, Curves)
    trained : list of (Subject, Curves)
        Subjects that the gain of each action is fitted on, as a user's calibration would; without
        them it is fitted on the held ones.
    """
    names = [n for action in SCORED for n in dict.fromkeys((action, *channels_of(action)))]
    rested = [(subject, _rested(subject, curves)) for subject, curves in held]
    fitted = [(subject, _rested(subject, curves)) for subject, curves in trained] or rested
    rows = {}
    for name in names:
        row = _row(name, rested, fitted)
        if row is not None:
            rows[name] = row
    return Evaluation(rows, _blink(rested))


def _rested(subject: Subject, curves: Curves) -> Curves:
    """Curves less their value at rest, in the first sequence's first frames."""
    first = curves[subject.sequences[0].name][N_SETTLING_FRAMES:N_NEUTRAL_FRAMES]
    rest = np.median(first, axis=0)
    return {name: np.clip(values, 0, 1) - rest for name, values in curves.items()}


def _columns(name: str) -> list[int]:
    channels = (name,) if name in CHANNEL_INDEX else channels_of(name)
    return [CHANNEL_INDEX[channel] for channel in channels]


def _curve(values: F32, name: str) -> F64:
    return np.asarray(values[:, _columns(name)].astype(np.float64).mean(axis=1))


def _mixtures(subject: Subject) -> list[Sequence]:
    mixtures = [s for s in subject.sequences if s.name.startswith("mix")]
    return mixtures or list(subject.sequences)


def _pair(subject: Subject, curves: Curves, name: str) -> tuple[F64, F64]:
    """Estimate and truth over the mixtures, frames of unknown truth left out."""
    sequences = _mixtures(subject)
    estimate = np.concatenate([_curve(curves[s.name], name) for s in sequences])
    truth = np.concatenate([_curve(s.truth, name) for s in sequences])
    known = ~np.isnan(truth)
    return estimate[known], truth[known]


def _row(
    name: str, held: Many[tuple[Subject, Curves]], fitted: Many[tuple[Subject, Curves]]
) -> Row | None:
    gain = _gain([_pair(subject, curves, name) for subject, curves in fitted])
    rs, iccs, errors = [], [], []
    for subject, curves in held:
        estimate, truth = _pair(subject, curves, name)
        if not len(truth) or truth.max() <= ACTIVE:
            continue
        scaled = SCALE * np.clip(gain * estimate, 0, 1)
        rs.append(pearson(estimate, truth))
        iccs.append(icc31(scaled, SCALE * truth))
        errors.append(np.abs(scaled - SCALE * truth)[truth > ACTIVE])
    if not rs:
        return None
    crosstalk, worst = _crosstalk(name, held)
    leak = _gather(held, "pose", lambda v: np.abs(SCALE * gain * _curve(v, name)))
    rest = [
        SCALE * gain * _curve(curves[s.name], name)[N_NEUTRAL_FRAMES:].std()
        for subject, curves in held
        for s in subject.sequences
        if s.name == "still"
    ]
    return Row(
        name,
        float(np.mean(np.nan_to_num(rs))),
        float(np.mean(iccs)),
        float(np.concatenate(errors).mean()),
        crosstalk,
        worst,
        float(np.percentile(leak, 95)) if len(leak) else float("nan"),
        float(leak.max()) if len(leak) else float("nan"),
        float(np.mean(rest)) if rest else float("nan"),
    )


def _gain(pairs: Many[tuple[F64, F64]]) -> float:
    estimate = np.concatenate([e for e, _ in pairs])
    truth = np.concatenate([t for _, t in pairs])
    return float(np.clip((estimate @ truth) / (estimate @ estimate + 1e-9), 0.0, MAX_GAIN))


def _gather(held: Many[tuple[Subject, Curves]], start: str, figure: Callable[[F32], F64]) -> F64:
    parts = [
        figure(curves[s.name])
        for subject, curves in held
        for s in subject.sequences
        if s.name.startswith(start)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _crosstalk(
    name: str, held: Many[tuple[Subject, Curves]]
) -> tuple[float, tuple[tuple[str, float], ...]]:
    """Response at the peaks of other actions' sweeps, relative to that at its own."""
    own: list[float] = []
    others: dict[str, list[float]] = {}
    for subject, curves in held:
        for sequence in subject.sequences:
            truth, values = _curve(sequence.truth, name), _curve(curves[sequence.name], name)
            for shape, start, stop in sequence.segments:
                peaks = start + _peaks(sequence.truth[start:stop])
                if not len(peaks):
                    continue
                is_one_sided = shape[-2:] in ("_L", "_R")
                if truth[peaks].mean() > 0.4 and (not is_one_sided or name[-2:] == shape[-2:]):
                    own.append(float(values[peaks].mean() / truth[peaks].mean()))
                elif not np.nanmax(truth[start:stop]) and not is_one_sided:
                    others.setdefault(shape, []).append(float(values[peaks].mean()))
    mean_own = float(np.mean(own)) if own else float("nan")
    if not others or not abs(mean_own) > 0.01:
        return float("nan"), ()
    shares = {shape: float(np.mean(v)) / mean_own for shape, v in others.items()}
    worst = sorted(shares.items(), key=lambda item: -abs(item[1]))[:3]
    return float(np.mean(np.abs(list(shares.values())))), tuple(worst)


def _peaks(truth: F32) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Frames of a sweep at full strength; the middle third where the truth does not tell."""
    strongest = np.nan_to_num(truth).max(axis=1)
    if strongest.max() > 0.4:
        return np.flatnonzero(strongest > 0.97 * strongest.max())
    return np.arange(len(truth) // 3, 2 * len(truth) // 3)


def _blink(held: Many[tuple[Subject, Curves]]) -> tuple[float, float, float]:
    found = [
        [
            pearson(_curve(curves[s.name], name), _curve(s.truth, name))
            for name in ("AU45", "AU45_L", "AU45_R")
        ]
        for subject, curves in held
        for s in subject.sequences
        if s.name == "blink"
    ]
    if not found:
        return (float("nan"),) * 3
    both, left, right = np.mean(found, axis=0)
    return float(both), float(left), float(right)


def pearson(a: F64, b: F64) -> float:
    """Correlation; 0 where either is constant."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 1e-9 else 0.0


def mean_evaluation(parts: Many[Evaluation]) -> Evaluation:
    """Mean of the folds of a cross-validation; the worst cross-talk of the first is kept."""
    rows = {}
    for name in parts[0].rows:
        found = [part.rows[name] for part in parts if name in part.rows]
        figures = {
            key: float(np.nanmean([getattr(row, key) for row in found]))
            for key in ("r", "icc", "error", "crosstalk", "leak_p95", "leak_max", "jitter")
        }
        rows[name] = Row(name=name, worst=found[0].worst, **figures)
    both, left, right = np.mean([part.blink for part in parts], axis=0)
    return Evaluation(rows, (float(both), float(left), float(right)))


def cross_validate(
    subjects: Many[Subject],
    always: Many[Subject],
    fit: Callable[[Many[Subject]], EstimatorModel],
    n_folds: int,
) -> Evaluation:
    """Leave-subjects-out: every subject is scored by weights that never saw it.

    Parameters
    ----------
    subjects : list of Subject
        Dealt into ``n_folds`` folds.
    always : list of Subject
        Trained on in every fold, never scored.
    fit : callable
        Trains a model.
    """
    parts = []
    for i_fold in range(n_folds):
        held = [s for i, s in enumerate(subjects) if i % n_folds == i_fold]
        rest = [s for i, s in enumerate(subjects) if i % n_folds != i_fold]
        model = fit([*rest, *always])
        parts.append(
            evaluate(
                [(s, curves_of(model, s)) for s in held],
                [(s, curves_of(model, s)) for s in rest],
            )
        )
    return mean_evaluation(parts)


def reliability_by_action(evaluation: Evaluation) -> Mapping[str, float]:
    """Pearson r by action, never negative: what the weights file carries."""
    return {name: max(0.0, evaluation.rows[name].r) for name in SCORED if name in evaluation.rows}
