"""Practice in a real browser: keys, what is in sight, both sides, lost faces, reloads."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livefacs.mirror.server import Mirror
from tests.mirror.conftest import make_frame, without_face
from tests.mirror.test_browser import (  # noqa: F401  # the skip marks of that module
    find,
    go,
    pytestmark,
    sized,
    start_chromium,
    wait,
)

pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome, Keys  # after the check above
from selenium.webdriver.common.by import By

DRILLS = """
schema = 1
title = "Lessons"
[[drill]]
name = "corners"
title = "Lip corners"
kind = "hold"
actions = ["12"]
level = "C"
hold_s = 1.0
time_limit_s = 30.0
[[drill]]
name = "left"
title = "Left corner alone"
kind = "one-side"
side = "left"
actions = ["12"]
level = "C"
time_limit_s = 3.0
[[drill]]
name = "jaw"
title = "Jaw"
kind = "hold"
actions = ["26"]
level = "C"
"""


@pytest.fixture
def school(start_mirror: Callable[..., Mirror], tmp_path: Path) -> Mirror:
    folder = tmp_path / "drills"
    folder.mkdir()
    (folder / "lessons.toml").write_text(DRILLS)
    return start_mirror(drill_folders=(folder,))


class Feeding:
    """Frames for a mirror, one after the other, at the pace of a camera.

    ``page``: each waits until this one has drawn the frame before, however long that takes.
    """

    def __init__(self, mirror: Mirror, page: Chrome | None = None, rate_hz: int = 30) -> None:
        self._mirror = mirror
        self._page = page
        self._rate_hz = rate_hz
        self._i = 0

    def send(self, seconds: float, *, face: bool = True, **levels: float) -> None:
        """Frames of so much session time; a fifth of it passes, for the page's sake."""
        for _ in range(round(self._rate_hz * seconds)):
            self._i += 1
            frame = make_frame(self._i, self._i / self._rate_hz, **levels)
            self._mirror.feed.send(frame if face else without_face(frame))
            if self._page is None:
                time.sleep(1 / 150)  # a page draws what has come; a camera has a pace as well
            else:
                wait(self._page, f"return window.livefacs.live.frame?.iFrame === {self._i}")


def active(driver: Chrome) -> Any:
    return driver.switch_to.active_element


def gauge(driver: Chrome, side: str) -> float:
    return float(find(driver, f".gauge[data-side='{side}']").get_attribute("aria-valuenow"))


def practise(driver: Chrome, mirror: Mirror, drill: str = "corners") -> None:
    go(driver, mirror, "practise")
    wait(driver, f"return document.querySelector('[data-drill={drill}]')").click()


def test_the_list_is_one_stop_and_space_starts(browser: Chrome, school: Mirror) -> None:
    practise(browser, school)
    assert active(browser).get_attribute("data-drill") == "corners"
    active(browser).send_keys(Keys.ARROW_DOWN)
    assert active(browser).get_attribute("data-drill") == "left"
    assert find(browser, "h1").text == "Left corner alone"
    active(browser).send_keys(Keys.END)
    assert active(browser).get_attribute("data-drill") == "jaw"
    active(browser).send_keys(Keys.HOME, " ")
    wait(browser, "return document.querySelector('.practise').dataset.phase === 'settle'")
    active(browser).send_keys(Keys.TAB)  # out of the list with one key
    assert active(browser).get_attribute("data-drill") is None


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (512, 384), (390, 844)])
def test_while_a_drill_runs_its_gauge_is_in_sight(
    browser: Chrome, school: Mirror, width: int, height: int
) -> None:
    """1024 × 768, the same at 200 % zoom, a phone."""
    with sized(browser, width, height):
        practise(browser, school)
        feeding = Feeding(school)
        feeding.send(0.3)
        active(browser).send_keys(" ")
        feeding.send(2.0)
        wait(browser, "return document.querySelector('.practise').dataset.phase === 'go'")
        script = (
            "const box = document.querySelector('.gauges').getBoundingClientRect();"
            "return [box.top, box.bottom, scrollY,"
            " document.documentElement.scrollWidth - innerWidth]"
        )
        top, bottom, scrolled, too_wide = browser.execute_script(script)
        assert scrolled == 0
        assert 0 < top < bottom <= height
        assert too_wide <= 0


def test_each_side_has_its_bar_and_the_weaker_one_counts(browser: Chrome, school: Mirror) -> None:
    practise(browser, school)
    feeding = Feeding(school)
    active(browser).send_keys(" ")
    feeding.send(2.0)
    feeding.send(1.0, AU12_L=0.5, AU12_R=0.1)
    wait(browser, "return document.querySelector('.gauge[data-side=L].in')")
    assert gauge(browser, "L") == pytest.approx(0.5)
    assert gauge(browser, "R") == pytest.approx(0.1)
    assert not browser.find_elements(By.CSS_SELECTOR, ".gauge[data-side=R].in")
    fill = "return getComputedStyle(document.querySelector('.gauge[data-side={} ] .fill')).{}"
    colours = {side: browser.execute_script(fill.format(side, "backgroundColor")) for side in "LR"}
    assert colours["L"] != colours["R"]
    band = find(browser, ".gauge[data-side=L] .band")
    assert band.is_displayed()
    find(browser, "[data-drill=left]")
    browser.execute_script("document.querySelector('[data-drill=left]').click()")
    shown = [row.is_displayed() for row in browser.find_elements(By.CSS_SELECTOR, ".gauge-row")]
    assert shown == [True, False, False]  # left alone


def test_a_lost_face_is_said_and_the_hold_waits(browser: Chrome, school: Mirror) -> None:
    practise(browser, school)
    feeding = Feeding(school)
    active(browser).send_keys(" ")
    feeding.send(2.0)
    feeding.send(0.5, AU12_L=0.5, AU12_R=0.5)
    feeding.send(0.3, face=False, AU12_L=0.5, AU12_R=0.5)
    wait(browser, "return document.querySelector('.prompt').textContent.includes('hold waits')")
    feeding.send(1.0, AU12_L=0.5, AU12_R=0.5)
    wait(browser, "return document.querySelector('.result')")
    assert find(browser, ".result").get_attribute("data-passed") == "true"


def test_without_a_face_nothing_is_at_rest(browser: Chrome, school: Mirror) -> None:
    go(browser, school)
    feeding = Feeding(school)
    feeding.send(0.5, AU12_L=0.5, AU12_R=0.5)
    wait(browser, "return document.querySelector('.reading').textContent.includes('12')")
    feeding.send(0.5, face=False, AU12_L=0.5, AU12_R=0.5)
    wait(browser, "return document.querySelector('.reading').textContent === 'no face'")
    marks = browser.find_elements(By.CSS_SELECTOR, ".au[data-code='12'] .mark")
    assert [mark.text for mark in marks] == ["", ""]


def test_scores_are_the_drills_own_and_the_rule_stands_beside(
    browser: Chrome, school: Mirror
) -> None:
    practise(browser, school)
    feeding = Feeding(school)
    active(browser).send_keys(" ")
    feeding.send(2.0)
    feeding.send(1.5, AU12_L=0.5, AU12_R=0.5)
    wait(browser, "return document.querySelector('.result')")
    assert "To pass:" in find(browser, ".result .rule").text
    assert "points (you:" in find(browser, ".result .rule").text
    go(browser, school, "practise")
    wait(browser, "return document.querySelector('[data-drill=corners] .tag')")
    assert "✓" in find(browser, "[data-drill=corners]").text
    left = find(browser, "[data-drill=left]").text
    assert not any(char.isdigit() for char in left)  # the same action, but never tried


def test_a_reload_keeps_the_choice_and_says_what_it_ended(browser: Chrome, school: Mirror) -> None:
    practise(browser, school, "jaw")
    active(browser).send_keys(" ")
    wait(browser, "return document.querySelector('.practise').dataset.phase === 'settle'")
    browser.refresh()
    wait(browser, "return document.querySelector('[data-drill=jaw][aria-current=true]')")
    assert "loaded again, which ended the drill" in find(browser, ".prompt").text
    browser.refresh()
    wait(browser, "return document.querySelector('[data-drill=jaw][aria-current=true]')")
    assert "ended" not in find(browser, ".prompt").text


def test_a_self_test_goes_on_after_a_reload(browser: Chrome, school: Mirror) -> None:
    go(browser, school, "test")
    wait(browser, "return document.querySelector('#test-count')")
    browser.execute_script("document.querySelector('#test-count').value = '2'")
    find(browser, "form button").click()
    wait(browser, "return document.querySelector('.coding') && document.querySelector('#answer')")
    wait(browser, "return document.querySelector('main > div').dataset.item === '1'")
    find(browser, "#answer").send_keys("12")
    wait(browser, "return document.querySelector('#answer-check').textContent.includes('reads as')")
    find(browser, "form button").click()
    wait(browser, "return document.querySelector('main > div').dataset.item === '2'")
    browser.refresh()
    wait(browser, "return document.querySelector('h1')?.textContent === 'Item 2 of 2'")
    wait(browser, "return document.querySelector('main > div').dataset.item === '2'")  # loaded
    school.tests.clear()  # as after a restart of the program
    browser.refresh()
    wait(browser, "return document.querySelector('[role=alert].bad')")
    assert "is gone" in find(browser, "main [role=alert]").text


def test_two_pages_practise_side_by_side(browser: Chrome, school: Mirror, tmp_path: Path) -> None:
    """Each page has its own drill; none hangs, whichever starts first."""
    practise(browser, school)
    first = browser.current_window_handle
    active(browser).send_keys(" ")
    browser.switch_to.new_window("tab")
    try:
        practise(browser, school, "jaw")
        active(browser).send_keys(" ")
        feeding = Feeding(school)
        feeding.send(2.0)
        feeding.send(4.0, AU12_L=0.5, AU12_R=0.5, AU26=0.5)
        wait(browser, "return document.querySelector('.result')")
        assert find(browser, "h1").text == "Jaw"
        browser.close()
    finally:
        browser.switch_to.window(first)
    wait(browser, "return document.querySelector('.result')")
    assert find(browser, "h1").text == "Lip corners"


def test_a_lost_connection_is_said_over_what_is_stale(browser: Chrome, school: Mirror) -> None:
    go(browser, school)
    Feeding(school).send(0.3)
    wait(browser, "return window.livefacs.live.frame")
    school.stop()
    wait(browser, "return !document.querySelector('.offline').hidden")
    assert "what you see is old" in find(browser, ".offline").text


def test_a_stand_in_for_a_missing_camera_is_told(browser: Chrome, school: Mirror) -> None:
    said = "No camera could be opened, so the bundled performer plays instead (busy)."
    school.attach(None, "performer.mp4", (), said)
    go(browser, school)
    wait(browser, "return !document.querySelector('.stand-in').hidden")
    assert find(browser, ".stand-in").text == said
