"""The coding school: truth that is known, fair items, scores, and letters said of a head."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefacs.errors import ConfigError
from livefacs.mirror.ladder import LETTERS
from livefacs.mirror.letters import LetterTest
from livefacs.mirror.packs import Item, Pack
from livefacs.mirror.school import (
    CLASSES,
    HUMAN_ACTIONS,
    MARMOSET,
    marmoset_codes,
    poses_document,
    school_pack,
)
from livefacs.mirror.selftest import SelfTest
from livefacs.mirror.server import Mirror
from livefacs.vocab.facs import AU_CHANNELS, find_code, letter_from_intensity
from livefacs.vocab.notation import exclusion_errors, parse_notation
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
from tests.mirror.test_head3d import SOFTWARE_GL

HUMAN = [name for name in CLASSES if CLASSES[name].face == "head"]


def drawn(name: str, n: int = 150) -> Pack:
    return school_pack(name, n, random.Random(7))


def apex_of(item: Item) -> np.ndarray[Any, Any]:
    assert item.levels is not None
    return item.levels[item.apex]


@pytest.mark.parametrize("name", HUMAN)
def test_the_key_is_what_the_face_does(name: str) -> None:
    for item in drawn(name).items.values():
        expected = {}
        for score in item.key:
            for channel in find_code(score.code).channels:
                if not score.side or channel.endswith(score.side):
                    expected[channel] = score.letter
        shown = dict(zip(AU_CHANNELS, apex_of(item), strict=True))
        assert {c: letter_from_intensity(v) for c, v in shown.items() if v} == expected
        assert item.key == parse_notation(item.key_text)
        assert item.levels is not None
        assert not item.levels[0].any()
        assert not item.levels[-1].any()


@pytest.mark.parametrize("name", HUMAN)
def test_a_class_keeps_to_what_it_says(name: str) -> None:
    of = CLASSES[name]
    items = drawn(name).items.values()
    counts = {len(item.key) for item in items}
    assert counts == set(range(of.n_actions[0], of.n_actions[1] + 1))
    assert {score.letter for item in items for score in item.key} == set(of.letters)
    assert any(score.side for item in items for score in item.key) == (of.one_sided > 0)
    assert all(not exclusion_errors(item.key) for item in items)
    assert len({item.key_text for item in items}) > 60  # as many as one likes


def test_what_goes_along_neither_helps_nor_costs() -> None:
    items = [item for item in drawn("school-hard").items.values() if "12" in item.key_text]
    for item in items:
        codes = {score.code for score in item.key}
        if "12" in codes and "6" not in codes:
            assert "6" in {score.code for score in item.optional}


def test_marmosets_are_coded_by_presence_with_codes_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pack = drawn("school-marmoset")
    assert set(pack.codes) == set(MARMOSET)
    for item in pack.items.values():
        assert all(not score.letter for score in item.key)
        assert pack.parse(item.key_text) == item.key
        poses = poses_document(item, "marmoset")
        stems = {name.removesuffix("_left").removesuffix("_right") for name in poses["names"]}
        assert {MARMOSET[score.code] for score in item.key} <= stems
    (tmp_path / "callifacs.toml").write_text(
        '[[movements]]\nname = "corner up"\ncode = "X9"\ncontrols = ["zygomaticus_major"]\n'
        "confirmed = true\n"
    )
    monkeypatch.setattr("livefacs.vocab.schemes.user_schemes_folder", lambda: tmp_path)
    codes = marmoset_codes()
    assert codes["X9"] == "zygomaticus major"
    assert "12" not in codes


def test_a_sitting_is_scored_by_the_agreement_index() -> None:
    test = SelfTest.begin(drawn("school-medium", 12), 12, 10, now_ns=0)
    assert test.document(0)["face"] == "head"
    for number, name in enumerate(test.order, start=1):
        test.answer(number, test.pack.items[name].key_text, now_ns=1)
    assert test.report()["mean_index"] == 1
    first = test.pack.items[test.order[0]]
    free = next(
        code
        for code in HUMAN_ACTIONS
        if code not in {score.code for score in (*first.key, *first.optional)}
    )
    test.answer(1, "+".join([*map(str, first.key[1:]), free]), now_ns=1)
    row = test.report()["items"][0]
    assert row["missed"] == [first.key[0].code]
    assert row["added"] == [free]
    n = len(first.key)
    assert row["index"] == pytest.approx(2 * (n - 1) / (2 * n), abs=1e-4)


def test_letters_are_drawn_evenly_and_scored() -> None:
    test = LetterTest.begin("12", 50, random.Random(3))
    truth = [item.key[0].letter for item in test.items]
    assert {letter: truth.count(letter) for letter in LETTERS} == dict.fromkeys(LETTERS, 10)
    for item, letter in zip(test.items, truth, strict=True):
        assert letter_from_intensity(float(apex_of(item).max())) == letter
    for number, letter in enumerate(truth, start=1):
        test.answer(number, letter)
    report = test.report()
    assert (report["icc"], report["exact"], report["n"]) == (pytest.approx(1.0), 50, 50)
    swapped = {"C": "D", "D": "C"}
    for number, letter in enumerate(truth, start=1):
        test.answer(number, swapped.get(letter, letter))
    report = test.report()
    assert (report["c_as_d"], report["d_as_c"], report["exact"]) == (10, 10, 30)
    assert report["mean_error"] == [0, 0, 1, -1, 0]
    assert 0.7 < report["icc"] < 0.95


def test_icc_is_not_claimed_of_nothing() -> None:
    test = LetterTest.begin("", 5)
    assert test.report()["icc"] is None
    test.answer(1, "C")
    assert test.report()["icc"] is None


@pytest.mark.parametrize(
    ("action", "n"), [("99", 5), ("11", 5), ("12", 0), ("12", 101), ("12", -1)]
)
def test_rubbish_is_refused(action: str, n: int) -> None:
    with pytest.raises(ConfigError, match="expected"):
        LetterTest.begin(action, n)


def test_rubbish_letters_are_refused() -> None:
    test = LetterTest.begin("12", 2)
    for number, letter in ((0, "A"), (3, "A"), (1, "F"), (1, "")):
        with pytest.raises(ConfigError, match="expected A to E"):
            test.answer(number, letter)
    with pytest.raises(ConfigError, match="no class"):
        school_pack("school-x", 1)


pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome  # noqa: E402  # after the check above


@pytest.fixture(scope="module")
def browser_flags() -> tuple[str, ...]:
    return SOFTWARE_GL


def set_field(driver: Chrome, css: str, value: str) -> None:
    driver.execute_script(
        "const field = document.querySelector(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event('change'))",
        css, value,
    )  # fmt: skip


ITEM = "return document.querySelector('main [data-item]')?.dataset.item"
PICTURE = """
const player = window.livefacs._view._player ?? window.livefacs._view._letters._player;
player.pause(); player.seek(arguments[0] < 0 ? player._apex : arguments[0]);
const picture = player._face.element.firstElementChild;
return picture.toDataURL ? picture.toDataURL() : picture.innerHTML;
"""


@in_browser[0]
@pytest.mark.parametrize("name", ["school-easy", "school-marmoset"])
def test_a_class_is_coded_in_the_page(browser: Chrome, mirror: Mirror, name: str) -> None:
    go(browser, mirror, "test")
    wait(browser, f"return document.querySelector('#test-pack option[value=\"{name}\"]')")
    set_field(browser, "#test-pack", name)
    set_field(browser, "#test-count", "3")
    find(browser, "form button").click()
    for number in range(1, 4):
        wait(browser, f"{ITEM} === '{number}'")
        if number == 1:
            assert browser.execute_script(PICTURE, 0) != browser.execute_script(PICTURE, -1)
            example = "1+4" if name == "school-marmoset" else "1C+2C+5B"  # codes that it knows
            assert find(browser, "#answer").get_attribute("placeholder") == example
            assert example in find(browser, "#answer-help").text
        (test,) = mirror.tests.values()
        assert browser.execute_script("return document.querySelector('#answer').value") == ""
        key = test.pack.items[test.order[number - 1]].key_text
        find(browser, "#answer").send_keys(key if number > 1 else "4")
        check = "document.querySelector('#answer-check').textContent"
        wait(browser, f"return {check}.includes('reads as')")
        find(browser, "#answer").send_keys("\ue007")
    wait(browser, "return document.querySelector('[data-mean]')")
    rows = browser.find_elements("css selector", "tbody tr")
    assert float(find(browser, "[data-mean]").get_attribute("data-mean")) >= 0.66
    assert "1.00" in rows[1].text


@in_browser[0]
def test_letters_are_said_by_key(browser: Chrome, mirror: Mirror) -> None:
    go(browser, mirror, "test")
    wait(browser, "return document.querySelector('#letters-count')")
    set_field(browser, "#letters-action", "12")
    set_field(browser, "#letters-count", "5")
    browser.execute_script("document.querySelector('#letters-count').form.requestSubmit()")
    for number in range(1, 6):
        wait(browser, f"{ITEM} === '{number}'")
        assert "12 Lip corner puller" in find(browser, "h1").text
        (test,) = mirror.letter_tests.values()
        letter = test.items[number - 1].key[0].letter
        find(browser, "body").send_keys({"C": "d"}.get(letter, letter.lower()))
    page = wait(browser, "return document.querySelector('[data-exact]')")
    assert page.get_attribute("data-exact") == "4"
    assert "C taken for D: 1." in page.text
    assert float(page.get_attribute("data-icc")) > 0.8


@in_browser[0]
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SCREENS)
def test_axe_finds_no_barrier(
    browser: Chrome, mirror: Mirror, theme: str, size: tuple[int, int]
) -> None:
    with sized(browser, *size):
        go(browser, mirror, "test")
        browser.execute_script("sessionStorage.clear()")
        go(browser, mirror, "test")
        put_on(browser, theme)
        wait(browser, "return document.querySelector('#letters-count')")
        assert_no_barrier(browser)
        set_field(browser, "#letters-count", "1")
        browser.execute_script("document.querySelector('#letters-count').form.requestSubmit()")
        wait(browser, f"{ITEM} === '1'")
        assert_no_barrier(browser)
        find(browser, "body").send_keys("a")
        wait(browser, "return document.querySelector('[data-exact]')")
        assert_no_barrier(browser)
        find(browser, "main button.main").click()
        wait(browser, "return document.querySelector('#test-pack')")
        set_field(browser, "#test-pack", "school-marmoset")
        find(browser, "form button").click()
        wait(browser, f"{ITEM} === '1'")
        assert_no_barrier(browser)
