"""What a page may begin: calibration, teaching, a check; and what comes of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from livefacs.au.calibration_run import CalibrationRun
from livefacs.au.checkup import CheckRun
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.guided import GuidedRun
from livefacs.au.personal import LEARNED, Lesson
from livefacs.au.profile import (
    Profile,
    check_can_save,
    load_profile,
    profile_path,
    save_profile,
)
from livefacs.au.rounds import exercises_of
from livefacs.au.teaching import without, without_named
from livefacs.au.teaching_run import TeachingRun
from livefacs.errors import ProfileError
from livefacs.vocab.facs import action_of

MOST_LETTERS: Final = 60
NOTHING_LEARNED: Final = "the resting face is kept, nothing was learned"
NO_IMAGE: Final = "the image had no part in it: start with --reader all to learn from it, too"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who sits before the camera, and by what they are seen.

    Attributes
    ----------
    model : EstimatorModel
    backend : str
        Landmark backend.
    source : str
        What is looked at, in words.
    spec : str
        Name or path of the profile in use; empty where there is none.
    """

    model: EstimatorModel
    backend: str
    source: str
    spec: str = ""

    def continues(self, before: Subject) -> bool:
        """True where its frames may follow those of another session."""
        mine, theirs = ((each.model.digest, each.backend, each.source) for each in (self, before))
        return mine == theirs


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round ends with.

    Attributes
    ----------
    profile : Profile or None
        To be saved; None where nothing changes.
    said : tuple of str
        What the performer is told, a sentence each.
    again : tuple of str
        Actions that were asked for and not learned.
    """

    profile: Profile | None
    said: tuple[str, ...]
    again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageRound:
    """A round that has begun.

    Attributes
    ----------
    kind : ``calibrate``, ``teach`` or ``check``
    spec : str
        Name or path of its profile.
    path : Path
    run : GuidedRun
    conclude : callable
        Learns from what was shown, for a second or two; raises ``LivefacsError``.
    """

    kind: str
    spec: str
    path: Path
    run: GuidedRun
    conclude: Callable[[], Outcome] = field(repr=False)


def path_of(subject: Subject | None, spec: str) -> Path:
    """Where a profile that a page names is: in the user's folder, or the one in use.

    Raises
    ------
    ProfileError
        It is no name.
    """
    if spec and subject is not None and spec == subject.spec:
        return profile_path(spec)
    if spec.endswith(".json") or spec == "none" or not 0 < len(spec) <= MOST_LETTERS:
        raise ProfileError(
            f"{spec[:MOST_LETTERS]!r} is no profile name: use letters, digits, space, - and _, "
            f"at most {MOST_LETTERS}"
        )
    return profile_path(spec)


def calibration(
    subject: Subject, spec: str, round_: str, only: Sequence[str], *, add: bool
) -> PageRound:
    """Rest, head turns, prompts; as ``livefacs calibrate``.

    Raises
    ------
    ConfigError
        No such round or action.
    ProfileError
        The profile cannot be written, or not be added to.
    """
    path = path_of(subject, spec)
    exercises = exercises_of(round_, tuple(only))
    check_can_save(path)
    earlier = load_profile(str(path), subject.backend) if add else None
    run = CalibrationRun(subject.model, subject.backend, exercises, earlier)
    asked = {action_of(name) for each in exercises for name in each.actions}

    def conclude() -> Outcome:
        profile = run.profile(path.stem)
        lessons = profile.personal.lessons if profile.personal is not None else ()
        mine = [each for each in lessons if action_of(each.action) in asked]
        said = [each.sentence for each in mine] or [NOTHING_LEARNED]
        if profile.personal is not None and profile.personal.lacks_image:
            said.append(NO_IMAGE)
        return Outcome(profile, tuple(said), tuple(_not_learned(mine)))

    return PageRound("calibrate", spec, path, run, conclude)


def _not_learned(lessons: Sequence[Lesson]) -> list[str]:
    return [each.action for each in lessons if each.outcome != LEARNED]


def teaching(
    subject: Subject, spec: str, action: str, code: str, side: str, *, replace: bool
) -> PageRound:
    """An action of the performer's own; as ``livefacs teach``.

    Raises
    ------
    ProfileError
        There is no such profile, or the action cannot be taught under this name.
    ConfigError
        The code is none.
    """
    path = path_of(subject, spec)
    check_can_save(path)
    profile = load_profile(str(path), subject.backend)
    if replace:
        profile = without_named(profile, action, code, side)
    run = TeachingRun(subject.model, profile, action, code, side)

    def conclude() -> Outcome:
        return Outcome(*run.profile())

    return PageRound("teach", spec, path, run, conclude)


def check(subject: Subject, spec: str) -> PageRound:
    """Whether light, camera or face have changed; as ``livefacs profiles check``.

    Raises
    ------
    ProfileError
        There is no such profile, or it is of other landmarks.
    """
    path = path_of(subject, spec)
    run = CheckRun(subject.model, load_profile(str(path), subject.backend))

    def conclude() -> Outcome:
        findings = run.findings()
        changed = [each.about for each in findings if each.is_changed]
        said = [f"{each.about}: {each.text}" for each in findings]
        said.append(_verdict(changed))
        return Outcome(None, tuple(said))

    return PageRound("check", spec, path, run, conclude)


def _verdict(changed: Sequence[str]) -> str:
    if not changed:
        return "the profile still holds"
    things = " and ".join(filter(None, (", ".join(changed[:-1]), changed[-1])))
    verb = "has" if len(changed) == 1 else "have"
    return f"{things} {verb} changed so far that calibration should be renewed"


def forget(path: Path, channel: str) -> None:
    """Take a taught action out of a profile.

    Raises
    ------
    ProfileError
        There is no such profile or action, or it cannot be written.
    """
    profile = load_profile(str(path))
    less = without(profile, channel)
    if less is profile:
        raise ProfileError(f"profile {path.stem!r} has no taught action {channel[:60]!r}")
    save_profile(less, path)
