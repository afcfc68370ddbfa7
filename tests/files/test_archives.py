"""Archives of arrays: sizes are checked before they are unpacked, contents before use."""

from __future__ import annotations

import io
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefacs.files.archives import ArrayRule, array_errors, read_archive

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.arange(3)}
RULES = {
    "a": ArrayRule((2, "n"), low=0, high=5),
    "b": ArrayRule(("n",), "iu", 0, 10, lengths=(1, 4)),
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", **ARRAYS, rest=np.zeros((0, 4)), turned=ARRAYS["a"].T)
    read = read_archive(tmp_path / "a.npz", 10_000)
    assert set(read) == {"a", "b", "rest", "turned"}
    np.testing.assert_array_equal(read["turned"], ARRAYS["a"].T)
    assert read["rest"].shape == (0, 4)
    assert array_errors(read, RULES) == []
    assert set(read_archive(tmp_path / "a.npz", 10_000, frozenset("a"))) == {"a"}


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("a", np.zeros((3, 3)), "has shape"),
        ("a", np.zeros(6), "has shape"),
        ("a", np.zeros((2, 2)), "has shape"),
        ("a", np.full((2, 3), np.nan), "no number"),
        ("a", np.full((2, 3), np.inf), "infinite"),
        ("a", np.full((2, 3), -1.0), "goes from -1"),
        ("a", np.full((2, 3), "x"), "holds <U1"),
        ("a", np.zeros((2, 3), complex), "holds complex"),
        ("a", None, "is missing"),
        ("b", np.arange(3.0), "holds float64"),
        ("b", np.array([-32000, 0, 0]), "goes from -32000"),
        ("b", np.zeros(0, int), "has shape"),
    ],
)
def test_every_array_is_what_its_rule_says(name: str, array: Any, said: str) -> None:
    arrays = {**ARRAYS, name: array}
    if array is None:
        del arrays[name]
    errors = array_errors(arrays, RULES)
    assert any(error.startswith(name) and said in error for error in errors) or (
        name == "a" and any(said in error for error in errors)
    )


def test_empty_arrays_are_refused_where_lengths_only_agree() -> None:
    arrays = {"a": np.zeros((2, 0)), "b": np.zeros(0, int)}
    assert any("0 entries" in error for error in array_errors(arrays, RULES))


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


HOSTILE = {
    "no zip": b"nonsense",
    "a promise of gigabytes": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10**9,)}"),
    "a shape of another size": npy(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000,)}", b"12345678"
    ),
    "a negative shape": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", bytes(8)),
    "objects": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(8)),
    "no header": npy("(" * 5000),
    "another version": b"\x93NUMPY\x09\x00" + bytes(20),
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_states_a_wrong_size_is_refused_at_once(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", {"a.npy": HOSTILE[name]})
    with pytest.raises(ValueError):  # noqa: PT011 - NumPy's own words, each another
        read_archive(path, 1 << 20)


def test_a_bomb_is_refused_by_what_it_states(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(20 << 20, np.uint8))
    path = archive(tmp_path / "a.npz", {f"{i}.npy": buffer.getvalue() for i in range(8)})
    assert path.stat().st_size < 1 << 20
    began = time.process_time()
    with pytest.raises(ValueError, match="unpacks to 167,"):
        read_archive(path, 64 << 20)
    assert time.process_time() - began < 1.0


def test_damage_in_the_middle_is_told(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", a=np.random.default_rng(1).random(1000))
    whole = bytearray((tmp_path / "a.npz").read_bytes())
    for at in range(60, len(whole) - 200, 97):
        torn = bytearray(whole)
        torn[at] ^= 0xFF
        (tmp_path / "b.npz").write_bytes(torn)
        with pytest.raises(ValueError):  # noqa: PT011 - zlib's words, or the archive's
            read_archive(tmp_path / "b.npz", 1 << 20)
    assert zlib.crc32(whole)
