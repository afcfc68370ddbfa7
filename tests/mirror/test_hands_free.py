"""Drills from two metres away: large, tones, speech, intruders as they happen, start from rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from livefacs.mirror.practice import SETTLE_S, DrillRun
from livefacs.mirror.server import Mirror
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from tests.mirror.test_browser import (  # noqa: F401  # the skip marks of that module
    SCREENS,
    assert_no_barrier,
    find,
    go,
    put_on,
    pytestmark,
    sized,
    start_chromium,
    wait,
)
from tests.mirror.test_lessons import Feeding
from tests.mirror.test_practice import drill

pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome  # after the check above

LISTEN = """
window.heard = []; window.spoken = [];
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () {
  const voice = make.call(this);
  const start = voice.start.bind(voice);
  voice.start = (at) => { window.heard.push(voice.frequency.value); start(at); };
  return voice;
};
speechSynthesis.speak = (said) => window.spoken.push(said.text);
"""


def stand_back(driver: Chrome, mirror: Mirror, name: str = "smile-c") -> None:
    """The practise view, large, with what sounds written down."""
    go(driver, mirror, "practise")
    driver.execute_script("localStorage.removeItem('livefacs-mirror-hands-free')")
    go(driver, mirror, "practise")
    driver.execute_script(LISTEN)
    wait(driver, f"return document.querySelector('[data-drill=\"{name}\"]')")
    driver.execute_script(f"document.querySelector('[data-drill=\"{name}\"]').click()")
    find(driver, "body").send_keys("f")
    assert find(driver, ".big-name").is_displayed()


def feed_until(driver: Chrome, feeding: Feeding, script: str, **levels: float) -> None:
    """Frame by frame, and the page is asked after each: it sees all that happens."""
    for _ in range(500):
        feeding.send(1 / 30, **levels)
        if driver.execute_script(script):
            return
    raise AssertionError(f"in vain: {script}")


def phase_is(driver: Chrome, phase: str) -> Any:
    return wait(driver, f"return document.querySelector('.practise').dataset.phase === '{phase}'")


def test_a_drill_is_done_without_a_key(browser: Chrome, mirror: Mirror) -> None:
    """One key at the beginning; then rest, tones for reached, lost, reached and passed."""
    stand_back(browser, mirror)
    feeding = Feeding(mirror)
    smile = {"AU12_L": 0.45, "AU12_R": 0.45}
    feeding.send(0.5)
    find(browser, "body").send_keys(" ")
    phase_is(browser, "rest")
    feeding.send(4.5, **smile)
    phase_is(browser, "settle")
    wait(browser, "return document.querySelector('.prompt').textContent.includes('Let everything')")
    feeding.send(1.6)
    phase_is(browser, "go")
    feed_until(browser, feeding, "return window.heard.length === 1", **smile)
    others = {"AU4_L": 0.5, "AU9_R": 0.35, "AU17": 0.2, "AU24_L": 0.16}
    feed_until(browser, feeding, "return window.heard.length === 2", **others)
    three = "return document.querySelectorAll('.intruding .chip').length === 3"
    feed_until(browser, feeding, three, **others)
    texts = "return [...document.querySelectorAll('.intruding .chip')].map((c) => c.innerText)"
    shown = browser.execute_script(texts)  # at once: the page may draw them anew
    assert shown == ["AU 4, left side C", "AU 9, right side C", "AU 17 B"]
    feed_until(browser, feeding, "return document.querySelector('.result')", **smile)
    assert browser.execute_script("return window.heard") == [660, 330, 660, 523, 659, 784]
    assert browser.execute_script("return window.spoken") == []  # off until asked for
    feeding.send(8.5)  # and the next begins by itself
    phase_is(browser, "settle")
    assert len(mirror.progress.export()["attempt"]) == 1


def test_prompts_are_spoken_where_asked_and_tones_silenced(browser: Chrome, mirror: Mirror) -> None:
    stand_back(browser, mirror)
    feeding = Feeding(mirror)
    feeding.send(0.5)
    for button in browser.find_elements("css selector", ".hands-bar button")[:2]:
        button.click()  # tones off, speech on
    browser.execute_script("document.activeElement.blur()")
    find(browser, "body").send_keys(" ")
    phase_is(browser, "rest")
    feeding.send(6.0)
    phase_is(browser, "go")
    feeding.send(1.5, AU12_L=0.45, AU12_R=0.45)
    wait(browser, "return document.querySelector('.result')")
    wait(browser, "return window.spoken.some((text) => text.startsWith('Passed'))")
    spoken = browser.execute_script("return window.spoken")
    assert spoken[0] == "I will say what comes."
    assert spoken[1] == "Rest. Next: 12: Lip corner puller to C"
    assert "Now" in spoken
    assert browser.execute_script("return window.heard") == []
    find(browser, "body").send_keys("\ue00c", "f")
    wait(browser, "return !document.querySelector('.big-name').checkVisibility()")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SCREENS)
def test_all_is_in_sight_and_axe_finds_no_barrier(
    browser: Chrome, mirror: Mirror, theme: str, size: tuple[int, int]
) -> None:
    with sized(browser, *size):
        stand_back(browser, mirror, "combine-1-2")
        put_on(browser, theme)
        feeding = Feeding(mirror)
        feeding.send(0.5)
        find(browser, "body").send_keys(" ")
        phase_is(browser, "rest")
        feeding.send(6.0)
        phase_is(browser, "go")
        feeding.send(0.5, AU4_L=0.5, AU9_R=0.35, AU17=0.2)
        wait(browser, "return document.querySelectorAll('.intruding .chip').length === 3")
        script = (
            "const box = (css) => document.querySelector(css).getBoundingClientRect();"
            "return [box('.big-name').top, box('.gauges').bottom, box('.big-time').bottom,"
            " box('.intruding').bottom]"
        )
        top, gauges, time_, intruders = browser.execute_script(script)
        assert 0 <= top < gauges < time_ < intruders <= size[1]
        assert_no_barrier(browser)


def test_intruders_are_those_that_rose_over_the_own_rest() -> None:
    run = DrillRun(drill(level="C"))
    values = np.zeros(N_AU, np.float32)
    values[CHANNEL_INDEX["AU4_L"]] = 0.3  # a brow that is always a little low
    for i in range(round(SETTLE_S * 30) + 3):
        run.step(i / 30, values, True)
    values = values.copy()
    values[CHANNEL_INDEX["AU9_L"]] = 0.4
    run.step(2.0, values, True)
    assert run.intruders_now() == [("AU9_L", pytest.approx(0.4))]
