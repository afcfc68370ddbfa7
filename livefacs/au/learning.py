"""From the frames of a range of motion to a personal model, and what is said of it.

One engine for the terminal, the page and recorded clips: whoever collects the frames hands them
over with the stretches in which something was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from livefacs.arrays import I64
from livefacs.au.estimator import N_FACE_CHANNELS, Estimator
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.examples import (
    Course,
    Examples,
    Frames,
    Window,
    channels_asked,
    course_of,
    examples_of,
    joined,
    of_facs,
)
from livefacs.au.neutral import Neutral
from livefacs.au.personal import (
    KEPT,
    LEARNED,
    NOT_SEEN,
    Lesson,
    PersonalMaps,
    PersonalModel,
    no_maps,
    selected,
)
from livefacs.au.personal_fit import (
    WITH_IMAGE,
    WITHOUT_IMAGE,
    FitSettings,
    Fitted,
    clearness,
    fit_maps,
    reliability_of,
)
from livefacs.au.profile import Profile
from livefacs.au.setting import Setting
from livefacs.au.smoothing import OFF
from livefacs.au.teaching import taught_maps_of
from livefacs.clock import s_from_ns
from livefacs.types import Landmarks
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, action_of

FORMULAS: Final = frozenset({"AU25"})
"""Channels that follow from a formula and are left to it."""
PEAK: Final = 0.7
"""Share of full strength from which a frame shows a movement at its peak."""
RELIABLE: Final = 0.6
STRONG: Final = 0.3
WEAKER: Final = 0.25
"""A reliable action so strong, and the asked one under so large a share of it: something else was
performed. On eight rendered people that is said of none of 224 prompts that were performed as
asked, and of half of those answered with another prompt's movement."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A movement that was asked for, and the frames in which it was.

    Attributes
    ----------
    actions : tuple of str
    rows : (m,) int64
        Indices into the frames.
    """

    actions: tuple[str, ...]
    rows: I64

    @property
    def name(self) -> str:
        """``AU6+AU12``."""
        return "+".join(self.actions)


@dataclass(frozen=True, slots=True)
class Round:
    """Frames with what was asked for in them.

    Attributes
    ----------
    frames : Frames
    rest, turns : (m,) int64
        Frames of the resting face, still and turning slowly.
    asked : list of Asked
    """

    frames: Frames
    rest: I64
    turns: I64
    asked: Sequence[Asked]


def frames_of(
    model: EstimatorModel, faces: Sequence[Landmarks], neutral: Neutral, origin_s: float = 0.0
) -> Frames:
    """What learning needs of meshes, under a person's neutral.

    The image counts where every mesh brings its readings. ``origin_s`` is taken off all times.
    """
    estimator = Estimator(model, smoothing=OFF, neutral=neutral)
    t_s, features, values, textures = [], [], [], []
    for face in faces:
        values.append(estimator.raw_values(face).copy())
        features.append(estimator.features.astype(np.float32))
        t_s.append(s_from_ns(face.t_ns) - origin_s)
        if face.readings is not None:
            textures.append(face.readings.texture)
    has_texture = bool(textures) and len(textures) == len(t_s)
    return Frames(
        np.array(t_s),
        np.array(features, np.float32),
        np.array(textures, np.float32) / np.float32(255.0) if has_texture else None,
        np.array(values, np.float32),
    )


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of a round.

    Attributes
    ----------
    personal : PersonalModel
    examples : Examples
        Of this round, and of those before that were not asked for again.
    """

    personal: PersonalModel
    examples: Examples


def learn(model: EstimatorModel, round_: Round, earlier: Examples | None = None) -> Learned:
    """Learn a personal model.

    Parameters
    ----------
    model : EstimatorModel
    round_ : Round
    earlier : Examples or None
        Those that the profile holds already; what is asked for again replaces its elders.
    """
    frames, rest, asked = round_.frames, round_.rest, round_.asked
    windows = [Window(channels_asked(each.actions), each.rows) for each in asked]
    courses = [course_of(frames, window.rows, rest) for window in windows]
    reasons = [
        _why_not(model, frames, window, course)
        for window, course in zip(windows, courses, strict=True)
    ]
    used = [i for i, reason in enumerate(reasons) if not reason]
    new = examples_of(
        frames, rest, round_.turns, [windows[i] for i in used], [courses[i] for i in used]
    )
    examples = new if earlier is None else joined(earlier, new)
    if not any(channel in CHANNEL_INDEX for channel in examples.channels):
        model_of_none = PersonalModel(no_maps(), no_maps(), _unseen(asked, reasons))
        return Learned(model_of_none, examples)
    named = of_facs(examples)
    seeing = None if named.texture is None else _fit(model, named, WITH_IMAGE)
    blind = _fit(model, named, WITHOUT_IMAGE)
    lessons = _lessons(named, blind if seeing is None else seeing)
    unseen = [each for each in _unseen(asked, reasons) if each.action not in lessons]
    return Learned(
        PersonalModel(
            no_maps() if seeing is None else _learned_maps(seeing, lessons),
            _learned_maps(blind, lessons if seeing is None else _lessons(named, blind)),
            (*lessons.values(), *unseen),
        ),
        examples,
    )


def _learned_maps(fitted: Fitted, lessons: Mapping[str, Lesson]) -> PersonalMaps:
    channels = [c for c in fitted.better if lessons[action_of(c)].outcome == LEARNED]
    return selected(fitted.maps, channels)


def _why_not(model: EstimatorModel, frames: Frames, window: Window, course: Course) -> str:
    """Why a prompt cannot be learned from; empty where it can."""
    if not course.is_seen:
        return NOT_SEEN
    peak = frames.values[window.rows[course.strength > PEAK]]
    shown = np.median(peak, axis=0)
    own = [CHANNEL_INDEX[channel] for channel in window.channels if channel in CHANNEL_INDEX]
    if not own:
        return ""
    others = np.where(np.nan_to_num(model.reliability) >= RELIABLE, shown, 0.0)[:N_FACE_CHANNELS]
    others[[i for i in own if i < N_FACE_CHANNELS]] = 0.0
    strongest = int(np.argmax(others))
    if others[strongest] < STRONG or max(shown[own]) > WEAKER * others[strongest]:
        return ""
    return f"performed as {action_of(AU_CHANNELS[strongest])}"


def _unseen(asked: Sequence[Asked], reasons: Sequence[str]) -> tuple[Lesson, ...]:
    """A lesson for every action of a prompt that was not learned from, once."""
    lessons: dict[str, Lesson] = {}
    for each, reason in zip(asked, reasons, strict=True):
        for action in dict.fromkeys(map(action_of, each.actions)) if reason else ():
            if reason == NOT_SEEN:
                lessons[action] = Lesson(action, NOT_SEEN)
            else:
                lessons[action] = Lesson(action, KEPT, reason)
    return tuple(lessons.values())


def _fit(model: EstimatorModel, examples: Examples, settings: FitSettings) -> Fitted:
    """Maps of every channel of FACS that was asked for."""
    channels = tuple(
        channel
        for channel in examples.channels
        if channel in CHANNEL_INDEX and channel not in FORMULAS
    )
    prior = examples.values[:, [CHANNEL_INDEX[channel] for channel in channels]].astype(np.float64)
    return fit_maps(examples, channels, prior, model.canonical, settings)


def _lessons(examples: Examples, fitted: Fitted) -> dict[str, Lesson]:
    """What the left-out repetition says of each action, by action."""
    lessons: dict[str, Lesson] = {}
    weight = examples.weight.astype(np.float64)
    channels = fitted.maps.channels
    for action in dict.fromkeys(map(action_of, channels)):
        mine = [i for i, channel in enumerate(channels) if action_of(channel) == action]
        clearer, reliabilities = [], []
        for i in mine:
            target = examples.target(channels[i])
            value, prior = fitted.values[:, i], examples.values[:, CHANNEL_INDEX[channels[i]]]
            before = clearness(prior.astype(np.float64), target, weight)
            clearer.append(clearness(value, target, weight) / max(before, 0.05))
            reliabilities.append(reliability_of(value, target))
        is_better = channels[mine[0]] in fitted.better and np.mean(clearer) > 1.0
        lessons[action] = Lesson(
            action,
            LEARNED if is_better else KEPT,
            "" if is_better else "no clearer in the other repetition",
            float(np.mean(clearer)),
            float(np.mean(reliabilities)),
        )
    return lessons


def profile_from_round(
    name: str,
    backend: str,
    neutral: Neutral,
    model: EstimatorModel,
    learned: Learned,
    earlier: Profile | None = None,
    setting: Setting | None = None,
) -> Profile:
    """The profile that a round makes, or adds to.

    An earlier profile keeps its neutral and its taught actions; lessons of actions that were not
    asked for again stay as they were.
    """
    personal = learned.personal
    if earlier is not None and earlier.personal is not None:
        again = {lesson.action for lesson in personal.lessons}
        kept = tuple(each for each in earlier.personal.lessons if each.action not in again)
        personal = replace(personal, lessons=(*kept, *personal.lessons))
    made = Profile(
        name,
        backend,
        neutral,
        dict.fromkeys(personal.learned, 1.0),
        datetime.now(UTC).isoformat(timespec="seconds"),
        model.digest,
        personal,
        examples=learned.examples,
        setting=setting or Setting(),
    )
    if earlier is None:
        return made
    return replace(
        made,
        neutral=earlier.neutral,
        setting=earlier.setting,
        taught=earlier.taught,
        taught_maps=taught_maps_of(model, learned.examples, earlier.taught),
    )
