"""What the features are, and which of them each action may be read from.

A feature vector has three parts, all relative to the person's neutral and free of rigid motion:
in-plane displacements of ``mesh.FEATURE_POINTS`` (fractions of the outer-eye distance), ten
head-pose terms that take out what turning leaves in the mesh, and seven measures (lid closures,
iris positions, inner-lip gap). An action is read from the part of the face that its muscle moves
and from nowhere else: a smile says nothing about the brow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs import mesh
from livefacs.arrays import F64, I64, Bool
from livefacs.au.estimator_model import MEASURE_START, MEASURES, N_FEATURES, N_POINTS
from livefacs.kernels.features import N_POSE_TERMS
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, MIRROR_ORDER, action_of

POSE_START: Final = 2 * N_POINTS
SIDE_OVERLAP: Final = 0.08
"""A sided action sees its own half of the face and so much beyond the midline."""

_POINT_SLOT: Final = {point: slot for slot, point in enumerate(mesh.FEATURE_POINTS)}


@dataclass(frozen=True, slots=True)
class Region:
    """Where an action shows.

    Attributes
    ----------
    top, bottom : float
        Band of the mean neutral face, y in outer-eye distances below the eye line (eyes 0, brows
        -0.23, nose tip 0.40, mouth corners 0.83, chin 1.32).
    own_side_only : bool
        The other half of the face is not looked at.
    measures : tuple of str
        Names out of ``model.MEASURES``; ``closure`` and ``iris_y`` mean those of the own side.
    shows : str
        The appearance change that these features measure.
    """

    top: float
    bottom: float
    shows: str
    own_side_only: bool = False
    measures: tuple[str, ...] = ()


_LIDS: Final = ("closure", "iris_y")
_IRISES: Final = ("iris_x_L", "iris_y_L", "iris_x_R", "iris_y_R", "closure_L", "closure_R")

REGIONS: Final[dict[str, Region]] = {
    "AU1": Region(-9, -0.03, "inner brow ends rise; the brow slants"),
    "AU2": Region(-9, -0.03, "outer and middle brow rises and arches"),
    "AU4": Region(-9, 0.0, "brows go down and together"),
    "AU5": Region(-0.3, 0.3, "upper lid rises above its neutral line", measures=_LIDS),
    "AU6": Region(
        0.05, 0.75, "skin under the eye and the cheek rise together", measures=("iris_y",)
    ),
    "AU7": Region(-0.3, 0.35, "lower lid rises and straightens", measures=_LIDS),
    "AU9": Region(-0.3, 0.8, "nose wings rise, inner brow comes down"),
    "AU10": Region(0.25, 0.95, "upper lip rises, most beside its middle", measures=("lip_gap",)),
    "AU12": Region(0.3, 1.05, "mouth corners go up, out and back; cheeks lift"),
    "AU14": Region(0.4, 1.1, "corners are drawn in against the teeth"),
    "AU15": Region(0.4, 9, "corners go down against nose and mid-lip"),
    "AU16": Region(0.4, 9, "lower lip goes down while the chin stays", measures=("lip_gap",)),
    "AU17": Region(0.7, 9, "chin boss and lower lip are pushed up", measures=("lip_gap",)),
    "AU18": Region(0.4, 9, "corners come together, lips forward", measures=("lip_gap",)),
    "AU20": Region(0.4, 9, "corners go out and slightly down, lips flatten"),
    "AU22": Region(0.4, 9, "lips flare around an opening", measures=("lip_gap",)),
    "AU24": Region(0.4, 9, "red of both lips thins, no gap", measures=("lip_gap",)),
    "AU26": Region(0.3, 9, "chin goes down against the nose", measures=("lip_gap",)),
    "AU28": Region(0.4, 9, "red of the lips is drawn in", measures=("lip_gap",)),
    "AU45": Region(9, -9, "upper lid meets the lower", measures=("closure",)),
    "AD29": Region(0.3, 9, "chin and lower lip come forward"),
    "AD30_L": Region(0.3, 9, "chin shifts to the performer's left"),
    "AD30_R": Region(0.3, 9, "chin shifts to the performer's right"),
    "AD34": Region(0.25, 9, "cheeks move outward with closed lips"),
    "AU61": Region(9, -9, "irises to the performer's left", measures=_IRISES),
    "AU62": Region(9, -9, "irises to the performer's right", measures=_IRISES),
    "AU63": Region(9, -9, "irises up", measures=_IRISES),
    "AU64": Region(9, -9, "irises down", measures=_IRISES),
}
"""The learnt actions. 25 is a formula, 27, 43 and 51 to 56 follow from other channels."""

LEARNT: Final[tuple[int, ...]] = tuple(
    i for i, channel in enumerate(AU_CHANNELS) if action_of(channel) in REGIONS
)
"""Indices of the channels that training fits."""


def region_mask(channel: str, canonical: F64) -> Bool:
    """(N_FEATURES,) bool: the features that a channel may use.

    Parameters
    ----------
    channel : str
    canonical : (478, 3) float64
        Mean neutral face, eye line at y = 0, midline at x = 0.
    """
    region = REGIONS[action_of(channel)]
    points = canonical[list(mesh.FEATURE_POINTS)]
    inside = (points[:, 1] >= region.top) & (points[:, 1] <= region.bottom)
    side = channel[-1] if channel[-2:] in ("_L", "_R") and action_of(channel) != channel else ""
    if region.own_side_only and side:
        outward = points[:, 0] if side == "L" else -points[:, 0]
        inside &= outward > -SIDE_OVERLAP
    mask = np.zeros(N_FEATURES, bool)
    mask[:POSE_START] = np.repeat(inside, 2)
    mask[POSE_START:MEASURE_START] = True
    for name in region.measures:
        full = name if name in MEASURES else f"{name}_{side}"
        mask[MEASURE_START + MEASURES.index(full)] = True
    return mask


def mirror_features() -> tuple[I64, F64]:
    """How features change under mirroring: ``mirrored = sign * features[order]``."""
    order, sign = np.arange(N_FEATURES), np.ones(N_FEATURES)
    for slot, point in enumerate(mesh.FEATURE_POINTS):
        partner = _POINT_SLOT[int(mesh.MIRROR_POINTS[point])]
        order[2 * slot], order[2 * slot + 1] = 2 * partner, 2 * partner + 1
        sign[2 * slot] = -1.0
    sign[POSE_START : POSE_START + N_POSE_TERMS] = (-1, 1, -1, 1, 1, -1, 1, -1, -1, 1)
    measures = MEASURE_START + np.array([1, 0, 4, 5, 2, 3, 6])
    order[MEASURE_START:] = measures
    sign[MEASURE_START:] = (1, 1, -1, 1, -1, 1, 1)
    return order.astype(np.int64), sign


def mirror_channels() -> I64:
    """Order of the channels in a mirrored performance."""
    return np.array(MIRROR_ORDER, np.int64)


def set_formulas(weights: F64, bias: F64) -> None:
    """Rows that no rendered truth exists for: AU25 from the inner-lip gap.

    Lips count as parted from a gap of 1.5 % of the outer-eye distance beyond neutral (1.3 mm),
    fully at 27 %.
    """
    row = CHANNEL_INDEX["AU25"]
    weights[row] = 0.0
    weights[row, MEASURE_START + MEASURES.index("lip_gap")] = 4.0
    bias[row] = -0.06
