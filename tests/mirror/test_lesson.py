"""Today's session: what is chosen, how it runs, and what is said at its end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from starlette.websockets import WebSocket

from livefacs.mirror.drills import Drill, load_drills
from livefacs.mirror.lesson import LessonRun
from livefacs.mirror.page import Page
from livefacs.mirror.plan import REST_S, Choice, longest_s, missing_for, plan_session
from livefacs.mirror.practice import SETTLE_S, DrillRun
from livefacs.mirror.progress import Progress
from livefacs.mirror.server import Mirror
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from tests.mirror.conftest import make_frame
from tests.mirror.test_practice import drill

RATE = 10


@pytest.fixture(scope="module")
def path() -> dict[str, Drill]:
    return load_drills().drills


@pytest.fixture
def progress(tmp_path: Any) -> Iterator[Progress]:
    kept = Progress(tmp_path / "progress.sqlite")
    yield kept
    kept.close()


def passed(progress: Progress, of: Drill, *, total: float = 90.0, ok: bool = True) -> None:
    about = {"drill": of.name, "kind": of.kind, "actions": list(of.actions), "side": of.side}
    progress.note_attempt({**about, "total": total, "passed": ok, "peak": 0.5})


def names(choices: tuple[Choice, ...]) -> list[str]:
    return [choice.drill.name for choice in choices]


def test_every_drill_of_the_path_can_be_come_to(path: dict[str, Drill]) -> None:
    assert load_drills().errors == ()
    done: set[str] = set()
    while len(done) < len(path):
        open_now = {n for n, d in path.items() if not missing_for(d, done)} - done
        assert open_now, set(path) - done
        done |= open_now
    places = list(path)
    for one in path.values():
        assert all(places.index(first) < places.index(one.name) for first in one.after), one.name


def test_an_unknown_drill_on_the_path_is_told(tmp_path: Any) -> None:
    (tmp_path / "a.toml").write_text(
        'schema = 1\ntitle = "T"\n[[drill]]\nname = "a"\ntitle = "A"\nkind = "hold"\n'
        'actions = ["12"]\nafter = ["nothing"]\n'
    )
    library = load_drills((tmp_path,))
    assert list(library.drills) == ["a"]
    assert "after names 'nothing', which is no drill here" in library.errors[0]


@pytest.mark.parametrize(("minutes", "n_drills"), [(5, 4), (10, 6), (20, 8)])
def test_a_first_session_begins_the_path(
    path: dict[str, Drill], progress: Progress, minutes: int, n_drills: int
) -> None:
    choices = plan_session(path, progress.summary(), minutes)
    assert choices[0].why == "warm-up"
    assert 3 <= len(choices) - 1 <= n_drills
    assert {choice.why for choice in choices[1:]} == {"new"}
    assert all(not choice.drill.after for choice in choices)
    most_s = longest_s(choices[0].drill) + 2 * sum(longest_s(c.drill) for c in choices[1:])
    assert most_s <= 60 * minutes


def test_what_was_passed_opens_the_path_and_what_failed_is_due(
    path: dict[str, Drill], progress: Progress
) -> None:
    for name in ("brows-up", "brow-lower"):
        passed(progress, path[name])
    passed(progress, path["eyes-closed"], total=30, ok=False)
    choices = plan_session(path, progress.summary(), 20)
    why = {choice.drill.name: choice.why for choice in choices[1:]}
    assert why["eyes-closed"] == "due"
    assert {"inner-brow", "outer-brow"} <= set(why)
    assert "combine-1-2" not in why
    assert choices[0].drill.name == "brow-lower"  # a held position that is known


def test_nothing_to_choose_from_is_no_session() -> None:
    empty = {"drills": {}, "actions": []}
    assert plan_session({}, empty, 5) == ()
    assert LessonRun((), 300).phase == "done"


class Learner:
    """Does what is asked, ``skill`` of the asked letter, one second after the start."""

    def __init__(self, lesson: LessonRun, skill: Callable[[Drill], float]) -> None:
        self.lesson = lesson
        self.t_s = 0.0
        self._skill = skill
        self._went_s = 0.0

    def run(self, most_s: float, *, has_face: bool = True) -> int:
        """Attempts that ended within so many seconds."""
        ended = 0
        until_s = self.t_s + most_s
        while self.lesson.phase != "done" and self.t_s < until_s:
            self.t_s += 1 / RATE
            ended += self.lesson.step(self.t_s, self._face(), has_face)
        return ended

    def _face(self) -> np.ndarray[Any, Any]:
        values = np.zeros(N_AU, np.float32)
        run = self.lesson.run
        if self.lesson.phase != "drill" or run is None or run.phase != "go":
            self._went_s = self.t_s
            return values
        for channel in run.drill.targets:
            level = 1.15 * run.drill.floor * self._skill(run.drill)
            values[CHANNEL_INDEX[channel]] = level if self.t_s - self._went_s > 1 else 0
        return values


def test_ten_minutes_are_filled_and_not_overrun(path: dict[str, Drill], progress: Progress) -> None:
    choices = plan_session(path, progress.summary(), 10)
    lesson = LessonRun(choices, 600)
    learner = Learner(lesson, lambda d: 0.5 if d.actions == ("4",) else 1.0)
    learner.run(700)
    assert lesson.phase == "done"
    assert 600 - 45 < learner.t_s <= 600 + 1
    tried = [one.drill.name for one in lesson.attempts]
    assert set(tried) == set(names(choices))
    assert all(a != b for a, b in pairwise(tried) if len(set(tried)) > 1)
    summary = lesson.summary()
    lower = next(row for row in summary["rows"] if row["drill"] == "brow-lower")
    assert lower["passes"] == 0
    others = [row["attempts"] for row in summary["rows"] if row is not lower]
    assert max(others) < lower["attempts"] <= 2 * max(others)
    assert summary["work_on"]["drill"] == "brow-lower"
    assert summary["work_on"]["advice"]["key"] == "not_reached"


def test_it_begins_from_rest_and_goes_on_by_itself(path: dict[str, Drill]) -> None:
    lesson = LessonRun((Choice(path["smile-c"], "known"),), 300)
    smiling = np.zeros(N_AU, np.float32)
    smiling[[CHANNEL_INDEX[c] for c in ("AU12_L", "AU12_R")]] = 0.5
    for i in range(100):
        lesson.step(i / RATE, smiling, True)
    assert lesson.phase == "drill"
    assert lesson.run is not None
    assert lesson.run.phase == "settle"  # a smile is no rest
    assert lesson.run.state()["resting"] is False
    learner = Learner(lesson, lambda d: 1.0)
    learner.t_s = 10.0
    assert learner.run(2 * (SETTLE_S + 1 + 2 + REST_S) - REST_S + 1) == 2
    lesson.go_on()
    assert lesson.phase == "drill"


def test_a_face_that_never_rests_does_not_hold_the_session_up(path: dict[str, Drill]) -> None:
    lesson = LessonRun((Choice(path["smile-c"], "known"),), 300)
    smiling = np.zeros(N_AU, np.float32)
    smiling[[CHANNEL_INDEX[c] for c in ("AU12_L", "AU12_R")]] = 0.5
    for i in range(300):
        lesson.step(i / RATE, smiling, True)
    assert [one.result for one in lesson.attempts] == [None]


def test_nobody_there_ends_the_session_in_time_without_a_score(path: dict[str, Drill]) -> None:
    lesson = LessonRun((Choice(path["smile-c"], "known"),), 60)
    learner = Learner(lesson, lambda d: 1.0)
    learner.run(100, has_face=False)
    assert lesson.phase == "done"
    assert learner.t_s < 62
    assert lesson.summary() == {"minutes": 1.0, "rows": [], "work_on": None}


def test_from_rest_a_still_face_below_the_letter_is_enough() -> None:
    """A reading that stands a little above zero, as many faces' do, is a rest all the same."""
    run = DrillRun(drill(level="C"), from_rest=True)
    values = np.zeros(N_AU, np.float32)
    values[CHANNEL_INDEX["AU12_L"]] = 0.2
    for i in range(20):
        run.step(i / RATE, values, True)
    assert run.phase == "go"


def test_a_page_leaves_a_session_that_is_over(mirror: Mirror) -> None:
    """Its frames cost nothing any more, and a late "next" of the page begins nothing."""

    async def sit() -> list[str]:
        page = Page(mirror, cast("WebSocket", None))  # frames and messages come by hand
        page._take_text('{"type": "lesson-start", "minutes": 5, "drill": "smile-c"}')
        page._watch(make_frame(0, 0.0))
        page._watch(make_frame(1, 10.0))
        page._watch(make_frame(2, 301.0))  # settled
        page._watch(make_frame(3, 400.0))  # and too late to have passed
        told = [json.loads(text) for text in await page._outbox.take()]
        assert [one["phase"] for one in told if one["type"] == "lesson"][-1] == "done"
        assert page._lesson is None
        page._take_text('{"type": "lesson-next"}')
        page._watch(make_frame(4, 401.0))
        page._tell("clock", {})  # something to wait for
        return [json.loads(text)["type"] for text in await page._outbox.take()]

    assert asyncio.run(sit()) == ["clock"]


pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import Chrome  # noqa: E402  # after the check above
from selenium.webdriver.common.by import By  # noqa: E402

from tests.mirror.test_browser import (  # noqa: E402
    CHROMIUM,
    DRIVER,
    SCREENS,
    assert_no_barrier,
    find,
    go,
    put_on,
    sized,
    wait,
)

in_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="no chromium and chromedriver on the PATH"
)


ASKED = """
const view = window.livefacs._view;
return [view._phase, view._drill?.name, view._lesson.running];
"""


class Sitting:
    """A learner before a page: frames ten a second of session time, much faster than that."""

    def __init__(self, driver: Chrome, mirror: Mirror, skill: Callable[[str], float]) -> None:
        self._driver = driver
        self._mirror = mirror
        self._skill = skill
        self.i_frame = 0
        self.asked: list[str] = []

    @property
    def t_s(self) -> float:
        return self.i_frame / RATE

    def second(self) -> str:
        """A second of frames, doing what the page asks; gives the page's phase."""
        phase, name, _ = self._driver.execute_script(ASKED)
        levels = {}
        if phase == "go":
            of = self._mirror.drills.drills[name]
            levels = dict.fromkeys(of.targets, min(1.0, 1.15 * of.floor * self._skill(name)))
            if self.asked[-1:] != [name]:
                self.asked.append(name)
        for _ in range(RATE):
            self.i_frame += 1
            self._mirror.feed.send(make_frame(self.i_frame, self.t_s, **levels))
            time.sleep(1 / 150)
        return str(phase)

    def until(self, selector: str) -> None:
        """Second after second until the page shows it; a busy page sees fewer of the frames."""
        ends_at = self.t_s + 120
        while not self._driver.find_elements(By.CSS_SELECTOR, selector):
            assert self.t_s < ends_at, f"no {selector} in two minutes of the session"
            self.second()


@in_browser
@pytest.mark.slow
@pytest.mark.timeout(1200)  # 40 s where nothing else runs
def test_a_whole_session_of_ten_minutes(browser: Chrome, mirror: Mirror) -> None:
    go(browser, mirror, "practise")
    wait(browser, "return document.querySelector('[data-drill]')")
    sitting = Sitting(browser, mirror, lambda name: 0.4 if name == "brow-lower" else 1.0)
    sitting.second()
    find(browser, "body").send_keys("s")
    wait(browser, "return document.querySelector('.lesson-bar').checkVisibility()")
    phases = set()
    while not browser.find_elements(By.CSS_SELECTOR, ".summary"):
        phases.add(sitting.second())
        assert sitting.t_s < 700
    assert {"rest", "settle", "go"} <= phases
    assert 540 < sitting.t_s < 620
    summary = find(browser, ".summary")
    assert int(summary.get_attribute("data-drills")) >= 3
    assert "The one thing to work on: Lower the brows to C." in summary.text
    assert "reached A" in summary.text
    kept = mirror.progress.export()["attempt"]
    assert len(kept) >= 15
    assert {row["drill"] for row in kept if not row["passed"]} == {"brow-lower"}
    assert find(browser, ".starter").is_displayed()
    assert "✓" in find(browser, "[data-drill=brows-up]").text


@in_browser
def test_choosing_by_hand_ends_the_session_and_later_drills_are_free(
    browser: Chrome, mirror: Mirror
) -> None:
    go(browser, mirror, "practise")
    wait(browser, "return document.querySelector('[data-drill]')")
    later = find(browser, "[data-drill='combine-1-2']")
    assert later.text.endswith("later")
    why = find(browser, "[data-drill='combine-1-2'] .tag").get_attribute("title")
    assert "Inner brows alone" in why
    sitting = Sitting(browser, mirror, lambda name: 1.0)
    sitting.second()
    find(browser, "body").send_keys("s")
    wait(browser, "return document.querySelector('.lesson-bar').checkVisibility()")
    assert "Rest. Next" in wait(browser, "return document.querySelector('.prompt').textContent")
    find(browser, "body").send_keys(" ")  # now
    wait(browser, "return document.querySelector('.practise').dataset.phase === 'settle'")
    browser.execute_script("document.querySelector('[data-drill=\\'combine-1-2\\']').click()")
    wait(browser, "return document.querySelector('.summary')")
    wait(browser, "return document.querySelector('h1').textContent === 'Brows: 1+2'")
    find(browser, "body").send_keys(" ")
    sitting.until(".result")
    assert mirror.progress.export()["attempt"][-1]["drill"] == "combine-1-2"


@in_browser
@pytest.mark.parametrize("size", SCREENS)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_barrier_in_a_session(
    browser: Chrome, mirror: Mirror, size: tuple[int, int], theme: str
) -> None:
    with sized(browser, *size):
        go(browser, mirror, "practise")
        put_on(browser, theme)
        wait(browser, "return document.querySelector('[data-drill]')")
        sitting = Sitting(browser, mirror, lambda name: 1.0)
        sitting.second()
        find(browser, "body").send_keys("s")
        wait(browser, "return document.querySelector('.lesson-bar').checkVisibility()")
        find(browser, "body").send_keys(" ")
        sitting.until(".result")
        for press in ("", "\ue00c"):  # in the rest, then its summary
            find(browser, "body").send_keys(press)
            if press:
                wait(browser, "return document.querySelector('.summary')")
            assert_no_barrier(browser)
