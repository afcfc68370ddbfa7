"""A map written as TOML that loads again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(text: str) -> str:
    """A TOML string; JSON's escapes are all TOML's too."""
    return json.dumps(text, ensure_ascii=False)


def toml_key(name: str) -> str:
    """A key, quoted where it must be."""
    return name if _BARE.fullmatch(name) else toml_text(name)


def toml_number(value: float) -> str:
    """A float with at most four decimals, always recognisable as one."""
    return repr(round(float(value), 4) + 0.0)


def toml_weights(weights: Mapping[str, float]) -> str:
    """An inline table of weights."""
    if not weights:
        return "{}"
    inside = ", ".join(f"{toml_key(name)} = {toml_number(w)}" for name, w in weights.items())
    return f"{{ {inside} }}"


def toml_list(values: Iterable[str]) -> str:
    """A list of texts, one a line."""
    lines = "".join(f"  {toml_text(value)},\n" for value in values)
    return f"[\n{lines}]" if lines else "[]"


def toml_table(header: str, entries: Sequence[tuple[str, str]]) -> str:
    """A table: its header line, then ``key = value`` with values already in TOML."""
    return "\n".join((f"[{header}]", *(f"{key} = {value}" for key, value in entries))) + "\n"
