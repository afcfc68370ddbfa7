"""Errors inside the mirror are told and end no more than they must."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from livefacs.errors import SinkError
from livefacs.mirror.core import MirrorOptions
from livefacs.mirror.page_feed import LiveFeed
from livefacs.mirror.practice import DrillRun
from livefacs.mirror.server import Mirror
from livefacs.types import TrackedFrame
from tests.mirror.conftest import make_frame
from tests.mirror.test_server import live, next_frame, next_of
from tests.support.waiting import wait_until


def test_practice_that_fails_is_told_and_frames_flow_on(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("in a drill")

    with live(mirror) as socket:
        socket.send('{"type":"drill-start","name":"smile-c"}')
        next_of(socket, "rigs")
        monkeypatch.setattr(DrillRun, "step", fail)
        wait_until(lambda: mirror.feed.n_pages == 1)

        def feed_one(i_frame: int) -> bool:
            mirror.feed.send(make_frame(i_frame))
            return bool(mirror.feed.counters.last_error)

        numbers = iter(range(10_000))
        wait_until(lambda: feed_one(next(numbers)))
        assert "ZeroDivisionError: in a drill" in next_of(socket, "trouble")["text"]
        mirror.feed.send(make_frame(20_000))
        next_frame(socket)
    assert "in a drill" in caplog.text  # with its traceback
    assert mirror.feed.counters.failure is None


def test_what_ends_the_feed_is_kept_for_the_session() -> None:
    class Broken:
        rig = "broken"

        def retarget(self, tracked: TrackedFrame) -> None:
            raise KeyError("no such control")

    feed = LiveFeed(puppets=[Broken()])  # type: ignore[list-item]  # it never returns a frame
    feed.add_outbox(object())  # type: ignore[arg-type]  # only counted
    feed.send(make_frame())
    wait_until(lambda: feed.counters.failure is not None)
    assert isinstance(feed.counters.failure, KeyError)
    feed.shut()


def test_a_server_that_cannot_start_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Mirror) -> None:
        raise RuntimeError("no loop")

    monkeypatch.setattr(Mirror, "_serve", fail)
    mirror = Mirror(MirrorOptions(port=0, progress_path=tmp_path / "progress.sqlite"))
    with caplog.at_level(logging.ERROR), pytest.raises(SinkError, match=r"did not start.*no loop"):
        mirror.start()
    mirror.stop()
