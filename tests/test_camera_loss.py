"""A camera that stalls, dies and comes back in the middle of a session, for real, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import cv2
import pytest

from livefacs.app import open_session
from livefacs.config import load_options
from livefacs.sources import open_source
from livefacs.types import Health, SinkCounters, TrackedFrame
from tests.sources.mjpeg import MjpegCamera

PATIENCE_S = 15.0


class Watcher:
    """Lets a test wait until a tracked frame is as it should be."""

    url = "watch:"

    def __init__(self) -> None:
        self.counters = SinkCounters()
        self.numbers: list[int] = []
        self._newest: TrackedFrame | None = None
        self._changed = threading.Condition()

    def send(self, tracked: TrackedFrame) -> None:
        """Wake who waits."""
        with self._changed:
            self._newest = tracked
            self.numbers.append(tracked.i_frame)
            self._changed.notify_all()

    def wait_for(self, is_right: Callable[[TrackedFrame], bool]) -> TrackedFrame:
        """The first frame from now on that is right."""
        with self._changed:
            self._newest = None
            assert self._changed.wait_for(
                lambda: self._newest is not None and is_right(self._newest), PATIENCE_S
            )
            assert self._newest is not None
            return self._newest

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    """Shows the performer's first frame again and again."""
    clip = open_source("demo", realtime=False)
    frame = clip.read()
    clip.close()
    assert frame is not None
    encoded = cv2.imencode(".jpg", cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))[1]
    served = MjpegCamera(rate_hz=30.0)
    served.picture_override = bytes(encoded)
    yield served
    served.close()


def has_face(tracked: TrackedFrame) -> bool:
    return tracked.landmarks is not None


def is_held(tracked: TrackedFrame) -> bool:
    return bool(tracked.health & Health.HELD) and bool(tracked.health & Health.NO_FACE)


@pytest.mark.timeout(60)
def test_a_session_outlives_its_camera(camera: MjpegCamera) -> None:
    options = load_options(None, {"source": {"spec": camera.url}})
    watcher = Watcher()
    with open_session(options) as opened:
        opened.session.watchers.append(watcher)
        running = threading.Thread(target=opened.session.run)
        running.start()
        try:
            watcher.wait_for(has_face)
            camera.stall()
            watcher.wait_for(is_held)
            camera.flow()
            watcher.wait_for(has_face)
            camera.kill()
            watcher.wait_for(is_held)
            watcher.wait_for(is_held)
            camera.start()
            watcher.wait_for(has_face)
        finally:
            opened.session.stop()
            running.join(5)
    assert not running.is_alive()
    assert watcher.numbers == sorted(set(watcher.numbers))
