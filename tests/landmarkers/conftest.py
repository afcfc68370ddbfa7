"""The model of the Tasks backend, where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from livefacs.landmarkers.downloads import MODEL_VARIABLE

BESIDE = Path(__file__).parents[2] / ".." / "shared" / "models" / "face_landmarker.task"


@pytest.fixture(scope="session")
def model() -> Path:
    """The model file; skips, saying so, where there is none."""
    path = Path(os.environ.get(MODEL_VARIABLE, BESIDE)).resolve()
    if not path.is_file():
        pytest.skip(f"no face_landmarker.task at ../shared/models or in ${MODEL_VARIABLE}")
    return path
