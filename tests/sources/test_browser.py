"""A browser's camera as a source: over real sockets, with the page's end of the talk in Python."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from livefacs.errors import ConfigError, SourceError
from livefacs.sources import open_source
from livefacs.sources.browser import MOST_SIDE, BrowserSource
from livefacs.sources.browser_server import PAGE
from livefacs.sources.capture import is_browser
from livefacs.wire.camera_page import MOST_JPEG_BYTES
from tests.sources.camera_page import PageEnd, grey, jpeg
from tests.support.performer import performer_frames
from tests.support.waiting import PATIENCE_S, wait_until


class Opened:
    """A source on a free port, what it told, and pages that are closed at the end."""

    def __init__(self, **options: object) -> None:
        self.told: list[str] = []
        source = open_source("browser://:0", notify=self.told.append, **options)  # type: ignore[arg-type]
        assert isinstance(source, BrowserSource)
        self.source = source
        self._pages: list[PageEnd] = []

    def page(self, ahead_s: float = 0.0) -> PageEnd:
        self._pages.append(PageEnd(self.source.port, ahead_s))
        return self._pages[-1]

    def picture(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        frame = self.source.newest(PATIENCE_S)
        assert frame is not None
        return frame.image

    def close(self) -> None:
        for page in self._pages:
            with contextlib.suppress(OSError, ConnectionClosed):
                page.close()
        self.source.close()


@pytest.fixture
def open_page() -> Iterator[Callable[..., Opened]]:
    running: list[Opened] = []

    def start(**options: object) -> Opened:
        running.append(Opened(**options))
        return running[-1]

    yield start
    for each in running:
        each.close()


@pytest.fixture
def opened(open_page: Callable[..., Opened]) -> Opened:
    return open_page()


def test_pictures_come_as_they_were_sent(opened: Opened) -> None:
    sent = performer_frames(1)[0].image
    page = opened.page().begin()
    assert page.told["width"] == 640
    page.send(jpeg(sent))
    frame = opened.source.newest(PATIENCE_S)
    assert frame is not None
    assert (frame.i_frame, frame.image.shape) == (0, sent.shape)
    expected = cv2.imdecode(np.frombuffer(jpeg(sent), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(frame.image.astype(int) - expected).mean() < 2.0
    page.send(grey())
    following = opened.source.newest(PATIENCE_S)
    assert following is not None
    assert following.t_ns > frame.t_ns
    assert following.i_frame == 1
    wait_until(lambda: opened.told, "a sentence")
    assert "pictures come, 640×480" in opened.told[0]


@pytest.mark.parametrize("ahead_s", [0.0, 5000.0, -5000.0])
def test_a_picture_carries_the_time_of_its_capture(opened: Opened, ahead_s: float) -> None:
    page = opened.page(ahead_s).begin()
    before_ns = time.perf_counter_ns()
    captured_ms = page.now_ms()
    after_ns = time.perf_counter_ns()
    answer = page.send(grey(), captured_ms)
    frame = opened.source.newest(PATIENCE_S)
    assert frame is not None
    assert frame.arrived_ns is not None
    # The clocks are apart by half the shortest round trip at most, which a busy machine stretches.
    slack_ns = 500_000_000
    trip_ns = frame.arrived_ns - before_ns
    assert before_ns - trip_ns - slack_ns <= frame.t_ns <= frame.arrived_ns
    assert frame.t_ns <= after_ns + trip_ns + slack_ns
    assert answer["latency_ms"] == pytest.approx((frame.arrived_ns - frame.t_ns) / 1e6, abs=0.06)


@pytest.mark.parametrize(("wrong_ms", "age_s"), [(-1e12, 2.0), (1e12, 0.0)])
def test_no_picture_is_of_the_future_or_of_long_ago(
    opened: Opened, wrong_ms: float, age_s: float
) -> None:
    page = opened.page().begin()
    page.send(grey(), wrong_ms)
    frame = opened.source.newest(PATIENCE_S)
    assert frame is not None
    assert frame.arrived_ns is not None
    assert frame.arrived_ns - frame.t_ns == age_s * 1e9


def test_pictures_are_turned(open_page: Callable[..., Opened]) -> None:
    opened = open_page(rotate=90)
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32] = 255  # above, left: after a turn clockwise above, right
    opened.page().begin().send(jpeg(image))
    turned = opened.picture()
    assert turned.shape == (64, 48, 3)
    assert turned[8, 40].min() > 200
    assert turned[8, 8].max() < 50


def test_the_newest_picture_wins(opened: Opened) -> None:
    page = opened.page().begin()
    for level in (10, 100, 200):
        page.send(grey(level=level))
    assert abs(int(opened.picture()[0, 0, 0]) - 200) < 8
    assert opened.source.n_dropped == 2


def test_what_is_no_picture_is_counted_and_the_page_goes_on(opened: Opened) -> None:
    page = opened.page().begin()
    whole = grey(320, 240)
    huge = bytearray(whole)
    at = huge.index(b"\xff\xc0") + 5
    huge[at : at + 4] = b"\xff\xff\xff\xff"  # 65,535 squared, which would unpack to 12 GB
    noise = np.random.default_rng(1).bytes(4000)
    scans = whole + b"\xff\xda" * 20
    too_wide = grey(MOST_SIDE + 1, 16)
    rubbish = [
        b"x",
        noise,
        b"\xff\xd8\xff" + noise,
        whole[:-30],
        bytes(huge),
        scans,
        too_wide,
        grey(8, 8),
    ]
    for data in rubbish:
        page.send(data)
    assert opened.source.n_damaged == len(rubbish)
    page.send(whole)
    assert opened.picture().shape == (240, 320, 3)
    opened.source.close()
    assert f"{len(rubbish)} damaged picture(s)" in " ".join(opened.source.closing_notices())


def test_a_lost_page_is_told_and_comes_back(opened: Opened) -> None:
    page = opened.page().begin()
    page.send(grey())
    opened.picture()
    page.socket.close()
    wait_until(lambda: opened.source.is_lost, "the loss")
    assert "is lost: its page was stopped" in opened.told[-1]
    again = opened.page().begin()
    again.send(grey())
    assert opened.picture().shape == (48, 64, 3)
    assert not opened.source.is_lost
    assert "pictures come again after" in opened.told[-1]
    assert opened.source.n_losses == 1
    assert "was lost 1 time(s)" in " ".join(opened.source.closing_notices())


def test_a_page_that_falls_silent_is_lost_and_makes_way(opened: Opened) -> None:
    page = opened.page().begin()
    page.send(grey())
    assert page.end() == 1008  # it answers no more
    assert opened.source.is_lost
    assert "is lost: no picture for 2 s" in opened.told[-1]
    opened.page().begin().send(grey())
    assert not opened.source.is_lost


def test_a_second_page_is_told_that_it_is_one_too_many(opened: Opened) -> None:
    first = opened.page().begin()
    second = opened.page()
    second.listen("busy")
    assert second.end() == 1013
    first.send(grey())
    assert opened.picture().shape == (48, 64, 3)
    first.close()

    def is_let_in() -> bool:  # the first one's place is free once its end is noticed
        with contextlib.suppress(Exception):
            third = opened.page().begin()
            third.send(grey())
            return True
        return False

    wait_until(is_let_in, "a place for the next page")


def test_pictures_out_of_turn_end_the_talk(opened: Opened) -> None:
    """Who floods has no tickets: one is given when the picture before has been taken."""
    page = opened.page().begin()
    with contextlib.suppress(OSError, ConnectionClosed):
        for _ in range(200):
            page.put(grey())
    assert page.end() == 1008
    assert opened.source.n_refused == 1
    assert opened.source._i_frame == 1


def test_a_picture_before_its_ticket_ends_the_talk(opened: Opened) -> None:
    page = opened.page()
    page.put(grey())
    assert page.end() == 1008
    assert opened.source.newest(0.0) is None


def test_a_message_beyond_the_bound_ends_the_talk(opened: Opened) -> None:
    page = opened.page().begin()
    with contextlib.suppress(OSError, ConnectionClosed):
        page.put(bytes(MOST_JPEG_BYTES + 1))
    assert page.end() in (1006, 1009)
    assert opened.source._i_frame == 0


def test_texts_that_make_no_sense_end_the_talk(opened: Opened) -> None:
    page = opened.page().begin()
    texts = ["", "{", "[]", '{"type": "time", "id": 1e400, "t": NaN}', "[" * 200_000, "x" * 500]
    with contextlib.suppress(OSError, ConnectionClosed):
        for i in range(40):
            page.socket.send(texts[i % len(texts)])
    assert page.end() == 1008
    opened.page().begin().send(grey())
    assert opened.picture() is not None


def test_pictures_come_at_most_120_times_a_second(opened: Opened) -> None:
    page = opened.page().begin()
    page.send(grey())
    began_s = time.perf_counter()
    for _ in range(24):
        page.send(grey())
    assert time.perf_counter() - began_s > 0.19  # a bound from below: no load makes it shorter


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, None),
        ("http://evil.example", None),
        ("http://127.0.0.1:1", None),
        ("same", "evil.example"),
    ],
)
def test_other_pages_and_other_hosts_are_refused(
    opened: Opened, origin: str | None, host: str | None
) -> None:
    port = opened.source.port
    own = f"http://{host or '127.0.0.1'}:{port}"
    address = f"ws://{host or '127.0.0.1'}:{port}/camera/live"
    with pytest.raises(InvalidStatus) as refused:
        connect(
            address,
            origin=Origin(own if origin == "same" else origin) if origin else None,
            sock=socket.create_connection(("127.0.0.1", port), PATIENCE_S),
            open_timeout=PATIENCE_S,
            proxy=None,
        ).__enter__()
    assert refused.value.response.status_code == 403


def test_the_page_is_served_with_a_camera_of_its_own(opened: Opened) -> None:
    url = opened.source.url
    assert url == f"http://127.0.0.1:{opened.source.port}{PAGE}"
    with httpx.Client(follow_redirects=True, trust_env=False) as client:
        page = client.get(url.removesuffix(PAGE))
        assert page.status_code == 200
        assert str(page.url) == url
        assert "camera=(self)" in page.headers["permissions-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        for name in ("/static/camera.css", "/static/js/camera/main.js", "/static/icon.svg"):
            assert client.get(url.replace(PAGE, name)).status_code == 200
        for name in ("/etc/passwd", "/static/../guard.py", "/static/js/main.js", "/camera/"):
            assert client.get(url.replace(PAGE, name)).status_code == 404
        assert client.get(url, headers={"Origin": "http://evil.example"}).status_code == 403
        assert client.get(url, headers={"Host": "evil.example"}).status_code == 403


def test_it_is_there_at_once_and_says_where(opened: Opened) -> None:
    assert opened.source.newest(0.0) is None
    assert not opened.source.is_lost
    assert opened.source.url in opened.source.notices[0]
    opened.source.close()
    assert opened.source.ended
    assert opened.source.read() is None
    assert "no picture came" in opened.source.closing_notices()[0]


def test_the_port_is_free_again_and_a_taken_one_is_told(opened: Opened) -> None:
    port = opened.source.port
    with pytest.raises(SourceError, match=f"cannot listen on 127.0.0.1:{port}"):
        open_source(f"browser://:{port}")
    page = opened.page().begin()
    page.send(grey())
    opened.source.close()
    open_source(f"browser://:{port}").close()


@pytest.mark.parametrize(
    "spec", ["browser://:x", "browser://:70000", "browser://a/b", "browser://u@h", "browser://?a=1"]
)
def test_an_address_that_is_none_is_told(spec: str) -> None:
    assert is_browser(spec)
    with pytest.raises((SourceError, ConfigError), match=r"browser://HOST:PORT|cannot listen"):
        open_source(spec)


def test_files_and_cameras_may_have_such_a_name() -> None:
    assert is_browser("browser")
    assert not is_browser("browser.mp4")
    assert not is_browser(str(Path("browser") / "clip.mp4"))
