"""A teacher's work: packs from own clips, and several coders compared and exported."""

from __future__ import annotations

import csv
import io
import json
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from livefacs.errors import ConfigError
from livefacs.mirror.coders import (
    KEY,
    Coder,
    coder_from_csv,
    compare_coders,
    csv_from_comparison,
    write_elan,
)
from livefacs.mirror.pack_making import PackMaker
from livefacs.mirror.packs import Item, load_packs
from livefacs.mirror.self_test_report import csv_from_report
from livefacs.mirror.selftest import SelfTest
from livefacs.mirror.server import Mirror
from livefacs.resources import data_path
from tests.mirror.test_browser import (
    SCREENS,
    assert_no_barrier,
    find,
    go,
    put_on,
    sized,
    wait,
)
from tests.mirror.test_browser import pytestmark as in_browser
from tests.support.waiting import PATIENCE_S

KEYS = {"one": "1C+2C", "two": "12D", "three": "4B", "four": "1B+4C"}


def coder(name: str, **lines: str) -> Coder:
    return Coder(name, {**KEYS, **lines}, KEYS)


def test_two_coders_by_hand() -> None:
    """Index by 2 x agreed / all codes; kappa of 1 from the table yes-yes 1, yes-no 1, no-no 2."""
    found = compare_coders([coder("anna"), coder("ben", one="1B", two="12C+25B", four="4D")])
    assert found["names"] == ["anna", "ben", KEY]
    index = (2 / 3 + 2 / 3 + 1 + 2 / 3) / 4
    assert found["matrix"][0] == [1, pytest.approx(index, abs=1e-4), 1]
    assert found["mean_index"] == pytest.approx(index, abs=1e-4)
    rows = {row["code"]: row for row in found["actions"]}
    assert rows["1"]["kappa"] == pytest.approx((0.75 - 0.5) / 0.5)
    assert rows["1"]["scored"] == {"anna": 2, "ben": 1}
    assert rows["1"]["with_key"] == {"anna": 1.0, "ben": 0.5}
    assert rows["2"]["kappa"] == 0
    assert rows["12"]["kappa"] == 1
    assert list(rows) == ["1", "2", "4", "12", "25"]


def test_where_chance_explains_all_there_is_no_kappa() -> None:
    lines = dict.fromkeys(KEYS, "12C")
    found = compare_coders([Coder("a", lines, lines), Coder("b", lines, lines)])
    assert found["actions"][0]["kappa"] is None
    assert found["mean_kappa"] is None
    assert found["mean_index"] == 1


@pytest.mark.parametrize(
    ("coders", "told"),
    [
        ([coder("a")], "2 to 40 coders, got 1"),
        ([coder("a"), coder("a")], "'a' is there twice"),
        ([coder("a"), coder(KEY)], "cannot be called"),
        ([coder("a"), coder("b", one="1+xx")], "b, item 'one'"),
        ([coder("a"), Coder("b", {"x": "1"}, {"x": "1"})], "no item was coded by all"),
        ([coder("a"), Coder("b", KEYS, {**KEYS, "two": "13B"})], "item 'two' has another key"),
    ],
)
def test_what_cannot_be_compared_is_told(coders: list[Coder], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        compare_coders(coders)


def test_reports_of_the_self_test_are_read(tmp_path: Path) -> None:
    pack = load_packs().packs["performer"]
    test = SelfTest.begin(pack, None, None, now_ns=0)
    for number, name in enumerate(test.order, start=1):
        test.answer(number, pack.items[name].key_text, now_ns=1)
    text = csv_from_report(test.report())
    one = coder_from_csv("anna", text)
    assert dict(one.answers) == {name: item.key_text for name, item in pack.items.items()}
    assert compare_coders([one, Coder("ben", one.answers, one.keys)])["mean_index"] == 1
    for rubbish in ("", "a,b\n1,2\n", "item,key,answer\n", "item,key,answer\nx\n"):
        with pytest.raises(ConfigError, match="eve: "):
            coder_from_csv("eve", rubbish)


def test_tables_as_csv_are_no_formulas() -> None:
    found = compare_coders([coder("=SUM(A1)"), coder("ben", one="1B")])
    rows = list(csv.reader(io.StringIO(csv_from_comparison(found))))
    assert rows[0] == ["agreement_index", "'=SUM(A1)", "ben", "key"]
    assert float(rows[1][2]) == pytest.approx(found["matrix"][0][1])
    assert rows[5][:3] == ["code", "in_key", "scored_'=SUM(A1)"]


def tiers_of(path: Path) -> dict[str, list[tuple[int, int, str]]]:
    """An .eaf as ELAN reads it: time slots by name, annotations by tier."""
    root = ElementTree.parse(path).getroot()
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE") or 0) for s in root.iter("TIME_SLOT")}
    return {
        str(tier.get("TIER_ID")): [
            (
                slots[one.get("TIME_SLOT_REF1")],
                slots[one.get("TIME_SLOT_REF2")],
                one.findtext("ANNOTATION_VALUE") or "",
            )
            for one in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        for tier in root.iter("TIER")
    }


def test_elan_has_a_tier_a_coder_in_the_clips_time(tmp_path: Path) -> None:
    clip = data_path("performer.mp4")
    starts = {"one": 90, "two": 0, "three": 30, "four": 60}

    def item_of(name: str) -> tuple[Item, float]:
        at = starts[name]
        return Item(name, clip, at, at + 30, at + 10, (), "", (), ""), 30.0

    coders = [coder("anna"), coder("ben", one="")]
    write_elan(tmp_path / "a.eaf", coders, item_of)
    tiers = tiers_of(tmp_path / "a.eaf")
    assert list(tiers) == ["anna", "ben", KEY]
    assert tiers["anna"][0] == (0, 1000, "12D")
    assert tiers["ben"][-1] == (3000, 4000, "0")
    assert "performer.mp4" in (tmp_path / "a.eaf").read_text()
    write_elan(tmp_path / "b.eaf", coders, lambda name: None)
    assert tiers_of(tmp_path / "b.eaf")["anna"][0] == (0, 1000, "1C+2C")


# Packs from own clips.


@pytest.fixture
def maker(tmp_path: Path) -> PackMaker:
    return PackMaker(tmp_path / "packs")


def take_in(maker: PackMaker, pack: str, clip: str, data: bytes, piece: int = 100_000) -> Path:
    target = maker.place(pack, clip)
    for at in range(0, len(data), piece):
        maker.take_piece(target, at, len(data), data[at : at + piece])
    return target


ABOUT = {"title": "Mine", "rights": "own", "source": "own camera"}
ITEM = {"name": "a", "clip": "me.mp4", "start": 3, "apex": 20, "end": 30, "key": "1C+2C"}


def test_a_clip_in_pieces_becomes_a_pack(maker: PackMaker) -> None:
    data = data_path("performer.mp4").read_bytes()
    path = take_in(maker, "mine", "me.mp4", data)
    assert path.read_bytes() == data
    assert maker.length(path)[0] == 420
    made = maker.save("mine", ABOUT, [ITEM])
    assert made.items["a"].apex == 20
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(".")] == []
    library = load_packs((maker.folder,))
    assert library.errors == ()
    assert library.packs["mine"].rights == "own"
    with pytest.raises(ConfigError, match="choose another name"):
        maker.place("mine", "more.mp4")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"key": "1+bad"}, "1"),
        ({"end": 999}, "the clip has 420"),
        ({"apex": 40}, "start <= apex <= end"),
        ({"name": "No Good"}, "name"),
        ({"clip": "other.mp4"}, "add it first"),
    ],
)
def test_a_pack_with_an_error_is_not_kept(
    maker: PackMaker, change: dict[str, Any], told: str
) -> None:
    path = take_in(maker, "mine", "me.mp4", data_path("performer.mp4").read_bytes())
    with pytest.raises(ConfigError, match=told):
        maker.save("mine", ABOUT, [{**ITEM, **change}])
    assert [each.name for each in path.parent.iterdir()] == ["me.mp4"]


@pytest.mark.parametrize(
    ("pack", "clip"),
    [("../up", "a.mp4"), ("Up", "a.mp4"), ("a", "../../a.mp4"), ("a", "a.exe"), ("a", ".mp4")],
)
def test_names_lead_nowhere_else(maker: PackMaker, pack: str, clip: str) -> None:
    with pytest.raises(ConfigError, match="lower case"):
        maker.place(pack, clip)
    assert not maker.folder.exists()


def test_pieces_have_to_follow_and_rubbish_is_taken_away(maker: PackMaker) -> None:
    target = maker.place("mine", "me.mp4")
    maker.take_piece(target, 0, 10, b"12345")
    with pytest.raises(ConfigError, match="expected the piece at 5, got 7"):
        maker.take_piece(target, 7, 10, b"890")
    with pytest.raises(ConfigError, match="at most"):
        maker.take_piece(target, 5, 10, b"678901")
    maker.take_piece(target, 5, 10, b"67890")
    with pytest.raises(ConfigError, match="cannot be read"):
        maker.length(target)
    assert not target.exists()


def call(mirror: Mirror, path: str, body: bytes, kind: str = "application/json") -> Any:
    own = f"http://127.0.0.1:{mirror.port}"
    headers = {"Content-Type": kind, "Origin": own}
    request = urllib.request.Request(own + path, body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return answer.read()


def test_a_long_comparison_keeps_no_other_page_waiting(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(coders: list[Coder], *parse: Any) -> dict[str, Any]:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return compare_coders(coders, *parse)

    monkeypatch.setattr("livefacs.mirror.teacher_api.compare_coders", slow)
    csv_text = "item,key,answer\none,12C,12C\n"
    coders = [{"name": name, "csv": csv_text} for name in ("anna", "ben")]
    body = json.dumps({"coders": coders, "pack": ""}).encode()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(call, mirror, "/api/compare", body)
        try:
            assert begun.wait(PATIENCE_S)
            url = f"http://127.0.0.1:{mirror.port}/api/hello"
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as hello:
                assert hello.status == 200
            assert not answer.done()
        finally:
            go_on.set()
        assert json.loads(answer.result(PATIENCE_S))["mean_index"] == 1


def test_over_http_errors_are_words(start_mirror: Callable[..., Mirror], tmp_path: Path) -> None:
    mirror = start_mirror(pack_folders=(tmp_path / "packs",))
    for path, body in (
        ("/api/compare", {"coders": [{"name": "a"}], "pack": ""}),
        ("/api/compare", {"coders": [{"name": "a", "csv": "x"}], "pack": ""}),
        ("/api/making/mine", {**ABOUT, "items": []}),
        ("/api/making/mine", {**ABOUT, "items": [{**ITEM, "start": "3"}]}),
        ("/api/making/mine/me.mp4?at=x&of=3", {}),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            call(mirror, path, json.dumps(body).encode())
        assert caught.value.code == 400
        assert json.loads(caught.value.read())["error"]
    report = "item,key,answer,index\n" + "".join(f"{i},{k},{k},1\n" for i, k in KEYS.items())
    coders = [{"name": name, "csv": report} for name in ("a", "b")]
    body = json.dumps({"coders": coders, "pack": ""}).encode()
    assert json.loads(call(mirror, "/api/compare", body))["mean_kappa"] == 1
    assert call(mirror, "/api/compare/csv", body).startswith(b"agreement_index,a,b,key")
    assert b'TIER_ID="b"' in call(mirror, "/api/compare/elan", body)


pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome  # noqa: E402  # after the check above


def axe(driver: Chrome) -> None:
    for theme, size in product(("dark", "light"), SCREENS):
        with sized(driver, *size):
            put_on(driver, theme)
            assert_no_barrier(driver, f"{theme} {size}")


WHEN_FRAMES_MAY_BE_MARKED = """
const [form, mark] = ['.making', '[data-mark=end]'].map((css) => document.querySelector(css));
window.seen = [];
const note = () => window.seen.push([form.dataset.ready, !mark.disabled]);
new MutationObserver(note).observe(form, { attributeFilter: ['data-ready'] });
"""


@in_browser[0]
def test_the_wizard_makes_a_pack(
    browser: Chrome, start_mirror: Callable[..., Mirror], tmp_path: Path
) -> None:
    shutil.copy(data_path("performer.mp4"), tmp_path / "My Clip.mp4")
    mirror = start_mirror(pack_folders=(data_path("packs"), tmp_path / "packs"))
    go(browser, mirror, "make")
    for name, text in (("name", "mine"), ("title", "Mine"), ("rights", "own"), ("source", "own")):
        find(browser, f"#make-{name}").send_keys(text)
    browser.execute_script(WHEN_FRAMES_MAY_BE_MARKED)
    find(browser, "#make-clip").send_keys(str(tmp_path / "My Clip.mp4"))
    wait(browser, "return document.querySelector('.making').dataset.ready === '0'")
    assert browser.execute_script("return window.seen") == [["", False], ["0", True]]
    assert "my-clip.mp4 is there: 420 frames." in find(browser, "main").text
    browser.execute_script("document.activeElement.blur()")
    seek = "window.livefacs._view._player.seek(arguments[0]);"
    for name, frame in (("start", 5), ("apex", 15), ("end", 29)):
        browser.execute_script(seek, frame)
        find(browser, f"[data-mark={name}]").click()
    assert "Onset 5, apex 15, end 30" in find(browser, ".making").text
    find(browser, "#answer").send_keys("1C+2C")
    wait(browser, "return document.querySelector('#answer-check').textContent.includes('reads as')")
    find(browser, ".making form button").click()
    wait(browser, "return document.querySelector('.making ol li')")
    axe(browser)
    browser.find_element("xpath", "//button[text()='Keep the pack']").click()
    wait(
        browser,
        "return document.querySelector('main').textContent.includes('is kept. Items in it: 1.')",
    )
    made = load_packs((tmp_path / "packs",)).packs["mine"].items["item-1"]
    assert (made.start, made.apex, made.end, made.key_text) == (5, 15, 30, "1C+2C")
    go(browser, mirror, "code")
    wait(browser, "return document.querySelector('#pack option[value=mine]')")


@in_browser[0]
def test_coders_are_compared_in_the_page(
    browser: Chrome, start_mirror: Callable[..., Mirror], tmp_path: Path
) -> None:
    for name, two in (("anna", "12D"), ("ben", "12C+25B"), ("cleo", "")):
        lines = {**KEYS, "two": two}
        rows = "".join(f"{item},{KEYS[item]},{line},1\n" for item, line in lines.items())
        (tmp_path / f"{name}.csv").write_text("item,key,answer,index\n" + rows)
    go(browser, start_mirror(), "compare")
    find(browser, "#coders").send_keys(str(tmp_path / "anna.csv"))
    find(browser, "#coders").send_keys(
        "\n".join(str(tmp_path / f"{n}.csv") for n in ("ben", "cleo"))
    )
    wait(browser, "return document.querySelectorAll('[data-coder]').length === 4")
    assert find(browser, "[data-coder=anna]").text == "anna 1.00 0.92 0.75 1.00"
    assert find(browser, "tr[data-code='12']").text.startswith("12 1")
    axe(browser)
    (tmp_path / "eve.csv").write_text("nothing\n")
    find(browser, "#coders").send_keys(str(tmp_path / "eve.csv"))
    wait(browser, "return document.querySelector('[role=alert]:not([hidden])')")
    assert "eve: expected a self-test's report" in find(browser, "main [role=alert]").text
