"""The stage in a real headless Chromium, beside a session that streams the performer."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefacs.errors import ConfigError
from livefacs.mirror.packets import jpeg_from_image
from livefacs.resources import user_rigs_folder
from livefacs.retarget.library import load_map
from livefacs.take.reader import Take
from livefacs.vocab.controls import control_names
from tests.mirror import models
from tests.mirror.stage_doubles import OnStage
from tests.mirror.test_browser import (
    CHROMIUM,
    DRIVER,
    By,
    Chrome,
    Keys,
    assert_no_barrier,
    find,
    sized,
    wait,
)
from tests.mirror.test_head3d import SOFTWARE_GL
from tests.support.claps import clap_take
from tests.support.waiting import wait_until

pytest.importorskip("selenium", reason="the browser tests need selenium")
from selenium.webdriver import ActionChains
from selenium.webdriver.support.ui import Select

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="no chromium and chromedriver on the PATH (Debian: chromium, chromium-driver)",
    ),
]


@pytest.fixture(scope="module")
def browser_flags() -> tuple[str, ...]:
    return SOFTWARE_GL


@pytest.fixture
def running(tmp_path: Path) -> Iterator[OnStage]:
    on_stage = OnStage(tmp_path)
    yield on_stage
    on_stage.stop()


def go(driver: Chrome, running: OnStage) -> None:
    driver.get("about:blank")
    driver.get(f"http://127.0.0.1:{running.port}/stage")
    wait(driver, "return document.body.dataset.face === 'yes'")
    wait(driver, "return window.stage.live.drawn > 2")


def choose(driver: Chrome, control: str) -> None:
    find(driver, f"[data-control={control}]").click()
    wait(driver, f"return document.querySelector('.detail h2')?.textContent === '{control}'")


def set_figure(driver: Chrome, key: str, value: float) -> None:
    field = find(driver, f"[data-figure={key}]")
    field.clear()
    field.send_keys(str(value), Keys.ENTER)


def errors_of(driver: Chrome, running: OnStage) -> list[str]:
    severe = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    return [message for message in severe if f":{running.port}/" in message]


CORNERS = """
const done = arguments[0];
const { face, live } = window.stage, { head } = face, { renderer } = head;
const { gl, canvas } = renderer;
const picture = () => {
  head.draw(); renderer.invalidate(); head.draw();
  const pixels = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return pixels;
};
const place = (pixels, rest) => { // of what differs from rest: mean x, y (up), and how much
  let [sum, x, y] = [0, 0, 0];
  for (let i = 0; i < pixels.length; i += 4) {
    const off = Math.abs(pixels[i] - rest[i]) + Math.abs(pixels[i + 1] - rest[i + 1]);
    if (off < 24) continue;
    const p = i / 4;
    sum += off; x += off * (p % canvas.width); y += off * Math.floor(p / canvas.width);
  }
  return { size: sum, x: x / sum / canvas.width, y: y / sum / canvas.height };
};
const name = 'mouthSmileLeft', frame = live.frame;
const { names } = frame.rigs.values;
const values = (smile) => Float32Array.from(names, (each) => (each === name ? smile : 0));
const straight = { head: { yaw: 0, pitch: 0, roll: 0 }, gaze: { yaw: 0, pitch: 0 } };
face.beginPlaying(false); // the stage's own way to show a frame, with the performer held off
const show = (smile) => {
  face.play({ rigs: { values: { names, values: values(smile) } }, ...straight });
  return picture();
};
const rest = show(0);
const steps = [0.25, 0.5, 0.75, 1].map((smile) => place(show(smile), rest));
face.flipMirror();
const back = show(0), inMirror = place(show(1), back);
face.flipMirror();
face.endPlaying();
done({ steps, inMirror });
"""

LIVE = """
const surface = window.stage.face.head.character.surfaces[0][0];
const place = (i) => [...surface.positions.slice(3 * i, 3 * i + 3)].map((v) => v * 250); // mm
const { names, values } = window.stage.live.frame.rigs.values;
return { left: place(291), right: place(61), smile: values[names.indexOf('mouthSmileLeft')] };
"""


def test_the_mouth_corner_on_the_head_follows_the_performers_smile(
    browser: Chrome, running: OnStage
) -> None:
    """Landmark 291 is the left corner of the mouth; it rises and goes out with the value."""
    go(browser, running)
    seen: list[dict[str, Any]] = []

    def smiled() -> bool:
        seen.append(browser.execute_script(LIVE))
        return max(row["smile"] for row in seen) > 0.5 and min(row["smile"] for row in seen) < 0.1

    wait_until(smiled, "a smile of the clip")
    rest = min(seen, key=lambda row: row["smile"])
    full = max(seen, key=lambda row: row["smile"])
    assert full["left"][0] > rest["left"][0] + 2  # outwards, to the character's left
    assert full["left"][1] > rest["left"][1] + 2
    assert full["left"][0] > 0 > full["right"][0]
    assert errors_of(browser, running) == []


def test_pixels_at_the_mouth_corner_change_with_the_value_on_the_right_side(
    browser: Chrome, running: OnStage
) -> None:
    """What is drawn: the character's left is at the right, in a mirror at the left."""
    go(browser, running)
    browser.set_script_timeout(60)
    found = browser.execute_async_script(CORNERS)
    sizes = [step["size"] for step in found["steps"]]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.7 * sizes[-1]
    for step in found["steps"]:
        assert step["x"] > 0.52
        assert 0.2 < step["y"] < 0.5  # the lower half of the face
    assert found["inMirror"]["x"] < 0.48


def test_a_dragged_curve_point_changes_stream_and_file(browser: Chrome, running: OnStage) -> None:
    go(browser, running)
    choose(browser, "jawOpen")
    first = find(browser, "svg.curve .point")  # (0, 0): raised, it lifts the value at rest
    drag = ActionChains(browser, duration=20).click_and_hold(first).move_by_offset(0, -60)
    drag.release().perform()
    running.seconds_until("jawOpen", lambda value: value > 0.2)  # bench/ holds it against 0.3 s
    text = (user_rigs_folder() / "arkit52.toml").read_text()
    assert "[controls.jawOpen]" in text
    assert "curve = [[0.0" in text
    wait(browser, "return !document.querySelector('[data-act=undo]').disabled")
    find(browser, "[data-act=undo]").click()
    running.seconds_until("jawOpen", lambda value: value < 0.2)


def test_a_slow_drag_is_undone_in_one_step(browser: Chrome, running: OnStage) -> None:
    """However many changes it was written in; the keyboard's next press is a step of its own."""
    go(browser, running)
    choose(browser, "jawOpen")
    height = "window.stage.map.control('jawOpen').curve[0]?.[1]"
    ActionChains(browser).click_and_hold(find(browser, "svg.curve .point")).perform()
    reached = 0.0
    for _ in range(3):
        ActionChains(browser, duration=20).move_by_offset(0, -30).perform()
        reached = wait(browser, f"return {height} > {reached} && {height}")
    ActionChains(browser).release().perform()
    browser.execute_script("document.querySelector('svg.curve .point').focus()")
    browser.switch_to.active_element.send_keys(Keys.ARROW_UP)
    wait(browser, f"return {height} > {reached}")
    undo = "document.querySelector('[data-act=undo]').click()"
    browser.execute_script(undo)
    wait(browser, f"return {height} === {reached}")
    assert browser.execute_script("return window.stage.map.document.can_undo")
    browser.execute_script(undo)
    wait(browser, "return !window.stage.map.document.can_undo")
    assert not (user_rigs_folder() / "arkit52.toml").exists()


SPY = """
const { head } = window.stage.face, drive = head.drive.bind(head);
window.driven = { calls: 0, values: [] };
head.drive = (values) => {
  window.driven = { calls: window.driven.calls + 1, values: [...values] };
  drive(values);
};
"""


def test_solo_freeze_peaks_and_filters_of_the_list(browser: Chrome, running: OnStage) -> None:
    go(browser, running)
    choose(browser, "jawOpen")
    browser.execute_script(SPY)
    body = find(browser, "body")
    body.send_keys("s")
    jaw = "window.stage.map.controls.findIndex((each) => each.name === 'jawOpen')"
    wait(browser, f"return window.driven.values[{jaw}] > 0.05")
    others = f"window.driven.values.filter((value, i) => value && i !== {jaw}).length"
    assert browser.execute_script(f"return {others}") == 0
    body.send_keys("s")
    wait(browser, f"return {others} > 3")
    body.send_keys("f")
    calls, drawn = browser.execute_script("return [window.driven.calls, window.stage.live.drawn]")
    wait(browser, f"return window.stage.live.drawn > {drawn + 5}")
    assert browser.execute_script("return window.driven.calls") == calls
    body.send_keys("f")
    wait(browser, f"return window.driven.calls > {calls}")
    wait(browser, "return [...window.stage.rows.peaks.values()].some((peak) => peak > 0.3)")
    reset = "[...document.querySelectorAll('.finder button')].at(-1).click();"
    assert browser.execute_script(f"{reset} return window.stage.rows.peaks.size") == 0
    only = Select(find(browser, "#only"))
    rows = "document.querySelectorAll('[data-control]').length"
    only.select_by_value("moving")
    wait(browser, f"return {rows} > 0 && {rows} < 40")
    only.select_by_value("changed")
    wait(browser, f"return {rows} === 0")
    set_figure(browser, "gain", 1.2)
    wait(browser, f"return {rows} === 1")
    only.select_by_value("all")
    wait(browser, f"return {rows} === 52")
    assert errors_of(browser, running) == []


def test_the_filter_from_steady_to_immediate_tells_its_delay(
    browser: Chrome, running: OnStage
) -> None:
    go(browser, running)
    told = "document.querySelector('.filter label span').textContent"
    wait(browser, f"return {told} === 'about 159 ms'")
    find(browser, "#filter").send_keys(Keys.END)
    wait(browser, f"return {told} === 'about 0 ms'")
    with running.http() as http:
        assert http.get("/api/stage/session").json()["filter"]["cutoff_hz"] == 0
    find(browser, "#filter").send_keys(Keys.HOME)
    wait(browser, f"return {told} === 'about 398 ms'")


def test_figures_both_sides_compare_and_reset(browser: Chrome, running: OnStage) -> None:
    go(browser, running)
    choose(browser, "mouthSmileLeft")
    set_figure(browser, "offset", 0.3)
    running.seconds_until("mouthSmileRight", lambda value: value >= 0.29)
    find(browser, "[data-act=ab]").click()
    wait(browser, "return document.querySelector('[data-act=ab]').textContent.startsWith('A')")
    find(browser, "[data-act=ab]").click()
    wait(browser, "return document.querySelector('[data-act=ab]').textContent.startsWith('B')")
    wait(browser, "return document.querySelector('[data-control=mouthSmileLeft] .changed')")
    find(browser, "[data-reset]").click()
    wait(browser, "return !document.querySelector('.rows .changed')")
    assert "mouthSmile" not in (user_rigs_folder() / "arkit52.toml").read_text()


def test_a_refused_figure_says_why_and_the_page_shows_the_map_as_it_is(
    browser: Chrome, running: OnStage
) -> None:
    go(browser, running)
    choose(browser, "jawOpen")
    field = find(browser, "#limit-low")
    field.clear()
    field.send_keys("2", Keys.TAB)
    wait(browser, "return document.querySelector('.broken:not([hidden])')")
    assert "expected [lowest, highest]" in find(browser, ".broken").text
    wait(browser, "return document.querySelector('#limit-low').value === '0'")


def test_what_is_wrong_proposes_and_a_proposal_is_taken(browser: Chrome, running: OnStage) -> None:
    go(browser, running)
    short = "[...window.stage.rows.peaks].find(([, peak]) => peak > 0.1 && peak < 0.8)"
    name = wait(browser, f"return {short}?.[0]")  # a control that does not reach its limit
    choose(browser, name)
    find(browser, "[data-wrong=weak]").click()
    wait(browser, "return document.querySelector('[data-take]')").click()
    path = user_rigs_folder() / "arkit52.toml"
    wait_until(lambda: path.is_file() and "gain" in path.read_text(), "the gain in the map's file")


def test_a_map_from_three_poses(browser: Chrome, running: OnStage) -> None:
    """Poses of the clip as it runs; the sliders are what the animator wants."""
    go(browser, running)
    browser.execute_script("window.stage._show('poses')")
    for n, wanted in enumerate((0.0, 0.4, 0.9), start=1):
        moving = "return window.stage.live.frame.rigs.values.values.some((v) => v > 0.3)"
        wait(browser, moving if wanted else "return true")
        browser.execute_script(
            "const s = document.querySelector('[data-slider=browInnerUp]');"
            "s.value = arguments[0]; s.dispatchEvent(new Event('input'))",
            wanted,
        )
        browser.execute_script("document.querySelector('[data-pose=hold]').click()")
        wait(browser, f"return document.querySelectorAll('#panel-poses li').length === {n}")
    browser.execute_script("document.querySelector('[data-pose=fit]').click()")
    wait(browser, "return document.querySelector('[data-fit=browInnerUp]')")
    browser.execute_script("document.querySelector('[data-pose=use]').click()")
    wait(browser, "return document.querySelector('#panel-poses .good')")
    made = next(rule for rule in load_map("arkit52").rules if rule.name == "browInnerUp")
    assert "Fitted to 3 poses" in made.note or made.undriven


DROP = """
const [name, text, done] = arguments;
const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const data = new DataTransfer();
data.items.add(new File([bytes], name));
const event = new DragEvent('drop', { dataTransfer: data, bubbles: true });
document.querySelector('.face').dispatchEvent(event);
setTimeout(() => done(document.querySelector('.said').textContent), 300);
"""


def drop(driver: Chrome, name: str, data: bytes) -> str:
    driver.set_script_timeout(20)
    return str(driver.execute_async_script(DROP, name, base64.b64encode(data).decode()))


def test_dropped_characters_drive_and_a_broken_one_says_why(
    browser: Chrome, running: OnStage
) -> None:
    go(browser, running)
    names = list(control_names("arkit52"))
    said = drop(browser, "fox.glb", models.glb(*models.character(names)))
    assert "fox.glb is on the stage (glTF, 52 shapes)" in said
    assert "Every control of the map is on this character" in said
    moves = "return window.stage.face.head.character.weights[0].some((each) => each > 0.05)"
    wait(browser, moves)
    said = drop(browser, "fox.vrm", models.vrm1(["aa", "jawOpen"]))
    assert "VRM 1" in said
    assert "Not on this character: browDownLeft" in said
    said = drop(browser, "broken.glb", models.hostile()["half"][0])
    assert said.startswith("broken.glb")
    assert "not copied whole" in said
    assert browser.execute_script("return window.stage.face.head.character.model.kind") == "VRM 1"
    assert errors_of(browser, running) == []


def test_two_pages_and_a_restart(
    browser: Chrome, open_browser: Callable[[], Chrome], running: OnStage, tmp_path: Path
) -> None:
    other = open_browser()
    for driver in (browser, other):
        go(driver, running)
        choose(driver, "tongueOut")
    set_figure(browser, "offset", 0.25)
    wait(other, "return document.querySelector('[data-figure=offset]').value === '0.25'")
    other.quit()
    port = running.port
    running.stop()
    wait(browser, "return document.body.dataset.link === 'off'")
    again = OnStage(tmp_path, port=port)
    try:
        wait(browser, "return document.body.dataset.link === 'on'")
        drawn = browser.execute_script("return window.stage.live.drawn")
        wait(browser, f"return window.stage.live.drawn > {drawn + 3}")
    finally:
        again.stop()


def test_destinations_in_the_page(browser: Chrome, running: OnStage) -> None:
    go(browser, running)
    browser.execute_script("window.stage._show('out')")
    address = find(browser, "#address")
    address.clear()
    address.send_keys("vmc://127.0.0.1:99999", Keys.ENTER)
    wait(browser, "return document.querySelector('#panel-out [role=alert]').textContent")
    address.clear()
    address.send_keys("vmc://127.0.0.1:39539", Keys.ENTER)
    wait(browser, "return document.querySelectorAll('#panel-out li').length === 2")
    find(browser, "#panel-out [data-sweep]").click()
    wait(browser, "return document.querySelector('.sweeping').textContent.includes('moves')")


def test_a_destination_says_that_nobody_takes_its_packets(
    browser: Chrome, running: OnStage
) -> None:
    go(browser, running)
    browser.execute_script("window.stage._show('out')")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = nobody.getsockname()
    url = f"osc://127.0.0.1:{place[1]}?rig=arkit52"
    with running.http() as http:
        http.post("/api/stage/destinations/add", json={"url": url}).raise_for_status()
    item = f"document.querySelector('li[data-url=\"{url}\"]')"
    told = f"return {item}.querySelector('.words').textContent.startsWith(arguments[0])"
    wait(browser, told.replace("arguments[0]", "'refused'"))
    assert browser.execute_script(f"return {item}.querySelector('.dot.bad').checkVisibility()")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as somebody:
        somebody.bind(place)
        wait(browser, told.replace("arguments[0]", "'sending'"))
        words = browser.execute_script(f"return {item}.querySelector('.error').textContent")
    assert words == "Earlier: Connection refused"


RATES = """
const { destinations } = window.stage, said = [];
const still = { url: 'vmc://127.0.0.1:1', rig: 'arkit52', refused: 0, last_error: '' };
for (const [packets, at] of [[0, 1000], [30, 2000], [33, 2003], [75, 3500]]) {
  destinations.show([{ ...still, packets }], at);
  said.push(document.querySelector('.destinations .words').textContent);
}
return said;
"""


def test_packets_a_second_are_counted_by_the_programs_clock(
    browser: Chrome, running: OnStage
) -> None:
    """Answers that were held up arrive at once."""
    go(browser, running)
    rates = [words.partition(" · ")[2] for words in browser.execute_script(RATES)]
    assert rates == ["0 packets/s", "30 packets/s", "30 packets/s", "30 packets/s"]
    with running.http() as http:
        first, second = (http.get("/api/stage/session").json()["clock_ms"] for _ in range(2))
    assert 0 < first < second


def pressed(act: str, state: str) -> str:
    return f"return document.querySelector('{act}[aria-pressed={state}]')"


def test_what_osc_commands_shows_in_the_page(browser: Chrome, running: OnStage) -> None:
    go(browser, running)
    running.command("stop")
    wait(browser, pressed("[data-act=stream]", "false"))
    running.command("start")
    wait(browser, pressed("[data-act=stream]", "true"))
    running.command("slate", "Sc 7")
    wait(browser, "return document.querySelector('#slate').value === 'Sc 7'")
    running.command("take", 12)
    wait(browser, "return document.querySelector('#take-number').value === '12'")
    running.command("record")
    wait(browser, pressed(".record", "true"))
    running.command("finish")
    wait(browser, pressed(".record", "false"))
    wait(browser, "return document.querySelector('#take-number').value === '13'")


def test_what_osc_can_command_the_page_can(browser: Chrome, running: OnStage) -> None:
    """Everything of ``sinks.commands`` but the questions, which the page asks all the time."""
    go(browser, running)

    def status(key: str) -> object:
        return json.loads(running.command("status"))[key]

    find(browser, "[data-act=stream]").click()
    wait_until(lambda: status("streaming") is False, "the stream off")
    find(browser, "[data-act=stream]").click()
    wait_until(lambda: status("streaming") is True, "the stream on")
    for field, value in (("#slate", "Sc 8"), ("#take-number", "5"), ("#mark-label", "sneeze")):
        find(browser, field).clear()
        find(browser, field).send_keys(value, Keys.TAB)
    wait_until(lambda: (status("slate"), status("take")) == ("Sc 8", 5), "slate and take")
    body = find(browser, "body")
    browser.execute_script("document.activeElement.blur()")
    body.send_keys("r")
    wait_until(lambda: status("recording"), "a take")
    find(browser, "[data-act=mark]").click()
    find(browser, "[data-act=neutral]").click()
    began = running.session.status()["frames"]
    wait_until(lambda: running.session.status()["frames"] > began + 10, "frames")
    browser.execute_script("document.activeElement.blur()")
    body.send_keys("r")
    wait_until(lambda: not status("recording"), "the end of the take")
    (folder,) = (running.folder / "takes").iterdir()
    take = Take(folder)
    assert (take.slate, take.number) == ("Sc 8", 5)
    assert {(marker.kind, marker.label) for marker in take.markers} == {
        ("mark", "sneeze"),
        ("neutral", "neutral capture"),
    }


def record(driver: Chrome, running: OnStage, n_frames: int) -> None:
    """A take of the clip, and the tab of the takes."""
    running.session.record_start("fox")
    began = running.session.status()["frames"]
    wait_until(lambda: running.session.status()["frames"] > began + n_frames, "frames")
    running.session.record_stop()
    driver.execute_script("window.stage._show('takes')")
    wait(driver, "return document.querySelector('[data-take] [data-play]')")


PLAYS = """
const { face, takes } = window.stage, player = takes._player, camera = face._camera;
const [x, y] = [camera.width / 2, camera.height / 2];
const middle = camera.getContext('2d').getImageData(x, y, 1, 1);
return { row: player.row, shown: player._shown, hidden: camera.hidden, pixel: [...middle.data],
  weights: [...face.head.character.weights[0]] };
"""


def test_a_take_plays_on_the_face_with_its_pictures_and_is_trimmed_and_exported(
    browser: Chrome, running: OnStage
) -> None:
    go(browser, running)
    record(browser, running, 60)
    find(browser, "[data-play]").click()
    wait(browser, "return window.stage.takes._player._shown > 5")
    seen = browser.execute_script(PLAYS)
    assert not seen["hidden"]
    assert sum(seen["pixel"][:3]) > 60  # the performer's face, not an empty canvas
    find(browser, "[data-player=play]").click()
    # The face shows the row's values, whatever the performer does meanwhile.
    seek = (
        "const at = document.querySelector('#at'); at.value = arguments[0];"
        "at.dispatchEvent(new Event('input'))"
    )
    browser.execute_script(seek, 20)
    drawn = browser.execute_script("return window.stage.live.drawn")
    wait(browser, f"return window.stage.live.drawn > {drawn + 5}")
    first = browser.execute_script(PLAYS)
    browser.execute_script(seek, 50)
    wait(browser, "return window.stage.takes._player._shown === 50")
    second = browser.execute_script(PLAYS)
    browser.execute_script(seek, 20)
    wait(browser, "return window.stage.takes._player._shown === 20")
    again = browser.execute_script(PLAYS)
    assert (first["row"], second["row"]) == (20, 50)
    assert first["weights"] != second["weights"]
    assert again["weights"] == first["weights"]
    find(browser, "[data-player=in]").click()
    browser.execute_script(seek, 50)
    find(browser, "[data-player=out]").click()
    find(browser, "[data-player=trim]").click()
    wait(browser, "return document.querySelectorAll('[data-take]').length === 2")
    assert "rows 20 to 50 of" in find(browser, "[data-take]:last-child").text
    find(browser, "[data-take]:first-child [data-export]").click()
    saved = wait(browser, "return document.querySelector('[data-saved]')")
    assert saved.text.startswith("Save fox_001.csv")
    assert errors_of(browser, running) == []
    find(browser, "[data-player=close]").click()
    assert find(browser, "canvas.camera").get_attribute("hidden") is not None


def test_only_what_a_take_can_give_is_offered(browser: Chrome, running: OnStage) -> None:
    """Sound and movie where a take has sound, and there alone."""
    go(browser, running)
    record(browser, running, 10)
    offered = "return [...document.querySelector('#format').options].map((each) => each.value)"
    formats = browser.execute_script(offered)
    assert "csv" in formats
    assert not {"wav", "mp4"} & set(formats)
    clap_take(running.folder / "takes" / "claps_001")
    browser.execute_script("window.stage._show('takes')")
    wait(browser, "return document.querySelector('[data-take=claps_001]')")
    assert {"wav", "mp4"} <= set(browser.execute_script(offered))
    Select(find(browser, "#format")).select_by_value("wav")
    assert not find(browser, "[data-take=fox_001] [data-export]").is_enabled()
    find(browser, "[data-take=claps_001] [data-export]").click()
    saved = wait(browser, "return document.querySelector('[data-saved]')")
    assert saved.text.startswith("Save claps_001.wav")
    Select(find(browser, "#format")).select_by_value("csv")
    assert find(browser, "[data-take=fox_001] [data-export]").is_enabled()
    assert errors_of(browser, running) == []


def test_keyboard_alone_tunes_a_control(browser: Chrome, running: OnStage) -> None:
    go(browser, running)
    body = find(browser, "body")
    body.send_keys("/")
    browser.switch_to.active_element.send_keys("jawOpen", Keys.ESCAPE)
    wait(browser, "return document.querySelectorAll('[data-control]').length === 1")
    browser.execute_script("document.querySelector('[data-control]').focus()")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait(browser, "return document.querySelector('svg.curve .point')")
    browser.execute_script("document.querySelector('svg.curve .point:last-child').focus()")
    browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN * 5)
    wait(browser, "return window.stage.map.control('jawOpen').curve.at(-1)?.[1] === 0.9")
    browser.execute_script("document.activeElement.blur()")
    for key, tab in (("2", "poses"), ("3", "out"), ("4", "takes"), ("1", "tune")):
        body.send_keys(key)
        wait(browser, f"return document.body.dataset.tab === '{tab}'")
    body.send_keys("?")
    wait(browser, "return document.querySelector('dialog[open]')")
    layout = "return getComputedStyle(document.querySelector('dialog .keys')).display"
    assert browser.execute_script(layout) == "grid"


SIZES = {  # CSS pixels, device pixels for one, touch
    "desk": (1440, 900, 1, False),
    "1024": (1024, 768, 1, False),
    "tablet-upright": (820, 1180, 2, True),
    "tablet": (1180, 820, 2, True),
    "zoom-200": (720, 450, 2, False),
    "phone": (390, 844, 2, True),
}
CUT_OFF = """
const seen = 'button, select, input, a, h2, h3, label, canvas';
return [...document.querySelectorAll(seen)].filter((each) => {
  const box = each.getBoundingClientRect(), hidden = !each.checkVisibility() || !box.width;
  if (hidden || each.closest('.skip, .unseen')) return false;
  return box.left < -1 || box.right > innerWidth + 1;
}).map((each) => each.outerHTML.slice(0, 80));
"""


TOO_SMALL = """
return [...document.querySelectorAll('button, select, input[type=range], input[type=text]')]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 24)
  .map((each) => each.outerHTML.slice(0, 80));
"""


def seen_at(driver: Chrome, size: str) -> AbstractContextManager[None]:
    width, height, ratio, touch = SIZES[size]
    return sized(driver, width, height, ratio, touch=touch)


@pytest.mark.parametrize("size", SIZES)
def test_every_view_fits_every_size(browser: Chrome, running: OnStage, size: str) -> None:
    """Nothing lies beside the page, nothing is cut off, and fingers hit what they mean."""
    with seen_at(browser, size):
        go(browser, running)
        choose_by_script = "document.querySelector('[data-control=mouthSmileLeft]').click()"
        browser.execute_script(choose_by_script)
        record(browser, running, 30)
        browser.execute_script("document.querySelector('[data-play]').click()")
        wait(browser, "return window.stage.takes._player._shown >= 0")
        for tab in ("takes", "tune", "poses", "out"):
            browser.execute_script("window.stage._show(arguments[0])", tab)
            wide = "return document.documentElement.scrollWidth <= innerWidth"
            assert browser.execute_script(wide), tab
            assert browser.execute_script(CUT_OFF) == [], tab
            if SIZES[size][3]:
                assert browser.execute_script(TOO_SMALL) == [], tab
    assert errors_of(browser, running) == []


BAR = """
const bar = document.querySelector('.bar');
bar.querySelector('span').hidden = false; // camera and profile, as `livefacs stage` has them
const parts = [...bar.querySelectorAll('button, input, select, a, p')];
const seen = parts.filter((each) => each.checkVisibility());
const boxes = seen.map((each) => each.getBoundingClientRect());
const along = (a, b) => a.left < b.right - 1 && b.left < a.right - 1;
const across = (a, b) => a.top < b.bottom - 1 && b.top < a.bottom - 1;
const meets = (a) => boxes.some((b) => a !== b && along(a, b) && across(a, b));
const words = seen.filter((each) => each.matches('button, a'));
return {
  n: boxes.length, low: Math.max(...boxes.map((box) => box.bottom)),
  meeting: boxes.filter(meets).length,
  cut: words.filter((each) => each.scrollWidth > each.clientWidth).length,
  scrolls: document.documentElement.scrollHeight > innerHeight,
};
"""


def test_the_bar_stands_whole_in_a_window_of_1024_by_768(browser: Chrome, running: OnStage) -> None:
    """Every control in sight without scrolling, none over another, no word cut."""
    with seen_at(browser, "1024"):
        go(browser, running)
        found = browser.execute_script(BAR)
    assert found.pop("n") >= 11
    assert found.pop("low") <= 768
    assert found == {"meeting": 0, "cut": 0, "scrolls": False}


def test_two_fingers_bring_the_head_closer(browser: Chrome, running: OnStage) -> None:
    with seen_at(browser, "tablet"):
        go(browser, running)
        orbit = "return { ...window.stage.face.head.renderer.orbit }"
        before = browser.execute_script(orbit)
        box = find(browser, "canvas.three").rect
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

        def touch(kind: str, *spread: float) -> None:
            points = [{"x": x + off, "y": y, "id": i} for i, off in enumerate(spread)]
            browser.execute_cdp_cmd(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
            )

        touch("touchStart", -30)
        touch("touchStart", -30, 30)
        touch("touchMove", -60, 60)
        touch("touchEnd")
        closer = browser.execute_script(orbit)
        assert closer["distance"] < 0.8 * before["distance"]
        assert closer["yaw"] == before["yaw"]
        touch("touchStart", 0)
        touch("touchMove", 40)
        touch("touchEnd")
        turned = browser.execute_script(orbit)
        assert turned["yaw"] > before["yaw"] + 0.1
        assert turned["distance"] == closer["distance"]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_barrier(browser: Chrome, running: OnStage, theme: str) -> None:
    go(browser, running)
    browser.execute_script("localStorage.setItem('livefacs-mirror-theme', arguments[0])", theme)
    go(browser, running)
    choose(browser, "mouthSmileLeft")
    for tab in ("tune", "poses", "out", "takes"):
        browser.execute_script("window.stage._show(arguments[0])", tab)
        assert_no_barrier(browser, tab)


def test_an_open_page_hears_of_the_source(browser: Chrome, running: OnStage) -> None:
    """That the performer stands in, and that there is no picture any more."""
    go(browser, running)
    running.mirror.attach(running.session, "performer.mp4", (), "No camera could be opened.")
    wait(browser, "return document.querySelector('.demo').textContent.startsWith('No camera')")
    running.mirror.report_trouble("The camera is gone.")
    told = "[...document.querySelectorAll('.broken')].find((each) => each.checkVisibility())"
    wait(browser, f"return {told}?.textContent.includes('The camera is gone.')")


def test_cameras_to_choose_from(browser: Chrome, running: OnStage) -> None:
    """Each with its picture, or with a word where there is none."""
    still = jpeg_from_image(np.full((48, 64, 3), 90, np.uint8))

    asked: list[str] = []

    def look(spec: str) -> bytes:
        asked.append(spec)
        if spec == "none":
            raise ConfigError("there is none")
        return still

    running.mirror.hooks.still = look
    go(browser, running)
    browser.execute_script(
        "const { bar } = window.stage, specs = ['demo', 'none', 'browser'];"
        "bar._sources = specs.map((spec) => ({ spec, name: spec })); bar._chooseCamera();"
    )
    wait(browser, "return document.querySelector('.stills img')?.naturalWidth === 64")
    wait(browser, "return document.querySelectorAll('.stills span').length === 2")
    assert [each.text for each in browser.find_elements(By.CSS_SELECTOR, ".stills button")] == [
        "demo",
        "no picture\nnone",
        "no picture\nbrowser",
    ]
    assert "browser" not in asked  # a page's camera has no picture before it is started
    assert_no_barrier(browser)


def test_nothing_is_asked_of_another_machine(
    open_browser: Callable[[], Chrome], running: OnStage
) -> None:
    driver = open_browser()
    go(driver, running)
    asked = set()
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"])
    own = f"http://127.0.0.1:{running.port}/"
    assert f"{own}stage" in asked
    assert {
        u for u in asked if not u.startswith((own, "blob:", "about:", "chrome:", "data:"))
    } == set()
    assert find(driver, ".rows").tag_name == "div"
    assert driver.find_elements(By.CSS_SELECTOR, "[data-control]")
    driver.quit()
