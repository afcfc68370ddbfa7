"""The self-test: a timed series of items, answered without seeing the keys, and its report."""

from __future__ import annotations

import csv
import html
import io
import random
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from livefacs.errors import ConfigError
from livefacs.mirror.coding import Comparison, Score, Tally, compare
from livefacs.mirror.packs import Pack
from livefacs.mirror.texts import text

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

    def answer(self, item: str, line: str, now_ns: int) -> None:
        """Take an answer; a later one for the same item replaces it.

        Raises
        ------
        ConfigError
            The test is over, the item is not in it, or the codes cannot be read.
        """
        if self.finished or now_ns > self.ends_ns + _GRACE_NS:
            raise ConfigError("the time of this self-test is up")
        if item not in self.order:
            raise ConfigError(f"item {item!r} is not part of this self-test")
        self.answers[item] = (line, self.pack.parse(line) if line.strip() else ())

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


def csv_from_report(report: dict[str, Any]) -> str:
    """One row an item, then the tally."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("item", "key", "answer", "index", "missed", "added", "letters_equal", "letters_compared"))
    for row in report["items"]:
        writer.writerow(
            (
                row["item"], row["key"], _cell(row["answer"]), row["index"], "+".join(row["missed"]),
                "+".join(row["added"]), row["letters_equal"], row["letters_compared"],
            )
        )  # fmt: skip
    writer.writerow(())
    writer.writerow(("mean_index", report["mean_index"], "pass_line", report["pass_line"]))
    writer.writerow(())
    writer.writerow(("code", "in_key", "missed", "added"))
    for row in report["codes"]:
        writer.writerow((row["code"], row["in_key"], row["missed"], row["added"]))
    return out.getvalue()


def _cell(line: str) -> str:
    """What a person typed must not become a formula in a spreadsheet."""
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line


def html_from_report(report: dict[str, Any]) -> str:
    """A page that stands alone, for printing or keeping."""
    verdict = text("report.passed" if report["passed"] else "report.not_passed")
    items = "".join(
        f"<tr><th scope=row>{_e(row['item'])}</th><td>{_e(row['key'])}</td>"
        f"<td>{_e(row['answer'] or '–')}</td><td>{row['index']:.2f}</td>"
        f"<td>{_e(', '.join(row['missed']) or '–')}</td><td>{_e(', '.join(row['added']) or '–')}</td>"
        f"<td>{row['letters_equal']} / {row['letters_compared']}</td></tr>"
        for row in report["items"]
    )
    codes = "".join(
        f"<tr><th scope=row>{_e(row['code'])}</th><td>{row['in_key']}</td>"
        f"<td>{row['missed']}</td><td>{row['added']}</td></tr>"
        for row in report["codes"]
    )
    heads = "".join(f"<th scope=col>{_e(text(f'report.{name}'))}</th>" for name in _ITEM_HEADS)
    code_heads = "".join(f"<th scope=col>{_e(text(f'report.{name}'))}</th>" for name in _CODE_HEADS)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_e(text("report.title"))}</title>'
        f'<meta name="viewport" content="width=device-width"><link rel="stylesheet" '
        f'href="/static/report.css"><main><h1>{_e(text("report.title"))}</h1>'
        f"<p>{_e(report['pack_title'])} · {_e(report['scheme'])} · {_e(report['began'])}</p>"
        f"<p class=figure>{report['mean_index']:.2f}</p><p>{_e(verdict)} "
        f"{_e(text('report.line', line=format(report['pass_line'], '.2f')))}</p>"
        f"<p>{_e(text('report.not_official'))}</p>"
        f"<h2>{_e(text('report.items'))}</h2><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{items}</tbody></table><h2>{_e(text('report.codes'))}</h2>"
        f"<table><thead><tr>{code_heads}</tr></thead><tbody>{codes}</tbody></table></main></html>"
    )


_ITEM_HEADS: Final = ("item", "key", "answer", "index", "missed", "added", "letters")
_CODE_HEADS: Final = ("code", "in_key", "missed", "added")


def _e(value: object) -> str:
    return html.escape(str(value))
