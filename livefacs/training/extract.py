"""Features of labelled sequences, through the same kernel that runs live."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from livefacs import mesh
from livefacs.arrays import F32, F64, I64
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import N_FEATURES, EstimatorModel
from livefacs.au.neutral import Neutral, canonical_neutral, median, neutral_from_shapes
from livefacs.au.smoothing import OFF
from livefacs.offline import Meshes, estimates
from livefacs.training.dataset import N_NEUTRAL_FRAMES, N_SETTLING_FRAMES, Sequence, Subject
from livefacs.training.fusion_fit import Evidence
from livefacs.types import Readings
from livefacs.vocab.facs import N_AU
from livefacs.vocab.readings import N_PATCH_READINGS, N_PATCHES, N_TEXTURE

N_ALIGN_POINTS: Final = 160
AT_REST: Final = slice(N_SETTLING_FRAMES, N_NEUTRAL_FRAMES)
EVIDENCE_EVERY: Final = 10
EXPRESSION_PENALTY: Final = 4.0
"""How much heavier a point's motion in expressions weighs than its misfit on a turned head."""


@dataclass(frozen=True)
class Examples:
    """Feature rows of many sequences.

    Attributes
    ----------
    features : (n, N_FEATURES) float32
    truth : (n, N_AU) float32, NaN where unknown
    weight : (n,) float32
    subject : (n,) int64
        Index of the subject in the list that was given.
    """

    features: F32
    truth: F32
    weight: F32
    subject: I64


def blank_model(canonical: F64, align_ids: I64, align_prior: F64) -> EstimatorModel:
    """A model that aligns and measures but estimates nothing."""
    return EstimatorModel(
        canonical,
        align_ids,
        align_prior,
        np.zeros((N_AU, N_FEATURES), np.float32),
        np.zeros(N_AU, np.float32),
        np.ones(N_AU, np.float32),
        {},
    )


def meshes_of(
    sequence: Sequence,
    frames: slice = slice(None),
    scores: Callable[[F32], F32] | None = None,
) -> Meshes:
    """Frames of a sequence as a clip's meshes.

    Parameters
    ----------
    scores : callable or None
        The blendshape net, which then reads each mesh: (478, 3) float32 pixels to (52,) float32.
    """
    points = sequence.points_px[frames]
    if scores is None:
        return Meshes(points, sequence.t_ns[frames], sequence.image_size)
    return Meshes(
        points,
        sequence.t_ns[frames],
        sequence.image_size,
        readings=lambda row: _scores_alone(scores(points[row])),
    )


def _scores_alone(scores: F32) -> Readings:
    """Readings without the skin, which rendered people do not show."""
    patches = np.full((N_PATCHES, N_PATCH_READINGS), np.nan, np.float32)
    return Readings(patches, np.zeros(N_TEXTURE, np.uint8), scores.copy())


def aligned_shapes(
    model: EstimatorModel, meshes: Meshes, neutral: Neutral | None = None
) -> tuple[F64, F64]:
    """Face-frame meshes (n, 478, 3) and head angles (n, 3), against a neutral."""
    estimator = Estimator(model, smoothing=OFF, neutral=neutral or canonical_neutral(model))
    shapes, angles = np.empty((len(meshes), mesh.N_MESH, 3)), np.empty((len(meshes), 3))
    for row, _ in enumerate(estimates(meshes, estimator)):
        shapes[row] = estimator.aligned
        angles[row] = estimator.head[:3]
    return shapes, angles


def first_neutral(model: EstimatorModel, subject: Subject) -> Neutral:
    """The neutral of a subject: median of the first sequence's first frames."""
    return neutral_from_shapes(*aligned_shapes(model, meshes_of(subject.sequences[0], AT_REST)))


def features_of(
    model: EstimatorModel, sequence: Sequence, neutral: Neutral, focal_px: float | None = None
) -> F32:
    """(T, N_FEATURES) float32."""
    estimator = Estimator(model, smoothing=OFF, neutral=neutral, focal_px=focal_px)
    rows = np.empty((len(sequence.points_px), N_FEATURES), np.float32)
    for row, _ in zip(rows, estimates(meshes_of(sequence), estimator), strict=True):
        row[:] = estimator.features
    return rows


def mean_face(subjects: Many[Subject]) -> F64:
    """Mean neutral face by repeated alignment, made symmetric, eye line level, one eye distance."""
    raw = []
    for subject in subjects:
        first = subject.sequences[0].points_px[AT_REST]
        raw.append(_centred(np.median(first, axis=0).astype(np.float64)))
    mean = np.mean(raw, axis=0)
    ids, prior = np.arange(mesh.N_SKIN), np.ones(mesh.N_SKIN)
    for _ in range(3):
        model = blank_model(_symmetric(mean), ids, prior)
        mean = np.mean([first_neutral(model, subject).shape for subject in subjects], axis=0)
    return _symmetric(mean)


def _centred(shape: F64) -> F64:
    """Origin midway between the outer eye corners, in units of their distance."""
    right, left = mesh.OUTER_CORNERS
    middle = 0.5 * (shape[right] + shape[left])
    return np.asarray((shape - middle) / np.linalg.norm(shape[right] - shape[left]))


def _symmetric(shape: F64) -> F64:
    mirrored = shape[mesh.MIRROR_POINTS] * np.array((-1.0, 1.0, 1.0))
    return _centred(0.5 * (_centred(shape) + _centred(mirrored)))


def choose_align_points(subjects: Many[Subject], canonical: F64) -> tuple[I64, F64]:
    """Points of the rigid fit: those that neither expressions nor turning of the head move.

    Returns
    -------
    ids : (N_ALIGN_POINTS,) int64, sorted
    prior : (N_ALIGN_POINTS,) float64, largest 1
    """
    model = blank_model(canonical, np.arange(mesh.N_SKIN), np.ones(mesh.N_SKIN))
    turned: list[F64] = []
    moved: list[F64] = []
    for subject in subjects:
        neutral = first_neutral(model, subject)
        for sequence in subject.sequences:
            is_turning = sequence.name.startswith("pose")
            if is_turning or sequence.name in ("sweep", "mix0"):
                meshes = meshes_of(sequence, slice(None, None, 3))
                shapes, _ = aligned_shapes(model, meshes, neutral)
                square = ((shapes - neutral.shape)[..., :2] ** 2).mean(axis=(0, 2))
                (turned if is_turning else moved).append(square)
    square = np.mean(turned, axis=0) + EXPRESSION_PENALTY * np.mean(moved, axis=0)
    square = 0.5 * (square + square[mesh.MIRROR_POINTS])[: mesh.N_SKIN]
    ids = np.sort(np.argsort(square, kind="stable")[:N_ALIGN_POINTS])
    return ids.astype(np.int64), square.min() / square[ids]


def examples_of(
    model: EstimatorModel,
    subjects: Many[Subject],
    weights: dict[str, float],
    focal_factors: Many[float] = (1.0,),
) -> Examples:
    """Feature rows of all sequences.

    Parameters
    ----------
    weights : dict
        Weight of a sequence by the beginning of its name; 1 where none fits.
    focal_factors : floats
        Copies with the assumed focal length multiplied so: nobody's camera is known.
    """
    rows, truths, weight, owner = [], [], [], []
    for i_subject, subject in enumerate(subjects):
        neutral = first_neutral(model, subject)
        for sequence in subject.sequences:
            w = next((v for name, v in weights.items() if sequence.name.startswith(name)), 1.0)
            for factor in focal_factors:
                focal_px = factor * max(sequence.image_size)
                rows.append(features_of(model, sequence, neutral, focal_px))
                truths.append(sequence.truth)
                weight.append(np.full(len(sequence.truth), w / len(focal_factors), np.float32))
                owner.append(np.full(len(sequence.truth), i_subject, np.int64))
    return Examples(
        np.concatenate(rows), np.concatenate(truths), np.concatenate(weight), np.concatenate(owner)
    )


def rendered_evidence(
    model: EstimatorModel,
    subject: Subject,
    scores: Callable[[F32], F32],
) -> Evidence:
    """What the fusion weighs, of a rendered person whose neutral is known; skin is not seen.

    Parameters
    ----------
    scores : callable
        The blendshape net: (478, 3) float32 pixels to (52,) float32.
    """
    at_rest = meshes_of(subject.sequences[0], AT_REST, scores).faces
    readings = [each.readings for each in at_rest if each.readings is not None]
    neutral = replace(
        first_neutral(model, subject), blendshapes=median([each.blendshapes for each in readings])
    )
    estimator = Estimator(model, smoothing=OFF, neutral=neutral)
    rows, truths, turning = [], [], []
    for sequence in subject.sequences:
        chosen = slice(None, None, EVIDENCE_EVERY)  # those in between say the same
        meshes = meshes_of(sequence, chosen, scores)
        rows += [estimator.evidence.copy() for _ in estimates(meshes, estimator)]
        truths.append(sequence.truth[chosen])
        turning.append(np.full(len(meshes), sequence.name.startswith("pose")))
    frames = np.arange(len(rows), dtype=np.int64)
    truth = np.concatenate(truths).astype(np.float64)
    return Evidence(np.array(rows), frames, truth, np.concatenate(turning))
