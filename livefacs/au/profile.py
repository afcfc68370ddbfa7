"""A person's profile: neutral face and range of motion, in a versioned JSON file."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F64
from livefacs.au.examples import Examples
from livefacs.au.neutral import Neutral
from livefacs.au.personal import (
    KernelMaps,
    PersonalMaps,
    PersonalModel,
    TaughtAction,
    kernel_maps,
    maps_from_plain,
    merged,
)
from livefacs.au.profile_body import (
    FORMAT,
    VERSION,
    Fields,
    check_frame,
    checksum,
    examples_from_plain,
    examples_to_plain,
    maxima_from_body,
    model_from_plain,
    model_to_plain,
    neutral_from_body,
    readings_to_plain,
    taught_from_plain,
    taught_to_plain,
)
from livefacs.au.setting import Setting, setting_from_plain
from livefacs.errors import ProfileError
from livefacs.files.atomic import make_folder, write_bytes, write_text
from livefacs.files.bounded_reading import read_text
from livefacs.mesh import is_same_mesh
from livefacs.resources import user_profiles_folder
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX

_MOST_BYTES: Final = 64 << 20  # a face and some hundred condensed examples are a megabyte
GAIN_LIMITS: Final = (0.5, 3.0)
"""A personal maximum outside these bounds is a failed capture, not a person."""


@dataclass(frozen=True)
class Profile:
    """One person's neutral, maxima and personal model.

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
    weights : str
        Digest of the estimator weights that the personal model was learned over.
    personal : PersonalModel or None
    taught : tuple of TaughtAction
    taught_maps : (with image, without image) or None
        Maps of the taught channels.
    examples : Examples or None
        Condensed frames of what was shown on request: later prompts are learned against them.
    setting : Setting
        Light and framing of the resting face.
    """

    name: str
    backend: str
    neutral: Neutral
    maxima: dict[str, float] = field(default_factory=dict)
    created: str = ""
    weights: str = ""
    personal: PersonalModel | None = None
    taught: tuple[TaughtAction, ...] = ()
    taught_maps: tuple[PersonalMaps, PersonalMaps] | None = None
    examples: Examples | None = None
    setting: Setting = field(default_factory=Setting)

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel of an estimate with this profile: those of FACS, then the taught ones."""
        return (*AU_CHANNELS, *(action.channel for action in self.taught))

    @property
    def is_open_to_rest(self) -> bool:
        """True where the neutral is of a few glimpses, which the rest that is found completes.

        Not where maps were learned over it.
        """
        has_maps = bool(self.personal and self.personal.learned) or bool(self.taught)
        return not has_maps and bool(self.neutral.evidence.min() < 1.0)

    def kernel_maps(self) -> KernelMaps:
        """Personal and taught maps as the kernel takes them."""
        row_of = {name: row for row, name in enumerate(self.channels)}
        sides = []
        for side in (0, 1):
            parts = []
            if self.personal is not None:
                parts.append((self.personal.with_image, self.personal.without_image)[side])
            if self.taught_maps is not None:
                parts.append(self.taught_maps[side])
            sides.append(kernel_maps(merged(parts), row_of))
        return sides[0], sides[1]

    def gain_array(self) -> F64:
        """(n,) float64 that bring each measured maximum to 1; 1 where none was measured."""
        gains = np.ones(len(self.channels))
        for channel, maximum in self.maxima.items():
            gains[CHANNEL_INDEX[channel]] = float(np.clip(1.0 / max(maximum, 1e-6), *GAIN_LIMITS))
        return gains

    @property
    def digest(self) -> str:
        """First 12 digits of the SHA-256 of what the file holds, to know the profile again."""
        return checksum(_body(self))[:12]


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


def check_can_save(path: Path) -> None:
    """Find out that a profile can be kept before three minutes are spent on it.

    Raises
    ------
    ProfileError
        Its folder cannot be made or written, or what stands there is no file.
    """
    try:
        make_folder(path.parent)
        if path.exists() and not path.is_file():
            raise IsADirectoryError(21, "it is no file")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ProfileError(
            f"profile {path} cannot be written: {error.strerror or error}; name another place"
        ) from error


def rename_profile(name: str, new: str, folder: Path | None = None) -> Path:
    """Give a profile another name; its new path.

    Raises
    ------
    ProfileError
        There is none of that name, it is damaged, or the new name is taken.
    """
    profile = load_profile(name, folder=folder)
    path, target = profile_path(name, folder), profile_path(new, folder)
    if target.exists():
        raise ProfileError(f"there is a profile {target} already: choose another name")
    save_profile(replace(profile, name=target.stem), target)
    remove_profile(name, folder)
    return target if path != target else path


def remove_profile(name: str, folder: Path | None = None) -> tuple[Path, ...]:
    """Delete a profile and the version kept beside it; the paths that were there.

    Raises
    ------
    ProfileError
        There is none, or it cannot be deleted.
    """
    path = profile_path(name, folder)
    gone = tuple(each for each in (path, path.with_suffix(".json.bak")) if each.exists())
    if path not in gone:
        known = ", ".join(profile_names(folder)) or "none"
        raise ProfileError(f"no profile at {path}; profiles: {known}")
    try:
        for each in gone:
            each.unlink()
    except OSError as error:
        raise ProfileError(f"profile {path} cannot be removed: {error.strerror}") from error
    return gone


def save_profile(profile: Profile, path: Path) -> None:
    """Write a profile; an older one of that name is kept beside it with the ending ``.bak``.

    At any moment the old profile or the new one stands there, whole. Only the user may read it.

    Raises
    ------
    ProfileError
        It cannot be written.
    """
    body = _body(profile)
    body["sha256"] = checksum(body)
    try:
        make_folder(path.parent)
        if path.exists():
            write_bytes(path.with_suffix(".json.bak"), path.read_bytes(), private=True)
        write_text(path, json.dumps(body) + "\n", private=True)
    except OSError as error:
        raise ProfileError(
            f"profile {path} cannot be written: {error.strerror or error}; name another place"
        ) from error


def save_aside(profile: Profile, path: Path) -> Path:
    """Keep in the temporary folder what could not be saved at its place; where it is then.

    Raises
    ------
    ProfileError
        Not even there.
    """
    aside = Path(tempfile.mkdtemp(prefix="livefacs-")) / path.name
    save_profile(profile, aside)
    return aside


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
        body = json.loads(read_text(path, _MOST_BYTES, follow=True))
    except FileNotFoundError:
        known = ", ".join(profile_names(folder)) or "none yet"
        raise ProfileError(
            f"no profile at {path}; profiles: {known}. `livefacs calibrate {name}` makes one"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProfileError(f"profile {path} is damaged ({reason}); calibrate again") from None
    profile = _profile_of(body, str(path))
    if backend is not None and not is_same_mesh(profile.backend, backend):
        option = profile.backend.partition("-")[0]
        raise ProfileError(
            f"profile {path} was calibrated with the {profile.backend} landmarks, this session "
            f"uses {backend}: calibrate again, or choose --landmarker {option}"
        )
    return profile


def _body(profile: Profile) -> dict[str, Any]:
    evidence = profile.neutral.evidence
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": profile.name,
        "backend": profile.backend,
        "created": profile.created,
        "weights": profile.weights,
        "maxima": {name: round(value, 5) for name, value in sorted(profile.maxima.items())},
        "neutral_angles_rad": np.round(profile.neutral.angles_rad, 6).tolist(),
        "neutral_shape": np.round(profile.neutral.shape, 6).tolist(),
        "neutral_blendshapes": readings_to_plain(profile.neutral.blendshapes),
        "neutral_patches": readings_to_plain(profile.neutral.patches),
        **({"neutral_evidence": evidence.tolist()} if evidence.min() < 1.0 else {}),
        "personal": model_to_plain(profile.personal),
        "taught": taught_to_plain(profile.taught),
        "taught_maps": None
        if profile.taught_maps is None
        else [maps.plain() for maps in profile.taught_maps],
        "examples": examples_to_plain(profile.examples),
        "setting": profile.setting.plain(),
    }


def _profile_of(body: dict[str, Any], where: str) -> Profile:
    """Raises ``ProfileError`` with everything that is wrong."""
    check_frame(body, where)
    fields = Fields(body)
    optional: dict[str, Any] = {}
    if body["version"] > 1:
        optional = {
            "weights": fields.get("weights", str, ""),
            "personal": fields.get("personal", model_from_plain),
            "taught": fields.get("taught", taught_from_plain, ()),
            "taught_maps": fields.get("taught_maps", _maps_pair),
            "examples": fields.get("examples", examples_from_plain),
            "setting": fields.get("setting", setting_from_plain, Setting()),
        }
    profile = Profile(
        fields.get("name", str, ""),
        fields.get("backend", str, ""),
        neutral_from_body(fields),
        fields.get("maxima", maxima_from_body, {}),
        fields.get("created", str, ""),
        **optional,
    )
    if fields.errors:
        raise ProfileError(f"profile {where} cannot be used", fields.errors)
    return profile


def _maps_pair(value: Any) -> tuple[PersonalMaps, PersonalMaps] | None:
    if value is None:
        return None
    with_image, without_image = value
    return maps_from_plain(with_image), maps_from_plain(without_image)
