"""The page of docs/protocols.md in a real browser, opened from a file as OBS does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livefacs.sinks.destination import parse_destination
from livefacs.sinks.sink_from_destination import open_sink
from tests.support.waiting import wait_until
from tests.wire.making import CLOCK, make_frame

browsing = pytest.importorskip("tests.mirror.test_browser", reason="selenium is not installed")
pytestmark = browsing.pytestmark

PROTOCOLS = Path(__file__).parents[2] / "docs" / "protocols.md"


def feeding(sink: Any, text: Callable[[], str]) -> Callable[[], bool]:
    def has_come() -> bool:
        sink.send(make_frame())
        return text().startswith("AU12_L 0.")

    return has_come


def test_the_page_reads_and_connects_again(tmp_path: Path) -> None:
    found = re.search(r"```html\n(.*?)```", PROTOCOLS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    options = "?origin=null,file://"
    sink = open_sink(parse_destination(f"ws://127.0.0.1:0{options}"), CLOCK, None)
    port: int = sink.port  # type: ignore[attr-defined]
    page = tmp_path / "page.html"
    page.write_text(found[1].replace("8765", str(port)), encoding="utf-8")
    driver = browsing.start_chromium(tmp_path / "profile")
    try:
        driver.get(page.as_uri())

        def text() -> str:
            return str(driver.find_element("id", "face").text)

        wait_until(feeding(sink, text), "the first frame in the page")
        sink.close()
        driver.execute_script("document.getElementById('face').textContent = 'gone'")
        sink = open_sink(parse_destination(f"ws://127.0.0.1:{port}{options}"), CLOCK, None)
        wait_until(feeding(sink, text), "a frame after the server came again")
    finally:
        driver.quit()
        sink.close()
