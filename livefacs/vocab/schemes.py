"""Coding schemes as data: human FACS in full, animal systems as far as they are confirmed.

A scheme is a TOML file in ``livefacs/data/schemes``, or in ``schemes`` of the user's folder. A
user's file with the name of a shipped scheme adds to it: whoever has a manual writes its codes
there. Human FACS comes from the code table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from livefacs.errors import ConfigError
from livefacs.files.toml import near, read_toml
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
        There is no such scheme, or its file has errors; holds all of them.
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
    file = read_toml(path)
    document = dict(file.document)
    rows = document.pop("movements", [])
    for key in _HEADER if needs_header and not file.problems else ():
        if key not in document:
            file.add((key,), "is missing; expected a text")
    for key, value in document.items():
        if problem := _header_problem(key, value):
            file.add((key,), problem)
    movements = []
    for number, row in enumerate(rows if isinstance(rows, list) else [None]):
        problems = list(_row_problems(row))
        for place, problem in problems:
            file.add(("movements", number, *place), problem)
        if not problems:
            movements.append(_movement(row))
    file.raise_problems("scheme file")
    return document, movements


def _header_problem(key: str, value: Any) -> str:
    if key == "counts":
        sound = isinstance(value, dict) and all(isinstance(item, int) for item in value.values())
        return "" if sound else "expected a table of whole numbers"
    if key not in _HEADER:
        return _unknown_key(key, (*_HEADER, "counts", "movements"))
    return "" if isinstance(value, str) else f"expected a text, got {value!r}"


def _row_problems(row: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each problem of a row, and the key that it is of."""
    if not isinstance(row, dict):
        yield (), "expected a table, as [[movements]] begins one"
        return
    known = {item.name: item.type for item in fields(Movement)}
    if not row.get("name"):
        yield ("name",), "is missing; expected a text"
    for key, value in row.items():
        if key not in known:
            yield (key,), _unknown_key(key, tuple(known))
        elif key in ("human", "controls"):
            if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                yield (key,), f"expected a list of texts, got {value!r}"
        elif not isinstance(value, bool if key == "confirmed" else str):
            wanted = "true or false" if key == "confirmed" else "a text"
            yield (key,), f"expected {wanted}, got {value!r}"


def _unknown_key(key: str, known: tuple[str, ...]) -> str:
    return f"unknown key{near(key, known) or '; known: ' + ', '.join(known)}"


def _movement(row: Mapping[str, Any]) -> Movement:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
    return Movement(**values)
