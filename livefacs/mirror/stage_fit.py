"""Poses that an animator set by hand, solved into a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from livefacs.errors import ConfigError
from livefacs.mirror.stage import Stage
from livefacs.retarget.fitting import Examples, Fit, fit_controls
from livefacs.retarget.inputs import Performance

FEWEST_POSES: Final = 3


def fit_poses(stage: Stage) -> tuple[Fit, ...]:
    """Solve every control that any pose sets; the map at hand is the base.

    Raises
    ------
    ConfigError
        Fewer than three poses, or nothing in them moves.
    """
    poses = list(stage.poses)
    if len(poses) < FEWEST_POSES:
        raise ConfigError(f"expected at least {FEWEST_POSES} poses, there are {len(poses)}")
    rows = np.arange(len(poses), dtype=np.int64)
    signals = np.array([signals for signals, _ in poses])
    controls = sorted({name for _, values in poses for name in values})
    values = {
        name: np.array([pose.get(name, np.nan) for _, pose in poses], np.float64)
        for name in controls
    }
    labels = tuple(f"pose {row + 1}" for row in rows)
    fits = fit_controls(Performance(rows, rows, signals), Examples(rows, labels, values), stage.map)
    if not fits:
        raise ConfigError("every control rests in every pose: set some of them")
    return fits


def changes_from_fits(fits: Sequence[Fit]) -> dict[str, dict[str, Any]]:
    """What a tuned map is to say: the weights, and nothing that bends them."""
    return {fit.control: _keys(fit) for fit in fits}


def _keys(fit: Fit) -> dict[str, Any]:
    if not fit.weights:
        return {"undriven": "no signal explains the poses", "terms": None, "combine": None}
    return {
        "undriven": None,
        "terms": dict(fit.weights),
        "combine": [],
        "suppress": {},
        "gain": 1.0,
        "offset": fit.offset,
        "limits": list(fit.limits),
        "curve": "linear",
        "dead_zone": 0.0,
        "asymmetry": 1.0,
        "note": f"Fitted to {fit.n_examples} poses: rms {fit.residual_rms:.3f}.",
    }
