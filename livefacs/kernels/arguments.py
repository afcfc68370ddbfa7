"""What the one call of a frame takes and gives: weights, a person, memory, results.

What is a number each stands in a record and is read by its name. A record travels as an array of
one, which the call takes as quickly as any array.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from livefacs.arrays import F32, F64, I64, Records
from livefacs.kernels.personal import Personal

N_MEASURES = 7
"""Lid gap by eye width L R, iris x y of the left and of the right eye, inner-lip gap."""

_ROLES = ("blink", "closure", "jaw_drop", "mouth_stretch", "head", "eyes", "corners_down")
ROLES = np.dtype([(name, np.int64) for name in _ROLES])
"""First channel of each group that is derived or gated."""

MEMORY = np.dtype(
    [
        ("hidden_s", np.float64, 2),  # left, right: for how long the side has been turned away
        ("shut_s", np.float64, 2),  # left, right: for how long the eye has been shut
        ("centre_px", np.float64, 2),  # of the mesh; NaN before the first frame
    ]
)
"""What a frame leaves for the next, besides arrays by channel."""

FACTS = np.dtype(
    [
        ("residual", np.float64),  # misfit of the rigid fit, eye distances
        ("gap_ratio", np.float64, 2),  # left, right: lid gap over that of the open eye
        ("lid_offset", np.float64, 2),  # left, right: closure that the neutral hides
        ("lip_gap", np.float64),  # between the inner lips, eye distances
        ("eyes_px", np.float64),  # distance of the outer eye corners
        ("speed", np.float64),  # of the mesh's centre, eye distances a second
        ("outside", np.float64),  # share of the points outside the image
    ]
)
"""What is known of a frame besides its values."""


class Model(NamedTuple):
    """What training decides, as arrays; the same for everyone."""

    align_ids: I64
    align_prior: F64
    point_ids: I64
    lid_pairs: I64  # (2, m, 2): left, right; upper and lower point
    lip_pairs: I64  # (m, 2)
    eyes: I64  # (2, 3): left, right; iris centre, outer corner, inner corner
    starts: I64
    columns: I64
    weights: F32
    bias: F64
    reliability: F64  # (n,) 0..1
    side: I64  # (n,) -1 left, 1 right, 0 neither
    roles: Records  # (1,) ROLES
    canonical: F64  # (478, 3) the mean neutral face
    fusion_starts: I64
    fusion_columns: I64
    fusion_weights: F32
    fusion_bias: F64
    is_fused: I64  # (N_AU,) 1 where the fusion speaks, 0 where the mesh alone does
    explained: I64  # (2, m) targets, causes; see ``fusion.explain_away``
    shares: F64  # (m,)
    usual_patches: F64  # (n_patches, 3) people's at rest
    cheeks: I64  # (2,)


class Person(NamedTuple):
    """One person's neutral and range."""

    neutral: F64  # (478, 3) face frame, outer-eye distances
    neutral_terms: F64  # (10,) pose terms of the neutral
    neutral_angles: F64  # (3,) yaw, pitch, roll of the neutral
    neutral_measures: F64  # (7,)
    gains: F64  # (n,)
    mean_face: F64  # (n,) what the mesh says of the neutral against the mean face
    blendshapes: F64  # (52,) at rest
    patches: F64  # (n_patches, 3) at rest, NaN where unknown
    patch_evidence: F64  # (n_patches,) 0..1
    trust: F64  # (n,) 0..1, share of confidence that the neutral leaves each channel
    with_image: Personal  # maps for frames whose image was read
    without_image: Personal  # maps for frames that bring a mesh alone


class State(NamedTuple):
    """What a frame leaves for the next."""

    filter_parameters: F64  # (n, 3)
    filter: F64  # (n, 2)
    held: F64  # (n,)
    gaze: F64  # (4,)
    memory: Records  # (1,) MEMORY


class Result(NamedTuple):
    """What a frame gives; overwritten by the next."""

    orthographic: F64  # (478, 3)
    aligned: F64  # (478, 3)
    rotation: F64  # (3, 3)
    offset: F64  # (3,)
    features: F64
    lines: F64  # (2 n_patches,)
    evidence: F64  # what the fusion weighs
    values: F64  # (n,)
    filtered: F64  # (n,)
    raw: F32
    intensity: F32
    confidence: F32
    head: F64  # (6,) yaw, pitch, roll, x, y, z
    gaze: F64  # (4,) left yaw, pitch, right yaw, pitch
    facts: Records  # (1,) FACTS
