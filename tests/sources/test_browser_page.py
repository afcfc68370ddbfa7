"""The camera page in a real headless Chromium, whose fake camera is the performer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from livefacs.config import load_options
from livefacs.session.composition import open_session
from livefacs.sources.browser import BrowserSource
from livefacs.sources.browser_server import PAGE
from livefacs.types import Health, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX
from tests.mirror.test_browser import CHROMIUM, DRIVER, Chrome, find, start_chromium, wait
from tests.sources.camera_page import PageEnd, grey, jpeg
from tests.support.performer import performer_frames
from tests.support.waiting import PATIENCE_S, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="no chromium and chromedriver on the PATH (Debian: chromium, chromium-driver)",
    ),
]

FAKE = "--use-fake-device-for-media-stream"
ALLOWED = "--use-fake-ui-for-media-stream"
HOST = "camera.example"
SIZES = [(390, 844), (844, 390), (1440, 900)]

StartBrowser = Callable[..., Chrome]


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Flags of a browser whose camera shows the performer over and over, and is allowed."""
    clip = tmp_path_factory.mktemp("camera") / "performer.mjpeg"
    with clip.open("wb") as file:
        for frame in performer_frames(420):
            file.write(jpeg(frame.image))
    return FAKE, ALLOWED, f"--use-file-for-fake-video-capture={clip}"


@pytest.fixture
def start_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartBrowser]:
    drivers: list[Chrome] = []

    def start(*flags: str) -> Chrome:
        drivers.append(start_chromium(tmp_path_factory.mktemp("chromium"), *flags))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.quit()


@pytest.fixture
def source() -> Iterator[BrowserSource]:
    opened = BrowserSource("browser://:0")
    yield opened
    opened.close()


class Running:
    """A session whose source is the page, and its frames."""

    def __init__(self, spec: str = "browser://:0") -> None:
        self.told: list[str] = []
        options = load_options(None, {"source": {"spec": spec}})
        self.session = open_session(options, self.told.append)
        assert isinstance(self.session.source, BrowserSource)
        self.source: BrowserSource = self.session.source
        self.newest: TrackedFrame | None = None
        self._thread = threading.Thread(target=self.session.run, args=(self._take,))
        self._lowest, self._highest = 9.0, -9.0
        self._thread.start()

    def _take(self, tracked: TrackedFrame) -> None:
        if tracked.health & (Health.HELD | Health.NO_FACE) == Health.OK:
            level = float(tracked.units.intensity[CHANNEL_INDEX["AU12_L"]])
            self._lowest, self._highest = min(self._lowest, level), max(self._highest, level)
        self.newest = tracked

    @property
    def swing(self) -> float:
        """How far AU 12 on the left has moved so far."""
        return self._highest - self._lowest

    def has(self, health: Health) -> bool:
        return self.newest is not None and bool(self.newest.health & health)

    def has_face(self) -> bool:
        return self.newest is not None and self.newest.landmarks is not None

    def stop(self) -> None:
        self.session.close()
        self._thread.join(timeout=PATIENCE_S)


@pytest.fixture
def running() -> Iterator[Running]:
    started = Running()
    yield started
    started.stop()


def go(driver: Chrome, url: str) -> None:
    driver.get(url)
    wait(driver, "return document.body.dataset.ready === 'yes'")


def start(driver: Chrome, url: str) -> None:
    go(driver, url)
    find(driver, "#start").click()
    wait(driver, "return document.querySelector('#state').dataset.state === 'sending'")


def trouble(driver: Chrome) -> str:
    wait(driver, "return !document.querySelector('#trouble').hidden")
    return str(find(driver, "#trouble").text)


def test_the_performer_is_tracked_lost_and_tracked_again(
    running: Running, start_browser: StartBrowser, camera: tuple[str, ...]
) -> None:
    wait_until(lambda: running.has(Health.NO_FACE), "frames before the page is there")
    driver = start_browser(*camera)
    start(driver, running.source.url)
    wait_until(running.has_face, "the performer's face")
    wait_until(lambda: running.swing > 0.4, "the performer to smile")
    wait(driver, "return /^\\d+ ms$/.test(document.querySelector('#latency').textContent)")
    wait(driver, "return document.querySelector('#pixels').textContent === '640×480'")
    assert running.source.n_damaged == 0
    driver.quit()  # the phone is gone
    wait_until(lambda: running.has(Health.HELD), "held values")
    wait_until(lambda: running.has(Health.NO_FACE), "the way to neutral")
    wait_until(
        lambda: any("is lost" in sentence for sentence in running.told), "the loss to be told"
    )
    start(start_browser(*camera), running.source.url)
    wait_until(running.has_face, "the performer's return")
    assert any("pictures come again" in sentence for sentence in running.told)
    assert running.source.n_losses >= 1


def test_stopping_starting_and_other_pictures(
    source: BrowserSource, start_browser: StartBrowser
) -> None:
    driver = start_browser(FAKE, ALLOWED)  # Chromium's own pattern has every size
    start(driver, source.url)
    assert source.newest(PATIENCE_S) is not None
    find(driver, "#start").click()
    wait_until(lambda: source.is_lost, "the stop")
    assert find(driver, "#state").text == "Stopped"
    find(driver, "#size option[value='1280×720']").click()
    find(driver, "#rate option[value='15']").click()
    find(driver, "#start").click()

    def is_large() -> bool:
        frame = source.newest(PATIENCE_S)
        return frame is not None and frame.image.shape[1] == 1280

    wait_until(is_large, "the larger picture")
    driver.refresh()  # what was chosen stays
    wait(driver, "return document.body.dataset.ready === 'yes'")
    assert find(driver, "#size").get_attribute("value") == "1280×720"
    assert find(driver, "#rate").get_attribute("value") == "15"


def test_the_page_begins_with_what_livefacs_was_asked_for(
    start_browser: StartBrowser, camera: tuple[str, ...]
) -> None:
    options = load_options(
        None, {"source": {"spec": "browser://:0", "width": 800, "height": 600, "rate_hz": 20}}
    )
    with open_session(options) as session:
        assert isinstance(session.source, BrowserSource)
        driver = start_browser(*camera)
        start(driver, session.source.url)
        wait(driver, "return document.querySelector('#size').value === '800×600'")
        wait(driver, "return document.querySelector('#rate').value === '20'")


def test_it_comes_back_when_livefacs_was_away(
    source: BrowserSource, start_browser: StartBrowser, camera: tuple[str, ...]
) -> None:
    driver = start_browser(*camera)
    start(driver, source.url)
    port = source.port
    source.close()
    wait(driver, "return document.querySelector('#state').dataset.state === 'away'")
    again = BrowserSource(f"browser://:{port}")
    try:
        assert again.newest(PATIENCE_S) is not None
        wait(driver, "return document.querySelector('#state').dataset.state === 'sending'")
    finally:
        again.close()


def test_a_second_page_says_that_another_one_sends(
    source: BrowserSource, start_browser: StartBrowser, camera: tuple[str, ...]
) -> None:
    first = PageEnd(source.port).begin()
    stop = threading.Event()

    def keep_sending() -> None:
        while not stop.is_set():
            first.send(grey())

    sending = threading.Thread(target=keep_sending)
    sending.start()
    try:
        driver = start_browser(*camera)
        go(driver, source.url)
        find(driver, "#start").click()
        wait(driver, "return document.querySelector('#state').dataset.state === 'busy'")
        assert "Another page sends" in find(driver, "#state").text
    finally:
        stop.set()
        sending.join()
        first.close()
    wait(driver, "return document.querySelector('#state').dataset.state === 'sending'")


def test_a_camera_that_is_not_allowed_is_told_in_words(
    source: BrowserSource, start_browser: StartBrowser
) -> None:
    driver = start_browser(FAKE, "--deny-permission-prompts")
    go(driver, source.url)
    find(driver, "#start").click()
    assert "The camera was not allowed" in trouble(driver)
    assert find(driver, "#start").text == "Start the camera"


def test_a_device_without_a_camera_is_told_in_words(
    source: BrowserSource, start_browser: StartBrowser
) -> None:
    driver = start_browser(
        "--use-fake-device-for-media-stream=device-count=0", "--use-fake-ui-for-media-stream"
    )
    go(driver, source.url)
    find(driver, "#start").click()
    assert "No camera was found" in trouble(driver)


def test_a_page_that_may_have_no_camera_says_why(
    source: BrowserSource, start_browser: StartBrowser
) -> None:
    """Chromium takes a name that leads to this machine for an address like any other."""
    driver = start_browser(FAKE, f"--host-resolver-rules=MAP {HOST} 127.0.0.1")
    driver.get(f"http://{HOST}:{source.port}{PAGE}")
    assert "unknown host" in driver.page_source  # the page itself cannot be had so
    driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {"source": "Object.defineProperty(window, 'isSecureContext', {value: false})"},
    )
    go(driver, source.url)
    assert "only to pages over HTTPS" in trouble(driver)
    assert not find(driver, "#start").is_enabled()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_no_barrier(
    source: BrowserSource, start_browser: StartBrowser, camera: tuple[str, ...], theme: str
) -> None:
    from axe_core_python.selenium import Axe

    driver = start_browser(*camera)
    scheme = {"name": "prefers-color-scheme", "value": theme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    go(driver, source.url)
    for is_on in (False, True):
        if is_on:
            find(driver, "#start").click()
            wait(driver, "return document.querySelector('#state').dataset.state === 'sending'")
        for width, height in SIZES:
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 1000},
            )
            found = Axe().run(driver)["violations"]
            assert not found, [(each["id"], each["nodes"][0]["html"]) for each in found]
            overflow = "return document.documentElement.scrollWidth - innerWidth"
            assert driver.execute_script(overflow) <= 0
    severe = [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"]
    assert severe == []
