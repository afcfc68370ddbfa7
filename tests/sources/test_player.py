"""Clips in real time and in a loop."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from livefacs.clock import now_ns
from livefacs.sources.player import Player
from livefacs.sources.video import VideoSource
from livefacs.types import Frame
from tests.sources.clips import every, write_clip


class CountedClip:
    """Frames at a steady rate, from memory."""

    description = "counted"
    is_live = False
    timecode: str | None = None
    notices: tuple[str, ...] = ()
    start_ns = 0

    def __init__(self, n_frames: int, rate_hz: float) -> None:
        self.n_frames: int | None = n_frames
        self.rate_hz = rate_hz
        self.i_next = 0
        self.closed = False

    def read(self) -> Frame | None:
        if self.closed or self.n_frames is None or self.i_next >= self.n_frames:
            return None
        frame = Frame(
            np.zeros((4, 4, 3), np.uint8), round(self.i_next * 1e9 / self.rate_hz), self.i_next
        )
        self.i_next += 1
        return frame

    def rewind(self) -> None:
        self.i_next = 0

    def close(self) -> None:
        self.closed = True

    def closing_notices(self) -> tuple[str, ...]:
        return ("counted",)


def test_frames_come_when_they_are_due_on_the_session_clock() -> None:
    player = Player(CountedClip(20, 100.0))
    began_ns = now_ns()
    frames = []
    while (frame := player.read()) is not None:
        assert now_ns() >= frame.t_ns  # never early
        frames.append(frame)
    assert now_ns() - began_ns >= 190_000_000
    numbers = np.array([frame.i_frame for frame in frames])
    times = np.array([frame.t_ns for frame in frames])
    np.testing.assert_array_equal(times - times[0], (numbers - numbers[0]) * 10_000_000)
    assert len(frames) + player.n_dropped == 20
    assert player.is_live


def test_a_slow_reader_gets_the_newest_due_frame() -> None:
    player = Player(CountedClip(1000, 200.0))
    first = player.read()
    assert first is not None
    time.sleep(0.1)  # the reader is busy for about twenty frames
    late = player.read()
    assert late is not None
    assert late.i_frame >= 15
    assert player.n_dropped == late.i_frame - 1
    assert now_ns() - late.t_ns < 50_000_000
    after = player.read()
    assert after is not None
    assert after.i_frame > late.i_frame


def test_a_clip_that_is_read_slower_than_it_plays_is_seen_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = CountedClip(200, 200.0)
    read_at_once = clip.read

    def read_slowly() -> Frame | None:
        time.sleep(0.015)  # three frames' time
        return read_at_once()

    monkeypatch.setattr(clip, "read", read_slowly)
    player = Player(clip)
    frames = list(iter(player.read, None))
    assert len(frames) > 60  # nothing but the first and the last is in time by the clip's clock
    assert len(frames) + player.n_dropped == 200
    times = [frame.t_ns for frame in frames]
    assert times == sorted(set(times))
    assert now_ns() - times[-1] < 200_000_000
    assert "no faster than it plays" in player.closing_notices()[-1]


def test_no_frame_is_given_twice_or_out_of_order_under_an_uneven_reader() -> None:
    player = Player(CountedClip(100, 500.0))
    numbers = []
    while (frame := player.read()) is not None:
        numbers.append(frame.i_frame)
        if frame.i_frame % 7 == 0:
            time.sleep(0.006)
    assert numbers == sorted(set(numbers))
    assert len(numbers) + player.n_dropped == 100
    assert numbers[-1] == 99


def test_a_loop_goes_on_with_rising_times_and_numbers(tmp_path: Path) -> None:
    clip = VideoSource(write_clip(tmp_path / "a.mkv", times_ms=every(4, 50)))
    player = Player(clip, realtime=False, loop=True)
    frames = [player.read() for _ in range(10)]
    assert [frame.i_frame for frame in frames if frame] == list(range(10))
    times = [frame.t_ns for frame in frames if frame]
    assert times[:4] == [0, 50_000_000, 100_000_000, 150_000_000]
    assert times == sorted(set(times))
    np.testing.assert_array_equal(frames[1].image, frames[5].image)
    assert player.n_frames is None
    player.close()


def test_close_wakes_a_waiting_reader() -> None:
    player = Player(CountedClip(10, 0.05))  # the second frame is due after 20 s
    assert player.read() is not None
    threading.Timer(0.05, player.close).start()
    began = time.perf_counter()
    assert player.read() is None
    assert time.perf_counter() - began < 5
    assert player.read() is None


@pytest.mark.parametrize("realtime", [True, False])
def test_it_ends_and_passes_the_clip_s_words_on(realtime: bool) -> None:
    player = Player(CountedClip(2, 1000.0), realtime=realtime)
    while player.read() is not None:
        pass
    assert player.closing_notices() == ("counted",)
    assert player.description.startswith("counted")
    assert player.n_frames == 2
