"""Fit the estimator's weights: one-sided, region-limited, mirrored ridge regression.

An Action Unit is never negative, so where the truth is 0 any value at or below 0 is right, and
where it is 1 any value from 1 up. That makes the loss convex but not quadratic; it is minimised
by majorisation: residuals that cost nothing are replaced by 0, and the same factorised normal
equations are solved again. The floor (bias) of each channel is fitted with it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Many
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.au.estimator_model import (
    MEASURE_START,
    MEASURES,
    N_FEATURES,
    EstimatorModel,
    load_model,
)
from livefacs.au.features import (
    LEARNT,
    POSE_START,
    mirror_channels,
    mirror_features,
    region_mask,
    set_formulas,
)
from livefacs.kernels._jit import numba_version
from livefacs.kernels.features import N_POSE_TERMS
from livefacs.training.coded import CodedClip
from livefacs.training.dataset import Subject
from livefacs.training.extract import (
    Examples,
    blank_model,
    choose_align_points,
    examples_of,
    mean_face,
    rendered_evidence,
)
from livefacs.training.fusion_fit import coded_evidence, fit_fusion, with_usual_readings
from livefacs.vocab.facs import AU_CHANNELS, N_AU, action_of

FULL_RESPONSE: Final = 0.75
"""Mean response to an action at full strength that is aimed at."""
MAX_GAIN: Final = 1.6
"""A signal weaker than that is left weak: more would be noise."""
_CHUNK: Final = 20_000
_SIGNIFICANT_BITS: Final = 12
"""Weights are rounded to so many bits: what lies below depends on the linear-algebra library."""


@dataclass(frozen=True)
class Settings:
    """What training can be told.

    Attributes
    ----------
    ridge : float
        Penalty on squared weights, for a unit displacement of one eye distance.
    ridge_of : dict
        Penalty of single actions, where it differs.
    pose_ridge : float
        Penalty on the pose terms, as a share of the other.
    gap_unit : float
        A lid closed fully counts like a displacement of so many eye distances.
    sequence_weights : dict
        Weight of a sequence by the beginning of its name.
    focal_factors : tuple of float
        Copies of the data with other assumed focal lengths.
    range_of : dict
        People's range of single actions over that of the rendered shapes, where it is known to
        be wider: inner brows rise by up to 9 % of the eye distance, in the renders by 6 %;
        frowns of people reach half as far again as the rendered one.
    noise_floor : float
        What every channel must pass before it shows; keeps a resting or turning face quiet.
    deepest_floor : dict
        Largest floor of single actions, where training would hide weak but real movement.
    n_rounds : int
        Majorisation steps.
    """

    ridge: float = 0.25
    ridge_of: dict[str, float] = field(default_factory=lambda: {"AU15": 10.0, "AU17": 10.0})
    pose_ridge: float = 0.1
    gap_unit: float = 0.08
    sequence_weights: dict[str, float] = field(
        default_factory=lambda: {"pose": 25.0, "mixmove": 2.0, "mix": 2.0}
    )
    focal_factors: tuple[float, ...] = (1.0,)
    range_of: dict[str, float] = field(default_factory=lambda: {"AU1": 1.5, "AU4": 1.5})
    noise_floor: float = 0.02
    deepest_floor: dict[str, float] = field(default_factory=lambda: {"AU26": 0.03, "AU45": 0.03})
    n_rounds: int = 25


def train(
    subjects: Many[Subject],
    settings: Settings | None = None,
    reliability: Mapping[str, float] | None = None,
) -> EstimatorModel:
    """Train on labelled subjects.

    Data with runs of a turning neutral head (sequences named ``pose…``) are trained from nothing.
    Other data, such as one's own labelled takes, say too little of rigid motion and of most
    actions: they start from the shipped weights, which the penalty then draws to instead of zero,
    and channels that they do not label stay as shipped.

    Parameters
    ----------
    subjects : list of Subject
    settings : Settings or None
    reliability : dict or None
        Measured reliability by action, from people that were not trained on.
    """
    chosen = settings or Settings()
    base = None if has_turning(subjects) else load_model()
    if base is None:
        canonical = mean_face(subjects)
        ids, prior = choose_align_points(subjects, canonical)
    else:
        canonical, ids, prior = base.canonical, base.align_ids, base.align_prior
    blank = blank_model(canonical, ids, prior)
    examples = examples_of(blank, subjects, chosen.sequence_weights, chosen.focal_factors)
    weights, bias = fit(examples, canonical, chosen, base)
    return EstimatorModel(
        canonical,
        ids,
        prior,
        weights,
        bias,
        reliability_array(reliability or {}),
        provenance(subjects, chosen, base),
    )


def with_fusion(
    model: EstimatorModel,
    coded: Many[CodedClip],
    subjects: Many[Subject],
    scores: Callable[[F32], F32],
) -> EstimatorModel:
    """The model with the fusion of the three readers fitted.

    Parameters
    ----------
    coded : list of CodedClip
        People coded by eye.
    subjects : list of Subject
        Rendered people; where there are none, the coded ones decide alone.
    scores : callable
        The blendshape net, from points in pixels.
    """
    model = with_usual_readings(model, coded)
    rows = [(clip, coded_evidence(model, clip)) for clip in coded]
    fused = fit_fusion(model, rows, [rendered_evidence(model, s, scores) for s in subjects])
    names = {clip.name: f"{clip.person}, {len(clip.judgements)} judgements" for clip in coded}
    return replace(fused, provenance={**model.provenance, "coded": names})


def has_turning(subjects: Many[Subject]) -> bool:
    """True where the data hold a neutral face that turns."""
    return any(s.name.startswith("pose") for subject in subjects for s in subject.sequences)


def fit(
    examples: Examples, canonical: F64, settings: Settings, base: EstimatorModel | None = None
) -> tuple[F32, F32]:
    """Weights (N_AU, N_FEATURES) and bias (N_AU,), float32, from feature rows.

    ``base`` gives the weights that the penalty draws to; None draws to zero.
    """
    unit = np.ones(N_FEATURES)
    unit[MEASURE_START : MEASURE_START + 2] = settings.gap_unit
    rows = np.hstack((examples.features * unit, np.full((len(examples.features), 1), 0.1)))
    system = _MirroredSystem(rows.astype(np.float32), examples.weight)
    solvers = {c: system.solver(_allowed(c, canonical), _penalty(c, settings)) for c in LEARNT}
    start = np.zeros((N_AU, N_FEATURES + 1))
    if base is not None:
        start[:, :N_FEATURES] = base.weights / unit
        start[list(LEARNT), N_FEATURES] = 10.0 * (base.bias + settings.noise_floor)[list(LEARNT)]
    weights = start.copy()
    target = _one_sided(examples.truth, system.predict(weights))
    for _ in range(settings.n_rounds):
        correlation = system.correlation(target)
        for channel, (used, inverse) in solvers.items():
            pull = _penalty(channel, settings)[used] * start[channel, used]
            weights[channel] = 0.0
            weights[channel, used] = inverse @ (correlation[used, channel] + pull)
        target = _one_sided(examples.truth, system.predict(weights))
    weights[:, N_FEATURES] = 10.0 * _floors(0.1 * weights[:, N_FEATURES], settings)
    if base is None:
        gains = _gains(examples.truth, system.predict(weights))
        weights *= (gains / _ranges(settings))[:, None]
    bias = 0.1 * weights[:, N_FEATURES]
    weights = weights[:, :N_FEATURES] * unit
    set_formulas(weights, bias)
    return _rounded(weights), _rounded(bias)


def _floors(bias: F64, settings: Settings) -> F64:
    """The fitted floors, deepened by the noise floor; never a value out of nothing."""
    floors = np.zeros(N_AU)
    for channel in LEARNT:
        deepest = settings.deepest_floor.get(action_of(AU_CHANNELS[channel]), np.inf)
        floors[channel] = -min(max(0.0, -bias[channel]) + settings.noise_floor, deepest)
    return floors


def _gains(truth: F32, predicted: F32) -> F64:
    """What brings full-strength actions to ``FULL_RESPONSE``: the penalty shrinks weak signals."""
    gains = np.ones(N_AU)
    partners = mirror_channels()
    for channel in LEARNT:
        strong = [truth[:, c] > 0.9 for c in (channel, partners[channel])]
        if not all(mask.any() for mask in strong):
            continue
        columns = zip(strong, (channel, partners[channel]), strict=True)
        reached = np.mean([np.clip(predicted[mask, c], 0, None).mean() for mask, c in columns])
        gains[channel] = np.clip(FULL_RESPONSE / max(float(reached), 1e-6), 1.0, MAX_GAIN)
    return gains


def _ranges(settings: Settings) -> F64:
    return np.array([settings.range_of.get(action_of(channel), 1.0) for channel in AU_CHANNELS])


def _one_sided(truth: F32, predicted: F32) -> F32:
    """Targets with the residuals that cost nothing taken out; unknown truth costs nothing."""
    target = np.where(truth <= 0.0, np.minimum(predicted, 0.0), truth)
    target = np.where(truth >= 1.0, np.maximum(predicted, 1.0), target)
    return np.where(np.isnan(truth), predicted, target).astype(np.float32)


def _allowed(channel: int, canonical: F64) -> I64:
    mask = region_mask(AU_CHANNELS[channel], canonical)
    return np.append(np.flatnonzero(mask), N_FEATURES)


def _penalty(channel: int, settings: Settings) -> F64:
    ridge = float(settings.ridge_of.get(action_of(AU_CHANNELS[channel]), settings.ridge))
    penalty = np.full(N_FEATURES + 1, ridge)
    penalty[POSE_START : POSE_START + N_POSE_TERMS] *= settings.pose_ridge
    penalty[N_FEATURES] = 1e-3
    return penalty


class _MirroredSystem:
    """Normal equations of rows and their mirror images, without making the latter."""

    def __init__(self, rows: F32, weight: F32) -> None:
        order, sign = mirror_features()
        self._order = np.append(order, N_FEATURES)
        self._sign = np.append(sign, 1.0)
        self._channels = mirror_channels()
        self._rows, self._weight = rows, weight
        gram = np.zeros((N_FEATURES + 1, N_FEATURES + 1))
        for part in self._parts():
            gram += (rows[part].T * weight[part]) @ rows[part]
        mirrored = gram[np.ix_(self._order, self._order)] * np.outer(self._sign, self._sign)
        self._gram = gram + mirrored

    def _parts(self) -> list[slice]:
        return [slice(a, a + _CHUNK) for a in range(0, len(self._rows), _CHUNK)]

    def solver(self, used: I64, penalty: F64) -> tuple[I64, F64]:
        """Indices of the features in use and the inverse of their penalised normal matrix."""
        return used, np.linalg.inv(self._gram[np.ix_(used, used)] + np.diag(penalty[used]))

    def correlation(self, target: F32) -> F64:
        """(N_FEATURES + 1, N_AU): rows times targets, with the mirror images' share."""
        total = np.zeros((N_FEATURES + 1, N_AU))
        for part in self._parts():
            total += (self._rows[part].T * self._weight[part]) @ target[part]
        mirrored = (total[self._order] * self._sign[:, None])[:, self._channels]
        return np.asarray(total + mirrored)

    def predict(self, weights: F64) -> F32:
        """(n, N_AU) float32."""
        return np.asarray(self._rows @ weights.T.astype(np.float32))


def _rounded(values: F64) -> F32:
    """To ``_SIGNIFICANT_BITS`` bits, so that other machines come to the same file."""
    mantissa, exponent = np.frexp(values)
    scale = float(2**_SIGNIFICANT_BITS)
    return np.ldexp(np.round(mantissa * scale) / scale, exponent).astype(np.float32)


def reliability_array(by_action: Mapping[str, float]) -> F32:
    """(N_AU,) float32 from figures by action; NaN where there is none."""
    values = [by_action.get(action_of(channel), np.nan) for channel in AU_CHANNELS]
    return np.array(values, np.float32)


def provenance(
    subjects: Many[Subject], settings: Settings, base: EstimatorModel | None = None
) -> dict[str, Any]:
    """What the weights were made of and with."""
    return {
        "base": base.digest if base else None,
        "data": {subject.name: subject.sha256 for subject in subjects},
        "settings": asdict(settings),
        "seed": None,
        "features": list(MEASURES),
        "numpy": np.__version__,
        "numba": numba_version(),
        "python": platform.python_version(),
    }
