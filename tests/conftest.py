"""Fixtures that every part uses: the rendered faces beside the checkout, where they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from livefacs.au.estimator import Estimator

# A busy machine is no error of the code: what must be quick is measured in bench/.
settings.register_profile("livefacs", deadline=None)
settings.load_profile("livefacs")


def pytest_sessionstart() -> None:
    """Compile the kernels before the time limit of the first test that needs them runs."""
    Estimator().warm_up()


SHARED = Path(__file__).parents[1] / ".." / "shared"


@pytest.fixture(scope="session")
def facebench() -> Path:
    """Folder of the rendered faces; skips, saying so, where it is absent."""
    folder = (SHARED / "facebench").resolve()
    if not folder.is_dir():
        pytest.skip("the rendered faces (../shared/facebench) are not beside this checkout")
    return folder


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own profiles, models or progress."""
    monkeypatch.setenv("LIVEFACS_HOME", str(tmp_path_factory.mktemp("home")))
