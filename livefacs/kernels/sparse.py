"""Non-negative sparse least squares, for fitting retargeting maps."""

from __future__ import annotations

from livefacs.arrays import F64
from livefacs.kernels._jit import kernel


@kernel
def non_negative_lasso(gram: F64, pull: F64, highest: float, n_rounds: int, weights: F64) -> None:
    """Minimise ``w·gram·w / 2 - pull·w`` over ``0 <= w <= highest`` by coordinate descent.

    With ``gram = XᵀX / n`` and ``pull = Xᵀy / n - penalty`` this is the non-negative lasso
    (Friedman, Hastie and Tibshirani 2010, section 2).

    Parameters
    ----------
    gram : (m, m) float64
        Symmetric, positive semidefinite. A column with no variance keeps weight 0.
    pull : (m,) float64
        Minus infinity keeps a weight at 0.
    highest : float
        Largest weight; may be infinite.
    n_rounds : int
        Most passes over all weights; fewer once none moves by more than 1e-7.
    weights : (m,) float64, written
    """
    m = pull.shape[0]
    for j in range(m):
        weights[j] = 0.0
    for _ in range(n_rounds):
        largest = 0.0
        for j in range(m):
            if gram[j, j] <= 1e-9:
                continue
            slope = pull[j] + gram[j, j] * weights[j]
            for i in range(m):
                slope -= gram[j, i] * weights[i]
            new = min(max(slope / gram[j, j], 0.0), highest)
            largest = max(largest, abs(new - weights[j]))
            weights[j] = new
        if largest < 1e-7:
            break
