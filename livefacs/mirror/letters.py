"""Say the letter: one action at an intensity drawn by chance, rated by eye, against the truth."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from livefacs.au.agreement import icc21
from livefacs.errors import ConfigError
from livefacs.mirror.ladder import LETTERS
from livefacs.mirror.packs import Item
from livefacs.mirror.school import HUMAN_ACTIONS, item_of_action
from livefacs.vocab.facs import find_code

MOST_TRIALS: Final = 100


@dataclass(slots=True)
class LetterTest:
    """One sitting: items in order, letters that were said by their number."""

    items: tuple[Item, ...]
    name: str = field(default_factory=lambda: secrets.token_hex(6))
    answers: dict[int, str] = field(default_factory=dict)

    @classmethod
    def begin(cls, action: str, n_trials: int, rng: random.Random | None = None) -> LetterTest:
        """Draw the trials: every letter equally often, as far as the number allows.

        Parameters
        ----------
        action : str
            A code, or "" for any of the head's actions.
        n_trials : int
        rng : random.Random or None

        Raises
        ------
        ConfigError
            The head does not show the action, or the number is out of bounds.
        """
        drawn = rng or random.Random()
        if action and action not in HUMAN_ACTIONS:
            shown = ", ".join(HUMAN_ACTIONS)
            raise ConfigError(f"the head has no action {action[:20]!r}: expected one of {shown}")
        if not 1 <= n_trials <= MOST_TRIALS:
            raise ConfigError(f"expected 1 to {MOST_TRIALS} faces, got {n_trials}")
        letters = [LETTERS[i % len(LETTERS)] for i in range(n_trials)]
        drawn.shuffle(letters)
        return cls(
            tuple(
                item_of_action(action or drawn.choice(HUMAN_ACTIONS), letter, drawn)
                for letter in letters
            )
        )

    def document(self) -> dict[str, Any]:
        """What the page may know before the end."""
        codes = [item.key[0].code for item in self.items]
        named = [{"code": code, "name": find_code(code).name} for code in codes]
        return {"test": self.name, "items": named, "answered": len(self.answers)}

    def answer(self, number: int, letter: str) -> None:
        """Take a letter for an item by its number, from 1.

        Raises
        ------
        ConfigError
            There is no such item or letter.
        """
        if not 1 <= number <= len(self.items) or letter not in LETTERS:
            raise ConfigError(f"item {number}, letter {letter[:10]!r}: expected A to E of an item")
        self.answers[number] = letter

    def report(self) -> dict[str, Any]:
        """Errors by letter, how often C and D were exchanged, and the ICC with the truth.

        ``icc`` is ICC(2,1), absolute agreement, A to E as 1 to 5; None with fewer than three
        answers, or where truth and answers are all the same letter.
        """
        pairs = [
            (LETTERS.index(self.items[number - 1].key[0].letter), LETTERS.index(letter))
            for number, letter in sorted(self.answers.items())
        ]
        table = np.zeros((len(LETTERS), len(LETTERS)), int)
        for true, given in pairs:
            table[true, given] += 1
        steps = [given - true for true, given in pairs]
        by_letter = [[g - t for t, g in pairs if t == i] for i in range(len(LETTERS))]
        return {
            "letters": list(LETTERS),
            "table": table.tolist(),
            "n": len(pairs),
            "exact": sum(step == 0 for step in steps),
            "near": sum(abs(step) <= 1 for step in steps),
            "mean_error": [round(sum(e) / len(e), 3) if e else None for e in by_letter],
            "c_as_d": int(table[2, 3]),
            "d_as_c": int(table[3, 2]),
            "icc": _icc(pairs),
        }


def _icc(pairs: list[tuple[int, int]]) -> float | None:
    if len(pairs) < 3 or len({value for pair in pairs for value in pair}) < 2:
        return None
    true, given = np.array(pairs, np.float64).T
    return round(icc21(true, given), 4)
