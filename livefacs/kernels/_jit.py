"""The only module that names numba. Compiled code is kept in a folder named after the sources.

Numba's file cache watches the file of the cached function only: after a change in another kernel
that it calls, stale machine code would be served. The cache folder therefore carries a hash of
every file in this package, so that any change starts a fresh one.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from livefacs.resources import cache_folder

_Function = TypeVar("_Function", bound=Callable[..., Any])


def source_hash() -> str:
    """Twelve hex digits over the sources of all kernels and the numba version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _use_salted_cache() -> Path:
    name = f"numba-{source_hash()}"
    for root in (cache_folder(), Path(tempfile.gettempdir()) / "livefacs-cache"):
        folder = root / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError:
            continue
        numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]  # set at run time
        return folder
    raise OSError("no folder for compiled kernels can be written; set LIVEFACS_CACHE to one")


CACHE_FOLDER = _use_salted_cache()

_compile = numba.njit(cache=True, nogil=True, error_model="numpy")


def kernel(function: _Function) -> _Function:
    """Compile a function: cached on disk, without the interpreter lock, IEEE arithmetic.

    No ``fastmath`` (NaN means unknown here) and no ``parallel`` (a frame is too little work).
    """
    return cast("_Function", _compile(function))


def is_compiled() -> bool:
    """True where an earlier run left the whole chain of these sources compiled."""
    last = "step.step-*.nbi", "facemesh.refine_mesh-*.nbi"
    return all(any(CACHE_FOLDER.rglob(pattern)) for pattern in last)


def signature_count(function: Callable[..., Any]) -> int:
    """How many variants of a kernel have been compiled; a live run must end with one."""
    return len(function.signatures)  # type: ignore[attr-defined]  # numba's dispatcher


def numba_version() -> str:
    """Version of numba, for reports."""
    return str(numba.__version__)
