"""Whether light, camera or face have changed so far that a profile should be made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from livefacs.arrays import I64
from livefacs.au.clip_neutral import neutral_of_clip, neutral_of_seconds
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.examples import Frames
from livefacs.au.face_time import FaceTime
from livefacs.au.guided import CHECK, DONE, GuidedState
from livefacs.au.learning import frames_of
from livefacs.au.likeness import CLIP_LIMIT, FITS_UP_TO, misfit, neutral_distance
from livefacs.au.personal import PersonalMaps
from livefacs.au.profile import Profile
from livefacs.au.setting import Finding, camera_finding, light_finding, setting_of
from livefacs.au.teaching import quiet_rows
from livefacs.types import Landmarks

CHECK_S: Final = 10.0
STRANGE: Final = 0.5
"""Share of the maps' reach from which a resting texture is another than the one learned from. Of a
rendered person's profile in another clip of theirs 0.15, in those of eight others 0.67 to 0.80, of
whom the neutral tells one; in clips of four people 0.86 to 0.93."""
_MOST_FACES: Final = 300


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
    frames = frames_of(model, faces, neutral_of_clip(model, faces))
    rest = quiet_rows(frames, np.arange(len(faces)))
    quiet = [faces[int(row)] for row in rest]
    neutral = neutral_of_seconds(model, quiet, -np.inf, np.inf)  # as it is, whatever it resembles
    now = setting_of(quiet)
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


def misfit_of_clip(model: EstimatorModel, profile: Profile, faces: Sequence[Landmarks]) -> str:
    """Why the face of a clip is hardly that of a profile, and by how much; empty where it fits.

    The neutral says so, or the resting skin where the profile has learned from images.
    """
    neutral = neutral_of_clip(model, faces)
    reason = misfit(model, profile, neutral, CLIP_LIMIT)
    maps = _image_maps(profile)
    if reason or maps is None:
        return reason
    frames = frames_of(model, faces[:: -(-len(faces) // _MOST_FACES)], neutral)
    away = _skin_distance(maps, frames, quiet_rows(frames, np.arange(len(frames.values))))
    if away is None or away <= STRANGE:
        return ""
    distance = neutral_distance(model, neutral, profile.neutral)
    return (
        f"profile {profile.name!r} hardly fits this face: its skin at rest is {away:.2f} away,"
        f" where one person in one light stays below {STRANGE}, and the neutrals differ by"
        f" {100 * distance:.1f} % of the eye distance: another person, or other light, make-up,"
        " glasses or a beard; calibrate anew, or choose another profile"
    )


def _image_maps(profile: Profile) -> PersonalMaps | None:
    """Those that were learned from images; None: none were."""
    personal = profile.personal
    return personal.with_image if personal is not None and personal.has_image else None


def _skin_distance(maps: PersonalMaps, frames: Frames, rest: I64) -> float | None:
    """How far the resting texture is from the one that was learned from; None: it was not read."""
    if maps.rest is None or frames.texture is None:
        return None
    return float(np.linalg.norm(frames.texture[rest].mean(axis=0) - maps.rest)) / maps.reach


def _skin_finding(profile: Profile, frames: Frames, rest: I64) -> Finding | None:
    """Whether the skin is that which was learned from; None: none was."""
    maps = _image_maps(profile)
    if maps is None:
        return None
    away = _skin_distance(maps, frames, rest)
    if away is None:
        return Finding("skin", "not known: the image was not read", False)
    if away > STRANGE:
        return Finding("skin", "looks otherwise: light, make-up, glasses or a beard?", True)
    return Finding("skin", "as then", False)


class CheckRun:
    """Looks at the resting face for some seconds, from the first frame to the findings.

    Parameters
    ----------
    model : EstimatorModel
    profile : Profile
    seconds : float
        Time with a face.
    """

    def __init__(self, model: EstimatorModel, profile: Profile, seconds: float = CHECK_S) -> None:
        self._model, self._profile, self._needed_s = model, profile, seconds
        self.step = 0
        self.begin_again()

    @property
    def is_done(self) -> bool:
        """True when the time is full."""
        return self.step > 0

    def begin_again(self) -> None:
        """Begin anew."""
        self._faces: list[Landmarks] = []
        self._time = FaceTime()
        self._hint = ""

    def feed(self, face: Landmarks | None, t_ns: int) -> None:
        """Take a frame; None: no face. Time without a face does not count."""
        self._hint = "no face" if face is None else ""
        if face is None or self.is_done:
            self._time.pause()
            return
        self._faces.append(replace(face, points_px=face.points_px.copy()))
        self._time.add(t_ns)
        self.step = int(self._time.seconds >= self._needed_s)

    def skip(self) -> None:
        """There is one step only."""

    def retry(self) -> None:
        """Begin anew."""
        if not self.is_done:
            self.begin_again()

    def finish(self) -> None:
        """End early, with what was seen."""
        self.step = 1

    def state(self) -> GuidedState:
        """What to show now."""
        step, words = (DONE, "") if self.is_done else (CHECK, "look into the camera and rest")
        done_s = min(self._time.seconds, self._needed_s)
        return GuidedState(step, self.step, 1, (), words, self._hint, done_s, self._needed_s, 0)

    def findings(self) -> tuple[Finding, ...]:
        """What has changed.

        Raises
        ------
        SourceError
            There was no face.
        """
        return check_profile(self._model, self._profile, self._faces)
