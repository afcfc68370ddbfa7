"""A session closes everything it was given, whatever one of its parts does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livefacs.config import load_options
from livefacs.errors import SinkError
from livefacs.protocols import TakeRequest
from livefacs.session.composition import open_session
from livefacs.session.mirror_beside import open_mirror_beside
from livefacs.session.runner import Session
from livefacs.sinks.hub import Hub, Outlet
from livefacs.take.reader import Take
from livefacs.types import TrackedFrame
from livefacs.workers import CLOSING_S
from tests.session.doubles import HandSource, ListOutputs, frame
from tests.session.test_runner import MemoryRecording, make_tracker
from tests.support.keeping import Keeper
from tests.support.waiting import PATIENCE_S

SLACK_S = 10.0  # a busy machine


class Whole:
    """A running session of every part; any of them can be made to hang."""

    def __init__(self) -> None:
        self.release, self.is_hanging = threading.Event(), threading.Event()
        self.source, self.watcher = HandSource(), Keeper()
        self.tracker = make_tracker()
        self.tracker.landmarker.close = self._close_landmarker  # type: ignore[method-assign]  # may hang
        self.is_landmarker_stuck = self.is_landmarker_closed = False
        self.outputs = ListOutputs()
        self.takes: list[MemoryRecording] = []
        self.said: list[str] = []
        self.session = Session(
            self.source,
            self.tracker,
            outputs=self.outputs,
            watchers=[self.watcher],
            recording_factory=self._take,
            notify=self.said.append,
        )
        self.closed: set[str] = set()
        self.session.on_close("control port", lambda: self.closed.add("control port"))
        self.session.record_start()

    def _take(self, request: TakeRequest) -> MemoryRecording:
        self.takes.append(MemoryRecording(request.slate, request.number))
        return self.takes[-1]

    def _close_landmarker(self) -> None:
        if self.is_landmarker_stuck:
            self.release.wait()
        self.is_landmarker_closed = True

    def hang(self, part: str) -> None:
        """Let this part's closing, or its work, never return."""

        def wait(*_: object, **__: object) -> None:
            self.is_hanging.set()
            self.release.wait()

        if part == "control port":
            self.session.on_close("control port", wait)
        elif part == "landmarker":
            self.is_landmarker_stuck = True
        elif part == "last frame":
            send = self.outputs.send
            self.outputs.send = lambda tracked, *, force=False: (  # type: ignore[method-assign]  # hangs at the end
                wait() if force else send(tracked)
            )
        else:
            owner, name = self._place(part)
            setattr(owner, name, wait)

    def _place(self, part: str) -> tuple[Any, str]:
        return {
            "source": (self.source, "close"),
            "detection": (self.tracker.landmarker, "detect"),
            "outputs": (self.outputs, "close"),
            "watcher": (self.watcher, "close"),
            "take": (self.takes[-1], "finish"),
        }[part]

    def parts(self) -> dict[str, bool]:
        """What is closed."""
        return {
            "control port": "control port" in self.closed,
            "landmarker": self.is_landmarker_closed,
            "outputs": self.outputs.sink.closed,
            "take": self.takes[-1].finished,
            "watcher": self.watcher.closed,
        }


@pytest.fixture
def whole() -> Iterator[Whole]:
    made = Whole()
    yield made
    made.release.set()
    made.source.push(None)


PARTS = ("source", "landmarker", "outputs", "last frame", "watcher", "take", "control port")


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_hangs_is_left_behind_and_the_others_are_closed(
    whole: Whole, part: str
) -> None:
    whole.source.push(frame(1))
    runner = threading.Thread(target=whole.session.run, daemon=True)
    runner.start()
    assert whole.watcher.arrived.acquire(timeout=PATIENCE_S)
    whole.hang(part)
    began = time.monotonic()
    whole.session.stop()
    runner.join(CLOSING_S + SLACK_S)
    assert not runner.is_alive()
    assert time.monotonic() - began < CLOSING_S + SLACK_S / 2
    assert whole.parts() == {name: name != part for name in whole.parts()} | {"control port": True}
    assert any("left behind" in sentence for sentence in whole.said)


def test_a_session_whose_tracking_hangs_is_closed_from_another_thread(whole: Whole) -> None:
    whole.hang("detection")
    whole.source.push(frame(1))
    threading.Thread(target=whole.session.run, daemon=True).start()
    assert whole.is_hanging.wait(SLACK_S)
    began = time.monotonic()
    whole.session.close()
    assert time.monotonic() - began < CLOSING_S + SLACK_S
    assert all(whole.parts().values())
    assert "tracking: did not end in time and was left behind" in whole.said


def test_a_block_that_is_left_early_closes_everything(whole: Whole) -> None:
    with pytest.raises(LookupError), whole.session:
        raise LookupError("in the block")
    assert all(whole.parts().values())


def test_a_last_frame_that_cannot_be_sent_keeps_no_take_open(whole: Whole) -> None:
    def fail(tracked: TrackedFrame, *, force: bool = False) -> None:
        if force:
            raise OSError("network gone")

    whole.outputs.send = fail  # type: ignore[method-assign]  # fails once the session ends
    whole.source.push(frame(1))
    whole.source.push(None)
    with pytest.raises(OSError, match="network gone"):
        whole.session.run()
    assert all(whole.parts().values())


def test_an_output_whose_thread_has_ended_ends_the_session_with_its_error(whole: Whole) -> None:
    with whole.session as session:
        whole.outputs.sink.counters.fail(SinkError("its thread has ended"))
        whole.source.push(frame(1))
        with pytest.raises(SinkError, match="its thread has ended"):
            session.run()
    assert all(whole.parts().values())


def test_no_take_begins_while_a_session_ends(whole: Whole) -> None:
    whole.session.close()
    with pytest.raises(Exception, match="the session is ending"):
        whole.session.record_start()
    assert len(whole.takes) == 1


def test_one_destination_that_hangs_keeps_no_other_open() -> None:
    release = threading.Event()
    first, last = Keeper(), Keeper()
    stuck = Keeper()
    stuck.close = release.wait  # type: ignore[method-assign,assignment]  # never returns
    hub = Hub([Outlet(first), Outlet(stuck), Outlet(last)])
    closer = threading.Thread(target=hub.close, daemon=True)
    closer.start()
    ends_at = time.monotonic() + SLACK_S
    while not (first.closed and last.closed):
        assert time.monotonic() < ends_at
        release.wait(0.01)
    release.set()
    closer.join(SLACK_S)


def test_live_with_a_mirror_whose_port_is_taken_leaves_nothing_running(tmp_path: Path) -> None:
    options = load_options(
        None,
        {
            "source": {"spec": "demo", "loop": True},
            "stream": {"to": ("ws://127.0.0.1:0",)},
            "record": {"folder": tmp_path / "takes"},
        },
    )
    before = set(threading.enumerate())
    with open_session(options) as first:
        taken = open_mirror_beside(first, 0, print).port
        with pytest.raises(SinkError, match="runs already"), open_session(options) as second:
            open_mirror_beside(second, taken, print)
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not {name for name in left if name.startswith("livefacs")}
    takes = sorted((tmp_path / "takes").iterdir())
    assert [Take(take).state for take in takes] == ["closed", "closed"]
