"""The mirror's English: one file, read by the page and by the reports."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

STATIC: Final = Path(__file__).with_name("static")


@cache
def texts() -> dict[str, Any]:
    """The whole table."""
    table: dict[str, Any] = json.loads((STATIC / "texts.en.json").read_text(encoding="utf-8"))
    return table


def text(path: str, **values: object) -> str:
    """One text by its dotted path, with ``{name}`` filled in."""
    found: Any = texts()
    for part in path.split("."):
        found = found[part]
    return str(found).format(**values)
