"""Few non-negative weights from few examples: which signals, and how much of each."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.arrays import F64, Bool
from livefacs.kernels.sparse import non_negative_lasso

SMALLEST_WEIGHT: Final = 0.02
_LARGEST_WEIGHT: Final = 5.0
_PENALTIES: Final = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
_FALLBACK_PENALTY: Final = 0.003
_KNOWN_SHARE: Final = 0.2
"""Share of the penalty for signals that are known to drive the control."""
_FEWEST_EXAMPLES: Final = 3
"""With fewer, leaving one out says nothing."""
_TOLERANCE: Final = 1.02
_KNOWN_TOLERANCE: Final = 1.1
"""Other signals must lower the left-out error by this to be taken in."""
_NO_BETTER: Final = 0.9
"""Left-out error, as a share of that of no weights at all, above which it decides nothing."""
_ROUNDS: Final = 2000


def solve_weights(columns: F64, wanted: F64, known: Bool) -> tuple[F64, float]:
    """Weights of one control.

    Tried are the known signals alone, then all signals under falling penalties; the left-out error
    chooses, the simpler wins where it makes little difference.

    Parameters
    ----------
    columns : (n, m) float64
        Signals at the examples.
    wanted : (n,) float64
        Values there, of a span of 1.
    known : (m,) bool
        Signals that are expected to drive the control.

    Returns
    -------
    weights : (m,) float64, 0 .. 5
    left_out_rms : float
        NaN with fewer than three examples.
    """
    share = np.where(known, _KNOWN_SHARE, 1.0)
    plans = [penalty * share for penalty in _PENALTIES]
    fallback = _FALLBACK_PENALTY * share
    if known.any():
        fallback = np.where(known, 0.0, np.inf)
        plans.insert(0, fallback)
    if len(wanted) < _FEWEST_EXAMPLES:
        return sparse_weights(columns, wanted, fallback), float("nan")
    errors = [_left_out_rms(columns, wanted, plan) for plan in plans]
    best = min(errors)
    limits = [_TOLERANCE * best + 1e-9] * len(plans)
    if known.any():
        limits[0] = _KNOWN_TOLERANCE * best + 1e-9
    chosen = next(i for i, error in enumerate(errors) if error <= limits[i])
    if best > _NO_BETTER * float(np.sqrt(np.mean(wanted**2))):
        return sparse_weights(columns, wanted, fallback), _left_out_rms(columns, wanted, fallback)
    return sparse_weights(columns, wanted, plans[chosen]), errors[chosen]


def _left_out_rms(columns: F64, wanted: F64, penalty: F64) -> float:
    total = 0.0
    for i in range(len(wanted)):
        keep = np.arange(len(wanted)) != i
        weights = sparse_weights(columns[keep], wanted[keep], penalty)
        total += float(np.clip(columns[i] @ weights, -1.0, 1.0) - wanted[i]) ** 2
    return float(np.sqrt(total / len(wanted)))


def sparse_weights(columns: F64, wanted: F64, penalty: F64) -> F64:
    """Choose columns by the lasso, then solve those without penalty: sparse, but not shrunken.

    Parameters
    ----------
    columns : (n, m) float64
    wanted : (n,) float64
    penalty : (m,) float64
        Of each weight; infinite keeps it at 0.

    Returns
    -------
    weights : (m,) float64, 0 .. 5
    """
    count = max(len(wanted), 1)
    gram = np.ascontiguousarray(columns.T @ columns / count)
    pull = columns.T @ wanted / count
    weights = np.zeros(len(penalty))
    non_negative_lasso(gram, pull - penalty, _LARGEST_WEIGHT, _ROUNDS, weights)
    left_out = weights < SMALLEST_WEIGHT
    non_negative_lasso(gram, np.where(left_out, -np.inf, pull), _LARGEST_WEIGHT, _ROUNDS, weights)
    return weights
