"""The networks that ship with livefacs: where their files lie, and whether they are whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from livefacs.errors import LandmarkerError
from livefacs.files.hashes import hash_bytes
from livefacs.resources import cache_folder, data_path

_AGAIN: Final = "install livefacs again, or run `python tools/gather_models.py` in a checkout"


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """A network of the package.

    Attributes
    ----------
    name, file_name, licence : str
    sha256 : str
        Hexadecimal.
    n_bytes : int
    """

    name: str
    file_name: str
    sha256: str
    n_bytes: int
    licence: str


@cache
def shipped_models() -> dict[str, ShippedModel]:
    """Every network of the package by its name, from ``data/models.json``."""
    document = json.loads(data_path("models.json").read_text(encoding="utf-8"))
    return {
        entry["name"]: ShippedModel(
            entry["name"], entry["file"], entry["sha256"], entry["bytes"], entry["licence"]
        )
        for entry in document["models"]
    }


def find_weights(name: str) -> Path:
    """Where a network's file lies; it is not read.

    Looked for in the package, then in the user's cache, where a build keeps its downloads: a
    checkout that is not installed runs with those.

    Raises
    ------
    LandmarkerError
        There is no such file.
    """
    file_name = shipped_models()[name].file_name
    places = [folder / file_name for folder in (data_path("models"), cache_folder() / "models")]
    for path in places:
        if path.is_file():
            return path
    raise LandmarkerError(f"no network at {places[0]} nor at {places[1]}: {_AGAIN}")


def read_weights(name: str) -> bytes:
    """The content of a network's file, its checksum checked.

    Raises
    ------
    LandmarkerError
        There is no such file, it cannot be read, or it is another one.
    """
    path, model = find_weights(name), shipped_models()[name]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LandmarkerError(f"{path} cannot be read ({error.strerror}): {_AGAIN}") from None
    if len(content) != model.n_bytes:
        raise LandmarkerError(
            f"{path} is damaged: expected {model.n_bytes:,} bytes, found {len(content):,}; {_AGAIN}"
        )
    found = hash_bytes(content)
    if found != model.sha256:
        raise LandmarkerError(
            f"{path} is not the network {model.name}: SHA-256 should be {model.sha256}, "
            f"is {found}; {_AGAIN}"
        )
    return content
