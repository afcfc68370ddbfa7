"""The only module that names numba. Compiled code is kept in a folder named after the sources.

Numba's file cache watches the file of the cached function only: after a change in another kernel
that it calls, stale machine code would be served. The cache folder therefore carries a hash of
every file in this package, so that any change starts a fresh one.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.runtime import nrtdynmod as numba_memory
from numba.extending import intrinsic
from numba.np import linalg as numba_linalg

from livefacs.arrays import U8
from livefacs.files.atomic import create
from livefacs.files.private import make_private_folder
from livefacs.resources import cache_folder

_Function = TypeVar("_Function", bound=Callable[..., Any])


def source_hash() -> str:
    """Twelve hex digits over the sources of all kernels and the numba version."""
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _use_salted_cache() -> Path | None:
    """The folder for compiled kernels; None where there is none that only the user can write.

    Numba keeps pickles there, and whoever can put one in runs code in this process: the folder is
    the user's own or it is not used, below the shared temporary folder above all.
    """
    name = f"numba-{source_hash()}"
    own_temporary = Path(tempfile.gettempdir()) / f"livefacs-cache-{_user()}"
    for root in (cache_folder(), own_temporary):
        folder = root / name
        try:
            if root == own_temporary:
                make_private_folder(root)
            make_private_folder(folder)
            probe = folder / f".probe-{os.getpid()}"
            os.close(create(probe))
            probe.unlink()
        except OSError:
            continue
        numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]  # set at run time
        return folder
    logging.getLogger(__name__).warning(
        "no folder for compiled kernels is the user's own: they are compiled at every start;"
        " set LIVEFACS_CACHE to one"
    )
    return None


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


def _keep_scipy_out() -> None:
    """Spare a start numba's look for SciPy's BLAS: a tenth of a second, eight megabytes.

    Numba wants to know whether matrix products can be compiled. They can, SciPy is one of our
    dependencies; numba loads it when one is, and no kernel here has any.
    """
    looked_up = getattr(numba_linalg, "ensure_blas", None)
    if looked_up is None:
        return
    numba_linalg.ensure_blas = lambda: None
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        numba_linalg.ensure_blas = looked_up


class _LateLibrary:
    """Numba's memory functions, compiled when they are first asked for."""

    def __init__(self, compile_it: Callable[[Any], Any], context: Any) -> None:
        self._compile_it = compile_it
        self._context = context

    def __getattr__(self, name: str) -> Any:
        if name == "library":
            self.library = self._compile_it(self._context)
            return self.library
        return getattr(self.library, name)


def _compile_memory_functions_late() -> None:
    """Spare a start what only compiling needs: a twentieth of a second, thirty megabytes.

    Numba compiles its memory functions before any kernel is there, and links them into what it
    compiles. Kernels from the cache hold them already, so that LLVM's passes need not be loaded.
    """
    at_once = getattr(numba_memory, "compile_nrt_functions", None)
    if at_once is not None:
        numba_memory.compile_nrt_functions = lambda context: _LateLibrary(at_once, context)


_keep_scipy_out()
_compile_memory_functions_late()
CACHE_FOLDER = _use_salted_cache()

_compile = numba.njit(cache=CACHE_FOLDER is not None, nogil=True, error_model="numpy")


def kernel(function: _Function) -> _Function:
    """Compile a function: cached on disk where it can be, no interpreter lock, IEEE arithmetic.

    No ``fastmath`` (NaN means unknown here) and no ``parallel`` (a frame is too little work).
    """
    return cast("_Function", _compile(function))


def _four_bytes(_context: Any, levels: Any, _i: Any) -> Any:
    """Four neighbouring bytes of a flat uint8 array from place ``i`` on, as one uint32.

    One load where reading them one by one takes four. The first byte is the lowest on every
    processor that numba compiles for. ``i`` must not be negative, and i + 3 must be in the array.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        word = builder.load(builder.bitcast(place, ir.IntType(32).as_pointer()))
        word.align = 1
        return word

    return types.uint32(levels, types.int64), generate


four_bytes = cast("Callable[[U8, Any], np.uint32]", intrinsic(_four_bytes))


def is_compiled() -> bool:
    """True where an earlier run left the whole chain of these sources compiled."""
    last = "step.step-*.nbi", "facemesh.refine_mesh-*.nbi", "*.read_face-*.nbi"
    return CACHE_FOLDER is not None and all(any(CACHE_FOLDER.rglob(pattern)) for pattern in last)


def signature_count(function: Callable[..., Any]) -> int:
    """How many variants of a kernel have been compiled; a live run must end with one."""
    return len(function.signatures)  # type: ignore[attr-defined]  # numba's dispatcher


def numba_version() -> str:
    """Version of numba, for reports."""
    return str(numba.__version__)
