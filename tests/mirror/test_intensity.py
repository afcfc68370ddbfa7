"""Letters held in turn, measured on the own maximum."""

from __future__ import annotations

import math

import numpy as np
import pytest

from livefacs.au.agreement import cohens_kappa, icc21, icc31
from livefacs.mirror.drills import Drill, load_drills
from livefacs.mirror.ladder import LETTERS
from livefacs.mirror.practice import SETTLE_S, DrillRun
from livefacs.mirror.scoring import Result
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from tests.mirror.test_practice import drill

RATE = 30
MIDDLE = dict(zip(LETTERS, (0.10, 0.22, 0.45, 0.75, 0.97), strict=True))


def climb(
    gives: dict[str, float], maximum: float, of: Drill | None = None, most_s: float = 90.0
) -> Result:
    """Letters by someone whose strongest is ``maximum``; ``gives`` are shares of it."""
    of = of or drill(kind="letters", hold_s=1.0, time_limit_s=60.0)
    run = DrillRun(of)
    rng = np.random.default_rng(2)
    for i in range(math.ceil((SETTLE_S + most_s) * RATE)):
        values = np.zeros(N_AU, np.float32)
        if run.phase == "go":
            step = run.state()["step"]
            share = 1.0 if step is None or not step["letter"] else gives[step["letter"]]
            noise = float(rng.normal(0, 0.005))
            for channel in of.targets:
                weaker = 0.9 if channel.endswith("_R") else 1.0
                values[CHANNEL_INDEX[channel]] = max(0.0, weaker * share * maximum + noise)
        run.step(i / RATE, values, True)
        if run.phase == "done":
            break
    assert run.result is not None
    return run.result


def test_every_shipped_drill_of_letters_can_be_passed() -> None:
    shipped = [each for each in load_drills().drills.values() if each.kind == "letters"]
    assert len(shipped) >= 4
    for each in shipped:
        assert climb(MIDDLE, 0.8, each).passed, each.name


@pytest.mark.parametrize("maximum", [0.4, 0.8, 1.2])
def test_the_measure_is_the_own_maximum(maximum: float) -> None:
    result = climb(MIDDLE, maximum)
    assert [(one["asked"], one["got"], one["held"]) for one in result.letters] == [
        (letter, letter, True) for letter in LETTERS
    ]
    assert result.passed
    assert result.peak == pytest.approx(maximum, rel=0.05)
    assert result.advice.key == "good"


def test_too_much_for_a_letter_is_told() -> None:
    result = climb({**MIDDLE, "C": 0.75}, 0.8)
    assert not result.passed
    assert [one["asked"] for one in result.letters if not one["held"]] == ["C"]
    assert result.advice.key == "letter_less"
    assert result.advice.values == {"asked": "C", "got": "D"}
    assert result.parts["target"] == 80


def test_too_little_for_a_letter_is_told() -> None:
    result = climb({**MIDDLE, "E": 0.7}, 0.8)
    assert (result.advice.key, result.advice.values["got"]) == ("letter_more", "D")


def test_who_does_not_move_is_told_so() -> None:
    result = climb(dict.fromkeys(LETTERS, 0.0), 0.02)
    assert result.letters == ()
    assert not result.passed
    assert result.advice.key == "nothing"


def test_a_lost_face_ends_what_was_held() -> None:
    run = DrillRun(drill(kind="letters", hold_s=1.0, time_limit_s=60.0))
    values = np.zeros(N_AU, np.float32)
    for i in range(40):
        run.step(i / RATE, values, True)
    smile = values.copy()
    smile[[CHANNEL_INDEX["AU12_L"], CHANNEL_INDEX["AU12_R"]]] = 0.8
    for i in range(40, 70):
        run.step(i / RATE, smile, True)
    faint = smile * 0.1
    for i in range(70, 90):
        run.step(i / RATE, faint, True)
    assert run.state()["step"]["letter"] == "A"
    assert run.state()["held_s"] > 0.3
    for i in range(90, 120):
        run.step(i / RATE, faint, False)
    assert run.state()["held_s"] == 0


def test_icc_of_shrout_and_fleiss() -> None:
    """Judges 1 and 4 of their table 2, by the textbook's formulas in long form."""
    one = np.array([9.0, 6, 8, 7, 10, 6])
    four = np.array([8.0, 2, 6, 6, 9, 7])
    table = np.stack((one, four), axis=1)
    n, k = table.shape
    grand = table.mean()
    bms = k * ((table.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    jms = n * ((table.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    total = ((table - grand) ** 2).sum()
    ems = (total - bms * (n - 1) - jms * (k - 1)) / ((n - 1) * (k - 1))
    assert icc21(one, four) == pytest.approx((bms - ems) / (bms + ems + 2 * (jms - ems) / n))
    assert icc31(one, four) == pytest.approx((bms - ems) / (bms + ems))
    assert icc31(one, one + 3) == pytest.approx(1.0)  # consistent
    assert icc21(one, one + 3) < 0.5  # but not the same
    assert icc21(np.ones(4), np.ones(4)) == 0


def test_kappa_of_a_known_table() -> None:
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: kappa .4 (the usual worked example)."""
    one = [True] * 25 + [False] * 25
    other = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert cohens_kappa(one, other) == pytest.approx(0.4)
    assert cohens_kappa([True] * 3, [True] * 3) is None


pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome  # noqa: E402  # after the check above

from livefacs.mirror.server import Mirror  # noqa: E402
from tests.mirror.test_browser import find, go, wait  # noqa: E402
from tests.mirror.test_browser import pytestmark as in_browser  # noqa: E402
from tests.mirror.test_lessons import Feeding  # noqa: E402


@in_browser[0]
def test_the_page_asks_for_letter_after_letter(browser: Chrome, mirror: Mirror) -> None:
    """The maximum is .8; then each letter, but for C, which is given as D all along."""
    go(browser, mirror, "practise")
    wait(browser, "return document.querySelector('[data-drill=\"letters-12\"]')")
    browser.execute_script("document.querySelector('[data-drill=\"letters-12\"]').click()")
    feeding = Feeding(mirror)
    find(browser, "body").send_keys(" ")
    feeding.send(2.0)
    prompt = "return document.querySelector('.prompt').textContent"
    wait(browser, f"{prompt}.startsWith('As far as it goes')")
    feeding.send(1.0, AU12_L=0.8, AU12_R=0.8)
    for letter in LETTERS:
        wait(browser, f"{prompt}.startsWith('Now {letter}')")
        band = find(browser, ".gauge[data-side=L] .band")
        floor = float(band.value_of_css_property("left").removesuffix("px"))
        width = find(browser, ".gauge[data-side=L]").size["width"]
        expected = dict(zip(LETTERS, (0.05, 0.15, 0.3, 0.6, 0.9), strict=True))[letter] * 0.8
        assert floor / width == pytest.approx(expected, abs=0.02)
        share = 0.75 if letter == "C" else MIDDLE[letter]
        most_s = 10.2 if letter == "C" else 1.2
        feeding.send(most_s, AU12_L=0.8 * share, AU12_R=0.8 * share)
    wait(browser, "return document.querySelector('.result')")
    chips = browser.find_elements("css selector", ".result [data-asked]")
    assert [chip.text for chip in chips] == ["A → A", "B → B", "C → D", "D → D", "E → E"]
    assert "For C you gave D: less." in find(browser, ".advice").text
