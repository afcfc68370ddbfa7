"""Maps from another tracker's shapes to Action Units: the other way round of a retargeting map."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from livefacs.arrays import F32
from livefacs.errors import RigMapError
from livefacs.files.toml import TomlFile, near, read_toml
from livefacs.resources import rigs_folder
from livefacs.vocab.controls import CONTROL_SETS, control_names
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU

PREFIX: Final = "from_"
"""How the names of these files begin; they are no rigs."""
_SIDES: Final = {"L": "Left", "R": "Right"}
_PLACEHOLDER: Final = "{side}"
_LARGEST: Final = 100.0
Weight = Annotated[float, Field(allow_inf_nan=False, ge=-_LARGEST, le=_LARGEST)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Header(_Table):
    title: Annotated[str, Field(min_length=1)]
    inputs: str
    notes: list[str] = []


class _Unit(_Table):
    terms: Annotated[dict[str, Weight], Field(min_length=1)]
    confidence: Annotated[float, Field(gt=0, le=1)] = 0.9


class _File(_Table):
    map: _Header
    units: Annotated[dict[str, _Unit], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class InverseMap:
    """Shapes to Action Units: ``weights @ shapes``, held within 0..1.

    Attributes
    ----------
    title : str
    inputs : tuple of str
        Names of the shapes, in the order of the columns.
    weights : (N_AU, n_inputs) float32
    confidence : (N_AU,) float32
        0 where a channel follows from no shape.
    digest : str
        SHA-256 of the file.
    """

    title: str
    inputs: tuple[str, ...]
    weights: F32
    confidence: F32
    digest: str

    def description(self) -> dict[str, Any]:
        """What a status tells of it."""
        return {"map": self.title, "sha256": self.digest[:12]}


def load_inverse(name_or_path: str | Path = "from_arkit52") -> InverseMap:
    """Read a map.

    Raises
    ------
    RigMapError
        No such file, or one with errors; holds all of them.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = rigs_folder() / f"{name_or_path}.toml"
    source = read_toml(path)
    file = None
    try:
        file = _File.model_validate(source.document)
    except ValidationError as error:
        if source.document or not source.problems:
            source.add_all(error.errors())
    made = None if file is None else _compiled(source, file)
    source.raise_problems("map", RigMapError)
    assert made is not None  # no problem, no reason to have none
    return made


def _compiled(source: TomlFile, file: _File) -> InverseMap:
    inputs: tuple[str, ...] = ()
    if file.map.inputs in CONTROL_SETS:
        inputs = control_names(file.map.inputs)
    else:
        source.add(("map", "inputs"), f"expected one of {', '.join(CONTROL_SETS)}")
    weights = np.zeros((N_AU, len(inputs)), np.float32)
    confidence = np.zeros(N_AU, np.float32)
    for key, unit in file.units.items():
        for channel, terms in _sides(key, unit.terms):
            if channel not in CHANNEL_INDEX:
                hint = near(channel, AU_CHANNELS)
                source.add(("units", key), f"expected a channel such as AU12_L{hint}")
                continue
            confidence[CHANNEL_INDEX[channel]] = unit.confidence
            for name, weight in terms.items():
                if name in inputs:
                    weights[CHANNEL_INDEX[channel], inputs.index(name)] = weight
                elif inputs:
                    words = f"{name!r} is no shape of {file.map.inputs}{near(name, inputs)}"
                    source.add(("units", key, "terms"), words)
    digest = hashlib.sha256(source.text.encode()).hexdigest()
    return InverseMap(file.map.title, inputs, weights, confidence, digest)


def _sides(key: str, terms: dict[str, float]) -> list[tuple[str, dict[str, float]]]:
    if _PLACEHOLDER not in key:
        return [(key, terms)]
    return [
        (
            key.replace(_PLACEHOLDER, side),
            {name.replace(_PLACEHOLDER, word): weight for name, weight in terms.items()},
        )
        for side, word in _SIDES.items()
    ]
