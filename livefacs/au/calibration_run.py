"""A guided calibration: rest, slow head turns, then prompt after prompt, each made twice.

Pure logic, fed one face a frame; the terminal and the page show what it says and pass keys on. It
moves on by itself when a movement was seen twice; retry, skip and finish are the performer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from livefacs.arrays import I64
from livefacs.au.calibration import NEUTRAL_S, NeutralTake
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.examples import Movement, movement_from_rest
from livefacs.au.face_time import FaceTime
from livefacs.au.guided import DONE, HEAD, NEUTRAL, PROMPT, GuidedState
from livefacs.au.learning import Asked, Learned, Round, frames_of, learn, profile_from_round
from livefacs.au.likeness import check_same_person, check_same_weights
from livefacs.au.neutral import Neutral, canonical_neutral
from livefacs.au.profile import Profile
from livefacs.au.rounds import Exercise
from livefacs.au.setting import setting_of
from livefacs.au.smoothing import OFF
from livefacs.clock import s_from_ns
from livefacs.errors import ProfileError
from livefacs.types import Landmarks

HEAD_S: Final = 5.0
PATIENCE_S: Final = 15.0
"""A prompt that was not seen twice by then is left."""
MIN_TURN_RAD: Final = 0.17
RISES_FROM: Final = 3.0
"""A movement begins this many times the resting face's wander away from rest."""
RISE_SHARE: Final = 0.5
FALL_SHARE: Final = 0.35
"""Of the strongest yet: where a repetition begins and ends."""
MIN_REPETITION_S: Final = 0.15


class RepetitionCounter:
    """Counts how often a movement left rest and came back."""

    def __init__(self) -> None:
        self.seen = 0
        self.is_away = False
        self._best = 0.0
        self._since_ns = 0

    def feed(self, away: float, t_ns: int) -> None:
        """Take a frame; ``away`` is its distance from rest in wanders of the resting face."""
        self._best = max(self._best, away)
        if not self.is_away and away > max(RISES_FROM, RISE_SHARE * self._best):
            self.is_away, self._since_ns = True, t_ns
        elif self.is_away and away < max(0.6 * RISES_FROM, FALL_SHARE * self._best):
            self.is_away = False
            self.seen += s_from_ns(t_ns - self._since_ns) >= MIN_REPETITION_S


class CalibrationRun:
    """One calibration, from the first frame to the profile.

    Parameters
    ----------
    model : EstimatorModel
    backend : str
        Landmark backend of the faces.
    exercises : sequence of Exercise
    earlier : Profile or None
        It is added to; what is asked for again is replaced.

    Raises
    ------
    ProfileError
        The earlier profile was learned over other weights.
    """

    def __init__(
        self,
        model: EstimatorModel,
        backend: str,
        exercises: Sequence[Exercise],
        earlier: Profile | None = None,
    ) -> None:
        if earlier is not None:
            check_same_weights(model, earlier)
        self._model, self._backend, self._earlier = model, backend, earlier
        self._exercises = tuple(exercises)
        self._blank = Estimator(model, neutral=canonical_neutral(model))
        self._estimator: Estimator | None = None
        self._movement: Movement | None = None
        self._neutral: Neutral | None = None
        self._faces: dict[int, list[Landmarks]] = {}
        self._step = 0
        self._begin_step()

    def warm_up(self) -> None:
        """Compile the kernel before the first frame."""
        self._blank.warm_up()

    @property
    def step(self) -> int:
        """Number of the step: 0 neutral, 1 head turns, then the prompts; grows at each."""
        return self._step

    @property
    def is_done(self) -> bool:
        """True after the last prompt."""
        return self._step >= 2 + len(self._exercises)

    def _begin_step(self) -> None:
        self._faces[self._step] = []
        self._counter = RepetitionCounter()
        self._take = NeutralTake(self._blank)
        self._hint = ""
        self._time = FaceTime()
        self._yaws: list[float] = []

    def _advance(self) -> None:
        self._step += 1
        self._begin_step()

    # What the performer asks for.

    def skip(self) -> None:
        """Leave the present prompt, or the head turns, out; rest cannot be."""
        if self._step > 0 and not self.is_done:
            self._faces[self._step] = []
            self._step += 1
            self._begin_step()

    def retry(self) -> None:
        """Begin the step anew; while nothing of it was seen yet, the one before."""
        if self._step > 1 and not self._counter.seen and not self._counter.is_away:
            self._step -= 1
        if self._step > 0:
            self._begin_step()

    def begin_again(self) -> None:
        """Begin the step anew, rest included: frames are missing."""
        if not self.is_done:
            self._begin_step()

    def finish(self) -> None:
        """End early and keep what there is."""
        if self._step > 0:
            self._faces[self._step] = [] if self._counter.seen < 2 else self._faces[self._step]
            self._step = 2 + len(self._exercises)
            self._begin_step()

    # Frames.

    def feed(self, face: Landmarks | None, t_ns: int) -> None:
        """Take a frame; None: no face. Time without a face does not count.

        Raises
        ------
        ProfileError
            The resting face is not of the earlier profile's person.
        """
        if self.is_done:
            return
        if face is None:
            self._hint = "no face"
            self._time.pause()
            return
        face = replace(face, points_px=face.points_px.copy())
        if self._step == 0:
            self._rest(face, t_ns)
            return
        self._hint = ""
        self._time.add(t_ns)
        self._faces[self._step].append(face)
        away = self._away(face)
        if self._step == 1:
            self._turn()
        else:
            self._watch(away, t_ns)

    def _rest(self, face: Landmarks, t_ns: int) -> None:
        found = self._take.feed(self._blank.estimate(face), t_ns, face.readings)
        self._hint = self._take.error
        faces = self._faces[0]
        if self._hint:
            faces.clear()
        else:
            faces.append(face)
        if found is not None:
            if self._earlier is not None:
                check_same_person(self._model, self._earlier, found)
            self._neutral = found
            self._estimator = Estimator(self._model, smoothing=OFF, neutral=found)
            self._movement = movement_from_rest(frames_of(self._model, faces, found))
            self._advance()

    def _away(self, face: Landmarks) -> float:
        assert self._estimator is not None and self._movement is not None  # noqa: PT018 - made together
        self._estimator.raw_values(face)
        texture = None if face.readings is None else face.readings.texture
        return self._movement.away(self._estimator.features, texture)

    def _turn(self) -> None:
        assert self._estimator is not None
        self._yaws.append(float(self._estimator.head[0]))
        has_turned = max(self._yaws) - min(self._yaws) >= MIN_TURN_RAD
        if self._time.seconds >= HEAD_S and has_turned:
            self._advance()
        elif self._time.seconds >= HEAD_S:
            self._hint = "turn the head further"

    def _watch(self, away: float, t_ns: int) -> None:
        self._counter.feed(away, t_ns)
        if self._counter.seen >= 2 or self._time.seconds > PATIENCE_S:
            self._advance()
        elif self._time.seconds > 0.5 * PATIENCE_S:
            self._hint = "not seen twice yet: more strongly, or skip it"

    # What comes of it.

    def state(self) -> GuidedState:
        """What to show now."""
        of = 2 + len(self._exercises)
        actions: tuple[str, ...] = ()
        step, instruction, needed = DONE, "", 0.0
        if self._step == 0:
            step, instruction, needed = NEUTRAL, "look into the camera and rest", NEUTRAL_S
        elif self._step == 1:
            step, needed = HEAD, HEAD_S
            instruction = "turn the head slowly left and right, up and down; the face rests"
        elif not self.is_done:
            exercise = self._exercises[self._step - 2]
            step, actions = PROMPT, exercise.actions
            instruction = f"{exercise.instruction}; let go; once more"
        done_s = self._take.done_s if self._step == 0 else self._time.seconds
        seen = min(self._counter.seen, 2)
        return GuidedState(
            step, min(self._step, of), of, actions, instruction, self._hint,
            min(done_s, needed), needed, seen, self._counter.is_away,
        )  # fmt: skip

    def profile(self, name: str) -> Profile:
        """The profile of what was shown; learning takes a second or two.

        Raises
        ------
        ProfileError
            There was no rest.
        """
        if self._neutral is None:
            raise ProfileError(
                "the calibration ended before three quiet seconds of rest were seen: begin anew"
            )
        learned = self._learn()
        setting = setting_of(self._faces[0])
        return profile_from_round(
            name, self._backend, self._neutral, self._model, learned, self._earlier, setting
        )

    def _learn(self) -> Learned:
        assert self._neutral is not None
        faces: list[Landmarks] = []
        rows: dict[int, I64] = {}
        for step, some in self._faces.items():
            rows[step] = np.arange(len(faces), len(faces) + len(some))
            faces += some
        nothing = np.zeros(0, np.int64)
        asked = [
            Asked(exercise.actions, rows[step])
            for step, exercise in enumerate(self._exercises, 2)
            if len(rows.get(step, nothing)) >= 10
        ]
        frames = frames_of(self._model, faces, self._neutral)
        round_ = Round(frames, rows[0], rows.get(1, nothing), asked)
        return learn(self._model, round_, self._earlier.examples if self._earlier else None)
