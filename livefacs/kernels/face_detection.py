"""What MediaPipe's short-range face detector found, as regions for the mesh network."""

from __future__ import annotations

import math

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.kernels._jit import kernel

_INPUT = 128.0
_LARGEST_LOGIT = 100.0
_SAME_FACE = 0.3  # overlap of boxes that are averaged into one
_REGION_SCALE = 1.5
_N_COORDINATES = 8  # box centre and size, two eyes


@kernel
def overlap_of_squares(a: F64, b: F64) -> float:
    """Intersection over union of two regions, their angles left out; 0..1."""
    wide = min(a[0] + 0.5 * a[2], b[0] + 0.5 * b[2]) - max(a[0] - 0.5 * a[2], b[0] - 0.5 * b[2])
    tall = min(a[1] + 0.5 * a[2], b[1] + 0.5 * b[2]) - max(a[1] - 0.5 * a[2], b[1] - 0.5 * b[2])
    if wide <= 0.0 or tall <= 0.0:
        return 0.0
    return float(wide * tall / (a[2] * a[2] + b[2] * b[2] - wide * tall))


@kernel
def _overlap_of_boxes(a: F64, b: F64) -> float:
    """Intersection over union of two boxes given as centre x, centre y, width, height."""
    wide = min(a[0] + 0.5 * a[2], b[0] + 0.5 * b[2]) - max(a[0] - 0.5 * a[2], b[0] - 0.5 * b[2])
    tall = min(a[1] + 0.5 * a[3], b[1] + 0.5 * b[3]) - max(a[1] - 0.5 * a[3], b[1] - 0.5 * b[3])
    if wide <= 0.0 or tall <= 0.0:
        return 0.0
    return float(wide * tall / (a[2] * a[3] + b[2] * b[3] - wide * tall))


@kernel
def _decode(regressors: F32, anchor: F32, out: F64) -> None:
    """Box (centre, size) and the two eyes of one cell, in fractions of the detector's input."""
    out[0] = regressors[0] / _INPUT + anchor[0]
    out[1] = regressors[1] / _INPUT + anchor[1]
    out[2] = regressors[2] / _INPUT
    out[3] = regressors[3] / _INPUT
    for k in range(4, _N_COORDINATES):
        out[k] = regressors[k] / _INPUT + anchor[k & 1]


@kernel
def regions_from_detector(
    regressors: F32,
    logits: F32,
    anchors: F32,
    min_score: float,
    width: int,
    height: int,
    scores: F64,
    out: F64,
) -> int:
    """The regions of the faces found, the surest first.

    Overlapping boxes are averaged with their scores as weights (MediaPipe's weighted non-maximum
    suppression, overlap above .3); a region is 1.5 times the longer side of a box, turned by the
    line of the eyes.

    Parameters
    ----------
    regressors : (896, 16) float32
    logits : (896,) float32
    anchors : (896, 2) float32
        Centres of the detector's cells, fractions of its input.
    min_score : float
        0..1.
    width, height : int
        Size of the image, which lies in the middle of the detector's square input.
    scores : (896,) float64, scratch
    out : (n, 4) float64, written

    Returns
    -------
    int
        Number of regions; at most ``n``.
    """
    for i in range(logits.shape[0]):
        logit = min(max(float(logits[i]), -_LARGEST_LOGIT), _LARGEST_LOGIT)
        scores[i] = 1.0 / (1.0 + math.exp(-logit))
    side = float(max(width, height))
    best, other, mean = (
        np.empty(_N_COORDINATES),
        np.empty(_N_COORDINATES),
        np.empty(_N_COORDINATES),
    )
    n_found = 0
    while n_found < out.shape[0]:
        i_best = int(np.argmax(scores))
        if scores[i_best] < min_score:
            break
        _decode(regressors[i_best], anchors[i_best], best)
        mean[:] = 0.0
        total = 0.0
        for i in range(logits.shape[0]):
            if scores[i] >= min_score:
                _decode(regressors[i], anchors[i], other)
                if i == i_best or _overlap_of_boxes(best, other) > _SAME_FACE:
                    mean += scores[i] * other
                    total += scores[i]
                    scores[i] = 0.0
        mean /= total
        out[n_found, 0] = 0.5 * width + (mean[0] - 0.5) * side
        out[n_found, 1] = 0.5 * height + (mean[1] - 0.5) * side
        out[n_found, 2] = _REGION_SCALE * max(mean[2], mean[3]) * side
        out[n_found, 3] = math.atan2(mean[7] - mean[5], mean[6] - mean[4])
        n_found += 1
    return n_found
