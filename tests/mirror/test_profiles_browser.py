"""Calibration and teaching in a real browser: face and prompt in sight, keys, tones, words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefacs.au.estimator_model import load_model
from livefacs.au.profile import load_profile, profile_path
from livefacs.config import TrackingOptions
from livefacs.landmarkers.face_readers import with_readers
from livefacs.mirror.server import Mirror
from livefacs.session.parts import landmarker_for_source
from livefacs.vocab.facs import code_table
from tests.mirror.following import Filmed, Following, client, performing
from tests.mirror.test_browser import (  # noqa: F401  # the skip marks of that module
    assert_no_barrier,
    errors_of,
    find,
    go,
    pytestmark,
    sized,
    start_chromium,
    wait,
)
from tests.mirror.test_profiles_api import Fed, begin, body_of, by_terminal, ended
from tests.support.waiting import wait_until

pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome, Keys  # after the check above
from selenium.webdriver.common.by import By

PHASE = "return window.livefacs?._view?._guide?.document.phase === '{}'"
COUNT_TONES = """
window.tones = [];
const kept = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.tones.push(this.frequency.value);
  return kept.apply(this, when);
};
"""


@pytest.fixture(scope="module")
def browser_flags() -> tuple[str, ...]:
    return ("--autoplay-policy=no-user-gesture-required",)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[tuple[Mirror, Following]]:
    with performing(progress_path=tmp_path / "progress.sqlite") as running:
        yield running


def active(driver: Chrome) -> Any:
    return driver.switch_to.active_element


def press(driver: Chrome, css: str) -> None:
    """Click what may be drawn anew between two calls of the driver."""
    driver.execute_script("document.querySelector(arguments[0]).click()", css)


def open_profiles(driver: Chrome, mirror: Mirror, name: str = "anna") -> None:
    go(driver, mirror, "profiles")
    wait(driver, "return document.querySelector('.rounds input')")
    driver.execute_script("const field = document.querySelector('#profile-name'); field.value = ''")
    find(driver, "#profile-name").send_keys(name)


def tick(driver: Chrome, *exercises: int) -> None:
    find(driver, "input[name=round][value=some]").send_keys(" ")
    for i in exercises:
        find(driver, f".some input[value='{i}']").send_keys(" ")


def phase(driver: Chrome, name: str) -> None:
    wait(driver, PHASE.format(name))


def test_a_round_by_keyboard_makes_the_terminals_profile(
    browser: Chrome, stage: tuple[Mirror, Following], monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, performer = stage
    go(browser, mirror)
    browser.find_element(By.TAG_NAME, "body").send_keys("k")  # from the mirror
    wait(browser, "return document.body.dataset.view === 'profiles'")
    open_profiles(browser, mirror)
    browser.execute_script(COUNT_TONES)
    tick(browser, 3, 6)  # AU14, AU24
    find(browser, "#profile-name").send_keys(Keys.ENTER)  # a field outside the form begins nothing
    assert mirror.guidance.document()["phase"] == "idle"
    find(browser, "#calibrate").send_keys(Keys.ENTER)
    phase(browser, "done")
    said = [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".outcome .said li")]
    assert [line.partition(",")[0] for line in said] == ["AU14: learned", "AU24: learned"]
    assert "× clearer than before" in said[0]
    assert find(browser, ".outcome h1").text == "Saved as anna"
    assert active(browser).text == "Saved as anna"  # the focus is where the round ended
    assert "AU14: learned" in find(browser, "#announce").get_attribute("textContent")
    tones = browser.execute_script("return window.tones")
    assert tones.count(698) >= 3  # rest, turns and prompts each had their tone
    by_terminal(monkeypatch, Fed(performer.fed), "berta", "--only", "14,24")
    assert body_of("anna") == body_of("berta")
    find(browser, "[data-act=stop].quiet, .outcome [data-act=stop]").send_keys(Keys.ENTER)
    wait(browser, "return document.querySelector('[data-profile=anna]')")
    assert active(browser).get_attribute("id") == "calibrate"
    assert errors_of(browser, mirror) == []


@pytest.mark.slow
@pytest.mark.facebench
def test_a_filmed_person_calibrates_in_the_page_as_in_the_terminal(
    browser: Chrome, facebench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real pictures, the real landmarker with its readers: same frames, same profile."""
    tracking = TrackingOptions()
    finder = with_readers(
        landmarker_for_source("demo", tracking, print), tracking.reader, load_model()
    )
    performer = Filmed(facebench / "rom" / "id03_rom.mp4", finder, "AU14", "AU24")
    with performing(performer, progress_path=tmp_path / "progress.sqlite") as (mirror, _):
        open_profiles(browser, mirror)
        tick(browser, 3, 6)  # AU14, AU24
        find(browser, "#calibrate").send_keys(Keys.ENTER)
        wait(browser, PHASE.format("done"), 300)
        said = [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".outcome .said li")]
    fed = Fed(performer.fed)
    fed.name = performer.name
    by_terminal(monkeypatch, fed, "berta", "--only", "14,24")
    assert body_of("anna") == body_of("berta")
    profile = load_profile("anna")
    assert said[:2] == [each.sentence for each in profile.personal.lessons]
    assert [each.action for each in profile.personal.lessons] == ["AU14", "AU24"]
    assert profile.personal.learned  # a rendered face shows its dimples
    assert np.isfinite(profile.neutral.blendshapes).all()


def test_the_prompt_says_how_and_the_keys_work(
    browser: Chrome, stage: tuple[Mirror, Following]
) -> None:
    mirror, performer = stage
    performer.absent_at = "prompt"
    open_profiles(browser, mirror)
    find(browser, "#calibrate").send_keys(Keys.ENTER)
    wait(browser, "return document.querySelector('.guide').dataset.step === 'prompt'")
    assert "Raise both brows" in find(browser, ".asked").text
    assert active(browser).text == find(browser, ".asked").text
    assert find(browser, "[data-how='1']").text.startswith("1 Inner brow raiser")
    assert find(browser, "[data-how='2']")
    assert "Step 3 of 10 · 1+2" in find(browser, ".guide").text
    wait(browser, "return document.querySelector('.hint').textContent === 'no face'")
    active(browser).send_keys("s")
    wait(browser, "return document.querySelector('.guide').textContent.includes('Step 4 of 10')")
    card = {each.code: each for each in code_table().values()}["4"]
    assert card.how_to_perform.split("(")[0].strip() in find(browser, "[data-how='4']").text
    active(browser).send_keys("r")
    wait(browser, "return document.querySelector('.guide').textContent.includes('Step 3 of 10')")
    active(browser).send_keys("q")
    phase(browser, "done")
    assert "nothing was learned" in find(browser, ".outcome").text


def test_a_reload_in_mid_round_goes_on_and_a_second_page_sees_it(
    browser: Chrome, stage: tuple[Mirror, Following]
) -> None:
    mirror, performer = stage
    performer.absent_at = "prompt"
    open_profiles(browser, mirror)
    tick(browser, 3)
    find(browser, "#calibrate").send_keys(Keys.ENTER)
    wait(browser, "return document.querySelector('.guide').dataset.step === 'prompt'")
    browser.refresh()
    wait(browser, "return document.querySelector('.guide')?.dataset.step === 'prompt'")
    assert "Press the mouth corners inwards" in find(browser, ".asked").text
    wait_until(lambda: mirror.guidance.document()["phase"] == "running")
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    try:
        go(browser, mirror, "profiles")
        wait(browser, "return document.querySelector('.guide')?.dataset.step === 'prompt'")
        performer.absent_at = ""
        phase(browser, "done")
        browser.close()
    finally:
        browser.switch_to.window(first)
    phase(browser, "done")
    assert len(load_profile("anna").personal.learned) == 2


def test_leaving_the_view_lets_the_round_wait(
    browser: Chrome, stage: tuple[Mirror, Following]
) -> None:
    mirror, performer = stage
    performer.absent_at = "prompt"
    open_profiles(browser, mirror)
    find(browser, "#calibrate").send_keys(Keys.ENTER)
    wait(browser, "return document.querySelector('.guide').dataset.step === 'prompt'")
    browser.find_element(By.TAG_NAME, "body").send_keys("1")
    wait_until(lambda: mirror.guidance.document()["phase"] == "waiting")
    browser.find_element(By.TAG_NAME, "body").send_keys("6")
    wait_until(lambda: mirror.guidance.document()["phase"] == "running")
    find(browser, "[data-act=stop]").click()
    wait(browser, "return !document.querySelector('.desk').hidden")
    assert not profile_path("anna").exists()


def test_what_cannot_be_saved_waits_for_another_name(
    browser: Chrome, stage: tuple[Mirror, Following]
) -> None:
    mirror, performer = stage
    performer.absent_at = "prompt"
    open_profiles(browser, mirror)
    tick(browser, 3)
    find(browser, "#calibrate").send_keys(Keys.ENTER)
    wait(browser, "return document.querySelector('.guide').dataset.step === 'prompt'")
    profile_path("anna").mkdir(parents=True)
    performer.absent_at = ""
    phase(browser, "unsaved")
    assert "Nothing of the round is lost" in find(browser, ".outcome").text
    find(browser, "#save-as").send_keys(" two")
    find(browser, "[data-act=save]").send_keys(Keys.ENTER)
    phase(browser, "done")
    assert load_profile("anna two").personal.learned


def test_an_action_is_taught_checked_and_deleted(
    browser: Chrome, stage: tuple[Mirror, Following]
) -> None:
    mirror, performer = stage
    performer.unable = {"AU24"}
    with client(mirror) as http:
        begin(http)
        ended(http, "done")
    go(browser, mirror, "profiles")
    again = wait(browser, "return document.querySelector('[data-again]')")
    assert again.text == "Show again: 24"
    performer.unable.clear()
    again.send_keys(Keys.ENTER)
    wait(
        browser,
        "return document.querySelector('.outcome .said')?.textContent.startsWith('AU24: learned')",
        60,
    )
    find(browser, ".outcome [data-act=stop]").send_keys(Keys.ENTER)
    wait(browser, "return !document.querySelector('.desk').hidden")
    wait(browser, "return document.querySelector('#profile-name').value")
    browser.execute_script("document.querySelector('#profile-name').value = ''")
    find(browser, "#profile-name").send_keys("anna")
    find(browser, "#taught-name").send_keys("tongue-out", Keys.ENTER)
    wait(
        browser,
        "return document.querySelector('.outcome .said')?.textContent.includes('X_tongue_out')",
        60,
    )
    assert "it fires on none of the 2 other prompts" in find(browser, ".outcome").text
    find(browser, ".outcome [data-act=stop]").send_keys(Keys.ENTER)
    wait(browser, "return document.querySelector('[data-forget]')")
    press(browser, "[data-do=check]")
    wait(
        browser,
        "return document.querySelector('.outcome')?.textContent.includes('still holds')",
        60,
    )
    find(browser, ".outcome [data-act=stop]").send_keys(Keys.ENTER)
    wait(browser, "return !document.querySelector('.desk').hidden")
    press(browser, "[data-forget]")
    wait(browser, "return !document.querySelector('[data-forget]')")
    assert load_profile("anna").taught == ()


SIZES = [(1440, 900), (1024, 768), (512, 384), (390, 844)]
"""A desk, 1024 × 768, the same at 200 % zoom, a phone."""


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_face_and_prompt_are_in_sight_and_axe_finds_no_barrier(
    browser: Chrome, stage: tuple[Mirror, Following], width: int, height: int, theme: str
) -> None:
    mirror, performer = stage
    performer.absent_at = "prompt"
    with sized(browser, width, height):
        go(browser, mirror)
        browser.execute_script("localStorage.setItem('livefacs-mirror-theme', arguments[0])", theme)
        open_profiles(browser, mirror)
        assert_no_barrier(browser)
        tick(browser, 2, 8)
        find(browser, "#calibrate").send_keys(Keys.ENTER)
        wait(browser, "return document.querySelector('.guide').dataset.step === 'prompt'")
        for css in (".profiles .stage", ".asked", ".dots", ".hint", "[data-act=skip]"):
            box = "const box = document.querySelector(arguments[0]).getBoundingClientRect();"
            top, bottom = browser.execute_script(box + "return [box.top, box.bottom]", css)
            assert 0 <= top < bottom <= height, (css, top, bottom)
        assert browser.execute_script("return scrollY") == 0
        covered = (  # nothing lies over the face, nothing dims it
            "const box = document.querySelector('.profiles .stage').getBoundingClientRect();"
            "return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)"
            ".closest('.glass, .lost')?.className"
        )
        assert browser.execute_script(covered) in ("glass", "lost")
        assert not browser.find_elements(By.CSS_SELECTOR, "dialog")
        assert_no_barrier(browser)
        find(browser, "[data-act=finish]").click()
        phase(browser, "done")
        assert_no_barrier(browser)


def test_the_stage_leads_here_and_back(browser: Chrome, stage: tuple[Mirror, Following]) -> None:
    mirror, _ = stage
    browser.get(f"http://127.0.0.1:{mirror.port}/stage")
    link = wait(browser, "return document.querySelector('.bar a.button')")
    link.click()
    wait(browser, "return document.body.dataset.view === 'profiles'")
    wait(browser, "return document.querySelector('.desk a.button')").click()
    wait(browser, "return location.pathname === '/stage'")
