"""The house's own rules that no other tool checks."""

from __future__ import annotations

from pathlib import Path

import livefacs

MOST_LINES = 400


def test_no_module_is_longer_than_one_can_keep_in_mind() -> None:
    root = Path(livefacs.__file__).parent
    n_lines = {
        str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines())
        for path in root.rglob("*.py")
    }
    assert len(n_lines) > 100
    assert {name: n for name, n in n_lines.items() if n > MOST_LINES} == {}
