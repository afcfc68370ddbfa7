"""Actions that a performer teaches: the tongue, a puffed cheek, a sneer, whatever repeats.

A taught action is a channel of its own (``X_tongue_out``), learned from nothing but what was shown
against everything else that the profile has seen of the person.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import numpy as np

from livefacs.arrays import I64
from livefacs.au.estimator_model import EstimatorModel
from livefacs.au.examples import (
    Examples,
    Frames,
    Window,
    course_of,
    examples_of,
    joined,
    prompts_alike,
    without_prompts,
)
from livefacs.au.personal import PersonalMaps, TaughtAction, merged, no_maps, selected
from livefacs.au.personal_fit import (
    WITH_IMAGE,
    WITHOUT_IMAGE,
    FitSettings,
    Fitted,
    fit_maps,
    reliability_of,
)
from livefacs.au.profile import Profile
from livefacs.errors import ProfileError
from livefacs.vocab.facs import CHANNEL_INDEX, channels_of, find_code

MOST_TAUGHT: Final = 32
FIRES_FROM: Final = 0.15
"""Value from which a taught action is said to fire on another prompt: the letter B."""
QUIET: Final = 0.12
"""Frames without a stronger action than that show the resting face."""
MIN_QUIET: Final = 10
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,39}")


def taught_channel(profile: Profile, name: str, code: str = "", side: str = "") -> str:
    """The channel that an action is taught as.

    Parameters
    ----------
    profile : Profile
    name : str
        ``tongue-out`` becomes ``X_tongue_out``.
    code : str
        FACS code that the user says it is, which then names it: ``19`` gives ``AD19``.
    side : ``L``, ``R`` or empty

    Raises
    ------
    ProfileError
        No name, a channel that is there already, or more than 32.
    """
    if not _NAME.fullmatch(name):
        raise ProfileError(
            f"{name!r} is no name for an action: expected letters, digits, - and _, at most 40"
        )
    if side not in ("", "L", "R"):
        raise ProfileError(f"side {side!r}: expected L, R or none")
    stem = find_code(code).channel_stem if code else "X_" + re.sub(r"[^A-Za-z0-9]+", "_", name)
    channel = stem + (f"_{side}" if side else "")
    for known in (name, stem, channel):
        if known in CHANNEL_INDEX or channels_of(known):
            raise ProfileError(
                f"{known} is a channel of FACS that is estimated anyway: "
                f"`livefacs calibrate {profile.name} --add` learns how this face shows it"
            )
    taken = [action for action in profile.taught if channel == action.channel]
    if taken:
        raise ProfileError(
            f"profile {profile.name!r} has {channel} already ({taken[0].name}): choose another "
            "name, or say --replace"
        )
    if len(profile.taught) >= MOST_TAUGHT:
        raise ProfileError(f"profile {profile.name!r} has {MOST_TAUGHT} taught actions: it is full")
    return channel


def without(profile: Profile, channel: str) -> Profile:
    """The profile without a taught action; as it is where there is none of that channel."""
    kept = tuple(action for action in profile.taught if action.channel != channel)
    if len(kept) == len(profile.taught) or profile.taught_maps is None:
        return profile
    names = [action.channel for action in kept]
    with_image, without_image = profile.taught_maps
    maps = (selected(with_image, names), selected(without_image, names)) if kept else None
    return replace(profile, taught=kept, taught_maps=maps)


def without_named(profile: Profile, name: str, code: str = "", side: str = "") -> Profile:
    """The profile without what an action of this name, code and side would replace.

    Raises
    ------
    ProfileError
        As of ``taught_channel``.
    """
    blank = replace(profile, taught=(), taught_maps=None)
    return without(profile, taught_channel(blank, name, code, side))


def quiet_rows(frames: Frames, rows: I64) -> I64:
    """Those of some frames in which nothing acts; the calmest ones where none is quite still."""
    activity = np.sort(frames.values[rows], axis=1)[:, -3]  # two outliers forgiven
    quiet = rows[activity < QUIET]
    if len(quiet) >= MIN_QUIET:
        return quiet
    return rows[np.sort(np.argsort(activity, kind="stable")[: max(MIN_QUIET, len(rows) // 5)])]


def teach(
    model: EstimatorModel,
    profile: Profile,
    name: str,
    channel: str,
    frames: Frames,
    other: I64,
    action: I64,
) -> tuple[Profile, TaughtAction]:
    """Add a taught action to a profile.

    Parameters
    ----------
    model : EstimatorModel
    profile : Profile
    name, channel : str
        See ``taught_channel``.
    frames : Frames
        Under the profile's neutral.
    other, action : (m,) int64
        Frames of rest and other movements, and of the action, made twice.

    Raises
    ------
    ProfileError
        Nothing was seen of the action.
    """
    rest = quiet_rows(frames, other)
    course = course_of(frames, action, rest)
    if not course.is_seen:
        raise ProfileError(
            f"{name}: not seen; the face left rest by {course.clearness:.1f} times its wander, "
            "expected 2.5: show it more strongly, facing the camera"
        )
    nothing = np.zeros(0, np.int64)
    window = Window((channel,), action)
    new = examples_of(frames, rest, nothing, [window], [course], np.setdiff1d(other, rest))
    examples = new if profile.examples is None else joined(profile.examples, new)
    channels = (*(each.channel for each in profile.taught), channel)
    maps = _maps_of(model, examples, channels)
    taught = TaughtAction(name, channel, *_measured(model, examples, channel))
    return (
        replace(
            profile,
            taught=(*profile.taught, taught),
            taught_maps=maps,
            examples=examples,
            weights=profile.weights or model.digest,
        ),
        taught,
    )


def _fit(model: EstimatorModel, examples: Examples, channel: str, settings: FitSettings) -> Fitted:
    """One taught channel; prompts that show the same movement say nothing against it."""
    against = without_prompts(examples, prompts_alike(examples, channel))
    prior = np.zeros((len(against), 1))
    plain = replace(settings, reach=1.0)  # no other scale that it should meet
    return fit_maps(against, (channel,), prior, model.canonical, plain)


def _maps_of(
    model: EstimatorModel, examples: Examples, channels: tuple[str, ...]
) -> tuple[PersonalMaps, PersonalMaps]:
    """Maps with and without the image, each channel learned against all examples."""
    blind = merged([_fit(model, examples, c, WITHOUT_IMAGE).maps for c in channels])
    if examples.texture is None:
        return no_maps(), blind
    return merged([_fit(model, examples, c, WITH_IMAGE).maps for c in channels]), blind


def _measured(
    model: EstimatorModel, examples: Examples, channel: str
) -> tuple[float, dict[str, float]]:
    """Reliability in the repetition left out, and what else the action fires on."""
    fitted = _fit(
        model, examples, channel, WITHOUT_IMAGE if examples.texture is None else WITH_IMAGE
    )
    same = np.isin(examples.prompt, prompts_alike(examples, channel))
    value = fitted.maps.values_of(examples.features, examples.texture)[:, 0]
    value[~same] = fitted.values[:, 0]
    value = np.clip(value, 0.0, None)
    reliability = reliability_of(value[~same], examples.target(channel)[~same])
    intruders = {}
    for number, channels in enumerate(examples.prompts):
        mine = examples.prompt == number
        if channel in channels or not mine.any():
            continue
        highest = float(value[mine].max())
        if highest >= FIRES_FROM:
            intruders["+".join(channels)] = round(highest, 3)
    return round(reliability, 4), intruders


def sentences(profile: Profile, action: TaughtAction) -> tuple[str, ...]:
    """What the user is told of a taught action."""
    n_others = 0
    if profile.examples is not None:
        n_others = sum(action.channel not in each for each in profile.examples.prompts)
    told = [f"{action.name}: taught as {action.channel}, reliability {action.reliability:.2f}"]
    if action.intruders:
        fires = ", ".join(f"{prompt} {value:.2f}" for prompt, value in action.intruders.items())
        told.append(f"it also fires on: {fires}")
    elif n_others:
        told.append(f"it fires on none of the {n_others} other prompts of this profile")
    else:
        told.append("the profile has no other prompts to tell it from: calibrate, too")
    return tuple(told)


def taught_maps_of(
    model: EstimatorModel, examples: Examples, taught: tuple[TaughtAction, ...]
) -> tuple[PersonalMaps, PersonalMaps] | None:
    """Maps of every taught action, learned anew against all examples."""
    return _maps_of(model, examples, tuple(a.channel for a in taught)) if taught else None
