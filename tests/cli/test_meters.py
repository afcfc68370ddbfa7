"""The meters in terminals of several widths."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from livefacs.cli.meters import picture
from tests.wire.making import make_frame

STATUS = {"latency_ms": {}, "rate_hz": 30.0, "dropped": 0, "outputs": []}


@pytest.mark.parametrize("width", [80, 100, 140])
def test_bars_and_letters_are_whole(width: int) -> None:
    console = Console(width=width, file=io.StringIO())
    with console.capture() as captured:
        console.print(picture(make_frame(), STATUS, width))
    lines = captured.get().splitlines()
    rows = [line for line in lines if line.lstrip().startswith(("AU", "AD"))]
    assert len(rows) >= 13
    assert max(map(len, lines)) <= width
    for row in rows:
        cut = row.count("…")
        assert cut == 0 or width > 80  # names may be shortened, bars and letters never
    assert ("Inner" in captured.get()) == (width > 80)
