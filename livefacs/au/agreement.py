"""How far ratings of the same things agree: intraclass correlations and Cohen's kappa."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from livefacs.arrays import F64


def icc31(a: F64, b: F64) -> float:
    """ICC(3,1): consistency of two fixed raters (Shrout and Fleiss, 1979).

    Parameters
    ----------
    a, b : (n,) float64, n >= 2
    """
    between, residual, _ = _mean_squares(a, b)
    return (between - residual) / (between + residual + 1e-12)


def icc21(a: F64, b: F64) -> float:
    """ICC(2,1): absolute agreement of two raters, single ratings (Shrout and Fleiss, 1979).

    Parameters
    ----------
    a, b : (n,) float64, n >= 2

    Returns
    -------
    float
        0 where nothing varies.
    """
    between, residual, columns = _mean_squares(a, b)
    return (between - residual) / (between + residual + 2 * (columns - residual) / len(a) + 1e-12)


def _mean_squares(a: F64, b: F64) -> tuple[float, float, float]:
    """Mean squares of targets, residual and raters in a two-way table."""
    table = np.stack((a, b), axis=1)
    n, k = table.shape
    rows, columns, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    between = k * ((rows - mean) ** 2).sum() / (n - 1)
    raters = n * ((columns - mean) ** 2).sum() / (k - 1)
    residual = ((table - rows[:, None] - columns + mean) ** 2).sum() / ((n - 1) * (k - 1))
    return float(between), float(residual), float(raters)


def cohens_kappa(a: Sequence[bool], b: Sequence[bool]) -> float | None:
    """Cohen's kappa of two coders on presence (Cohen, 1960).

    Returns
    -------
    float or None
        None where both say the same of every item, all present or all absent: chance explains
        everything then.
    """
    one, other = np.asarray(a, bool), np.asarray(b, bool)
    agreed = float((one == other).mean())
    p, q = float(one.mean()), float(other.mean())
    by_chance = p * q + (1 - p) * (1 - q)
    return None if by_chance >= 1 - 1e-12 else (agreed - by_chance) / (1 - by_chance)
