"""Whether a neutral is of the person whose profile it is measured against."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.neutral import Neutral
from livefacs.au.profile import Profile
from livefacs.errors import ProfileError
from livefacs.kernels import geometry
from livefacs.mesh import N_SKIN

FITS_UP_TO: Final = 0.025
"""Distance of two neutrals of one person, eye distances. Twenty-three clips of people and eight
rendered ones: half of the pairs of one person differ by 0.005, nine in ten by less than 0.024; of
pairs of two people one in twenty by less than 0.023, half by more than 0.042."""
_ROUNDS: Final = 3
_SOFTNESS: Final = 0.02


def neutral_distance(model: EstimatorModel, one: Neutral, other: Neutral) -> float:
    """Root mean square distance of the skin in the plane, after a rigid fit, in eye distances."""
    rotation, offset = np.eye(3), np.zeros(3)
    moved = np.zeros_like(one.shape)
    shape = np.ascontiguousarray(one.shape, np.float64)
    scale, _ = geometry.fit_similarity(
        shape,
        np.ascontiguousarray(other.shape, np.float64),
        np.ascontiguousarray(model.align_ids, np.int64),
        np.ascontiguousarray(model.align_prior, np.float64),
        _ROUNDS,
        _SOFTNESS,
        rotation,
        offset,
    )
    geometry.apply_similarity(shape, scale, rotation, offset, moved)
    away = (moved - other.shape)[:N_SKIN, :2]
    return float(np.sqrt((away**2).sum(axis=1).mean()))


def misfit(
    model: EstimatorModel, profile: Profile, neutral: Neutral, limit: float = FITS_UP_TO
) -> str:
    """Why a neutral is hardly of a profile's person, and by how much; empty where it fits."""
    distance = neutral_distance(model, neutral, profile.neutral)
    if distance <= limit:
        return ""
    return (
        f"profile {profile.name!r} hardly fits this face: the neutrals differ by "
        f"{100 * distance:.1f} % of the eye distance, those of one person by up to "
        f"{100 * FITS_UP_TO:.1f} %; calibrate this person, or choose another profile"
    )


CLIP_LIMIT: Final = 1.5 * FITS_UP_TO
"""For the neutral of any clip, whose face may never quite rest."""


def check_same_weights(model: EstimatorModel, profile: Profile) -> None:
    """Refuse to add to what was learned over other estimator weights.

    Raises
    ------
    ProfileError
    """
    if profile.examples is not None and profile.weights not in ("", model.digest):
        raise ProfileError(
            f"profile {profile.name!r} was learned over other estimator weights "
            f"({profile.weights}, these are {model.digest}): it cannot be added to; calibrate anew"
        )


def check_same_person(model: EstimatorModel, profile: Profile, neutral: Neutral) -> None:
    """Refuse to add one person's movements to the profile of another.

    Raises
    ------
    ProfileError
    """
    reason = misfit(model, profile, neutral)
    if reason:
        raise ProfileError(reason)
