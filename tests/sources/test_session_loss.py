"""A whole session on a network camera that dies and comes back in the middle of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise

import cv2
import pytest

from livefacs.config import load_options
from livefacs.session.composition import open_session
from livefacs.types import Health, SinkCounters, TrackedFrame
from tests.sources.mjpeg import MjpegCamera
from tests.support.performer import performer_frames
from tests.support.waiting import PATIENCE_S


class Watcher:
    """Keeps frames and wakes whoever waits for one of a kind."""

    url = "watch:"

    def __init__(self) -> None:
        self.counters = SinkCounters()
        self.frames: list[TrackedFrame] = []
        self._news = threading.Condition()

    def send(self, tracked: TrackedFrame) -> None:
        with self._news:
            self.frames.append(tracked)
            self._news.notify_all()

    def close(self) -> None:
        pass

    def wait_for(self, is_meant: Callable[[TrackedFrame], bool]) -> int:
        """Number of frames seen when one of that kind came, from now on."""
        with self._news:
            begin = len(self.frames)
            came = self._news.wait_for(lambda: any(map(is_meant, self.frames[begin:])), PATIENCE_S)
            assert came
            return len(self.frames)


def has_face(tracked: TrackedFrame) -> bool:
    return tracked.landmarks is not None


def is_held(tracked: TrackedFrame) -> bool:
    return bool(tracked.health & Health.HELD)


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    pictures = [
        cv2.imencode(".jpg", frame.image[..., ::-1])[1].tobytes() for frame in performer_frames(30)
    ]
    served = MjpegCamera(rate_hz=30, pictures=pictures)
    yield served
    served.close()


def test_frames_flow_on_while_the_camera_is_away_and_recover(camera: MjpegCamera) -> None:
    options = load_options(None, {"source": {"spec": camera.url}})
    watcher = Watcher()
    with open_session(options) as session:
        session.watchers.append(watcher)
        running = threading.Thread(target=session.run)
        running.start()
        watcher.wait_for(has_face)
        camera.kill()
        lost_at = watcher.wait_for(is_held)
        watcher.wait_for(lambda tracked: bool(tracked.health & Health.NO_FACE))
        camera.start()
        back_at = watcher.wait_for(has_face)
        camera.stall()
        watcher.wait_for(is_held)
        camera.flow()
        watcher.wait_for(has_face)
        session.stop()
        running.join(PATIENCE_S)
        assert not running.is_alive()
        closing = session.source.closing_notices()
    assert back_at > lost_at
    numbers = [tracked.i_frame for tracked in watcher.frames]
    times = [tracked.t_ns for tracked in watcher.frames]
    assert numbers == sorted(set(numbers))
    steps_ns = [b - a for a, b in pairwise(times)]
    assert min(steps_ns) > 0
    # While it is away a frame goes out every period, as fast as this machine is at the moment.
    assert max(steps_ns) < 5_000_000_000
    assert "was lost" in closing[0]
