"""Archives of arrays (``.npz``) of unknown origin: sizes known before they are unpacked, contents
checked against a table before anything computes with them.
"""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.files.bounded_reading import open_own

Array = np.ndarray[Any, Any]
_SUFFIX: Final = ".npy"
_DAMAGE: Final = (  # what zipfile, zlib and NumPy's reader of headers raise on hostile bytes
    *(OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, KeyError, TypeError),
    *(NotImplementedError, OverflowError, SyntaxError, tokenize.TokenError, MemoryError),
)


@dataclass(frozen=True, slots=True)
class ArrayRule:
    """What an array has to be.

    Attributes
    ----------
    shape : tuple of int or str
        Numbers, or names of lengths that are the same wherever they stand.
    kinds : str
        Letters of ``dtype.kind``: ``f`` floating, ``iu`` whole numbers.
    low, high : float
        Bounds of every value, both included.
    may_be_nan : bool
        NaN is a value (unknown); infinity never is.
    lengths : tuple of int
        Least and most that a named length may be.
    """

    shape: tuple[int | str, ...]
    kinds: str = "f"
    low: float = -math.inf
    high: float = math.inf
    may_be_nan: bool = False
    lengths: tuple[int, int] = (1, 1 << 20)


def read_archive(path: Path, n_most: int, names: frozenset[str] | None = None) -> dict[str, Array]:
    """Arrays of an archive by name.

    Parameters
    ----------
    path : Path
    n_most : int
        Bytes of all of them together, unpacked; what the archive states is believed to be no less.
    names : frozenset of str or None
        Those that are wanted; others are not unpacked. None: every one.

    Raises
    ------
    FileNotFoundError
    ValueError
        No archive of arrays, damaged, or larger; the text says which.
    """
    try:
        with open_own(path.resolve()) as file, zipfile.ZipFile(file) as archive:
            members = {
                info.filename.removesuffix(_SUFFIX): info
                for info in archive.infolist()
                if names is None or info.filename.removesuffix(_SUFFIX) in names
            }
            total = sum(info.file_size for info in members.values())
            if total > n_most:
                raise ValueError(f"it unpacks to {total:,} bytes, expected at most {n_most:,}")
            return {name: _array(archive.read(info)) for name, info in members.items()}
    except FileNotFoundError:
        raise
    except _DAMAGE as error:
        raise ValueError(str(error) or type(error).__name__) from None


def _array(data: bytes) -> Array:
    """An array from the bytes of a ``.npy`` file; nothing is made larger than those."""
    file = io.BytesIO(data)
    npy: Any = np.lib.format  # typed in some releases of NumPy and not in others
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"an array of format {version}")
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError("an array of Python objects, which are never read")
    body = memoryview(data)[file.tell() :]
    if math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"an array of shape {shape} in {len(body)} bytes")
    array = np.frombuffer(body, dtype) if len(body) else np.zeros(0, dtype)
    return array.reshape(shape, order="F" if is_fortran else "C")


def array_errors(arrays: Mapping[str, Array], rules: Mapping[str, ArrayRule]) -> list[str]:
    """Everything that is wrong with arrays, a sentence each; empty where they are as the rules say.

    Parameters
    ----------
    arrays : by name; those without a rule are not looked at
    rules : by name; an array that is not there is an error
    """
    errors = []
    lengths: dict[str, int] = {}
    for name, rule in rules.items():
        array = arrays.get(name)
        if array is None:
            errors.append(f"{name} is missing")
            continue
        wrong = _shape_error(array, rule, lengths) or _value_error(array, rule)
        if wrong:
            errors.append(f"{name} {wrong}")
    return errors


def _shape_error(array: Array, rule: ArrayRule, lengths: dict[str, int]) -> str:
    expected = tuple(
        lengths.setdefault(size, array.shape[axis] if axis < array.ndim else 0)
        if isinstance(size, str)
        else size
        for axis, size in enumerate(rule.shape)
    )
    if array.shape != expected:
        return f"has shape {array.shape}, expected {rule.shape}"
    least, most = rule.lengths
    for size, actual in zip(rule.shape, array.shape, strict=True):
        if isinstance(size, str) and not least <= actual <= most:
            return f"has {actual} entries, expected {least} to {most}"
    if array.dtype.kind not in rule.kinds:
        return f"holds {array.dtype}, expected numbers of kind {rule.kinds!r}"
    return ""


def _value_error(array: Array, rule: ArrayRule) -> str:
    known = array[~np.isnan(array)] if array.dtype.kind == "f" else array
    if known.size < array.size and not rule.may_be_nan:
        return "holds values that are no number"
    if not known.size:
        return ""
    low, high = float(known.min()), float(known.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return "holds infinite values"
    if low < rule.low or high > rule.high:
        return f"goes from {low:g} to {high:g}, expected {rule.low:g} to {rule.high:g}"
    return ""
