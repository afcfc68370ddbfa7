"""A guided lesson: rest and other movements, then the action, twice; steps as of a calibration."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from livefacs.au.clip_neutral import neutral_of_seconds
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.face_time import FaceTime
from livefacs.au.guided import ACTION, DONE, OTHER, GuidedState
from livefacs.au.learning import frames_of
from livefacs.au.likeness import check_same_person
from livefacs.au.profile import Profile
from livefacs.au.teaching import quiet_rows, sentences, taught_channel, teach
from livefacs.errors import ProfileError
from livefacs.types import Landmarks

STEP_S: Final = 5.0
_STEPS: Final = (OTHER, ACTION, OTHER, ACTION)


class TeachingRun:
    """One lesson, from the first frame to the profile.

    Parameters
    ----------
    model : EstimatorModel
    profile : Profile
        Without an action of that name.
    name, code, side : str
        See ``au.teaching.taught_channel``.

    Raises
    ------
    ProfileError
        The name cannot be.
    """

    def __init__(
        self, model: EstimatorModel, profile: Profile, name: str, code: str = "", side: str = ""
    ) -> None:
        self._model, self._profile, self._name = model, profile, name
        self._channel = taught_channel(profile, name, code, side)
        self._faces: list[list[Landmarks]] = [[] for _ in _STEPS]
        self._time = FaceTime()
        self._hint = ""
        self.step = 0

    @property
    def is_done(self) -> bool:
        """True after the second time."""
        return self.step >= len(_STEPS)

    def feed(self, face: Landmarks | None, t_ns: int) -> None:
        """Take a frame; None: no face."""
        if self.is_done:
            return
        self._hint = "no face" if face is None else ""
        if face is None:
            self._time.pause()
            return
        self._faces[self.step].append(replace(face, points_px=face.points_px.copy()))
        self._time.add(t_ns)
        if self._time.seconds >= STEP_S:
            self.step += 1
            self._time = FaceTime()

    def skip(self) -> None:
        """Nothing of a lesson can be left out."""

    def retry(self) -> None:
        """Begin the step anew."""
        self.begin_again()

    def begin_again(self) -> None:
        """Begin the step anew."""
        if not self.is_done:
            self._faces[self.step].clear()
            self._time = FaceTime()

    def finish(self) -> None:
        """End early; a lesson that is not whole teaches nothing."""
        self.step = len(_STEPS)

    def state(self) -> GuidedState:
        """What to show now."""
        step = DONE if self.is_done else _STEPS[self.step]
        words = {
            OTHER: "rest, speak, move the face in any other way",
            ACTION: f"show it: {self._name}, more than once",
            DONE: "",
        }
        actions = (self._channel,) if step == ACTION else ()
        needed = 0.0 if self.is_done else STEP_S
        done_s = self._time.seconds
        return GuidedState(
            step, self.step, len(_STEPS), actions, words[step], self._hint, done_s, needed, 0
        )

    def profile(self) -> tuple[Profile, tuple[str, ...]]:
        """The profile with the action, and what the user is told of it.

        Raises
        ------
        ProfileError
            The lesson ended early, another person was seen, or nothing of the action.
        SourceError
            There is no face at rest.
        """
        if any(len(faces) < STEP_S for faces in self._faces):
            raise ProfileError(f"{self._name}: the lesson ended early, nothing was taught")
        faces = [face for some in self._faces for face in some]
        ends = np.cumsum([len(some) for some in self._faces])
        rows = np.split(np.arange(len(faces)), ends[:-1])
        other, action = np.concatenate(rows[0::2]), np.concatenate(rows[1::2])
        frames = frames_of(self._model, faces, self._profile.neutral)
        quiet = [faces[int(row)] for row in quiet_rows(frames, other)]
        neutral = neutral_of_seconds(self._model, quiet, -np.inf, np.inf)
        check_same_person(self._model, self._profile, neutral)
        made, taught = teach(
            self._model, self._profile, self._name, self._channel, frames, other, action
        )
        return made, sentences(made, taught)
