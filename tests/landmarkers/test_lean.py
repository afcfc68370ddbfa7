from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from livefacs.landmarkers.lean import plotting_left_out
with plotting_left_out():
    import mediapipe
assert "matplotlib" not in sys.modules, "stand-ins stayed behind"
import matplotlib
assert hasattr(matplotlib, "__version__"), "the real one does not load afterwards"
"""


def test_mediapipe_loads_without_plotting_and_plotting_loads_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stderr
