"""Show me, in a real browser: what moves on the face, on whose side, what stands beside it."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from livefacs.mirror.cards import cards_document
from livefacs.mirror.puppet_pose import levels_from_text, pose_from_levels
from livefacs.mirror.server import Mirror
from livefacs.vocab.facs import code_table
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
from tests.mirror.test_head3d import SOFTWARE_GL
from tests.mirror.test_lessons import Feeding

pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome  # after the check above
from selenium.webdriver.common.by import By

AT = """
const showing = window.livefacs._view._showing;
showing._pause(true); showing._at = arguments[0]; showing._draw();
return showing._own.element.firstElementChild.toDataURL('image/png').split(',')[1];
"""
APEX_S, REST_S = 1.2, 2.9
SHOWN = "return document.querySelector('.showing')?.dataset.ready"


@pytest.fixture(scope="module")
def browser_flags() -> tuple[str, ...]:
    return SOFTWARE_GL


def choose(driver: Chrome, mirror: Mirror, drill: str, shown: str) -> None:
    go(driver, mirror, "practise")
    wait(driver, f"return document.querySelector('[data-drill=\"{drill}\"]')").click()
    wait(driver, f"{SHOWN} === '{shown}'")


def picture(driver: Chrome, at_s: float) -> np.ndarray[Any, Any]:
    png = base64.b64decode(driver.execute_script(AT, at_s))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.float64)


def test_only_the_asked_side_moves_and_as_in_a_mirror(browser: Chrome, mirror: Mirror) -> None:
    """The left corner alone: at the left of the picture, in the lower face, and nowhere else."""
    choose(browser, mirror, "smile-left", "12")
    change = np.abs(picture(browser, APEX_S) - picture(browser, REST_S)).sum(axis=2)
    height, width = change.shape
    assert change[:, : width // 2].sum() > 10 * change[:, width // 2 + 4 :].sum()
    assert change[: height // 3].sum() < 0.01 * change.sum()  # brows and forehead are still
    assert find(browser, ".showing figcaption").text.startswith("12, your left to B")
    wait(  # the drill that was chosen may be told once more, with its own side
        browser,
        "const side = document.querySelector('.showing select[aria-label=Side]');"
        "if (side.value !== 'right')"
        " { side.value = 'right'; side.dispatchEvent(new Event('change')); return false; }"
        "return document.querySelector('.showing figcaption').textContent.includes('your right')",
    )
    change = np.abs(picture(browser, APEX_S) - picture(browser, REST_S)).sum(axis=2)
    assert change[:, width // 2 :].sum() > 10 * change[:, : width // 2 - 4].sum()


def test_what_it_is_taken_for_stands_beside_it_on_a_switch(browser: Chrome, mirror: Mirror) -> None:
    choose(browser, mirror, "inner-brow", "1")
    find(browser, "[data-alike='2']").click()
    wait(browser, f"{SHOWN} === '1|2'")
    figures = browser.find_elements(By.CSS_SELECTOR, ".showing figure")
    assert [each.is_displayed() for each in figures] == [True, True, False]
    assert "outer half of the brow" in find(browser, ".showing").text
    find(browser, "[data-alike='2']").click()
    wait(browser, f"{SHOWN} === '1'")
    assert not figures[1].is_displayed()


def test_the_marmoset_shows_the_shared_muscles(browser: Chrome, mirror: Mirror) -> None:
    choose(browser, mirror, "smile-c", "12")
    browser.find_element(By.XPATH, "//button[text()='On the marmoset']").click()
    wait(browser, "return document.querySelector('.showing svg')")
    wait(browser, "return document.querySelector('.showing').textContent.includes('shares with')")
    mouths = []
    for at_s in (APEX_S, REST_S):
        browser.execute_script(AT, at_s)
        mouths.append(
            browser.execute_script("return document.querySelector('.showing svg').innerHTML")
        )
    assert mouths[0] != mouths[1]


def test_slow_motion_is_slow(browser: Chrome, mirror: Mirror) -> None:
    choose(browser, mirror, "smile-c", "12")
    browser.execute_script(
        "const showing = window.livefacs._view._showing; showing._pause(false);"
        "showing._speed.value = '0.25'; showing._at = 0;"
        "window.began = showing._last = performance.now()"
    )
    wait(browser, "return window.livefacs._view._showing._at > 0.1")
    at_s, passed_ms = browser.execute_script(
        "const showing = window.livefacs._view._showing;"
        "return [showing._at, showing._last - window.began]"
    )
    assert at_s == pytest.approx(0.25 * passed_ms / 1000, rel=0.05)


def test_where_to_look_is_marked_on_the_own_face(browser: Chrome, mirror: Mirror) -> None:
    choose(browser, mirror, "smile-left", "12")
    coloured = """
    const canvas = window.livefacs._view.stage.mesh;
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let [teal, amber] = [0, 0];
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) {
      if (data[i] < 150 && data[i + 1] > 180) teal += 1;
      if (data[i] > 220 && data[i + 2] < 130) amber += 1;
    }
    return [teal, amber];
    """
    feeding = Feeding(mirror)
    feeding.send(0.3)
    wait(browser, "return window.livefacs.live.drawn > 2")
    assert browser.execute_script(coloured) == [0, 0]
    find(browser, "body").send_keys("l")
    feeding.send(0.3)
    wait(browser, f"return (() => {{ {coloured} }})()[0] > 20")
    assert browser.execute_script(coloured)[1] == 0  # the other side is not asked for


def test_the_card_in_the_mirror_shows_the_action(browser: Chrome, mirror: Mirror) -> None:
    go(browser, mirror)
    browser.execute_script("document.querySelector('.au[data-code=\"4\"]').click()")
    wait(browser, f"{SHOWN} === '4'")
    assert find(browser, "dialog .showing canvas").is_displayed()
    find(browser, "dialog").send_keys("\ue00c")
    wait(browser, "return !document.querySelector('dialog')")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SCREENS)
def test_axe_finds_no_barrier(
    browser: Chrome, mirror: Mirror, theme: str, size: tuple[int, int]
) -> None:
    with sized(browser, *size):
        choose(browser, mirror, "inner-brow", "1")
        put_on(browser, theme)
        find(browser, "[data-alike='4']").click()
        wait(browser, f"{SHOWN} === '1|4'")
        assert_no_barrier(browser)


def test_without_a_graphics_card_the_flat_face_shows_it(
    start_mirror: Callable[..., Mirror], tmp_path: Path
) -> None:
    mirror = start_mirror()
    driver = start_chromium(tmp_path / "chromium", "--disable-3d-apis")
    try:
        choose(driver, mirror, "smile-left", "12")
        faces = []
        for at_s in (APEX_S, REST_S):
            driver.execute_script(AT.rpartition("return")[0], at_s)
            shown = "return document.querySelector('.showing svg').innerHTML"
            faces.append(driver.execute_script(shown))
        assert faces[0] != faces[1]
    finally:
        driver.quit()


def test_every_measured_action_of_the_face_says_where_to_look() -> None:
    for card in cards_document()["cards"]:
        if card["channels"] and int(card["code"]) < 50:
            assert card["look_at"]["what"], card["code"]
        for alike in card["look_alikes"]:
            assert code_table()[alike["code"]].channels
            assert alike["code"] != card["code"]


def test_a_pose_of_a_puppet_follows_its_map() -> None:
    human = pose_from_levels("arkit52", levels_from_text("AU12_L:0.5"))
    assert human == {"mouthSmileLeft": pytest.approx(0.5)}
    assert list(pose_from_levels("marmoset", {"AU12_R": 0.5})) == ["zygomaticus_major_right"]


@pytest.mark.parametrize("levels", ["AU12:0.5", "AU12_L", "AU12_L:2", "AU12_L:nan", "x:1"])
def test_rubbish_levels_are_refused(levels: str) -> None:
    with pytest.raises(Exception, match="expected a channel and its level"):
        levels_from_text(levels)
