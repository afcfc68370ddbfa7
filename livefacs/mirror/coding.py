"""Codes of a clip against a key: agreement, what was missed and added, letters apart.

Agreement index: ``2 x agreed / (codes of the one + codes of the other)``; letters do not count in
it, presence does (Wexler's ratio, as the FACS Final Test uses it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from livefacs.vocab.notation import Score

PASS_LINE: Final = 0.70
LETTERS: Final = "ABCDE"


Parser = Callable[[str], tuple[Score, ...]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One item's answer against its key."""

    index: float
    agreed: tuple[str, ...]
    missed: tuple[str, ...]
    added: tuple[str, ...]
    optional: tuple[str, ...]
    letters_equal: int
    letters_near: int
    letters_compared: int
    letters: tuple[tuple[str, str, str], ...]
    sides_differ: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "index": round(self.index, 4),
            "agreed": list(self.agreed),
            "missed": list(self.missed),
            "added": list(self.added),
            "optional": list(self.optional),
            "letters": [list(row) for row in self.letters],
            "letters_equal": self.letters_equal,
            "letters_near": self.letters_near,
            "letters_compared": self.letters_compared,
            "sides_differ": list(self.sides_differ),
        }


def agreement_index(one: Iterable[str], other: Iterable[str]) -> float:
    """``2 x agreed / total`` of two sets of codes; 1 where both are empty (both say neutral).

    >>> agreement_index("1 2 5 6 12".split(), "5 6 12".split())
    0.75
    """
    first, second = set(one), set(other)
    total = len(first) + len(second)
    return 2 * len(first & second) / total if total else 1.0


def compare(
    key: Iterable[Score], answer: Iterable[Score], optional: Iterable[Score] = ()
) -> Comparison:
    """Compare an answer with a key. Optional codes neither help nor cost.

    A code that is scored on the wrong side agrees in the index, which counts codes, and is listed
    in ``sides_differ``.
    """
    true, given = _by_code(key), _by_code(answer)
    free = {score.code for score in optional} - set(true)
    counted = {code: scores for code, scores in given.items() if code not in free}
    agreed = sorted(set(true) & set(counted), key=sort_key)
    letters = [
        (code, true[code].letter, counted[code].letter)
        for code in agreed
        if true[code].letter and counted[code].letter
    ]
    steps = [abs(LETTERS.index(one) - LETTERS.index(other)) for _, one, other in letters]
    return Comparison(
        index=agreement_index(true, counted),
        agreed=tuple(agreed),
        missed=tuple(sorted(set(true) - set(counted), key=sort_key)),
        added=tuple(sorted(set(counted) - set(true), key=sort_key)),
        optional=tuple(sorted(set(given) & free, key=sort_key)),
        letters_equal=sum(step == 0 for step in steps),
        letters_near=sum(step <= 1 for step in steps),
        letters_compared=len(letters),
        letters=tuple(letters),
        sides_differ=tuple(code for code in agreed if true[code].side != counted[code].side),
    )


def _by_code(scores: Iterable[Score]) -> dict[str, Score]:
    """One score a code: two sides become both, with the higher letter, as FACS writes it."""
    found: dict[str, Score] = {}
    for score in scores:
        if score.code == "0":
            continue
        first = found.get(score.code)
        if first is None:
            found[score.code] = score
        else:
            side = first.side if first.side == score.side else ""
            found[score.code] = Score(score.code, max(first.letter, score.letter), side)
    return found


def sort_key(code: str) -> tuple[int, str]:
    """By number, then by text."""
    digits = "".join(character for character in code if character.isdigit())
    return (int(digits) if digits else 0, code)


@dataclass(slots=True)
class Tally:
    """Missed and added codes over a series of items, the shape of the official score checker."""

    comparisons: list[Comparison] = field(default_factory=list)

    def add(self, comparison: Comparison) -> None:
        """Count one item."""
        self.comparisons.append(comparison)

    @property
    def mean_index(self) -> float:
        """Mean of the items' indices; 0 before the first."""
        indices = [comparison.index for comparison in self.comparisons]
        return sum(indices) / len(indices) if indices else 0.0

    def rows(self) -> list[dict[str, Any]]:
        """Per code: how often it was in the key, missed and added."""
        in_key = Counter(c for one in self.comparisons for c in (*one.agreed, *one.missed))
        missed = Counter(c for one in self.comparisons for c in one.missed)
        added = Counter(c for one in self.comparisons for c in one.added)
        return [
            {"code": code, "in_key": in_key[code], "missed": missed[code], "added": added[code]}
            for code in sorted(in_key | added, key=sort_key)
        ]
