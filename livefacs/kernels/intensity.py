"""Features to Action Unit intensities: a sparse linear map, floors, gains, and derived channels."""

from __future__ import annotations

from livefacs.arrays import F32, F64, I64
from livefacs.kernels._jit import kernel


@kernel
def linear_map(features: F64, starts: I64, columns: I64, weights: F32, bias: F64, out: F64) -> None:
    """Sparse rows times features plus bias.

    Parameters
    ----------
    features : (n_features,) float64
    starts : (n_channels + 1,) int64
        Row ``c`` owns the entries ``starts[c]`` to ``starts[c + 1]``.
    columns : (n_entries,) int64
    weights : (n_entries,) float32
    bias : (n_channels,) float64
        Minus the channel's noise floor.
    out : (n_channels,) float64, written
    """
    for c in range(out.shape[0]):
        total = bias[c]
        for k in range(starts[c], starts[c + 1]):
            total += weights[k] * features[columns[k]]
        out[c] = total


@kernel
def floor_at_zero(values: F64, gains: F64, ceiling: float) -> None:
    """Action Units pull one way only: below zero becomes zero; then the person's gain."""
    for c in range(values.shape[0]):
        v = values[c] * gains[c]
        if v < 0.0:
            v = 0.0
        elif v > ceiling:
            v = ceiling
        values[c] = v
