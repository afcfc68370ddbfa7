"""TOML of unknown origin: each file read, or refused with its line, in a moment."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from livefacs.errors import RigMapError
from livefacs.files.toml import read_toml
from livefacs.resources import rigs_folder
from livefacs.retarget.library import load_map

HOSTILE = {
    "dotted keys": "x = 1\na" + ".a" * 30_000 + " = 1\n",
    "dotted keys with blanks": "a" + " . a" * 15_000 + " = 1\n",
    "dotted keys in a table": "x = {a" + ".a" * 30_000 + " = 1}\n",
    "a dotted header": "[a" + ".a" * 30_000 + "]\n",
    "quoted keys": '"a"' + '."a"' * 15_000 + " = 1\n",
    "quoted keys with marks": 'a."="."#"."["' * 5_000 + " = 1\n",
    "nested lists": "x = " + "[" * 30_000 + "]" * 30_000,
    "nested tables": "x = " + "{a=" * 10_000 + "1" + "}" * 10_000,
    "very large": "x = 1\n" * 300_000,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_take_minutes_is_refused_at_once(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(HOSTILE[name])
    began = time.process_time()
    file = read_toml(path)
    assert file.problems, "it was read"
    assert file.document == {}
    assert time.process_time() - began < 2.0
    assert "\n" not in str(file.problems[0])
    if name == "dotted keys":
        assert file.problems[0].line == 2


def test_many_dots_in_texts_and_numbers_are_none_in_names(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    dots = "." * 80
    path.write_text(
        f"# {dots}\na.b.c = '{dots}' # {dots}\nd = [{'0.5, ' * 500}]\n"
        f'e = """\n"{dots}\n"""\nf = "\\"{dots}"\n'
    )
    file = read_toml(path)
    assert file.problems == []
    assert file.document["f"] == f'"{dots}'


def test_every_map_that_ships_is_within_the_bounds() -> None:
    assert all(not read_toml(path).problems for path in rigs_folder().glob("*.toml"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("what", ["a pipe", "/dev/zero", "a folder"])
def test_a_map_that_cannot_be_read_at_once_is_refused(what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a folder":
        path.mkdir()
    else:
        path.symlink_to(what)
    (problem,) = read_toml(path).problems
    assert "cannot be read" in str(problem)
    with pytest.raises(RigMapError, match=r"a\.toml"):
        load_map(path)
