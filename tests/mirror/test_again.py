"""The attempt again: where the hold broke, what joined in, the best beside it, in memory only."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from livefacs.mirror.attempt import attempt_from_run
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
from tests.mirror.test_head3d import SOFTWARE_GL
from tests.mirror.test_lessons import Feeding, active, practise, school  # noqa: F401  # a fixture
from tests.mirror.test_practice import drill

pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome  # after the check above
from selenium.webdriver.common.by import By

RATE = 30


def attempt_of(
    levels: Callable[[float], dict[str, float] | None], seconds: float, **more: Any
) -> dict[str, Any]:
    """A run of a drill; ``levels(t)`` gives channels after the start, None for no face."""
    run = DrillRun(drill(**more))
    for i in range(math.ceil((SETTLE_S + seconds) * RATE) + 3):
        values = np.zeros(N_AU, np.float32)
        given: dict[str, float] | None = {}
        if run.phase == "go":
            given = levels(i / RATE - run.began_s)
        for channel, level in (given or {}).items():
            values[CHANNEL_INDEX[channel]] = level
        run.step(i / RATE, values, given is not None)
    found = attempt_from_run(run)
    assert found is not None
    return found


def test_it_says_where_the_hold_broke_and_what_joined_in() -> None:
    def levels(t: float) -> dict[str, float]:
        right = 0.1 if 1.0 <= t < 1.5 else 0.4
        frown = 0.35 if 1.0 <= t < 2.0 else 0.0
        return {"AU12_L": 0.4, "AU12_R": right, "AU4_L": frown}

    found = attempt_of(levels, 4, level="C", hold_s=2.0)
    (broke,) = found["breaks"]
    assert broke["from_s"] == pytest.approx(0.0, abs=0.05)
    assert broke["at_s"] == pytest.approx(1.0, abs=0.05)
    assert broke["channel"] == "AU12_R"
    (frown,) = found["intruders"]
    assert (frown["channel"], frown["letter"]) == ("AU4_L", "C")
    assert frown["from_s"] == pytest.approx(1.0, abs=0.05)
    assert set(found["sides"]) == {"L", "R"}
    assert min(found["sides"]["R"]) == pytest.approx(0.1)
    assert found["passed"]


def test_a_lost_face_breaks_the_hold_without_a_channel() -> None:
    def levels(t: float) -> dict[str, float] | None:
        return None if 1.0 <= t < 2.0 else {"AU12_L": 0.4, "AU12_R": 0.4}

    found = attempt_of(levels, 5, level="C", hold_s=2.0)
    assert [one["channel"] for one in found["breaks"]] == [""]


def test_long_attempts_are_thinned_and_curves_named() -> None:
    curve = [[0, 0], [60, 0.5]]
    found = attempt_of(
        lambda t: {"AU12_L": t / 120, "AU12_R": t / 120}, 61, kind="ramp", curve=curve
    )
    assert 300 < len(found["t_s"]) <= 600
    assert len(found["sides"]["L"]) == len(found["t_s"])
    assert found["floor"] is None
    assert found["curve"] == ((0, 0), (60, 0.5))


def test_nobody_there_leaves_nothing_to_see() -> None:
    run = DrillRun(drill(time_limit_s=2))
    for i in range(60):
        run.step(i / RATE, np.zeros(N_AU, np.float32), i < 40)
    assert attempt_from_run(run) is None


@pytest.fixture(scope="module")
def browser_flags() -> tuple[str, ...]:
    return SOFTWARE_GL


SMILE = {"AU12_L": 0.45, "AU12_R": 0.45}


def test_the_attempt_is_seen_again_and_the_best_stands_beside_it(
    browser: Chrome,
    school: Mirror,  # noqa: F811  # the fixture
) -> None:
    practise(browser, school)
    feeding = Feeding(school, browser, rate_hz=10)
    active(browser).send_keys(" ")
    feeding.send(2.0)
    feeding.send(0.5, **SMILE)
    feeding.send(0.5, AU12_L=0.45, AU12_R=0.05, AU4_L=0.5)
    feeding.send(1.5, **SMILE)
    wait(browser, "return document.querySelector('.again').checkVisibility()")
    said = find(browser, ".events").text
    assert "the hold broke, AU 12, right side sank" in said
    assert "AU 4, left side joined in, up to C" in said
    # All of the attempt, and .3 s before it; the frame that ends it may come a moment later.
    n_moments = browser.execute_script(
        "return window.livefacs._views.practise._again._attempt.t_s.length"
    )
    assert n_moments > 15
    n_pictures = int(find(browser, ".again").get_attribute("data-frames"))
    assert n_moments + 2 <= n_pictures <= n_moments + 4
    figures = browser.find_elements(By.CSS_SELECTOR, ".again figure")
    assert [one.is_displayed() for one in figures] == [True, False, False]
    browser.execute_script("document.querySelector('.events [data-at]').click()")
    painted = (
        "const c = document.querySelector('.again .plot');"
        "return c.width > 0 && c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
        ".some((value) => value > 0)"
    )
    wait(browser, painted)
    browser.execute_script("document.activeElement.blur()")
    find(browser, "body").send_keys(" ")  # once more, cleanly
    wait(browser, "return document.querySelector('.practise').dataset.phase === 'settle'")
    assert not find(browser, ".again").is_displayed()
    feeding.send(2.0)
    feeding.send(1.5, **SMILE)
    wait(browser, "return document.querySelector('.again').checkVisibility()")
    assert find(browser, ".events").text == ""
    assert [one.is_displayed() for one in figures] == [True, True, False]
    assert "Your best so far" in figures[1].text
    kept = browser.execute_script(
        "return [Object.keys(localStorage), JSON.stringify(sessionStorage).length]"
    )
    assert not any("attempt" in key for key in kept[0])
    assert kept[1] < 500
    find(browser, "body").send_keys("1")  # another view: it is gone
    wait(browser, "return document.body.dataset.view === 'mirror'")
    assert browser.execute_script("return window.livefacs._views.practise._again._attempt === null")


def test_a_curve_has_its_leader_beside_it(browser: Chrome, mirror: Mirror) -> None:
    go(browser, mirror, "practise")
    wait(browser, "return document.querySelector('[data-drill=\"ramp-4\"]')")
    browser.execute_script("document.querySelector('[data-drill=\"ramp-4\"]').click()")
    feeding = Feeding(mirror)
    find(browser, "body").send_keys(" ")
    feeding.send(1.3)
    points = mirror.drills.drills["ramp-4"].curve
    times, levels = zip(*points, strict=True)
    for i in range(24):
        level = float(np.interp(i / 2, times, levels))
        feeding.send(0.5, AU4_L=level, AU4_R=level)
    wait(browser, "return document.querySelector('.again').checkVisibility()")
    leader = browser.find_elements(By.CSS_SELECTOR, ".again figure")[2]
    assert leader.is_displayed()
    wait(browser, "return document.querySelector('.again canvas[role=img]')")
    shot = """
    const again = window.livefacs._view._again;
    if (again._time.button.textContent === 'Pause') again._time.toggle();
    const image = (level) => {
      again._leader.draw({ AU4_L: level, AU4_R: level });
      return again._leader.element.firstElementChild.toDataURL();
    };
    return again._apex && image(0) !== image(0.7);
    """
    wait(browser, shot)


def test_memory_is_bounded(browser: Chrome, school: Mirror) -> None:  # noqa: F811  # the fixture
    practise(browser, school)
    n, kept_bytes = browser.execute_script(
        "const again = window.livefacs._view._again; again.begin();"
        "for (let i = 0; i < 4000; i += 1)"
        " again._recording.add({tMs: i, jpeg: new Uint8Array(50000)});"
        "const frames = again._recording.frames;"
        "return [frames.length, frames.reduce((sum, one) => sum + one.jpeg.length, 0)]"
    )
    assert kept_bytes <= 40e6
    assert n > 400  # the whole attempt, with fewer pictures a second


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SCREENS)
def test_axe_finds_no_barrier(
    browser: Chrome,
    school: Mirror,  # noqa: F811  # the fixture
    theme: str,
    size: tuple[int, int],
) -> None:
    with sized(browser, *size):
        practise(browser, school)
        put_on(browser, theme)
        feeding = Feeding(school)
        active(browser).send_keys(" ")
        feeding.send(2.0)
        feeding.send(0.5, **SMILE)
        feeding.send(0.5, AU4_L=0.5)
        feeding.send(1.5, **SMILE)
        wait(browser, "return document.querySelector('.again').checkVisibility()")
        assert_no_barrier(browser)
