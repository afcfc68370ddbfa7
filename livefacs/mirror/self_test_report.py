"""The self-test's report as a page to print and as CSV."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable
from typing import Any, Final

from livefacs.mirror.texts import text

_ITEM_HEADS: Final = ("item", "key", "answer", "index", "missed", "added", "letters")
_CODE_HEADS: Final = ("code", "in_key", "missed", "added")
_NONE: Final = "–"


def csv_from_report(report: dict[str, Any]) -> str:
    """One row an item, then the tally."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow((*_ITEM_HEADS[:-1], "letters_equal", "letters_compared"))
    for row in report["items"]:
        missed, added = "+".join(row["missed"]), "+".join(row["added"])
        cells = (
            row["item"],
            row["key"],
            without_formula(row["answer"]),
            row["index"],
            missed,
            added,
        )
        writer.writerow((*cells, row["letters_equal"], row["letters_compared"]))
    writer.writerow(())
    writer.writerow(("mean_index", report["mean_index"], "pass_line", report["pass_line"]))
    writer.writerow(())
    writer.writerow(_CODE_HEADS)
    writer.writerows([row[name] for name in _CODE_HEADS] for row in report["codes"])
    return out.getvalue()


def without_formula(line: str) -> str:
    """What a person typed must not become a formula in a spreadsheet."""
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line


def html_from_report(report: dict[str, Any]) -> str:
    """A page for printing; nothing in it comes from elsewhere."""
    title = html.escape(text("report.title"))
    verdict = text("report.passed" if report["passed"] else "report.not_passed")
    line = text("report.line", line=format(report["pass_line"], ".2f"))
    about = " · ".join((report["pack_title"], report["scheme"], report["began"]))
    items = _table(_ITEM_HEADS, (_item_cells(row) for row in report["items"]))
    codes = _table(_CODE_HEADS, ([row[name] for name in _CODE_HEADS] for row in report["codes"]))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="stylesheet" href="/static/report.css"></head>'
        f"<body><main><h1>{title}</h1><p>{html.escape(about)}</p>"
        f'<p class="figure">{report["mean_index"]:.2f}</p>'
        f"<p>{html.escape(verdict)} {html.escape(line)}</p>"
        f"<p>{html.escape(text('report.not_official'))}</p>"
        f"<h2>{html.escape(text('report.items'))}</h2>{items}"
        f"<h2>{html.escape(text('report.codes'))}</h2>{codes}</main></body></html>"
    )


def _item_cells(row: dict[str, Any]) -> list[object]:
    missed, added = ", ".join(row["missed"]) or _NONE, ", ".join(row["added"]) or _NONE
    letters = f"{row['letters_equal']} / {row['letters_compared']}"
    index = format(row["index"], ".2f")
    return [row["item"], row["key"], row["answer"] or _NONE, index, missed, added, letters]


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = "".join(f'<th scope="col">{html.escape(text(f"report.{name}"))}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
