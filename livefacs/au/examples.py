"""What a performer showed on request, condensed: means of a few frames each, with labels.

A minute of prompts is two thousand frames and some two hundred examples: the mean of the frames of
one repetition in which the movement had gone equally far. Examples are all that learning needs, so
a profile keeps them in place of frames, and a later prompt is learned against the earlier ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, I64, U8, Bool
from livefacs.au.features import POSE_START
from livefacs.vocab.facs import CHANNEL_INDEX, channels_of

REST: Final = -1
TURN: Final = -2
OTHER: Final = -3
"""Kinds of examples besides the number of a prompt: a resting face, a resting face that turns, and
movements that nobody asked for by name."""

N_LEVELS: Final = 4
"""Examples of one repetition of a prompt: so many levels of strength."""
N_REST: Final = 4
N_TURNS: Final = 40
N_OTHER: Final = 24
FULL_PERCENTILE: Final = 97
"""Percentile of a movement's course that counts as full strength: one wild frame does not."""
SEEN_FROM: Final = 2.5
"""A movement must leave rest by so many times the wander of the resting face."""
SAME_MOVEMENT: Final = 0.9
"""Cosine from which two movements are one; prompts of two actions of FACS reach it now and then."""
_GEOMETRY_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of a range of motion, relative to the person's rest.

    Attributes
    ----------
    t_s : (T,) float64
    features : (T, N_FEATURES) float32
        Of the estimator under the person's neutral.
    texture : (T, N_TEXTURE) float32 or None
        0..1; None where the image was not read.
    values : (T, N_AU) float32
        Unfiltered estimate without a personal model.
    """

    t_s: F64
    features: F32
    texture: F32 | None
    values: F32

    def between(self, start_s: float, end_s: float) -> I64:
        """Indices of the frames in ``start_s <= t < end_s``."""
        return np.flatnonzero((self.t_s >= start_s) & (self.t_s < end_s))


@dataclass(frozen=True, slots=True)
class Examples:
    """Condensed frames with what was asked for in them.

    Attributes
    ----------
    prompts : tuple of tuple of str
        Channels of each prompt.
    features : (n, N_FEATURES) float32
    texture : (n, N_TEXTURE) float32 or None
    values : (n, N_AU) float32
    strength : (n,) float32
        How far the asked movement had gone, 0..1.
    weight : (n,) float32
        Frames behind each example.
    prompt : (n,) int64
        Number of the prompt, ``REST`` or ``TURN``.
    repetition : (n,) int64
        0 or 1: halves that learning is checked across.
    """

    prompts: tuple[tuple[str, ...], ...]
    features: F32
    texture: F32 | None
    values: F32
    strength: F32
    weight: F32
    prompt: I64
    repetition: I64

    def __len__(self) -> int:
        return len(self.strength)

    def target(self, channel: str) -> F64:
        """(n,) float64: what a channel should be, if everybody did as asked."""
        asked = [i for i, channels in enumerate(self.prompts) if channel in channels]
        return np.where(np.isin(self.prompt, asked), self.strength, 0.0).astype(np.float64)

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel that was asked for, once."""
        return tuple(dict.fromkeys(c for channels in self.prompts for c in channels))

    @property
    def at_rest(self) -> Bool:
        """(n,) bool: the resting face that looks straight."""
        return np.asarray(self.prompt == REST)


def channels_asked(actions: tuple[str, ...]) -> tuple[str, ...]:
    """Channels of a prompt's actions: ``AU12`` is both sides, ``AU45_L`` one."""
    return tuple(
        channel
        for action in actions
        for channel in ((action,) if action in CHANNEL_INDEX else channels_of(action) or (action,))
    )


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of frames in which something was asked for.

    Attributes
    ----------
    channels : tuple of str
    rows : (m,) int64
        Indices of its frames.
    """

    channels: tuple[str, ...]
    rows: I64


@dataclass(frozen=True, slots=True)
class Course:
    """How a movement went within its window.

    Attributes
    ----------
    strength : (m,) float64, 0..1
    clearness : float
        How far it left rest, over how far the resting face wanders.
    """

    strength: F64
    clearness: float

    @property
    def is_seen(self) -> bool:
        """True where there was a movement at all."""
        return self.clearness >= SEEN_FROM


@dataclass(frozen=True, slots=True)
class Movement:
    """How far a face is from rest, in wanders of the resting face; for one frame at a time.

    Attributes
    ----------
    features : (POSE_START,) float32
    texture : (N_TEXTURE,) float32 or None
        Of the resting face, 0..1.
    wander_features, wander_texture : float
        Root mean square distance of resting frames from it.
    """

    features: F32
    texture: F32 | None
    wander_features: float
    wander_texture: float

    def away(self, features: F64, texture: U8 | None) -> float:
        """Distance of a frame, as ``Course.clearness`` measures it."""
        size = float(np.linalg.norm(features[:POSE_START] - self.features)) / self.wander_features
        if self.texture is None or texture is None:
            return size
        other = float(np.linalg.norm(texture / np.float32(255.0) - self.texture))
        both = _GEOMETRY_SHARE * size**2
        both += (1.0 - _GEOMETRY_SHARE) * (other / self.wander_texture) ** 2
        return float(np.sqrt(both))


def movement_from_rest(frames: Frames) -> Movement:
    """The measure of movement from frames of a resting face."""
    features = frames.features[:, :POSE_START]
    middle = features.mean(axis=0)
    texture, wander = None, 1.0
    if frames.texture is not None:
        texture = frames.texture.mean(axis=0)
        wander = _wander(frames.texture - texture)
    return Movement(middle, texture, _wander(features - middle), wander)


def _wander(away: F32) -> float:
    return float(np.sqrt((away.astype(np.float64) ** 2).sum(axis=1).mean())) + 1e-6


def course_of(frames: Frames, rows: I64, rest: I64) -> Course:
    """First principal component of the movement away from rest within a window.

    Parameters
    ----------
    frames : Frames
    rows, rest : (m,) int64
        Frames of the window, and of the resting face.

    Returns
    -------
    Course
        Scaled so that its 97th percentile is 1.
    """
    kernel, noise = _movement(frames, rows, rest)
    values, vectors = np.linalg.eigh(kernel)
    along = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
    if abs(along.min()) > along.max():
        along = -along
    full = max(float(np.percentile(along, FULL_PERCENTILE)), 1e-9)
    return Course(np.clip(along / full, 0.0, 1.0), full / max(noise, 1e-9))


def _movement(frames: Frames, rows: I64, rest: I64) -> tuple[F64, float]:
    """Inner products of the movements in a window, and the wander at rest, in one unit."""
    kernel = np.zeros((len(rows), len(rows)))
    noise = 0.0
    geometry = frames.features[:, :POSE_START]
    parts = [(geometry, _GEOMETRY_SHARE if frames.texture is not None else 1.0)]
    if frames.texture is not None:
        parts.append((frames.texture, 1.0 - _GEOMETRY_SHARE))
    for values, share in parts:
        middle = values[rest].mean(axis=0)
        away = (values[rows] - middle).astype(np.float64)
        still = (values[rest] - middle).astype(np.float64)
        wander = float((still**2).sum(axis=1).mean()) + 1e-12
        kernel += share * (away @ away.T) / wander
        noise += share
    return kernel, float(np.sqrt(noise))


def repetitions_of(strength: F64) -> int:
    """Where the second repetition begins: the deepest valley of the middle third."""
    n = len(strength)
    first, last = n // 3, 2 * n // 3 + 1
    return first + int(np.argmin(strength[first:last])) if n >= 3 else n


def examples_of(
    frames: Frames,
    rest: I64,
    turns: I64,
    windows: list[Window],
    courses: list[Course],
    other: I64 | None = None,
) -> Examples:
    """Condense a range of motion.

    Parameters
    ----------
    frames : Frames
    rest, turns : (m,) int64
        Frames of the resting face, still and turning slowly.
    windows, courses : list
        The prompts that were performed.
    other : (m,) int64 or None
        Frames of movements that nobody asked for by name.
    """
    groups: list[tuple[I64, int, int, F64 | None]] = []
    for part in np.array_split(rest, min(N_REST, len(rest))):
        groups.append((part, REST, len(groups) % 2, None))
    loose = (
        (turns, TURN, N_TURNS),
        (np.zeros(0, np.int64) if other is None else other, OTHER, N_OTHER),
    )
    for rows, kind, most in loose:
        for part in np.array_split(rows, min(most, max(len(rows), 1))):
            if len(part):
                groups.append((part, kind, len(groups) % 2, None))
    for number, (window, course) in enumerate(zip(windows, courses, strict=True)):
        second = repetitions_of(course.strength)
        levels = np.minimum((course.strength * N_LEVELS).astype(np.int64), N_LEVELS - 1)
        for repetition in range(2):
            mine = np.arange(len(levels)) < second
            mine = mine if repetition == 0 else ~mine
            for level in range(N_LEVELS):
                chosen = np.flatnonzero(mine & (levels == level))
                if len(chosen):
                    groups.append(
                        (window.rows[chosen], number, repetition, course.strength[chosen])
                    )
    return _condensed(frames, groups, tuple(window.channels for window in windows))


def _condensed(
    frames: Frames,
    groups: list[tuple[I64, int, int, F64 | None]],
    prompts: tuple[tuple[str, ...], ...],
) -> Examples:
    def means(values: F32) -> F32:
        return np.array([values[rows].mean(axis=0) for rows, *_ in groups], np.float32)

    strength = [0.0 if course is None else float(course.mean()) for *_, course in groups]
    return Examples(
        prompts,
        means(frames.features),
        None if frames.texture is None else means(frames.texture),
        means(frames.values),
        np.array(strength, np.float32),
        np.array([len(rows) for rows, *_ in groups], np.float32),
        np.array([kind for _, kind, *_ in groups], np.int64),
        np.array([repetition for _, _, repetition, _ in groups], np.int64),
    )


def joined(old: Examples, new: Examples) -> Examples:
    """Earlier examples and later ones; a prompt that was asked for again replaces its elders.

    Later textures are brought to the earlier resting face, so that another light is no movement.
    Without texture on either side the result has none.
    """
    again = set(new.channels)
    kept_prompts = [
        number for number, channels in enumerate(old.prompts) if not again & set(channels)
    ]
    renumbered = {number: i for i, number in enumerate(kept_prompts)}
    kept = np.flatnonzero((old.prompt < 0) | np.isin(old.prompt, kept_prompts))
    prompt = np.array([renumbered.get(int(p), int(p)) for p in old.prompt[kept]], np.int64)
    offset = len(kept_prompts)
    later = np.where(new.prompt >= 0, new.prompt + offset, new.prompt)
    texture = None
    if old.texture is not None and new.texture is not None:
        moved = old.texture[old.at_rest].mean(axis=0) - new.texture[new.at_rest].mean(axis=0)
        texture = np.concatenate((old.texture[kept], np.clip(new.texture + moved, 0.0, 1.0)))
    return Examples(
        (*(old.prompts[i] for i in kept_prompts), *new.prompts),
        np.concatenate((old.features[kept], new.features)),
        texture,
        np.concatenate((old.values[kept], new.values)),
        np.concatenate((old.strength[kept], new.strength)),
        np.concatenate((old.weight[kept], new.weight)),
        np.concatenate((prompt, later)),
        np.concatenate((old.repetition[kept], new.repetition)),
    )


def of_facs(examples: Examples) -> Examples:
    """Without the prompts of taught actions: what those show of FACS nobody has said."""
    taught = [
        number
        for number, channels in enumerate(examples.prompts)
        if not any(channel in CHANNEL_INDEX for channel in channels)
    ]
    return without_prompts(examples, taught)


def without_prompts(examples: Examples, numbers: list[int]) -> Examples:
    """Without the examples of some prompts; the others keep their numbers."""
    if not numbers:
        return examples
    kept = np.flatnonzero(~np.isin(examples.prompt, numbers))
    return replace(
        examples,
        features=examples.features[kept],
        texture=None if examples.texture is None else examples.texture[kept],
        values=examples.values[kept],
        strength=examples.strength[kept],
        weight=examples.weight[kept],
        prompt=examples.prompt[kept],
        repetition=examples.repetition[kept],
    )


def prompts_alike(examples: Examples, channel: str) -> list[int]:
    """Prompts of other channels that were answered with the same movement as a channel's own."""
    middles = {}
    for number in range(len(examples.prompts)):
        at_peak = (examples.prompt == number) & (examples.strength > 0.5)
        if at_peak.any():
            middles[number] = _peak(examples, at_peak)
    own = [n for n in middles if channel in examples.prompts[n]]
    return [
        n
        for n, peak in middles.items()
        if channel not in examples.prompts[n]
        and any(float(peak @ middles[mine]) >= SAME_MOVEMENT for mine in own)
    ]


def _peak(examples: Examples, rows: Bool) -> F64:
    """Direction of a movement at its peak, of unit length; mesh and texture weigh alike."""
    parts = []
    for values in (examples.features[:, :POSE_START], examples.texture):
        if values is None:
            continue
        away = values.astype(np.float64) - values[examples.at_rest].mean(axis=0)
        size = np.sqrt(float((away**2).sum(axis=1).mean())) + 1e-12
        parts.append(away[rows].mean(axis=0) / size)
    whole = np.concatenate(parts)
    return np.asarray(whole / (np.linalg.norm(whole) + 1e-12))
