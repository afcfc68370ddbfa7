"""Coding schemes as data: human FACS in full, animal systems as far as they are confirmed.

A scheme is a TOML file in ``livefacs/data/schemes``, or in ``schemes`` of the user's folder. A
user's file with the name of a shipped scheme adds to it: whoever has a manual writes its codes
there. Human FACS comes from the code table.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from livefacs.errors import ConfigError
from livefacs.resources import data_path, user_data_folder
from livefacs.vocab.facs import code_table

FACS: Final = "facs"


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of a scheme.

    Attributes
    ----------
    name : str
        Unique in the scheme.
    code : str
        Empty where the code is not confirmed.
    kind : str
        ``AU``, ``AD``, ``EAD`` … or ``muscle`` for a row of a muscle plan.
    human : tuple of str
        Human FACS codes that share the muscle.
    controls : tuple of str
        Rig controls (without their side) that show it.
    confirmed : bool
        True where the scheme's own publication says it.
    """

    name: str
    code: str = ""
    kind: str = ""
    muscle: str = ""
    description: str = ""
    human: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    confirmed: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A coding scheme.

    Attributes
    ----------
    key : str
        Name of its file.
    status : str
        How far its content is confirmed, in words.
    counts : mapping of kind to number
        As published; more than ``movements`` where codes are not public.
    """

    key: str
    title: str
    species: str
    source: str
    status: str
    counts: Mapping[str, int] = field(default_factory=dict)
    movements: tuple[Movement, ...] = ()

    def codes_of_control(self, control: str) -> tuple[str, ...]:
        """Codes of the movements that a control shows; none where they are not known."""
        return tuple(row.code for row in self.movements if row.code and control in row.controls)


def user_schemes_folder() -> Path:
    """Where a user's own scheme files are looked for."""
    return user_data_folder() / "schemes"


def scheme_names() -> tuple[str, ...]:
    """Every known scheme: human FACS first, then by name."""
    folders = (data_path("schemes"), user_schemes_folder())
    names = {path.stem for folder in folders for path in folder.glob("*.toml")}
    return (FACS, *sorted(names - {FACS}))


def load_scheme(key: str) -> Scheme:
    """A scheme by name.

    Raises
    ------
    ConfigError
        There is no such scheme, or its file has faults; holds all of them.
    """
    if key == FACS:
        return _human_scheme()
    paths = [folder / f"{key}.toml" for folder in (data_path("schemes"), user_schemes_folder())]
    found = [path for path in paths if path.is_file()]
    if not found:
        known = ", ".join(scheme_names())
        raise ConfigError(f"no coding scheme {key!r}: expected one of {known}")
    document: dict[str, Any] = {}
    rows: dict[str, Movement] = {}
    for path in found:
        header, movements = _read(path, needs_header=not document)
        document |= header
        rows |= {row.name: row for row in movements}
    return Scheme(key=key, movements=tuple(rows.values()), **document)


def _human_scheme() -> Scheme:
    movements = tuple(
        Movement(
            name=code.name,
            code=code.code,
            kind=code.kind,
            muscle=code.muscles,
            description=code.appearance,
            human=(code.code,),
            controls=code.channels,
            confirmed=True,
            note=code.notes,
        )
        for code in code_table().values()
    )
    return Scheme(
        key=FACS,
        title="FACS",
        species="human",
        source="Ekman, Friesen and Hager 2002, as gathered in the code table",
        status="the whole code table, each code with its own confidence",
        movements=movements,
    )


_HEADER: Final = ("title", "species", "source", "status")


def _read(path: Path, needs_header: bool) -> tuple[dict[str, Any], list[Movement]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"scheme file {path} cannot be read: {error}") from None
    rows = document.pop("movements", [])
    missing = [key for key in _HEADER if needs_header and key not in document]
    faults = [f"{key}: is missing; expected a text" for key in missing]
    for key, value in document.items():
        faults += _header_faults(key, value)
    movements = []
    for number, row in enumerate(rows if isinstance(rows, list) else [None], start=1):
        problems = _row_faults(row)
        faults += [f"movements, number {number}: {problem}" for problem in problems]
        if not problems:
            movements.append(_movement(row))
    if faults:
        raise ConfigError(f"scheme file {path} has {len(faults)} fault(s):", faults)
    return document, movements


def _header_faults(key: str, value: Any) -> list[str]:
    if key == "counts":
        sound = isinstance(value, dict) and all(isinstance(item, int) for item in value.values())
        return [] if sound else ["counts: expected a table of whole numbers"]
    if key not in _HEADER:
        return [f"{key}: unknown key{_near(key, (*_HEADER, 'counts', 'movements'))}"]
    return [] if isinstance(value, str) else [f"{key}: expected a text, got {value!r}"]


def _row_faults(row: Any) -> list[str]:
    if not isinstance(row, dict):
        return ["expected a table, as [[movements]] begins one"]
    known = {item.name: item.type for item in fields(Movement)}
    faults = [] if row.get("name") else ["name: is missing; expected a text"]
    for key, value in row.items():
        if key not in known:
            faults.append(f"{key}: unknown key{_near(key, tuple(known))}")
        elif key in ("human", "controls"):
            if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                faults.append(f"{key}: expected a list of texts, got {value!r}")
        elif not isinstance(value, bool if key == "confirmed" else str):
            wanted = "true or false" if key == "confirmed" else "a text"
            faults.append(f"{key}: expected {wanted}, got {value!r}")
    return faults


def _movement(row: Mapping[str, Any]) -> Movement:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Movement(**values)


def _near(name: str, known: tuple[str, ...]) -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else f"; expected {', '.join(known)}"
