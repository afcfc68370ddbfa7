"""What the camera page and its source say to each other: pictures, and the page's clock."""

from __future__ import annotations

import json
import struct

import pytest

from livefacs.wire.camera_page import (
    MOST_JPEG_BYTES,
    PageClock,
    PagePicture,
    message_from_picture,
    picture_from_message,
)


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def pass_ms(self, ms: float) -> None:
        self.now_ns += round(1e6 * ms)


def round_trip(
    page: PageClock, clock: Clock, there_ms: float, back_ms: float, ahead_ms: float
) -> bool:
    number = json.loads(page.question())["id"]
    clock.pass_ms(there_ms)
    page_ms = clock.now_ns / 1e6 + ahead_ms
    clock.pass_ms(back_ms)
    return page.take_answer(json.dumps({"type": "time", "id": number, "t": page_ms}))


def test_golden_bytes_of_a_picture() -> None:
    message = message_from_picture(PagePicture(7, 1234.5, b"\xff\xd8\xff"))
    assert message == b"LFC1\x07\x00\x00\x00" + struct.pack("<d", 1234.5) + b"\xff\xd8\xff"
    assert picture_from_message(message) == PagePicture(7, 1234.5, b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"LFC1",
        b"LFC1" + bytes(12),
        b"LFC2" + bytes(13),
        b"LFC1" + bytes(4) + struct.pack("<d", float("nan")) + b"x",
        b"LFC1" + bytes(4) + struct.pack("<d", float("inf")) + b"x",
        b"LFC1" + bytes(4) + struct.pack("<d", -1e16) + b"x",
        b"LFC1" + bytes(12) + bytes(MOST_JPEG_BYTES + 1),
    ],
)
def test_what_is_no_picture(message: bytes) -> None:
    assert picture_from_message(message) is None


@pytest.mark.parametrize("ahead_ms", [0.0, 5e6, -5e6])
def test_the_shortest_round_trip_sets_the_clock(ahead_ms: float) -> None:
    clock = Clock()
    page = PageClock(clock)
    for there_ms, back_ms in ((40, 2), (1, 80), (3, 1), (500, 500), (20, 20)):
        assert not page.is_known
        assert round_trip(page, clock, there_ms, back_ms, ahead_ms)
    assert page.is_known
    assert page.error_ns == 2_000_000
    captured_ns = clock.now_ns
    page_ms = captured_ns / 1e6 + ahead_ms
    clock.pass_ms(30)
    mapped_ns = page.session_ns(page_ms, clock.now_ns)
    assert abs(mapped_ns - captured_ns) <= page.error_ns
    assert mapped_ns - captured_ns == pytest.approx(-1_000_000, abs=1000)  # 3 there, 1 back


def test_a_clock_that_drifts_is_followed() -> None:
    clock = Clock()
    page = PageClock(clock)
    ahead_ms = 0.0
    for _ in range(200):
        ahead_ms += 0.05  # 50 ppm, asked each second
        assert round_trip(page, clock, 2, 2, ahead_ms)
        clock.pass_ms(996)
    mapped_ns = page.session_ns(clock.now_ns / 1e6 + ahead_ms, clock.now_ns + 10_000_000)
    assert abs(mapped_ns - clock.now_ns) <= 2_000_000


def test_times_stay_between_arrival_and_two_seconds_before() -> None:
    clock = Clock()
    page = PageClock(clock)
    for _ in range(5):
        round_trip(page, clock, 1, 1, 0)
    now_ms = clock.now_ns / 1e6
    assert page.session_ns(now_ms + 1e6, clock.now_ns) == clock.now_ns
    assert page.session_ns(now_ms - 1e6, clock.now_ns) == clock.now_ns - 2_000_000_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 200,
        "[]",
        "null",
        '{"type": "time", "id": 1}',
        '{"type": "time", "id": 1, "t": "1"}',
        '{"type": "time", "id": 1, "t": true}',
        '{"type": "time", "id": 1, "t": NaN}',
        '{"type": "time", "id": 1, "t": 1e400}',
        '{"type": "time", "id": 2, "t": 1}',
        '{"type": "next", "id": 1, "t": 1}',
        '{"type": "time", "id": 1, "t": ' + "9" * 200 + "}",
        '{"type": "time", "id": 1, "t": 1, "more": "' + "x" * 300 + '"}',
    ],
)
def test_what_is_no_answer(text: str) -> None:
    page = PageClock(Clock())
    page.question()
    assert not page.take_answer(text)
    assert page.is_asked


def test_an_answer_counts_once_and_only_to_the_last_question() -> None:
    clock = Clock()
    page = PageClock(clock)
    first = json.loads(page.question())["id"]
    second = json.loads(page.question())["id"]
    assert not page.take_answer(json.dumps({"type": "time", "id": first, "t": 1.0}))
    answer = json.dumps({"type": "time", "id": second, "t": 1.0})
    clock.pass_ms(5)
    assert page.waiting_ns == 5_000_000
    assert page.take_answer(answer)
    assert page.waiting_ns == 0
    assert not page.take_answer(answer)
