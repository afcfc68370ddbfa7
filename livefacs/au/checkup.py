"""Whether light, camera or face have changed so far that a profile should be made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from livefacs.arrays import I64
from livefacs.au.clip_neutral import neutral_of_clip
from livefacs.au.examples import Frames
from livefacs.au.learning import frames_of
from livefacs.au.likeness import FITS_UP_TO, neutral_distance
from livefacs.au.model import EstimatorModel
from livefacs.au.profile import Profile
from livefacs.au.setting import Finding, camera_finding, light_finding, setting_of
from livefacs.au.teaching import quiet_rows
from livefacs.types import Landmarks

STRANGE: Final = 0.5
"""Share of the maps' reach from which a resting texture is another than the one learned from."""


def check_profile(
    model: EstimatorModel, profile: Profile, faces: Sequence[Landmarks]
) -> tuple[Finding, ...]:
    """Compare a resting face with the one that a profile was made from.

    Parameters
    ----------
    faces : list of Landmarks
        Some seconds, mostly at rest.

    Raises
    ------
    SourceError
        There is no face.
    """
    neutral = neutral_of_clip(model, faces)
    frames = frames_of(model, faces, neutral)
    rest = quiet_rows(frames, np.arange(len(faces)))
    now = setting_of([faces[int(row)] for row in rest])
    distance = neutral_distance(model, neutral, profile.neutral)
    size = f"{100 * distance:.1f} % of the eye distance from the profile's"
    fits = distance <= FITS_UP_TO
    findings = [
        light_finding(profile.setting, now),
        camera_finding(profile.setting, now, profile.neutral, neutral),
        Finding("face", size if fits else f"{size}: another person, or not at rest", not fits),
    ]
    skin = _skin_finding(profile, frames, rest)
    return (*findings, skin) if skin is not None else tuple(findings)


def _skin_finding(profile: Profile, frames: Frames, rest: I64) -> Finding | None:
    """How far the resting texture is from the one that was learned from."""
    if profile.personal is None or not profile.personal.has_image:
        return None
    maps = profile.personal.with_image
    if frames.texture is None or maps.rest is None:
        return Finding("skin", "not known: the image was not read", False)
    away = float(np.linalg.norm(frames.texture[rest].mean(axis=0) - maps.rest)) / maps.reach
    if away > STRANGE:
        return Finding("skin", "looks otherwise: light, make-up, glasses or a beard?", True)
    return Finding("skin", "as then", False)
