"""Three readers of one face, fused: the mesh, the blendshape net, the lines in the skin."""

from __future__ import annotations

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.kernels._jit import kernel

UPRIGHT, LEVEL, BRIGHTNESS = 0, 1, 2
"""Columns of a patch's readings."""

LINE_SPREAD = 1.5
"""Log energies are divided by this: about their spread between people."""
LINE_MOST = 3.0
NOISE_SHARE = 0.5
"""How much of the cheeks' departure from the usual is expected elsewhere: noise, pores, blur."""
DARKER_THAN_CHEEKS = -0.6
"""Log brightness: skin is not so much darker than the cheeks; hair and objects are."""


@kernel
def line_depths(
    patches: F32, usual: F64, own: F64, evidence: F64, cheeks: I64, quality: float, out: F64
) -> None:
    """How far lines stand out from what this skin shows at rest.

    What is expected is the person's own resting value, as far as there is evidence of rest; for
    the rest it is people's usual value, corrected by what the cheeks show, which do not fold.

    Parameters
    ----------
    patches : (n, 3) float32
        Log energies of upright and of level lines, log brightness; NaN where not seen.
    usual : (n, 3) float64
        People's mean at rest.
    own : (n, 3) float64
        The person's at rest; NaN where unknown.
    evidence : (n,) float64, 0..1
        That the person's were taken at rest.
    cheeks : (2,) int64
        Rows of the two cheeks.
    quality : float, 0..1
        Lines fall silent in small, turned or blurred faces.
    out : (2 n,) float64, written
        Upright and level of each patch, -3..3; 0 where unknown.
    """
    left, right = cheeks[0], cheeks[1]
    bright = 0.5 * (float(patches[left, BRIGHTNESS]) + float(patches[right, BRIGHTNESS]))
    for i in range(patches.shape[0]):
        darker = float(patches[i, BRIGHTNESS]) - bright
        trust = min(1.0, max(0.0, (darker - DARKER_THAN_CHEEKS) / 0.2 + 1.0)) * quality
        for j in range(2):
            cheek = 0.5 * (float(patches[left, j]) + float(patches[right, j]))
            usual_cheek = 0.5 * (usual[left, j] + usual[right, j])
            expected = usual[i, j] + NOISE_SHARE * (cheek - usual_cheek)
            if evidence[i] > 0.0 and not np.isnan(own[i, j]):
                expected = evidence[i] * own[i, j] + (1.0 - evidence[i]) * expected
            depth = (float(patches[i, j]) - expected) / LINE_SPREAD
            if np.isnan(depth):
                depth = 0.0
            out[2 * i + j] = trust * min(LINE_MOST, max(-LINE_MOST, depth))


@kernel
def gather_evidence(
    relative: F64, mean_face: F64, blendshapes: F32, rest_blendshapes: F64, lines: F64, out: F64
) -> None:
    """The row of numbers that the fusion weighs.

    Parameters
    ----------
    relative : (n,) float64
        What the mesh says of each channel against the person's neutral, not yet floored.
    mean_face : (n,) float64
        What it says of the neutral against the mean face.
    blendshapes : (52,) float32
    rest_blendshapes : (52,) float64
    lines : (2 n_patches,) float64
    out : (3 n + 104 + 2 n_patches,) float64, written
        Relative; its positive part; against the mean face; blendshapes; the same less those at
        rest; lines.
    """
    n, n_shapes = relative.shape[0], blendshapes.shape[0]
    for c in range(n):
        out[c] = relative[c]
        out[n + c] = max(0.0, relative[c])
        out[2 * n + c] = relative[c] + mean_face[c]
    for i in range(n_shapes):
        out[3 * n + i] = blendshapes[i]
        out[3 * n + n_shapes + i] = blendshapes[i] - rest_blendshapes[i]
    start = 3 * n + 2 * n_shapes
    for i in range(lines.shape[0]):
        out[start + i] = lines[i]


@kernel
def explain_away(values: F64, targets: I64, causes: I64, shares: F64) -> None:
    """Take from each target what another action brings about by itself; a full one stays full.

    Parameters
    ----------
    values : (n,) float64, >= 0, changed
    targets, causes : (m,) int64
        Causes come before they are targets themselves.
    shares : (m,) float64, below 1
        Of the cause's value.
    """
    for k in range(targets.shape[0]):
        brought = shares[k] * min(1.0, values[causes[k]])
        values[targets[k]] = max(0.0, values[targets[k]] - brought) / (1.0 - brought)
