"""Fixtures that every part uses: the rendered faces beside the checkout, where they are."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

from livefacs.au.estimator import Estimator
from livefacs.landmarkers import open_landmarker
from livefacs.landmarkers.backends import has_litert
from livefacs.landmarkers.face_readers import with_readers
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.session.tracker import Tracker

# A busy machine is no error of the code: what must be quick is measured in bench/.
settings.register_profile("livefacs", deadline=None)
settings.load_profile("livefacs")


def pytest_sessionstart() -> None:
    """Compile the kernels before the time limit of the first test that needs them runs."""
    estimator = Estimator()
    estimator.warm_up()
    if has_litert():
        with closing(with_readers(open_landmarker("facemesh"), "all", estimator.model)) as finder:
            Tracker(finder, estimator, retargeters=[Retargeter(load_rig("arkit52"))]).neutral(0, 0)


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
