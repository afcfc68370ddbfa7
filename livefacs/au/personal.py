"""A personal model: what a performer's own movements add to the shipped estimate.

One affine map a channel, over the mesh's features and the texture of the upright face. Its result
is added to the shipped intensity before anything below zero is cut off; a channel without a map
keeps the shipped intensity. There are two sets of maps: one for frames whose image was read, one
for frames that bring a mesh alone.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.au.estimator_model import N_FEATURES
from livefacs.kernels.personal import Personal
from livefacs.vocab.readings import N_TEXTURE

KernelMaps: TypeAlias = tuple[Personal, Personal]
"""Maps for frames whose image was read, and for frames that bring a mesh alone."""

LEARNED: Final = "learned"
KEPT: Final = "kept as shipped"
NOT_SEEN: Final = "not seen, kept as shipped"


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of one action that was asked for.

    Attributes
    ----------
    action : str
        As it was asked for: ``AU12``, ``AU45_L``.
    outcome : str
        ``learned``, ``kept as shipped`` or ``not seen, kept as shipped``.
    reason : str
        Why it was kept; empty where it was learned.
    clearer : float
        How many times clearer it stands out from all other movements than by the shipped map, in
        the repetition that was left out of the fit.
    reliability : float
        Pearson r with the asked-for course in the repetition that was left out; NaN: not seen.
    """

    action: str
    outcome: str
    reason: str = ""
    clearer: float = float("nan")
    reliability: float = float("nan")

    @property
    def sentence(self) -> str:
        """``AU14: learned, 3.1 × clearer than before``."""
        if self.outcome == LEARNED:
            clearer = f", {self.clearer:.1f} × clearer than before"
            return f"{self.action}: learned{clearer if np.isfinite(self.clearer) else ''}"
        return f"{self.action}: {self.outcome}{f' ({self.reason})' if self.reason else ''}"


@dataclass(frozen=True, slots=True)
class PersonalMaps:
    """Affine maps of some channels.

    Attributes
    ----------
    channels : tuple of str
    geometry : (n, N_FEATURES) float32
    texture : (n, N_TEXTURE) float32 or None
        For texture in 0..1; None where the image is not looked at.
    bias : (n,) float32
    reach : float
        Distance of a frame's texture from the resting one up to which the maps are trusted; from
        twice that on they are not used.
    rest : (N_TEXTURE,) float32 or None
        Mean texture of the resting face.
    """

    channels: tuple[str, ...]
    geometry: F32
    texture: F32 | None
    bias: F32
    reach: float = float("inf")
    rest: F32 | None = None

    def __len__(self) -> int:
        return len(self.channels)

    def values_of(self, features: F32, texture: F32 | None) -> F64:
        """(T, n) float64: what the maps give for many frames, nothing clipped or faded."""
        values = features.astype(np.float64) @ self.geometry.T + self.bias
        if self.texture is not None and texture is not None:
            values += texture.astype(np.float64) @ self.texture.T
        return np.asarray(values)

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "channels": list(self.channels),
            "geometry": text_from_array(self.geometry),
            "texture": None if self.texture is None else text_from_array(self.texture),
            "bias": text_from_array(self.bias),
            "reach": round(self.reach, 6) if np.isfinite(self.reach) else None,
            "rest": None if self.rest is None else text_from_array(self.rest),
        }


def maps_from_plain(body: Mapping[str, Any]) -> PersonalMaps:
    """The maps that ``PersonalMaps.plain`` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        They are not of the shape that is expected.
    """
    channels = tuple(str(name) for name in body["channels"])
    n = len(channels)
    texture, rest = body["texture"], body["rest"]
    return PersonalMaps(
        channels,
        array_from_text(body["geometry"], (n, N_FEATURES)),
        None if texture is None else array_from_text(texture, (n, N_TEXTURE)),
        array_from_text(body["bias"], (n,)),
        float("inf") if body["reach"] is None else float(body["reach"]),
        None if rest is None else array_from_text(rest, (N_TEXTURE,)),
    )


def text_from_array(values: F32 | F64) -> str:
    """Base64 of little-endian float32."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")


def array_from_text(text: Any, shape: tuple[int, ...]) -> F32:
    """The array that ``text_from_array`` wrote.

    Raises
    ------
    ValueError
        No base64, another number of values, or values that are not finite.
    """
    if not isinstance(text, str):
        raise ValueError(f"expected base64 text, got {type(text).__name__}")
    raw = base64.b64decode(text.encode("ascii"), validate=True)
    n = int(np.prod(shape))
    if len(raw) != 4 * n:
        raise ValueError(f"expected {n} numbers, got {len(raw) / 4:g}")
    values = np.frombuffer(raw, "<f4").astype(np.float32).reshape(shape)
    if not np.isfinite(values).all():
        raise ValueError("a number is not finite")
    return values


def text_from_bytes(values: F32) -> str:
    """Base64 of numbers in 0..1, one byte each."""
    return base64.b64encode(np.rint(255.0 * values).astype(np.uint8).tobytes()).decode("ascii")


def bytes_from_text(text: Any, shape: tuple[int, ...]) -> F32:
    """The numbers that ``text_from_bytes`` wrote, to a byte's step.

    Raises
    ------
    ValueError
        As of ``array_from_text``.
    """
    if not isinstance(text, str):
        raise ValueError(f"expected base64 text, got {type(text).__name__}")
    raw = base64.b64decode(text.encode("ascii"), validate=True)
    if len(raw) != int(np.prod(shape)):
        raise ValueError(f"expected {int(np.prod(shape))} bytes, got {len(raw)}")
    return np.frombuffer(raw, np.uint8).reshape(shape).astype(np.float32) / np.float32(255.0)


@dataclass(frozen=True, slots=True)
class PersonalModel:
    """What a round of prompts taught.

    Attributes
    ----------
    with_image, without_image : PersonalMaps
        Of the channels that were learned; without channels where none was.
    lessons : tuple of Lesson
        One an action that was asked for.
    """

    with_image: PersonalMaps
    without_image: PersonalMaps
    lessons: tuple[Lesson, ...] = ()

    @property
    def learned(self) -> tuple[str, ...]:
        """Channels with a map of either kind."""
        return tuple(dict.fromkeys((*self.with_image.channels, *self.without_image.channels)))

    @property
    def has_image(self) -> bool:
        """True where the image had a part in it."""
        return len(self.with_image) > 0

    @property
    def lacks_image(self) -> bool:
        """True where something was learned, and from meshes alone."""
        return bool(self.learned) and not self.has_image


@dataclass(frozen=True, slots=True)
class TaughtAction:
    """An action that the performer taught.

    Attributes
    ----------
    name : str
        As it was taught: ``tongue-out``.
    channel : str
        ``X_tongue_out``, ``X_cheek_puff_L``, or that of a FACS code that nothing estimates.
    reliability : float
        Pearson r with the asked-for course in the repetition that was left out.
    intruders : dict
        Highest value during the person's other prompts, by prompt; those from 0.15 on.
    """

    name: str
    channel: str
    reliability: float
    intruders: Mapping[str, float] = field(default_factory=dict)


def no_maps() -> PersonalMaps:
    """Maps of nothing."""
    nothing = np.zeros((0, N_FEATURES), np.float32)
    return PersonalMaps((), nothing, None, np.zeros(0, np.float32))


def selected(maps: PersonalMaps, channels: Sequence[str]) -> PersonalMaps:
    """The maps of some channels, those that there are."""
    rows = [maps.channels.index(name) for name in channels if name in maps.channels]
    texture = None if maps.texture is None else maps.texture[rows]
    return PersonalMaps(
        tuple(maps.channels[row] for row in rows),
        maps.geometry[rows],
        texture,
        maps.bias[rows],
        maps.reach,
        maps.rest,
    )


def merged(parts: Sequence[PersonalMaps]) -> PersonalMaps:
    """Several sets of maps as one; those without texture get zeros beside those that have it."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return no_maps()
    seeing = next((part for part in parts if part.texture is not None), None)
    texture = None
    if seeing is not None:
        blank = np.zeros((0, N_TEXTURE), np.float32)
        texture = np.concatenate(
            [
                blank,
                *(
                    np.zeros((len(part), N_TEXTURE), np.float32)
                    if part.texture is None
                    else part.texture
                    for part in parts
                ),
            ]
        )
    return PersonalMaps(
        tuple(name for part in parts for name in part.channels),
        np.concatenate([part.geometry for part in parts]),
        texture,
        np.concatenate([part.bias for part in parts]),
        min(part.reach for part in parts) if seeing is not None else float("inf"),
        None if seeing is None else seeing.rest,
    )


def kernel_maps(maps: PersonalMaps, row_of: Mapping[str, int]) -> Personal:
    """Maps as the kernel takes them: for texture in bytes, channels side by side.

    Parameters
    ----------
    maps : PersonalMaps
    row_of : mapping of channel to its row of the result
    """
    texture, rest = maps.texture, maps.rest
    if texture is None or rest is None:
        texture, rest = np.zeros((len(maps), 0), np.float32), np.zeros(0, np.float32)
    return Personal(
        channels=np.array([row_of[name] for name in maps.channels], np.int64),
        geometry=np.ascontiguousarray(maps.geometry.T, np.float32),
        texture=np.ascontiguousarray(texture.T / np.float32(255.0), np.float32),
        bias=np.ascontiguousarray(maps.bias, np.float32),
        rest=np.ascontiguousarray(rest * np.float32(255.0), np.float32),
        reach=255.0 * min(maps.reach, 1e6),
    )


NO_MAPS: Final[KernelMaps] = (kernel_maps(no_maps(), {}), kernel_maps(no_maps(), {}))
"""For a performer of whom nothing was learned."""
