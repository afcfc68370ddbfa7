"""A profile as plain JSON values and back: every error of a file at once, two versions read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.au.estimator_model import N_FEATURES
from livefacs.au.examples import Examples
from livefacs.au.neutral import Neutral
from livefacs.au.personal import (
    Lesson,
    PersonalModel,
    TaughtAction,
    array_from_text,
    bytes_from_text,
    maps_from_plain,
    text_from_array,
    text_from_bytes,
)
from livefacs.au.regions import N_REGIONS
from livefacs.errors import ProfileError
from livefacs.files.hashes import hash_bytes
from livefacs.mesh import N_MESH
from livefacs.vocab.facs import AU_CHANNELS, N_AU
from livefacs.vocab.readings import N_BLENDSHAPES, N_PATCH_READINGS, N_PATCHES, N_TEXTURE

FORMAT: Final = "livefacs-profile"
VERSION: Final = 2
_SHAPES: Final = {"blendshapes": (N_BLENDSHAPES,), "patches": (N_PATCHES, N_PATCH_READINGS)}
_ABSENT: Final = np.zeros(0)
READ: Final = (1, 2)
"""Versions that are read; version 1 holds a neutral and maxima alone."""


def checksum(body: Mapping[str, Any]) -> str:
    """SHA-256 of everything in a profile but the checksum itself, in hex."""
    rest = {key: value for key, value in body.items() if key != "sha256"}
    return hash_bytes(json.dumps(rest, sort_keys=True).encode())


def check_frame(body: Any, where: str) -> None:
    """That this is a profile, of a version that is read, and undamaged.

    Raises
    ------
    ProfileError
    """
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise ProfileError(f"{where} is not a livefacs profile")
    if body.get("version") not in READ:
        raise ProfileError(
            f"profile {where} has version {body.get('version')}, this livefacs reads versions "
            f"{' and '.join(map(str, READ))}: calibrate again"
        )
    if body.get("sha256") != checksum(body):
        raise ProfileError(f"profile {where} is damaged (checksum differs): calibrate again")


class Fields:
    """Reads the fields of a body and gathers what is wrong with them."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = body
        self.errors: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._body

    def get(self, name: str, read: Callable[[Any], Any], default: Any = None) -> Any:
        """A field as ``read`` takes it; a default where it is absent and has one, or is wrong."""
        if name not in self._body:
            if default is None:
                self.errors.append(f"{name} is missing")
            return default
        try:
            return read(self._body[name])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            self.errors.append(f"{name}: {error or type(error).__name__}")
            return default


def neutral_from_body(fields: Fields) -> Neutral:
    """The neutral of either version."""
    shape = fields.get("neutral_shape", lambda v: _numbers(v, (N_MESH, 3)))
    angles = fields.get("neutral_angles_rad", lambda v: _numbers(v, (3,)))
    if shape is None or angles is None:
        return Neutral(np.zeros((N_MESH, 3)), np.zeros(3))
    known = {
        name: fields.get(f"neutral_{name}", partial(_readings, shape), _ABSENT)
        for name, shape in _SHAPES.items()
    }
    if "neutral_evidence" in fields:
        known["evidence"] = fields.get("neutral_evidence", _shares)
    return Neutral(
        shape, angles, **{k: v for k, v in known.items() if v is not None and v is not _ABSENT}
    )


def readings_to_plain(values: F64) -> list[Any]:
    """JSON values of what was read of the resting face; unknown ones are null."""
    return [None if value != value else round(value, 6) for value in values.ravel().tolist()]


def _readings(shape: tuple[int, ...], value: Any) -> F64:
    flat = np.array([np.nan if each is None else float(each) for each in value], np.float64)
    if np.isinf(flat).any():
        raise ValueError("a number is not finite")
    return flat.reshape(shape)


def _numbers(value: Any, shape: tuple[int, ...]) -> Any:
    numbers = np.array(value, np.float64)
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise ValueError(f"expected finite numbers of shape {shape}, got shape {numbers.shape}")
    return numbers


def _shares(value: Any) -> Any:
    numbers = _numbers(value, (N_REGIONS,))
    if numbers.min() < 0.0 or numbers.max() > 1.0:
        raise ValueError("expected numbers from 0 to 1")
    return numbers


def maxima_from_body(value: Any) -> dict[str, float]:
    """Maxima by channel."""
    unknown = [name for name in value if name not in AU_CHANNELS]
    if unknown:
        raise ValueError(f"unknown channel {', '.join(unknown)}")
    return {str(name): float(number) for name, number in value.items()}


def model_to_plain(model: PersonalModel | None) -> dict[str, Any] | None:
    """JSON values of a personal model."""
    if model is None:
        return None
    return {
        "with_image": model.with_image.plain(),
        "without_image": model.without_image.plain(),
        "lessons": [_plain_numbers(asdict(lesson)) for lesson in model.lessons],
    }


def model_from_plain(value: Any) -> PersonalModel | None:
    """The personal model of a body."""
    if value is None:
        return None
    lessons = tuple(Lesson(**_with_nan(each)) for each in value["lessons"])
    return PersonalModel(
        maps_from_plain(value["with_image"]), maps_from_plain(value["without_image"]), lessons
    )


def taught_to_plain(actions: tuple[TaughtAction, ...]) -> list[dict[str, Any]]:
    """JSON values of taught actions."""
    return [
        {**_plain_numbers(asdict(action)), "intruders": dict(action.intruders)}
        for action in actions
    ]


def taught_from_plain(value: Any) -> tuple[TaughtAction, ...]:
    """The taught actions of a body."""
    return tuple(TaughtAction(**_with_nan(each)) for each in value)


def examples_to_plain(examples: Examples | None) -> dict[str, Any] | None:
    """JSON values of examples."""
    if examples is None:
        return None
    texture = examples.texture
    return {
        "prompts": [list(channels) for channels in examples.prompts],
        "features": text_from_array(examples.features),
        "texture": None if texture is None else text_from_bytes(texture),
        "values": text_from_array(examples.values),
        "strength": text_from_array(examples.strength),
        "weight": text_from_array(examples.weight),
        "prompt": examples.prompt.tolist(),
        "repetition": examples.repetition.tolist(),
    }


def examples_from_plain(value: Any) -> Examples | None:
    """The examples of a body."""
    if value is None:
        return None
    n = len(value["prompt"])

    def array(name: str, *shape: int) -> F32:
        return array_from_text(value[name], (n, *shape))

    texture = value["texture"]
    return Examples(
        tuple(tuple(str(name) for name in channels) for channels in value["prompts"]),
        array("features", N_FEATURES),
        None if texture is None else bytes_from_text(texture, (n, N_TEXTURE)),
        array("values", N_AU),
        array("strength"),
        array("weight"),
        np.array(value["prompt"], np.int64).reshape(n),
        np.array(value["repetition"], np.int64).reshape(n),
    )


def _plain_numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without NaN, which JSON has not; floats in six digits."""
    return {
        key: (None if value != value else round(value, 6)) if isinstance(value, float) else value
        for key, value in values.items()
    }


def _with_nan(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: float("nan") if value is None else value for key, value in values.items()}
