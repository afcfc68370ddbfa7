"""The self-test: a timed series of items, answered without seeing the keys."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from livefacs.errors import ConfigError
from livefacs.mirror.coding import Comparison, Tally, compare
from livefacs.mirror.packs import Pack
from livefacs.vocab.notation import Score

NS_PER_MINUTE: Final = 60_000_000_000
_GRACE_NS: Final = 3_000_000_000  # an answer that is on its way when the time is up


@dataclass(slots=True)
class SelfTest:
    """One sitting.

    Attributes
    ----------
    order : tuple of str
        Items in the order they are shown.
    ends_ns : int
        Session clock at which the time is up.
    """

    pack: Pack
    order: tuple[str, ...]
    began_ns: int
    ends_ns: int
    began_at: str
    name: str = field(default_factory=lambda: secrets.token_hex(6))
    answers: dict[str, tuple[str, tuple[Score, ...]]] = field(default_factory=dict)
    finished: bool = False

    @classmethod
    def begin(cls, pack: Pack, n_items: int | None, minutes: float | None, now_ns: int) -> SelfTest:
        """Draw the items by chance and start the time."""
        n = len(pack.items) if n_items is None else min(n_items, len(pack.items))
        order = tuple(random.sample(list(pack.items), n))
        span_ns = round((pack.minutes if minutes is None else minutes) * NS_PER_MINUTE)
        began_at = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(pack, order, now_ns, now_ns + span_ns, began_at)

    def document(self, now_ns: int) -> dict[str, Any]:
        """What the page may know before the end: no names, no keys."""
        return {
            "test": self.name,
            "pack": self.pack.name,
            "face": self.pack.face,
            "codes": self.pack.codes,
            "items": len(self.order),
            "answered": len(self.answers),
            "seconds": max(0.0, (self.ends_ns - now_ns) / 1e9),
            "finished": self.finished,
        }

    def answer(self, number: int, line: str, now_ns: int) -> None:
        """Take an answer to an item by its number, from 1; a later one replaces it.

        Raises
        ------
        ConfigError
            The test is over, the item is not in it, or the codes cannot be read.
        """
        if self.finished or now_ns > self.ends_ns + _GRACE_NS:
            raise ConfigError("the time of this self-test is up")
        if not 1 <= number <= len(self.order):
            raise ConfigError(f"item {number}: expected 1 to {len(self.order)}")
        self.answers[self.order[number - 1]] = (line, self.pack.parse(line) if line.strip() else ())

    def comparisons(self) -> list[tuple[str, str, Comparison]]:
        """Item, answer and comparison, in the order shown; an unanswered item counts as empty."""
        rows = []
        for name in self.order:
            item = self.pack.items[name]
            line, scores = self.answers.get(name, ("", ()))
            rows.append((name, line, compare(item.key, scores, item.optional)))
        return rows

    def report(self) -> dict[str, Any]:
        """Plain values of the whole result."""
        rows = self.comparisons()
        tally = Tally([comparison for _, _, comparison in rows])
        return {
            "test": self.name,
            "pack": self.pack.name,
            "pack_title": self.pack.title,
            "scheme": self.pack.scheme,
            "began": self.began_at,
            "answered": len(self.answers),
            "items": [
                {
                    "item": name,
                    "answer": line,
                    "key": self.pack.items[name].key_text,
                    **comparison.document(),
                }
                for name, line, comparison in rows
            ],
            "mean_index": round(tally.mean_index, 4),
            "pass_line": self.pack.pass_line,
            "passed": tally.mean_index >= self.pack.pass_line,
            "codes": tally.rows(),
        }
