"""What a live run loads: a library that it does not need is memory and time of every start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.waiting import PATIENCE_S

LIVE = """
import sys
from livefacs.config import load_options
from livefacs.kernels import _jit
from livefacs.session.composition import open_session
from numba.core.runtime import rtsys
with open_session(load_options(None, {"source": {"spec": "demo"}, "seconds": 0.3,
        "stream": {"to": ("osc://127.0.0.1:9?rig=arkit52",)}})) as session:
    session.run()
unneeded = "cv2", "scipy.linalg", "scipy.optimize", "starlette", "matplotlib"
print("LOADED", [name for name in unneeded if name in sys.modules])
is_late = isinstance(rtsys._library, _jit._LateLibrary)
print("COMPILED", not is_late or "library" in vars(rtsys._library))
"""

COMPILING = """
import numba, numpy as np
from livefacs.kernels import _jit
from numba.core.runtime import rtsys
tens = numba.njit(lambda n: np.full(n, 10.0) * 2)
print("SUM", tens(3).sum(), "library" in vars(rtsys._library))
"""


def output_of(script: str, timeout_s: float = PATIENCE_S) -> str:
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=True,
    ).stdout


@pytest.mark.timeout(12 * PATIENCE_S)
def test_a_clip_is_tracked_without_opencv_scipy_and_llvm_s_passes() -> None:
    output_of(LIVE, 10 * PATIENCE_S)  # kernels that are not in the cache are compiled here
    warm = output_of(LIVE)
    assert "LOADED []" in warm
    assert "COMPILED False" in warm


def test_numba_s_memory_functions_are_there_where_something_is_compiled() -> None:
    assert "SUM 60.0 True" in output_of(COMPILING)
