from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import SourceError, TakeError
from livefacs.protocols import TakeRequest
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.session.runner import Session
from livefacs.session.tracker import Tracker
from livefacs.types import Health, TrackedFrame
from tests.retarget.making import write_map
from tests.session.doubles import (
    PERIOD_NS,
    BrightnessEstimator,
    CornerLandmarker,
    HandSource,
    ListOutputs,
    ListSource,
    SmileRetargeter,
    frame,
)
from tests.support.keeping import Keeper
from tests.support.waiting import PATIENCE_S


def make_tracker() -> Tracker:
    return Tracker(
        CornerLandmarker(),
        BrightnessEstimator(),
        retargeters=[SmileRetargeter()],
        mirrored_retargeters=[SmileRetargeter()],
    )


def test_a_file_is_tracked_frame_by_frame_and_ends_with_a_neutral_one() -> None:
    output, watcher = ListOutputs(), Keeper()
    source = ListSource([frame(i) for i in range(1, 41)])
    summary = Session(source, make_tracker(), outputs=output, watchers=[watcher]).run()
    assert [tracked.i_frame for tracked in watcher.frames] == list(range(1, 41))
    assert summary.frames == summary.faces == 40
    assert len(output.frames) == 41
    assert not output.frames[-1].units.intensity.any()
    assert output.forced == 1
    assert source.closed
    assert output.sink.closed
    assert watcher.closed


def test_the_last_frame_passes_the_smoothing_of_the_rigs(tmp_path: Path) -> None:
    body = "[controls.smile]\nterms = { AU12_L = 1.0 }\nsmoothing = { time_constant_ms = 900 }\n"
    retargeter = Retargeter(load_rig(write_map(tmp_path, body)))
    tracker = Tracker(CornerLandmarker(), BrightnessEstimator(), retargeters=[retargeter])
    outputs = ListOutputs()
    source = ListSource([frame(255, i * PERIOD_NS) for i in range(10)])
    Session(source, tracker, outputs=outputs).run()
    values = [float(sent.rigs["rig"].values[0]) for sent in outputs.frames]
    assert values[-2] > 0.5
    assert values[-1] == 0.0
    assert outputs.frames[-1].t_ns - outputs.frames[-2].t_ns < 2 * PERIOD_NS


def test_same_frames_give_same_numbers_through_step_and_through_a_session() -> None:
    frames = [frame(i) for i in range(20)]
    watcher = Keeper()
    Session(ListSource(frames), make_tracker(), watchers=[watcher]).run()
    tracker = make_tracker()
    for item, seen in zip(frames, watcher.frames, strict=True):
        expected = tracker.step(item)
        np.testing.assert_array_equal(seen.units.intensity, expected.units.intensity)
        np.testing.assert_array_equal(seen.rigs["smile"].values, expected.rigs["smile"].values)


def test_rigs_of_the_mirror_image_are_retargeted_from_exchanged_sides() -> None:
    tracked = make_tracker().step(frame(51))
    assert tracked.rigs["smile"].values[0] == pytest.approx(0.4)
    mirrored = tracked.mirrored()
    assert mirrored.rigs["smile"].values[0] == pytest.approx(0.2)
    assert mirrored.head.yaw_rad == -tracked.head.yaw_rad
    np.testing.assert_array_equal(mirrored.mirrored().units.intensity, tracked.units.intensity)


def test_a_failing_source_ends_the_session_with_its_error() -> None:
    output = ListOutputs()
    source = ListSource([frame(1)], failure=SourceError("the cable is out"))
    with pytest.raises(SourceError, match="cable"):
        Session(source, make_tracker(), outputs=output).run()
    assert output.sink.closed


def test_time_limit_counts_the_sources_own_time() -> None:
    watcher = Keeper()
    source = ListSource([frame(i) for i in range(1, 200)])
    Session(source, make_tracker(), watchers=[watcher], time_limit_s=1.0).run()
    assert len(watcher.frames) == 30


def test_frames_without_a_face_keep_flowing_with_the_flag() -> None:
    watcher = Keeper()
    frames = [frame(0, 0), frame(256, PERIOD_NS), frame(257, 2 * PERIOD_NS)]
    Session(ListSource(frames), make_tracker(), watchers=[watcher]).run()
    flags = [bool(tracked.health & Health.NO_FACE) for tracked in watcher.frames]
    assert flags == [True, True, False]


class LiveRun:
    """A session over a hand-fed camera, running in a thread."""

    def __init__(self, **options: object) -> None:
        self.source, self.watcher, self.output = HandSource(), Keeper(), ListOutputs()
        self.tracker = make_tracker()
        self.session = Session(
            self.source,
            self.tracker,
            watchers=[self.watcher],
            outputs=self.output,
            **options,  # type: ignore[arg-type]  # forwarded as given
        )
        self.thread = threading.Thread(target=self.session.run)

    def __enter__(self) -> LiveRun:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.session.stop()
        self.source.close()
        self.thread.join(PATIENCE_S)

    def next(self) -> TrackedFrame:
        """Wait for one more tracked frame."""
        assert self.watcher.arrived.acquire(timeout=PATIENCE_S)
        return self.watcher.frames[-1]


def test_a_camera_that_goes_away_leaves_held_frames_and_comes_back() -> None:
    with LiveRun() as run:
        run.source.push(frame(1))
        while run.next().landmarks is None:
            pass
        seen = [run.next() for _ in range(3)]
        assert all(tracked.health & Health.HELD for tracked in seen)
        run.source.push(frame(2))
        while (back := run.next()).landmarks is None:
            pass
    numbers = [tracked.i_frame for tracked in run.watcher.frames]
    assert numbers == sorted(set(numbers))
    assert back.units.intensity.max() > 0


def test_frames_that_were_dropped_are_counted_and_flagged() -> None:
    with LiveRun() as run:
        run.source.push(frame(1))
        while run.next().landmarks is None:
            pass
        run.source.push(frame(7))
        while (tracked := run.next()).landmarks is None:
            pass
        assert tracked.health & Health.FRAMES_SKIPPED
        assert run.session.summary().dropped >= 5


def test_streaming_stops_with_a_neutral_frame_and_starts_again() -> None:
    with LiveRun() as run:
        run.source.push(frame(100))
        while run.next().landmarks is None:
            pass
        run.session.stop_streaming()
        run.next()
        run.next()
        sent = len(run.output.frames)
        assert not run.output.frames[-1].units.intensity.any()
        run.next()
        assert len(run.output.frames) == sent
        run.session.start_streaming()
        run.next()
        run.next()
        assert len(run.output.frames) > sent


def test_capture_neutral_reaches_the_estimator_between_frames() -> None:
    with LiveRun() as run:
        run.session.capture_neutral()
        run.next()
        run.next()
    assert run.tracker.estimator.neutral_captures == 1  # type: ignore[attr-defined]  # the double


def test_status_is_plain_values() -> None:
    session = Session(ListSource([frame(5)]), make_tracker(), outputs=ListOutputs())
    session.run()
    status = session.status()
    assert status["frames"] == 1
    assert status["outputs"][0]["url"] == "list://"
    assert set(status["latency_ms"]) >= {"landmarks", "send", "total"}
    assert session.final_status() == status


def test_recording_without_a_take_folder_says_what_to_do() -> None:
    session = Session(ListSource([]), make_tracker())
    with pytest.raises(TakeError, match="--record"):
        session.record_start()
    with pytest.raises(TakeError, match="no take"):
        session.record_stop()


class MemoryRecording:
    """Keeps what a take would hold."""

    timecode = "01:00:00:00"
    late = False
    failure = ""

    def __init__(self, slate: str | None, take: int | None) -> None:
        self.name = (slate, take)
        self.frames: list[TrackedFrame] = []
        self.marks: list[tuple[str, str, int]] = []
        self.finished = False

    def send(self, tracked: TrackedFrame) -> None:
        """Keep it."""
        self.frames.append(tracked)

    def mark(self, label: str, kind: str = "mark", face: int | None = None) -> None:
        """Keep it."""
        self.marks.append((label, kind, len(self.frames)))

    def finish(self) -> tuple[str, str, str]:
        """Where it went."""
        self.finished = True
        return ("01:00:01:00", "curves", "")


def test_a_take_gets_every_frame_but_not_the_last_neutral_one() -> None:
    takes: list[MemoryRecording] = []

    def factory(request: TakeRequest) -> MemoryRecording:
        takes.append(MemoryRecording(request.slate, request.number))
        return takes[-1]

    source = ListSource([frame(i) for i in range(1, 11)])
    session = Session(source, make_tracker(), recording_factory=factory)
    assert session.record_start("shot", 4) == "01:00:00:00"
    with pytest.raises(TakeError, match="already"):
        session.record_start()
    session.capture_neutral()
    session.mark("slate clap")
    session.run()
    assert [mark[:2] for mark in takes[0].marks] == [
        ("slate clap", "mark"),
        ("neutral capture", "neutral"),
    ]
    assert takes[0].name == ("shot", 4)
    assert len(takes[0].frames) == 10
    assert takes[0].finished


def test_a_take_that_ended_early_is_said_and_makes_way_for_another() -> None:
    takes: list[MemoryRecording] = []

    def factory(request: TakeRequest) -> MemoryRecording:
        takes.append(MemoryRecording(request.slate, request.number))
        return takes[-1]

    session = Session(ListSource([frame(1)]), make_tracker(), recording_factory=factory)
    session.record_start("shot", 1)
    assert session.status()["recording"]
    takes[0].failure = "the take ended early: disk full"
    status = session.status()
    assert (status["recording"], status["recording_failure"]) == (False, takes[0].failure)
    with pytest.raises(TakeError, match="cannot mark: the take ended early: disk full"):
        session.mark("clap")
    session.record_start("shot", 2)
    assert takes[0].finished
    session.mark("clap")
    session.run()
    assert [len(take.frames) for take in takes] == [0, 1]
    assert takes[1].finished
