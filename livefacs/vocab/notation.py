"""FACS notation: ``R12B``, ``L14A``, ``1C+2C+5B+26``; printing, parsing, exclusion rules.

Before the number stands the side (``R``, ``L``: the performer's; ``U``: one side, unsaid which;
``A``: both sides, unequal) or the lip (``T``, ``B``); after it the intensity, ``A`` to ``E``. The
letters ``A`` and ``B`` mean different things before and after the number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from livefacs.errors import ConfigError
from livefacs.vocab.facs import code_table

_ELEMENT: Final = re.compile(r"([LRUATB]?)(?:AU|AD)?(M?\d{1,2})([A-E]?)")
LIP_PREFIXES: Final = "TB"
LIP_CODES: Final = frozenset({"8", "22", "23", "24", "28", "32"})
"""Codes that may be scored for one lip; 22, 23 and 28 are confirmed, the others unconfirmed."""

CONFIRMED_EXCLUSIONS: Final = (
    ("51", "52"),
    ("53", "54"),
    ("55", "56"),
    ("57", "58"),
    ("61", "62"),
    ("61", "65"),
    ("61", "66"),
    ("62", "65"),
    ("62", "66"),
    ("63", "64"),
    ("65", "66"),
)
"""Pairs that may not be scored together, from the manual's rule table."""

GENERAL_EXCLUSIONS: Final = (
    ("43", "45"),
    ("43", "46"),
    ("45", "46"),
    ("26", "27"),
    ("33", "34"),
    ("34", "35"),
    ("33", "35"),
    ("24", "25"),
    ("38", "39"),
)
"""General knowledge, unconfirmed: one excludes the other by what it looks like."""

SAME_SIDE_EXCLUSIONS: Final = (("5", "43"), ("5", "45"))
"""Unconfirmed: not in the same eye."""
SAME_LIP_EXCLUSIONS: Final = (("22", "28"),)
"""Unconfirmed: not in the same lip."""


@dataclass(frozen=True, slots=True)
class Score:
    """One scored action.

    Attributes
    ----------
    code : str
        ``12``, ``M59``.
    letter : str
        ``A`` to ``E``, or empty.
    side : str
        ``L``, ``R``, ``U``, ``A`` or empty (both sides alike, or a midline action).
    lip : str
        ``T``, ``B`` or empty.
    """

    code: str
    letter: str = ""
    side: str = ""
    lip: str = ""

    def __str__(self) -> str:
        return f"{self.side}{self.lip}{self.code}{self.letter}"


def parse_notation(text: str) -> tuple[Score, ...]:
    """Scores out of a notation such as ``1C+2C+R12B``; lower case and spaces are taken too.

    Raises
    ------
    ConfigError
        All errors of the text together.
    """
    scores, errors = [], []
    for element in re.split(r"\s*\+\s*", text.strip()):
        score = _parse_element(element)
        if isinstance(score, Score):
            scores.append(score)
        else:
            errors.append(score)
    if errors:
        raise ConfigError(f"{text!r} is not FACS notation such as 1C+2C+R12B", errors)
    return tuple(scores)


def _parse_element(element: str) -> Score | str:
    match = _ELEMENT.fullmatch(element.upper().replace(" ", ""))
    if match is None:
        return f"{element!r}: expected side or lip, number, letter, such as R12B"
    prefix, code, letter = match.groups()
    code = code if code.startswith("M") else code.lstrip("0") or "0"
    if code not in code_table():
        return f"{element!r}: there is no code {code}"
    if prefix in LIP_PREFIXES and prefix:
        if code not in LIP_CODES:
            return f"{element!r}: {code} is not scored for one lip ({prefix})"
        return Score(code, letter, lip=prefix)
    return Score(code, letter, side=prefix)


def print_notation(scores: Iterable[Score]) -> str:
    """The usual form: sorted by number, joined by ``+``."""
    return "+".join(str(score) for score in sorted(scores, key=_order))


def _order(score: Score) -> tuple[int, int, str]:
    is_movement = score.code.startswith("M")
    return (int(is_movement), int(score.code.lstrip("M")), score.side + score.lip)


def exclusion_errors(scores: Iterable[Score]) -> list[str]:
    """Pairs that may not stand together, in words; unconfirmed rules say so."""
    given = list(scores)
    errors = [
        f"{a} and {b} exclude each other"
        for a, b in CONFIRMED_EXCLUSIONS
        if _together(given, a, b, lambda _one, _other: True)
    ]
    rules: tuple[tuple[tuple[tuple[str, str], ...], str, Callable[[Score, Score], bool]], ...] = (
        (GENERAL_EXCLUSIONS, "", lambda _one, _other: True),
        (SAME_SIDE_EXCLUSIONS, " on the same side", lambda one, other: _meet(one.side, other.side)),
        (SAME_LIP_EXCLUSIONS, " in the same lip", lambda one, other: _meet(one.lip, other.lip)),
    )
    for pairs, where, meets in rules:
        errors += [
            f"{a} and {b} exclude each other{where} (unconfirmed rule)"
            for a, b in pairs
            if _together(given, a, b, meets)
        ]
    return errors


def _together(scores: list[Score], a: str, b: str, meets: Callable[[Score, Score], bool]) -> bool:
    return any(
        meets(one, other) for one in scores if one.code == a for other in scores if other.code == b
    )


def _meet(one: str, other: str) -> bool:
    both = {"", "U", "A"}
    return one in both or other in both or one == other
