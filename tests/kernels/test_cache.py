"""Where compiled kernels are kept: pickles, which are code for whoever can write there."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from livefacs.kernels import _jit

pytestmark = pytest.mark.skipif(os.name == "nt", reason="owners and modes are POSIX's")


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's cache cannot be written; the temporary folder is one that others share."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(shared))
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIVEFACS_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(_jit.numba.config, "CACHE_DIR", _jit.numba.config.CACHE_DIR)


def predictable() -> Path:
    return Path(tempfile.gettempdir()) / f"livefacs-cache-{os.getuid()}"


def test_the_temporary_folder_is_used_only_as_the_users_own() -> None:
    folder = _jit._use_salted_cache()
    assert folder is not None
    assert folder.parent == predictable()
    for part in (folder, folder.parent):
        assert stat.S_IMODE(part.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "what", ["a link", "open to others", "somebody else's", "in an open folder"]
)
def test_what_another_has_put_there_is_not_used(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == "a link":
        (tmp_path / "planted").mkdir(mode=0o700)
        predictable().symlink_to(tmp_path / "planted")
    elif what == "open to others":
        predictable().mkdir()
        predictable().chmod(0o777)
    elif what == "somebody else's":
        predictable().mkdir(mode=0o700)
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    else:
        Path(tempfile.gettempdir()).chmod(0o777)
    assert _jit._use_salted_cache() is None
