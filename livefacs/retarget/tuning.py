"""A map being tuned: single keys of controls written into a TOML file that extends another.

Comments, order and spelling of the file stay; only what differs is written. A shipped map is never
changed: the user's folder gets a map of the same name that extends it, and is found first.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError

from livefacs.errors import ConfigError, RigMapError
from livefacs.files import atomic
from livefacs.resources import rigs_folder, user_rigs_folder
from livefacs.retarget.library import find_rig, load_map, map_files
from livefacs.retarget.rules import RigMap
from livefacs.retarget.schema import PLACEHOLDER, SIDES, with_side

TUNABLE: Final = (
    "gain",
    "offset",
    "limits",
    "curve",
    "dead_zone",
    "asymmetry",
    "smoothing",
    "terms",
    "combine",
    "suppress",
    "undriven",
    "note",
)
"""Keys of a control that may be written."""
_MOST_STEPS: Final = 500  # that can be undone
_DIGITS: Final = 4


class TunedMap:
    """The file that changes go into, with its past.

    Parameters
    ----------
    name : str
        Of a map, or the path of a TOML file.

    Attributes
    ----------
    path : Path
        The file that is written; it may not exist yet.
    base : Path
        What is loaded as long as it does not.

    Raises
    ------
    RigMapError
        Unknown map.
    """

    def __init__(self, name: str) -> None:
        found = find_rig(name)
        self.base = found
        is_shipped = found.parent.resolve() == rigs_folder().resolve()
        self.path = user_rigs_folder() / found.name if is_shipped else found
        self._undone: list[str | None] = []
        self._past: list[str | None] = []
        self._known = self.text()
        self._gesture = ""

    @property
    def rig(self) -> str:
        """Name of the map."""
        return self.path.stem

    def text(self) -> str | None:
        """The file's text, None where there is none."""
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.path} cannot be read: {error}") from None

    def load(self) -> RigMap:
        """The map as it is now.

        Raises
        ------
        RigMapError
            It has errors; holds all of them.
        """
        return load_map(self._file())

    def files(self) -> tuple[Path, ...]:
        """The map's file and all that it extends."""
        return map_files(self._file())

    def _file(self) -> Path:
        return self.path if self.path.is_file() else self.base

    def written_keys(self) -> dict[str, tuple[str, ...]]:
        """For each control that this file has a table of: the keys in it."""
        try:
            document = tomllib.loads(self.text() or "")
        except tomllib.TOMLDecodeError:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for name, table in document.get("controls", {}).items():
            if isinstance(table, dict):
                for each in _expanded(name, document, table):
                    found[each] = tuple(table)
        return found

    def change(self, changes: Mapping[str, Mapping[str, Any]], gesture: str = "") -> RigMap:
        """Write keys of controls; a value of None takes the key out again.

        Parameters
        ----------
        changes : for each control its keys and values
        gesture : str
            Changes one after the other with the same word, such as those of a slider that is
            dragged, are undone together; an empty one stands alone.

        Returns
        -------
        RigMap
            The map with the changes.

        Raises
        ------
        RigMapError
            The map would have errors; holds all of them, and the file stands as before.
        ConfigError
            A key is not tunable, or the file cannot be written.
        """
        before = self.text()
        document = self._document(before)
        for control, keys in changes.items():
            unknown = sorted(set(keys) - set(TUNABLE))
            if unknown:
                raise ConfigError(f"{control}: {', '.join(unknown)} cannot be tuned")
            _write_control(document, control, keys)
        return self._replace(before, tomlkit.dumps(document), gesture)

    def reset(self, control: str) -> RigMap:
        """Take everything out that this file says of a control."""
        before = self.text()
        document = self._document(before)
        controls = document.get("controls", {})
        _split_sides(document, control)
        if control in controls:
            del controls[control]
        return self._replace(before, tomlkit.dumps(document))

    @property
    def can_undo(self) -> bool:
        """True where a change of this sitting can be taken back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """True where a change was taken back and nothing was changed since."""
        return bool(self._undone)

    def undo(self) -> RigMap:
        """The file as it was before the last change.

        Raises
        ------
        ConfigError
            There is nothing to undo.
        """
        return self._step(self._past, self._undone, "undo")

    def redo(self) -> RigMap:
        """The last change that was undone, again.

        Raises
        ------
        ConfigError
            There is nothing to redo.
        """
        return self._step(self._undone, self._past, "redo")

    def note_edit(self) -> bool:
        """Someone else wrote the file: what was before can be undone. True where that is so."""
        now = self.text()
        if now == self._known:
            return False
        self._remember(self._known)
        self._known = now
        return True

    def _step(self, source: list[str | None], target: list[str | None], word: str) -> RigMap:
        if not source:
            raise ConfigError(f"there is nothing to {word}")
        before, after = self.text(), source[-1]
        self._write(after)
        try:
            made = self.load()
        except RigMapError:
            self._write(before)
            raise
        source.pop()
        target.append(before)
        self._gesture = ""
        self._known = after
        return made

    def _replace(self, before: str | None, after: str, gesture: str = "") -> RigMap:
        self._write(after)
        try:
            made = self.load()
        except RigMapError:
            self._write(before)
            raise
        if after != before:
            if not gesture or gesture != self._gesture or before != self._known:
                self._remember(before)
            self._gesture = gesture
        self._known = after
        return made

    def _remember(self, before: str | None) -> None:
        self._past.append(before)
        del self._past[:-_MOST_STEPS]
        self._undone.clear()
        self._gesture = ""

    def _write(self, text: str | None) -> None:
        try:
            if text is None:
                self.path.unlink(missing_ok=True)
                return
            atomic.make_folder(self.path.parent)
            atomic.write_text(self.path, text)
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written: {error.strerror or error}") from None

    def _document(self, text: str | None) -> tomlkit.TOMLDocument:
        if text is None:
            text = extending_text(self.rig, load_map(self.base))
        try:
            return tomlkit.parse(text)
        except TOMLKitError as error:
            raise RigMapError(f"{self.path} is not TOML: {error}; mend it first") from None


def _write_control(document: tomlkit.TOMLDocument, control: str, keys: Mapping[str, Any]) -> None:
    _split_sides(document, control)
    if "controls" not in document:
        document.add("controls", tomlkit.table(is_super_table=True))
    controls: Any = document["controls"]
    if control not in controls:
        controls.add(control, tomlkit.table())
    table = controls[control]
    for key, value in keys.items():
        if value is None:
            table.pop(key, None)
        else:
            table[key] = _toml_value(value)
    if not table:
        del controls[control]


def _split_sides(document: tomlkit.TOMLDocument, control: str) -> None:
    """A rule for both sides becomes two where one of them is to differ."""
    controls: Any = document.get("controls", {})
    for name in list(controls):
        if PLACEHOLDER not in name:
            continue
        table = controls[name].unwrap()
        names = _expanded(name, document.unwrap(), table)
        if control not in names:
            continue
        for side, sided in zip(SIDES, names, strict=True):
            own = tomlkit.table()
            for key, value in table.items():
                if key != "side_names":
                    own[key] = _toml_value(with_side(value, side))
            controls.add(sided, own)
        del controls[name]


def _expanded(name: str, document: Mapping[str, Any], table: Mapping[str, Any]) -> list[str]:
    """Control names of a table: two where its name has the placeholder."""
    if PLACEHOLDER not in name:
        return [name]
    rig = document.get("rig", {})
    usual = rig.get("side_names", ["Left", "Right"]) if isinstance(rig, dict) else []
    sides = table.get("side_names", usual)
    return [name.replace(PLACEHOLDER, str(side)) for side in sides]


def _toml_value(value: Any) -> Any:
    """Numbers as floats of four decimals, tables and lists on one line."""
    if isinstance(value, bool) or value is None:
        raise ConfigError(f"expected a number, text, list or table, got {value!r}")
    if isinstance(value, int | float):
        return round(float(value), _DIGITS) + 0.0
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        for key, item in value.items():
            table[key] = _toml_value(item)
        return table
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        for item in value:
            array.append(_toml_value(item))
        return array
    return value


def extending_text(name: str, base: RigMap) -> str:
    """A starting map: it extends the base and changes nothing yet."""
    header = tomlkit.table()
    header["title"] = base.title if name == base.rig else name
    header["audience"] = base.audience
    header["names_from"] = base.names_from
    sentences = tomlkit.array()
    sentences.extend(base.approximations)
    header["approximations"] = sentences.multiline(multiline=True)
    header["extends"] = base.rig
    header["scheme"] = base.scheme
    header["vocabulary"] = base.vocabulary
    document = tomlkit.document()
    document.add(tomlkit.comment(f"What differs from {base.rig}; everything else is inherited."))
    document.add(tomlkit.nl())
    document["rig"] = header
    return str(tomlkit.dumps(document))


def new_map(name: str, extends: str, folder: Path | None = None) -> Path:
    """Write a starting map into the user's rig folder.

    Parameters
    ----------
    name : str
        Of the new map, without ending.
    extends : str
        A map that is there.
    folder : Path or None
        Where it goes instead.

    Raises
    ------
    ConfigError
        The name is none, is taken, or the file cannot be written.
    RigMapError
        The base is unknown or has errors.
    """
    if not name or not all(letter.isalnum() or letter in "-_" for letter in name):
        raise ConfigError(f"{name!r}: expected a name of letters, digits, - and _")
    path = (folder or user_rigs_folder()) / f"{name}.toml"
    if path.exists():
        raise ConfigError(f"{path} exists; choose another name, or edit that one")
    base = load_map(extends)
    if base.rig == name:
        raise ConfigError(f"{name!r} is the map that it would extend; choose another name")
    text = extending_text(name, base)
    example = base.rules[0]
    text += (
        f"\n# One table a control. For example:\n#\n# [controls.{example.name}]\n# gain = 1.5\n"
        "# dead_zone = 0.05\n"
    )
    try:
        atomic.make_folder(path.parent)
        atomic.write_text(path, text)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
    return path
