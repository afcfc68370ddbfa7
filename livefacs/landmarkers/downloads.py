"""Landmark models that are downloaded: which are known, where they lie, how they are fetched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from livefacs.errors import LandmarkerError
from livefacs.files.atomic import make_folder, replaced
from livefacs.files.hashes import hash_file
from livefacs.resources import user_models_folder

MODEL_VARIABLE: Final = "LIVEFACS_MODEL"
"""Environment variable with the path of the model to use where no option names one."""

_TIMEOUT_S: Final = 20.0
_CHUNK_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model in MediaPipe's public storage.

    Attributes
    ----------
    name, file_name, url, licence : str
    sha256 : str
        Hexadecimal; what is downloaded must match it.
    n_bytes : int
    """

    name: str
    file_name: str
    url: str
    sha256: str
    n_bytes: int
    licence: str


FACE_LANDMARKER: Final = KnownModel(
    name="face_landmarker",
    file_name="face_landmarker.task",
    url=(
        "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
        "float16/1/face_landmarker.task"
    ),
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    n_bytes=3_758_596,
    licence="Apache-2.0",
)
KNOWN_MODELS: Final = {FACE_LANDMARKER.name: FACE_LANDMARKER}


def find_model(path: Path | None = None) -> Path:
    """The model to use: ``path``, else ``$LIVEFACS_MODEL``, else the fetched one.

    Raises
    ------
    LandmarkerError
        There is no such file.
    """
    named = os.environ.get(MODEL_VARIABLE)
    if path is None and named:
        path = Path(named)
    if path is not None:
        if not path.is_file():
            raise LandmarkerError(f"no landmark model at {path}: expected a .task file")
        return path
    fetched = fetched_path(FACE_LANDMARKER)
    if not fetched.is_file():
        raise LandmarkerError(
            f"tasks: no landmark model at {fetched}; run `livefacs models fetch`, "
            "or give the path of a face_landmarker.task with --model"
        )
    return fetched


def fetched_path(model: KnownModel) -> Path:
    """Where a fetched model lies in the user's model folder."""
    return user_models_folder() / model.file_name


def is_genuine(path: Path, model: KnownModel) -> bool:
    """True where the file is there and has the model's checksum."""
    if not path.is_file():
        return False
    return hash_file(path) == model.sha256


def known_model(name: str) -> KnownModel:
    """A known model by name; ``LandmarkerError`` where it is none."""
    if name not in KNOWN_MODELS:
        raise LandmarkerError(f"no model {name!r}: expected {', '.join(KNOWN_MODELS)}")
    return KNOWN_MODELS[name]


def fetch_model(
    model: KnownModel,
    *,
    url: str | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Path:
    """Download a model into the user's model folder.

    The file appears under its name only when it is whole and its SHA-256 is right.

    Parameters
    ----------
    model : KnownModel
    url : str or None
        Another place with the same file: a mirror, or ``file://…``.
    on_progress : callable or None
        Told the number of bytes so far.

    Returns
    -------
    Path
        Where it lies now.

    Raises
    ------
    LandmarkerError
        No network, no such file there, a body that breaks off, a wrong checksum, no room.
    """
    target = fetched_path(model)
    try:
        make_folder(target.parent)
        with replaced(target) as unfinished, unfinished.open("wb") as part:
            _download(model, url or model.url, part, on_progress)
    except OSError as error:
        raise LandmarkerError(f"{target} cannot be written: {error.strerror or error}") from None
    return target


def _download(
    model: KnownModel, url: str, part: IO[bytes], on_progress: Callable[[int], None] | None
) -> None:
    digest = hashlib.sha256()
    n_bytes = 0
    for chunk in _chunks(url, model.n_bytes + _CHUNK_BYTES):
        part.write(chunk)
        digest.update(chunk)
        n_bytes += len(chunk)
        if on_progress is not None:
            on_progress(n_bytes)
    if n_bytes < model.n_bytes:
        raise LandmarkerError(
            f"{url} broke off after {n_bytes:,} of {model.n_bytes:,} bytes; nothing was kept, "
            "please try again"
        )
    if digest.hexdigest() != model.sha256:
        raise LandmarkerError(
            f"{url} is not the expected {model.file_name}: SHA-256 should be {model.sha256}, "
            f"is {digest.hexdigest()}; nothing was kept"
        )


def _chunks(url: str, n_most: int) -> Iterator[bytes]:
    """The body of a response, no more than ``n_most`` bytes; network errors in one sentence."""
    n_bytes = 0
    try:
        with urlopen(url, timeout=_TIMEOUT_S) as response:
            while n_bytes < n_most and (chunk := response.read(_CHUNK_BYTES)):
                n_bytes += len(chunk)
                yield chunk
    except HTTPError as error:
        error.close()
        raise LandmarkerError(
            f"{url} answered {error.code} {error.reason}; the model is not there"
        ) from None
    except ValueError as error:
        raise LandmarkerError(f"{url} is not an address: {error}") from None
    except (URLError, HTTPException, OSError) as error:
        raise LandmarkerError(
            f"{url} cannot be reached ({getattr(error, 'reason', None) or error}); is there a "
            f"network? Without one, copy the file to {user_models_folder()}"
        ) from None
