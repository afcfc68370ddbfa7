"""Clip packs: folders of clips to code, with their keys, rights and sources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from livefacs.arrays import F32
from livefacs.errors import ConfigError
from livefacs.files.toml import TomlFile
from livefacs.mirror.coding import Parser
from livefacs.mirror.schema import ItemTable, PackFile, checked_file
from livefacs.resources import data_path, user_data_folder
from livefacs.vocab.notation import Score, parse_notation
from livefacs.vocab.schemes import FACS, load_scheme, scheme_names

SHIPPED: Final = "livefacs:"
"""A clip named ``livefacs:performer.mp4`` is the one inside the package."""


class SchemeParser:
    """Codes of a scheme that is not human FACS: those that the pack lists, joined by ``+``.

    A code may itself hold a plus (``1+2``): the longest listed one wins. A side goes in front
    (``L`` or ``R``), a letter behind, as in FACS.
    """

    def __init__(self, name: str, codes: Iterable[str]) -> None:
        self.name = name
        longest_first = sorted(codes, key=len, reverse=True)
        pattern = "|".join(re.escape(code) for code in longest_first)
        self._element = re.compile(rf"(?P<side>[LR]?)(?P<code>{pattern})(?P<letter>[A-E]?)(?=\+|$)")

    def __call__(self, text: str) -> tuple[Score, ...]:
        """Scores of a line of codes.

        Raises
        ------
        ConfigError
            Something is no code of the scheme; says what and where.
        """
        compact = "".join(text.split())
        scores: list[Score] = []
        at = 0
        while at < len(compact):
            found = self._element.match(compact, at)
            if found is None:
                wrong = compact[at:].partition("+")[0] or "+"
                raise ConfigError(f"{wrong!r} is no code of {self.name}")
            scores.append(Score(found["code"], found["letter"], found["side"]))
            at = found.end() + 1
        if compact.endswith("+"):
            raise ConfigError("a code is missing after the last +")
        return tuple(scores)


@dataclass(frozen=True, slots=True)
class Item:
    """A stretch of a clip: frames ``start`` to ``end`` (exclusive), true codes at ``apex``.

    ``levels``, (T, N_AU) float32, stands in place of a clip where a face shows it.
    """

    name: str
    clip: Path
    start: int
    end: int
    apex: int
    key: tuple[Score, ...]
    key_text: str
    optional: tuple[Score, ...]
    note: str
    levels: F32 | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """A folder of items. ``parse`` reads codes of its scheme; ``face`` shows items without clip."""

    name: str
    title: str
    rights: str
    source: str
    note: str
    pass_line: float
    minutes: float
    scheme: str
    codes: dict[str, str]
    items: dict[str, Item]
    parse: Parser
    face: str = ""

    def document(self) -> dict[str, Any]:
        """Plain values for the page; the keys stay here."""
        names = (
            "name",
            "title",
            "rights",
            "source",
            "note",
            "pass_line",
            "minutes",
            "scheme",
            "codes",
            "face",
        )
        items = [
            {"name": i.name, "frames": i.end - i.start, "apex": i.apex - i.start, "note": i.note}
            for i in self.items.values()
        ]
        return {**{name: getattr(self, name) for name in names}, "items": items}


@dataclass(frozen=True, slots=True)
class PackLibrary:
    """All packs that could be read, and in words what could not."""

    packs: dict[str, Pack]
    errors: tuple[str, ...]


def load_packs(folders: Iterable[Path] | None = None) -> PackLibrary:
    """Read every pack: those that ship, then the user's own; a later name wins."""
    if folders is None:
        folders = (data_path("packs"), user_data_folder() / "packs")
    packs: dict[str, Pack] = {}
    errors: list[str] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*/pack.toml"))):
        try:
            pack = load_pack(path)
            packs[pack.name] = pack
        except ConfigError as error:
            errors.append(str(error))
    return PackLibrary(packs, tuple(errors))


def load_pack(path: Path) -> Pack:
    """Read one ``pack.toml``.

    Raises
    ------
    ConfigError
        Holds every error: keys that cannot be read, clips that are not there, names used twice.
    """
    source, file = checked_file(path, PackFile, "clip pack")
    title, codes = _scheme(file, source)
    parse = parse_notation if file.scheme == FACS else SchemeParser(title, codes or ("?",))
    items: dict[str, Item] = {}
    for number, table in enumerate(file.item):
        if table.name in items:
            source.add(("item", number, "name"), f"{table.name!r} is used twice")
        items[table.name] = _item(table, number, file.optional, parse, source)
    source.raise_problems("clip pack")
    return Pack(
        name=file.name,
        title=file.title,
        rights=file.rights,
        source=file.source,
        note=file.note,
        pass_line=file.pass_line,
        minutes=file.minutes,
        scheme=title,
        codes=codes,
        items=items,
        parse=parse,
    )


def _scheme(file: PackFile, source: TomlFile) -> tuple[str, dict[str, str]]:
    """Title of the pack's scheme and its codes by name; human FACS needs none listed."""
    if file.scheme == FACS:
        if file.codes:
            source.add(("codes",), "human FACS has its own table; leave [codes] out")
        return "FACS", {}
    title, known = file.scheme, {}
    if file.scheme in scheme_names():
        scheme = load_scheme(file.scheme)
        title = scheme.title
        known = {row.code: row.name for row in scheme.movements if row.code and row.confirmed}
    codes = known | file.codes
    if not codes:
        words = f"the codes of {file.scheme!r} are not known here; list them in [codes]"
        source.add(("scheme",), words)
    return title, codes


def _item(table: ItemTable, number: int, optional: str, parse: Parser, source: TomlFile) -> Item:
    place, folder = ("item", number), source.path.parent
    scores: dict[str, tuple[Score, ...]] = {}
    free = "+".join(filter(None, (table.optional, optional)))
    for name, text in (("key", table.key), ("optional", free)):
        try:
            scores[name] = parse(text) if text.strip() else ()
        except ConfigError as error:
            source.add((*place, name), " ".join(str(error).split()))
            scores[name] = ()
    clip = _clip_path(table.clip, folder)
    if clip is None:
        source.add((*place, "clip"), f"{table.clip!r} leads out of the pack's folder")
        clip = folder
    elif not clip.is_file():
        source.add((*place, "clip"), f"there is no {table.clip!r} in {folder}")
    return Item(
        table.name, clip, table.start, table.end, table.apex,
        scores["key"], table.key, scores["optional"], table.note,
    )  # fmt: skip


def _clip_path(name: str, folder: Path) -> Path | None:
    """The clip's file, inside the package or inside the pack; None for a way out of it."""
    if name.startswith(SHIPPED):
        base, name = data_path("."), name.removeprefix(SHIPPED)
    else:
        base = folder
    path = (base / name).resolve()
    return path if path.is_relative_to(base.resolve()) else None
