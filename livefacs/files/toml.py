"""TOML files that people write: read with every problem at once, each with its line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from livefacs.errors import ConfigError
from livefacs.files.bounded_reading import read_text

if TYPE_CHECKING:  # 60 ms that a sound file does without: only a problem asks for lines
    from tomlkit.container import Container
    from tomlkit.items import Table

_MOST_BYTES: Final = 1 << 20  # the largest map that ships has some thousand lines
_MOST_DOTS: Final = 64
_BETWEEN_NAMES: Final = re.compile(r"[=,{}\[\]]")
_TEXTS: Final = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|#[^\n]*",
    re.DOTALL,
)
"""Strings and comments. Each alternative takes what it has begun: no text is read twice."""

Place: TypeAlias = Sequence[str | int]
"""Keys from the top of a document; whole numbers count the entries of a list from 0."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file, with its line (0 where it has none)."""

    file: Path
    line: int
    where: str
    words: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.where}: {self.words}" if self.where else f"{place}: {self.words}"


@dataclass(slots=True, eq=False)
class TomlFile:
    """A file, what it says, and what is wrong with it so far.

    Attributes
    ----------
    path : Path
        Named in problems.
    text : str
    document : dict
        What the file says; empty where it cannot be read.
    problems : list of Problem
    """

    path: Path
    text: str
    document: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    _lines: KeyLines | None = None

    def line_of(self, place: Place) -> int:
        """Line of a key, or of the nearest thing above it; 0 for an empty document."""
        if self._lines is None:
            self._lines = KeyLines(self.text)
        return self._lines.line_of(place)

    def add(self, place: Place, words: str) -> None:
        """Note a problem at a place."""
        self.problems.append(Problem(self.path, self.line_of(place), format_place(place), words))

    def add_all(
        self,
        errors: Iterable[Mapping[str, Any]],
        above: Place = (),
        known: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Note what pydantic found (``ValidationError.errors()``).

        Parameters
        ----------
        errors : iterable of mapping
        above : keys that lead to what was checked
        known : mapping
            Keys that may stand in a table, by the table's name; ``""``: in the checked one.
        """
        for error in errors:
            self.add((*above, *error["loc"]), format_validation_error(error, known or {}))

    def raise_problems(self, what: str, kind: type[ConfigError] = ConfigError) -> None:
        """Raise all problems together, in the order of the lines; returns where there are none."""
        raise_problems(f"{what} {self.path}", self.problems, kind)


def raise_problems(
    what: str, problems: Sequence[Problem], kind: type[ConfigError] = ConfigError
) -> None:
    """Raise the problems of one or more files together; returns where there are none."""
    found = dict.fromkeys(problems)  # a rule for both sides says the same twice
    if found:
        count = "1 error" if len(found) == 1 else f"{len(found)} errors"
        ordered = sorted(found, key=lambda problem: (str(problem.file), problem.line))
        raise kind(f"{what} has {count}:", map(str, ordered))


def read_toml(path: Path) -> TomlFile:
    """Read a file. One that cannot be read, or is no TOML, has that as its problem."""
    try:
        text = read_text(path, _MOST_BYTES, follow=True)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        return TomlFile(path, "", {}, [Problem(path, 0, "", f"cannot be read: {reason}")])
    if line := _line_of_many_dots(text):
        words = f"not TOML of use: more than {_MOST_DOTS} dots in one name"
        return TomlFile(path, text, {}, [Problem(path, line, "", words)])
    try:
        return TomlFile(path, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        line = _line_in_message(str(error), text)
        return TomlFile(path, text, {}, [Problem(path, line, "", f"not TOML: {error}")])
    except RecursionError:
        return TomlFile(path, text, {}, [Problem(path, 0, "", "not TOML: nested too deeply")])


def _line_of_many_dots(text: str) -> int:
    """Line of a name of very many parts, on which the parser spends the square of them; else 0.

    What stands in quotes is one part of a name, whatever is in it, or no name at all.
    """
    bare = _TEXTS.sub(lambda found: "_" + "\n" * found[0].count("\n"), text)
    for number, line in enumerate(bare.split("\n"), start=1):
        if line.count(".") <= _MOST_DOTS:
            continue
        parts = _BETWEEN_NAMES.split(line.replace(" ", "").replace("\t", ""))
        if max(part.count(".") for part in parts) > _MOST_DOTS:
            return number
    return 0


def _line_in_message(message: str, text: str) -> int:
    words = message.replace(",", " ").split()
    if "line" in words:
        return int(words[words.index("line") + 1])
    return text.count("\n") + 1


def format_place(place: Place) -> str:
    """``drill[3].name``: entries of lists count from 1."""
    words = ""
    for part in place:
        words += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def format_validation_error(error: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> str:
    """What pydantic found, in plain words; ``known`` as of ``TomlFile.add_all``."""
    kind, got, loc = error["type"], error["input"], error["loc"]
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        table = next((part for part in reversed(loc[:-1]) if isinstance(part, str)), "")
        keys = known.get(table, known.get("", ()))
        hint = near(str(loc[-1]), keys) or (f"; known: {', '.join(keys)}" if keys else "")
        return f"unknown key{hint}"
    if kind in ("missing", "missing_argument"):
        return "is missing"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind in ("too_short", "too_long") and isinstance(got, Sequence):
        bound = error["ctx"].get("min_length", error["ctx"].get("max_length"))
        return f"expected {bound} entries, got {len(got)}"
    return f"{error['msg'].replace('Input should be', 'expected')}, got {got!r:.60}"


def near(name: str, known: Sequence[str]) -> str:
    """``; did you mean 'x'?`` where a known name is close, else empty."""
    by_folded = {item.casefold(): item for item in known}
    found = difflib.get_close_matches(name.casefold(), list(by_folded), n=2, cutoff=0.6)
    if not found:
        return ""
    return "; did you mean " + " or ".join(repr(by_folded[item]) for item in found) + "?"


class KeyLines:
    """On which lines the keys of a document stand."""

    def __init__(self, text: str) -> None:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        self._text = text.splitlines()
        self._lines: dict[tuple[str | int, ...], int] = {}
        try:
            document: Any = tomlkit.parse(text)
        except (TOMLKitError, ValueError, RecursionError):
            return  # what one parser takes and the other does not: no lines below the first
        for place, line in _places(document, (), _Counter()):
            for length in range(1, len(place) + 1):  # a table may be there by its parts alone
                self._lines.setdefault(place[:length], line)

    def line_of(self, place: Place) -> int:
        """Line of a key, or of the nearest thing above it; 0 for an empty document."""
        parts = tuple(place)
        for length in range(len(parts), 0, -1):
            line = self._lines.get(parts[:length])
            if line is not None:
                return self._line_within(line, parts[length:])
        return 1 if self._text else 0

    def _line_within(self, start: int, rest: Place) -> int:
        """The first line of the value that begins at ``start`` where the last name stands."""
        for name in (part for part in reversed(rest) if isinstance(part, str)):
            for number in range(start, self._end_of(start)):
                if name in self._text[number - 1]:
                    return number
        return start

    def _end_of(self, start: int) -> int:
        return min((line for line in self._starts if line > start), default=len(self._text) + 1)

    @cached_property
    def _starts(self) -> frozenset[int]:
        return frozenset(self._lines.values())


class _Counter:
    """Lines that were passed on the way through a document."""

    def __init__(self) -> None:
        self.line = 1

    def over(self, *texts: str) -> None:
        self.line += sum(text.count("\n") for text in texts)


def _places(
    container: Container, above: tuple[str | int, ...], at: _Counter
) -> Iterator[tuple[tuple[str | int, ...], int]]:
    """Every key of a container in the order of the text, with its line."""
    from tomlkit.items import AoT, Table

    for key, item in container.body:
        if key is None:  # white space, a comment
            at.over(item.as_string())
            continue
        place = (*above, *(part.key for part in key))
        if isinstance(item, AoT):
            for number, table in enumerate(item.body):
                yield from _table_places(table, (*place, number), at)
        elif isinstance(item, Table):
            yield from _table_places(item, place, at)
        else:
            yield place, at.line
            at.over(item.trivia.indent, item.as_string(), item.trivia.comment_ws)
            at.over(item.trivia.comment, item.trivia.trail)


def _table_places(
    table: Table, place: tuple[str | int, ...], at: _Counter
) -> Iterator[tuple[tuple[str | int, ...], int]]:
    trivia = table.trivia
    if not table.is_super_table():
        at.over(trivia.indent)
        yield place, at.line
        at.over(trivia.comment_ws, trivia.comment, trivia.trail)
    yield from _places(table.value, place, at)
