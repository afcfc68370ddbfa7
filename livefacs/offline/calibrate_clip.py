"""A profile from a recorded range of motion: a clip or take, and what was asked for in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.arrays import F64
from livefacs.au.clip_neutral import calibrated_neutral, neutral_of_seconds
from livefacs.au.estimator_model import load_model
from livefacs.au.examples import Frames
from livefacs.au.learning import Asked, Round, frames_of, learn, profile_from_round
from livefacs.au.likeness import check_same_person, check_same_weights
from livefacs.au.neutral import Neutral
from livefacs.au.personal import TaughtAction
from livefacs.au.profile import Profile
from livefacs.au.prompts import Prompts, load_prompts
from livefacs.au.setting import setting_of
from livefacs.au.teaching import quiet_rows, taught_channel, teach, without_named
from livefacs.clock import s_from_ns
from livefacs.errors import ConfigError, SourceError
from livefacs.offline.meshes import Meshes
from livefacs.offline.solve_options import SolveOptions
from livefacs.offline.working import WorkingTake, working_take
from livefacs.types import Landmarks

SETTLE_S: Final = 0.3
"""A tracker's first frames are about a pixel off."""
MIN_FACE_SHARE: Final = 0.5
MIN_FRAMES: Final = 20
MIN_REST: Final = 10
MOST_CROWDED: Final = 0.25
"""Share of frames with a second face from which nobody can say whose face was learned."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A profile, and what the user should know of how it was made."""

    profile: Profile
    notices: tuple[str, ...]


def calibrate_clip(
    name: str,
    clip: str,
    prompts: Path,
    options: SolveOptions,
    *,
    earlier: Profile | None = None,
) -> Calibrated:
    """Make a profile from a clip, or add what a clip shows to one.

    Parameters
    ----------
    name : str
    clip : str
        A clip, an image folder or a take.
    prompts : Path
        See ``au.prompts``.
    options : SolveOptions
        Landmarker, weights and readers.
    earlier : Profile or None
        Its examples are learned with the new ones; what was asked for again is replaced.

    Raises
    ------
    ConfigError
        The prompts say what they may not, or lie outside the clip; no face in half of one.
    SourceError
        Nobody at rest, or two people in the picture.
    """
    load_prompts(prompts)  # its errors are told before a clip is worked through
    if earlier is not None:
        check_same_weights(load_model(options.tracking.weights), earlier)
    with working_take(clip, options) as working:
        _check_people(working)
        asked_for = load_prompts(prompts, _duration_s(working))
        faces = Meshes.of_take(working.take).faces
        model = working.setup.model
        origin_s = s_from_ns(int(working.take.t_ns[0]))
        neutral = _neutral(working, asked_for, faces, origin_s)
        if earlier is not None:
            check_same_person(model, earlier, neutral)
        frames = frames_of(model, faces, neutral, origin_s)
        _check_faces(prompts, asked_for, frames.t_s, working)
        round_ = Round(
            frames,
            frames.between(_rest_start_s(asked_for), asked_for.neutral[1]),
            np.zeros(0, np.int64) if asked_for.head is None else frames.between(*asked_for.head),
            [Asked(p.actions, frames.between(p.start_s, p.end_s)) for p in asked_for.prompts],
        )
        if len(round_.rest) < MIN_REST:
            raise SourceError(
                f"{working.clip}: neutral: a face in {len(round_.rest)} frames of the resting "
                f"seconds, expected at least {MIN_REST}"
            )
        learned = learn(model, round_, earlier.examples if earlier else None)
        backend = working.setup.backend
        setting = setting_of([faces[int(row)] for row in round_.rest])
        made = profile_from_round(name, backend, neutral, model, learned, earlier, setting)
        notices = (*working.notices, *_what_is_missing(asked_for, frames))
        return Calibrated(made, notices)


def _rest_start_s(prompts: Prompts) -> float:
    start, end = prompts.neutral
    return start + min(SETTLE_S, 0.25 * (end - start))


def _duration_s(working: WorkingTake) -> float:
    times = working.take.t_ns
    step_ns = int(times[-1] - times[0]) / max(len(times) - 1, 1)
    return s_from_ns(int(times[-1] - times[0] + step_ns))


def _neutral(
    working: WorkingTake, prompts: Prompts, faces: Sequence[Landmarks], origin_s: float
) -> Neutral:
    start, end = _rest_start_s(prompts) + origin_s, prompts.neutral[1] + origin_s
    try:
        return calibrated_neutral(working.setup.model, faces, start, end)
    except SourceError as error:
        raise SourceError(f"{working.clip}: neutral: {error}") from None


def _check_people(working: WorkingTake) -> None:
    crowded = float((working.take.frames["n_faces"] > 1).mean())
    if crowded > MOST_CROWDED:
        raise SourceError(
            f"{working.clip}: two people in {100 * crowded:.0f} % of its frames, and nobody could "
            "say whose face was learned: cut the picture to one person"
        )


def _check_faces(path: Path, prompts: Prompts, t_s: F64, working: WorkingTake) -> None:
    """Every prompt needs a face in at least half of its frames."""
    every = (working.take.t_ns - working.take.t_ns[0]) * 1e-9
    errors = []
    for i, prompt in enumerate(prompts.prompts):
        n = int(((every >= prompt.start_s) & (every < prompt.end_s)).sum())
        seen = int(((t_s >= prompt.start_s) & (t_s < prompt.end_s)).sum())
        if seen < MIN_FACE_SHARE * max(n, 1):
            errors.append(f"prompts[{i + 1}] {prompt.name}: no face in {n - seen} of {n} frames")
    if errors:
        raise ConfigError(f"prompts {path} cannot be learned from {working.clip}:", errors)


def _what_is_missing(prompts: Prompts, frames: Frames) -> tuple[str, ...]:
    notices = []
    if frames.texture is None:
        notices.append("the image was not read: learned from the mesh alone, which tells far less")
    if prompts.head is None:
        notices.append("no head turns: nothing holds the learned actions down while the head turns")
    return tuple(notices)


@dataclass(frozen=True, slots=True)
class Lesson:
    """An action to be taught from a clip.

    Attributes
    ----------
    name : str
        ``tongue-out``.
    other, action : tuple of (start, end)
        Seconds of rest and other movements, and of the action.
    code, side : str
        See ``au.teaching.taught_channel``.
    replace : bool
        Take the place of an action that was taught under the same channel.
    """

    name: str
    other: tuple[tuple[float, float], ...]
    action: tuple[tuple[float, float], ...]
    code: str = ""
    side: str = ""
    replace: bool = False


def teach_from_clip(
    profile: Profile,
    lesson: Lesson,
    clip: str,
    options: SolveOptions,
) -> tuple[Profile, TaughtAction]:
    """Teach a profile an action that a clip shows.

    Raises
    ------
    ConfigError
        The seconds overlap, lie outside the clip or show no face.
    ProfileError
        The name cannot be, the face is another's, or the action was not seen.
    """
    replaced = without_lesson(profile, lesson)
    channel = taught_channel(replaced, lesson.name, lesson.code, lesson.side)
    with working_take(clip, options) as working:
        _check_people(working)
        _check_spans(lesson, _duration_s(working))
        model = working.setup.model
        faces = Meshes.of_take(working.take).faces
        origin_s = s_from_ns(int(working.take.t_ns[0]))
        frames = frames_of(model, faces, profile.neutral, origin_s)
        other, action = (
            np.concatenate([frames.between(*span) for span in spans])
            for spans in (lesson.other, lesson.action)
        )
        if len(other) < MIN_FRAMES or len(action) < MIN_FRAMES:
            raise ConfigError(
                f"{clip}: a face in {len(other)} frames of rest and {len(action)} of the action; "
                f"expected at least {MIN_FRAMES} each"
            )
        quiet = [faces[int(row)] for row in quiet_rows(frames, other)]
        check_same_person(model, profile, neutral_of_seconds(model, quiet, -np.inf, np.inf))
        return teach(model, replaced, lesson.name, channel, frames, other, action)


def without_lesson(profile: Profile, lesson: Lesson) -> Profile:
    """The profile without what the lesson replaces, where it is to replace anything."""
    if not lesson.replace:
        return profile
    return without_named(profile, lesson.name, lesson.code, lesson.side)


def _check_spans(lesson: Lesson, duration_s: float) -> None:
    spans = [("rest", *span) for span in lesson.other]
    spans += [("action", *span) for span in lesson.action]
    errors = [
        f"{kind} {start:g}:{end:g} lies outside the clip, 0 to {duration_s:.2f} s"
        for kind, start, end in spans
        if start < 0.0 or end > duration_s + 0.05
    ]
    in_time = sorted(spans, key=lambda each: each[1])
    errors += [
        f"{later} {start:g}:{end:g} begins before {kind} ends at {before:g} s"
        for (kind, _, before), (later, start, end) in pairwise(in_time)
        if start < before
    ]
    if errors:
        raise ConfigError(f"what was to be taught, {lesson.name}, cannot be:", errors)
