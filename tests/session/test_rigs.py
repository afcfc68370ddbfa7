"""Edited maps are taken up beside the frames: a file that stalls delays none."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from livefacs.config import StreamOptions
from livefacs.retarget import retargeter as retargeter_module
from livefacs.session.rigs import Retargeting, RigReloader
from livefacs.session.runner import Session
from livefacs.session.tracker import Tracker
from tests.retarget.making import write_map
from tests.session.doubles import (
    PERIOD_NS,
    BrightnessEstimator,
    CornerLandmarker,
    HandSource,
    ListOutputs,
    frame,
)
from tests.support.waiting import PATIENCE_S, wait_until

SMILE = "[controls.smile]\nterms = {{ AU12_L = {gain} }}\n"


class Running:
    """A live session whose one destination carries a map of the test's."""

    def __init__(self, folder: Path) -> None:
        self.map = write_map(folder, SMILE.format(gain=1.0))
        self.said: list[str] = []
        retargeting = Retargeting(StreamOptions(to=(f"osc://127.0.0.1:9?rig={self.map}",)))
        tracker = Tracker(
            CornerLandmarker(), BrightnessEstimator(), retargeters=retargeting.straight[0]
        )
        self.source, self.outputs = HandSource(), ListOutputs()
        self.session = Session(self.source, tracker, outputs=self.outputs)
        reloader = RigReloader(retargeting.watches, self.said.append)
        self.session.on_close("reading of edited maps", reloader.close)
        self.thread = threading.Thread(target=self.session.run, daemon=True)
        self.thread.start()
        self._i = 0

    def edit(self, body: str) -> None:
        """Write the map anew, later than before."""
        write_map(self.map.parent, body)
        later = self.map.stat().st_mtime_ns + 1_000_000_000
        os.utime(self.map, ns=(later, later))

    def next_value(self) -> float:
        """The control's value of one more picture, which is all white."""
        self._i += 255  # brightness is the number modulo 256
        sent = len(self.outputs.frames)
        self.source.push(frame(255, self._i * PERIOD_NS))
        wait_until(lambda: any(each.landmarks for each in self.outputs.frames[sent:]), "a frame")
        seen = [each for each in self.outputs.frames[sent:] if each.landmarks is not None]
        return float(seen[-1].rigs["rig"].values[0])

    def close(self) -> None:
        self.session.close()
        self.source.push(None)
        self.thread.join(PATIENCE_S)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.close()


def test_an_edited_map_runs_from_a_frame_on(running: Running) -> None:
    assert running.next_value() == pytest.approx(1.0)
    running.edit(SMILE.format(gain=0.25))
    wait_until(lambda: running.said, "the edit to be taken up")
    assert running.said == ["rig rig: the edited map runs now"]
    assert running.next_value() == pytest.approx(0.25)


def test_a_map_that_cannot_be_read_leaves_the_old_one_running(running: Running) -> None:
    running.edit("[controls.smile]\nterms = { AU99 = 1.0 }\n")
    wait_until(lambda: len(running.said) > 1, "the errors to be told")
    assert "the old one runs on" in running.said[0]
    assert running.next_value() == pytest.approx(1.0)


def test_whatever_reading_raises_leaves_the_old_one_running(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Path) -> None:
        raise RecursionError("nested too deeply")

    monkeypatch.setattr(retargeter_module, "load_rig", fail)
    running.edit(SMILE.format(gain=0.5))
    wait_until(lambda: len(running.said) > 1, "the errors to be told")
    assert "RecursionError: nested too deeply" in running.said[1]
    assert "RecursionError" in caplog.text
    assert running.next_value() == pytest.approx(1.0)


def test_a_map_whose_reading_stalls_delays_no_frame_and_no_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled, release = threading.Event(), threading.Event()

    def stall(_: Path) -> None:
        stalled.set()
        release.wait()

    monkeypatch.setattr(retargeter_module, "load_rig", stall)
    running.edit(SMILE.format(gain=0.5))
    assert stalled.wait(PATIENCE_S)
    try:
        assert [running.next_value() for _ in range(5)] == pytest.approx([1.0] * 5)
        running.session.stop()
        running.thread.join(PATIENCE_S)
        assert not running.thread.is_alive()
    finally:
        release.set()
