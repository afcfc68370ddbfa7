"""Blender's own Python module, where it is installed.

``bpy`` fits one Python version only and brings its own NumPy needs, so it may stand in an
environment of its own: LIVEFACS_BLENDER_PYTHON names an interpreter that can import it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import PATIENCE_S


def run_in_blender(code: str, *words: Path | str) -> Any:
    """What the code prints after RESULT; it finds the words in ``sys.argv``. Skips without bpy."""
    done = subprocess.run(
        [_python(), "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    line = next((x for x in done.stdout.splitlines() if x.startswith("RESULT")), None)
    assert line is not None, done.stderr
    return json.loads(line.removeprefix("RESULT"))


def _python() -> str:
    if importlib.util.find_spec("bpy") is not None:
        return sys.executable
    named = os.environ.get("LIVEFACS_BLENDER_PYTHON", "")
    if not named:
        pytest.skip("Blender's Python module bpy is not installed")
    return named
