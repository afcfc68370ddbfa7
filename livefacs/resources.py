"""Where files are: package data, rigs, configs, the user's folders. Never the working directory."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

_PACKAGE = Path(__file__).resolve().parent


def data_path(name: str) -> Path:
    """Path of a file that ships inside the package (``livefacs/data``)."""
    return _PACKAGE / "data" / name


def page_file(name: str) -> Path:
    """Path of a file of the pages that ship inside the package."""
    return _PACKAGE / "mirror" / "static" / name


def _shipped_folder(name: str) -> Path:
    """The installed copy first, the checkout's second: an editable install has only the latter."""
    installed = _PACKAGE / "data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def rigs_folder() -> Path:
    """Folder of the retargeting maps that ship with livefacs."""
    return _shipped_folder("rigs")


def configs_folder() -> Path:
    """Folder of the configurations that ship with livefacs."""
    return _shipped_folder("configs")


def user_data_folder() -> Path:
    """The user's livefacs folder (profiles, models, progress); ``LIVEFACS_HOME`` overrides it."""
    home = os.environ.get("LIVEFACS_HOME")
    return Path(home) if home else Path(platformdirs.user_data_dir("livefacs", appauthor=False))


def user_models_folder() -> Path:
    """Where ``livefacs models fetch`` puts landmark models."""
    return user_data_folder() / "models"


def user_profiles_folder() -> Path:
    """Where calibrated profiles of people are kept."""
    return user_data_folder() / "profiles"


def user_rigs_folder() -> Path:
    """Where a user's own retargeting maps are looked for by name."""
    return user_data_folder() / "rigs"


def cache_folder() -> Path:
    """Folder for what can be made again (compiled kernels); ``LIVEFACS_CACHE`` overrides it."""
    cache = os.environ.get("LIVEFACS_CACHE")
    return Path(cache) if cache else Path(platformdirs.user_cache_dir("livefacs", appauthor=False))


def scratch_beside(target: Path, purpose: str) -> Path:
    """A hidden name in a result's folder, for what is unfinished or only for a while.

    Short whatever the target is called, and the same from every process and machine.
    """
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()
    return target.with_name(f".livefacs-{digest[:16]}-{purpose}")


def scratch_of(target: Path, purpose: str) -> list[Path]:
    """What is there of such names; ``purpose`` may be a pattern."""
    return sorted(target.parent.glob(scratch_beside(target, purpose).name))
