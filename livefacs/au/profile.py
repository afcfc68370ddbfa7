"""A person's profile: neutral face and range of motion, in a versioned JSON file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F64
from livefacs.au.neutral import Neutral
from livefacs.errors import ProfileError
from livefacs.files.atomic import make_folder, write_bytes, write_text
from livefacs.files.hashes import hash_bytes
from livefacs.mesh import N_MESH, is_same_mesh
from livefacs.resources import user_profiles_folder
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU

FORMAT: Final = "livefacs-profile"
VERSION: Final = 1
GAIN_LIMITS: Final = (0.5, 3.0)
"""A personal maximum outside these bounds is a failed capture, not a person."""


@dataclass(frozen=True)
class Profile:
    """One person's neutral and maxima.

    Attributes
    ----------
    name : str
    backend : str
        Landmark backend the neutral was measured with: meshes of two backends differ.
    neutral : Neutral
    maxima : dict
        Strongest intensity that the person produced, by channel, on the uncalibrated scale.
    created : str
        UTC, ISO 8601.
    """

    name: str
    backend: str
    neutral: Neutral
    maxima: dict[str, float] = field(default_factory=dict)
    created: str = ""

    def gain_array(self) -> F64:
        """(N_AU,) float64 that bring each measured maximum to 1; 1 where none was measured."""
        gains = np.ones(N_AU)
        for channel, maximum in self.maxima.items():
            gains[CHANNEL_INDEX[channel]] = float(np.clip(1.0 / max(maximum, 1e-6), *GAIN_LIMITS))
        return gains

    @property
    def digest(self) -> str:
        """First 12 digits of the SHA-256 of what the file holds, to know the profile again."""
        return _checksum(_body(self))[:12]

    def has_maximum(self, channel: str) -> bool:
        """True where the person's own maximum is known, so that letters are not provisional."""
        return channel in self.maxima


def profile_path(name: str, folder: Path | None = None) -> Path:
    """Path of a profile: a name stands in the user's folder, anything with a suffix is a path."""
    if name.endswith(".json"):
        return Path(name)
    if not re.fullmatch(r"[\w][\w .-]*", name):
        raise ProfileError(f"{name!r} is no profile name: use letters, digits, space, - and _")
    return (folder or user_profiles_folder()) / f"{name}.json"


def profile_names(folder: Path | None = None) -> list[str]:
    """Names of the profiles in the user's folder."""
    root = folder or user_profiles_folder()
    return sorted(path.stem for path in root.glob("*.json")) if root.is_dir() else []


def save_profile(profile: Profile, path: Path) -> None:
    """Write a profile; an older one of that name is kept beside it with the ending ``.bak``.

    At any moment the old profile or the new one stands there, whole. Only the user may read it.

    Raises
    ------
    ProfileError
        It cannot be written.
    """
    body = _body(profile)
    body["sha256"] = _checksum(body)
    try:
        make_folder(path.parent)
        if path.exists():
            write_bytes(path.with_suffix(".json.bak"), path.read_bytes(), private=True)
        write_text(path, json.dumps(body) + "\n", private=True)
    except OSError as error:
        raise ProfileError(
            f"profile {path} cannot be written: {error.strerror or error}; name another place"
        ) from error


def load_profile(name: str, backend: str | None = None, folder: Path | None = None) -> Profile:
    """Read a profile by name or path.

    Parameters
    ----------
    name : str
        Name in the user's folder, or a path that ends in ``.json``.
    backend : str or None
        Landmark backend in use; a profile of another one is refused.

    Raises
    ------
    ProfileError
        Absent, damaged, of another version, or made with another backend.
    """
    path = profile_path(name, folder)
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(profile_names(folder)) or "none yet"
        raise ProfileError(
            f"no profile at {path}; profiles: {known}. `livefacs calibrate {name}` makes one"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ProfileError(f"profile {path} is damaged ({error}); calibrate again") from None
    _check(body, path)
    if backend is not None and not is_same_mesh(body["backend"], backend):
        option = body["backend"].partition("-")[0]
        raise ProfileError(
            f"profile {path} was calibrated with the {body['backend']} landmarks, this session "
            f"uses {backend}: calibrate again, or choose --landmarker {option}"
        )
    neutral = Neutral(
        np.array(body["neutral_shape"], np.float64), np.array(body["neutral_angles_rad"], float)
    )
    return Profile(body["name"], body["backend"], neutral, body["maxima"], body["created"])


def _body(profile: Profile) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": profile.name,
        "backend": profile.backend,
        "created": profile.created,
        "maxima": {name: round(value, 5) for name, value in sorted(profile.maxima.items())},
        "neutral_angles_rad": np.round(profile.neutral.angles_rad, 6).tolist(),
        "neutral_shape": np.round(profile.neutral.shape, 6).tolist(),
    }


def _checksum(body: dict[str, Any]) -> str:
    rest = {key: value for key, value in body.items() if key != "sha256"}
    return hash_bytes(json.dumps(rest, sort_keys=True).encode())


def _check(body: Any, path: Path) -> None:
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise ProfileError(f"{path} is not a livefacs profile")
    if body.get("version") != VERSION:
        raise ProfileError(
            f"profile {path} has version {body.get('version')}, this livefacs reads version "
            f"{VERSION}: calibrate again"
        )
    if body.get("sha256") != _checksum(body):
        raise ProfileError(f"profile {path} is damaged (checksum differs): calibrate again")
    faults = [f"unknown channel {name}" for name in body["maxima"] if name not in AU_CHANNELS]
    if np.shape(body["neutral_shape"]) != (N_MESH, 3):
        faults.append(f"the neutral has shape {np.shape(body['neutral_shape'])}")
    if faults:
        raise ProfileError(f"profile {path} cannot be used", faults)
