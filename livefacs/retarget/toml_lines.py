"""On which line of a TOML file a key stands; ``tomllib`` keeps no lines for sound documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_KEY: Final = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED: Final = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER: Final = re.compile(rf"^\s*\[\[?\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_ENTRY: Final = re.compile(rf"^\s*({_DOTTED})\s*=(.*)$")
_STRING: Final = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'')

Path = tuple[str, ...]


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))


def _open_brackets(text: str) -> int:
    bare = _STRING.sub("", text).split("#", 1)[0]
    return sum(bare.count(mark) for mark in "[{") - sum(bare.count(mark) for mark in "]}")


class KeyLines:
    """Lines of the keys of one document."""

    def __init__(self, text: str) -> None:
        self._text = text.splitlines()
        self._lines: dict[Path, int] = {}
        table: Path = ()
        depth, quoted = 0, False
        for number, line in enumerate(self._text, start=1):
            if quoted or depth > 0:
                quoted ^= (line.count('"""') + line.count("'''")) % 2 == 1
                depth += 0 if quoted else _open_brackets(line)
                continue
            if header := _HEADER.match(line):
                table = _parts(header.group(1))
                for length in range(1, len(table) + 1):
                    self._lines.setdefault(table[:length], number)
            elif entry := _ENTRY.match(line):
                self._lines.setdefault((*table, *_parts(entry.group(1))), number)
                quoted = (line.count('"""') + line.count("'''")) % 2 == 1
                depth = _open_brackets(entry.group(2))

    def line_of(self, path: Sequence[str | int]) -> int:
        """Line of a key path, or of the nearest thing above it; 0 for an empty document."""
        names = tuple(part for part in path if isinstance(part, str))
        for length in range(len(names), 0, -1):
            line = self._lines.get(names[:length])
            if line is not None:
                return self._line_within(line, names[length:])
        return 1 if self._text else 0

    def _line_within(self, start: int, names: Sequence[str]) -> int:
        """The first line of the value that begins at ``start`` where the last name stands."""
        later = sorted(line for line in self._lines.values() if line > start)
        end = later[0] if later else len(self._text) + 1
        for name in reversed(names):
            for number in range(start, end):
                if name in self._text[number - 1]:
                    return number
        return start
