"""TOML of users: where each problem stands, and what close names there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefacs.errors import ConfigError
from livefacs.files.toml import KeyLines, format_place, near, read_toml
from livefacs.resources import configs_folder, data_path, rigs_folder


@given(text=st.text(max_size=200))
def test_line_finder_takes_any_text(text: str) -> None:
    lines = KeyLines(text)
    assert 0 <= lines.line_of(("rig", "title")) <= max(len(text.splitlines()), 1)


def test_line_finder_knows_tables_dotted_keys_lists_and_long_values() -> None:
    text = (
        '# c\n[a]\nb.c = 1\nd = [\n  [1, 2],\n  [3]\n]\ne = """\n[x]\n"""\n[q."r s"]\nt = 2\n'
        '[[drill]]\nname = "x"\n\n[[drill]]  # two\nname = "y"\nterms = { p = 1, q = 2 }\n'
    )
    lines = KeyLines(text)
    assert lines.line_of(("a", "b", "c")) == 3
    assert lines.line_of(("a", "d")) == 4
    assert lines.line_of(("a", "e")) == 8
    assert lines.line_of(("q", "r s", "t")) == 12
    assert lines.line_of(("q", "r s", "missing")) == 11
    assert lines.line_of(("drill", 1, "name")) == 17
    assert lines.line_of(("drill", 1, "missing")) == 16
    assert lines.line_of(("drill", 1, "terms", "q")) == 18


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in (rigs_folder(), configs_folder(), data_path("drills"), data_path("packs"))
        for path in sorted(folder.rglob("*.toml"))
    ],
    ids=lambda path: path.stem,
)
def test_every_key_of_the_shipped_files_is_found_on_its_line(path: Path) -> None:
    file = read_toml(path)
    assert not file.problems
    text = file.text.splitlines()
    for place, name in keys_of(file.document):
        assert name in text[file.line_of(place) - 1]


def keys_of(value: object, above: tuple[str | int, ...] = ()) -> list[tuple[tuple, str]]:
    if isinstance(value, dict):
        own = [((*above, key), key) for key in value if not is_only_path(value[key])]
        return own + [found for key in value for found in keys_of(value[key], (*above, key))]
    if isinstance(value, list):
        return [found for i, item in enumerate(value) for found in keys_of(item, (*above, i))]
    return []


def is_only_path(value: object) -> bool:
    """A table that has no line of its own: only tables below it have."""
    return isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())


def test_what_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    for name, contents, words in (
        ("noise", b"\xff\xfe\x00", "noise.toml: cannot be read"),
        ("broken", b"a = 1\nb = = 2\n", "broken.toml:2: not TOML"),
    ):
        path = tmp_path / f"{name}.toml"
        path.write_bytes(contents)
        with pytest.raises(ConfigError, match="has 1 error") as caught:
            read_toml(path).raise_problems("test file")
        assert words in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_toml(tmp_path / "absent.toml").raise_problems("test file")


def test_problems_are_told_in_the_order_of_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "some.toml"
    path.write_text("a = 1\nb = 2\nc = 3\n")
    file = read_toml(path)
    for key in "cab":
        file.add((key,), "is wrong")
    file.add(("a",), "is wrong")  # once more
    with pytest.raises(ConfigError, match="has 3 errors") as caught:
        file.raise_problems("test file")
    assert caught.value.errors == tuple(
        f"{path}:{line}: {key}: is wrong" for line, key in enumerate("abc", 1)
    )


def test_places_and_near_names() -> None:
    assert format_place(("drill", 2, "name")) == "drill[3].name"
    assert near("jawOpne", ("jawOpen", "jawLeft")) == "; did you mean 'jawOpen'?"
    assert near("x", ("jawOpen",)) == ""
