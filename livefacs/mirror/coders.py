"""Several coders of the same items: agreement of each pair, kappa by action, as tables and files.

Answers come from reports of self-tests (CSV), one a coder. Presence counts, letters do not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, Final

from livefacs.au.agreement import cohens_kappa
from livefacs.errors import ConfigError
from livefacs.formats.eaf import Span, write_tiers
from livefacs.mirror.coding import Parser, agreement_index, sort_key
from livefacs.mirror.packs import Item
from livefacs.mirror.self_test_report import without_formula
from livefacs.vocab.notation import parse_notation

KEY: Final = "key"
MOST_CODERS: Final = 40
_ITEM_MS: Final = 1000
_COLUMNS: Final = ("item", "key", "answer")


@dataclass(frozen=True, slots=True)
class Coder:
    """One coder's lines by item, and the key's."""

    name: str
    answers: Mapping[str, str]
    keys: Mapping[str, str]


def coder_from_csv(name: str, text: str) -> Coder:
    """The answers of a self-test's report.

    Raises
    ------
    ConfigError
        It is no such report, or names an item twice.
    """
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    head = next(rows, [])
    if not set(_COLUMNS) <= set(head):
        raise ConfigError(
            f"{name}: expected a self-test's report as CSV, with the columns "
            f"{', '.join(_COLUMNS)}; its first line is {','.join(head)[:80]!r}"
        )
    item, key, answer = (head.index(column) for column in _COLUMNS)
    answers: dict[str, str] = {}
    keys: dict[str, str] = {}
    for row in rows:
        if not row:  # the tally follows
            break
        if len(row) <= max(item, key, answer) or row[item] in answers:
            raise ConfigError(f"{name}: the line of item {row[0][:40]!r} is short, or there twice")
        answers[row[item]] = row[answer].removeprefix("'")
        keys[row[item]] = row[key].removeprefix("'")
    if not answers:
        raise ConfigError(f"{name}: there are no items in it")
    return Coder(name, answers, keys)


def compare_coders(coders: Sequence[Coder], parse: Parser = parse_notation) -> dict[str, Any]:
    """Agreement of all pairs, the key among them, over the items that all have coded.

    Returns
    -------
    dict
        ``names`` (coders, then ``key``); ``items``; ``matrix`` of mean agreement indices;
        ``actions``: per code the items that anyone scored, and kappa of each pair of coders
        (mean; None where chance explains all), and of each coder with the key; ``mean_index``
        and ``mean_kappa`` over the pairs of coders.

    Raises
    ------
    ConfigError
        Fewer than two coders, a name twice, no common item, keys that differ, or a line that
        cannot be read; holds every one of them.
    """
    errors = _errors_of(coders)
    items = [i for i in coders[0].answers if all(i in c.answers for c in coders)] if coders else []
    if coders and not items:
        errors.append("no item was coded by all of them: were they of the same pack?")
    lines = {c.name: {i: _codes(c, i, c.answers, parse, errors) for i in items} for c in coders}
    if errors:
        raise ConfigError("the coders cannot be compared:", errors)
    lines[KEY] = {i: _codes(coders[0], i, coders[0].keys, parse, errors) for i in items}
    names = [*lines]
    pairs = list(combinations([coder.name for coder in coders], 2))

    def index(a: str, b: str) -> float:
        return sum(agreement_index(lines[a][i], lines[b][i]) for i in items) / len(items)

    found = [_action(code, lines, items, pairs) for code in _all_codes(lines)]
    kappas = [row["kappa"] for row in found if row["kappa"] is not None]
    return {
        "names": names,
        "items": items,
        "matrix": [[round(index(a, b), 4) for b in names] for a in names],
        "actions": found,
        "mean_index": round(sum(index(a, b) for a, b in pairs) / len(pairs), 4),
        "mean_kappa": round(sum(kappas) / len(kappas), 4) if kappas else None,
    }


def _errors_of(coders: Sequence[Coder]) -> list[str]:
    errors: list[str] = []
    if not 2 <= len(coders) <= MOST_CODERS:
        errors.append(f"expected 2 to {MOST_CODERS} coders, got {len(coders)}")
    names = [coder.name for coder in coders]
    errors += [f"{n!r} is there twice" for n in dict.fromkeys(names) if names.count(n) > 1]
    if KEY in names:
        errors.append(f"a coder cannot be called {KEY!r}: that is the key")
    for coder in coders[1:]:
        differing = [
            item for item, key in coder.keys.items() if coders[0].keys.get(item, key) != key
        ]
        errors += [f"{coder.name}: item {item!r} has another key" for item in differing]
    return errors


def _codes(
    coder: Coder, item: str, lines: Mapping[str, str], parse: Parser, errors: list[str]
) -> frozenset[str]:
    try:
        scores = parse(lines[item]) if lines[item].strip() else ()
    except ConfigError as error:
        errors.append(f"{coder.name}, item {item!r}: {' '.join(str(error).split())}")
        return frozenset()
    return frozenset(score.code for score in scores) - {"0"}


def _all_codes(lines: Mapping[str, Mapping[str, frozenset[str]]]) -> list[str]:
    return sorted(
        {c for own in lines.values() for line in own.values() for c in line}, key=sort_key
    )


def _action(
    code: str,
    lines: Mapping[str, Mapping[str, frozenset[str]]],
    items: Sequence[str],
    pairs: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    there = {name: [code in own[item] for item in items] for name, own in lines.items()}
    between = [k for a, b in pairs if (k := cohens_kappa(there[a], there[b])) is not None]
    with_key = {
        name: None if (k := cohens_kappa(own, there[KEY])) is None else round(k, 4)
        for name, own in there.items()
        if name != KEY
    }
    return {
        "code": code,
        "in_key": sum(there[KEY]),
        "scored": {name: sum(own) for name, own in there.items() if name != KEY},
        "kappa": round(sum(between) / len(between), 4) if between else None,
        "with_key": with_key,
    }


def csv_from_comparison(found: Mapping[str, Any]) -> str:
    """The matrix, then kappa by action."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = [without_formula(name) for name in found["names"]]
    writer.writerow(("agreement_index", *names))
    writer.writerows((n, *row) for n, row in zip(names, found["matrix"], strict=True))
    writer.writerow(())
    coders = names[:-1]
    kappas = (f"kappa_{name}_{KEY}" for name in coders)
    writer.writerow(("code", "in_key", *(f"scored_{n}" for n in coders), "mean_kappa", *kappas))
    for row in found["actions"]:
        own = [_cell(value) for value in row["with_key"].values()]
        counts = row["scored"].values()
        writer.writerow((row["code"], row["in_key"], *counts, _cell(row["kappa"]), *own))
    return out.getvalue()


def _cell(value: float | None) -> float | str:
    return "" if value is None else value


def write_elan(
    path: Path,
    coders: Sequence[Coder],
    item_of: Callable[[str], tuple[Item, float] | None],
    now: datetime | None = None,
) -> None:
    """Annotations for ELAN: a tier a coder, one of the key; the text is the line of codes.

    Parameters
    ----------
    path : Path
    coders : as for ``compare_coders``
    item_of : callable
        An item of a known pack by name, with the rate of its clip in Hz; where all items are of
        one clip and do not overlap, that clip is linked and times are its own. Else each item has
        one second.
    """
    items = list(coders[0].answers)
    known = [item_of(name) for name in items]
    clips = {one[0].clip for one in known if one is not None}
    spans: list[tuple[int, int]] = [(i * _ITEM_MS, (i + 1) * _ITEM_MS) for i in range(len(items))]
    media = None
    if len(clips) == 1 and all(one is not None for one in known):
        own = [_span(*one) for one in known if one is not None]
        if not _overlap(own):  # annotations of a tier may not
            media, spans = clips.pop(), own
    order = sorted(range(len(items)), key=lambda k: spans[k])

    def tier(lines: Mapping[str, str]) -> list[Span]:
        return [(*spans[k], lines.get(items[k], "") or "0") for k in order]

    tiers = {coder.name: tier(coder.answers) for coder in coders}
    write_tiers(path, {**tiers, KEY: tier(coders[0].keys)}, now or datetime.now(UTC), media)


def _span(item: Item, rate_hz: float) -> tuple[int, int]:
    return round(1000 * item.start / rate_hz), round(1000 * item.end / rate_hz)


def _overlap(spans: Sequence[tuple[int, int]]) -> bool:
    ordered = sorted(spans)
    return any(later[0] < earlier[1] for earlier, later in pairwise(ordered))
