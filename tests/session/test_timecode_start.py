"""Takes that begin where timecode runs and end where it stops: when, and with which frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefacs.clock import NS_PER_S, now_ns
from livefacs.errors import TakeError
from livefacs.protocols import TakeRequest
from livefacs.session.sound_of_takes import from_microphone
from livefacs.session.takes import Takes
from livefacs.session.timecode_start import KEPT_S, TakesByTimecode
from livefacs.sinks.take_factory import TakeFactory
from livefacs.sources.wire_timecode import SoundTimecode, WireCount
from livefacs.take.layout import TimecodeStart
from livefacs.take.reader import Take
from livefacs.take.sound import sound_of
from livefacs.timecode import RATES
from livefacs.wire.ltc import LtcWriter
from tests.session.test_runner import MemoryRecording
from tests.support.clock import SteppedClock
from tests.support.sound import RATE_HZ, FakePortAudio
from tests.take.synthetic import clip_info, tracked_frame

PERIOD_NS = NS_PER_S // 30


class SteppedWire:
    """Timecode that a test starts and stops, heard for a second longer."""

    description = "a wire"

    def __init__(self, clock: SteppedClock) -> None:
        self.clock = clock
        self.running_since_ns: int | None = None
        self.heard_ns = -(10**12)

    @property
    def is_heard(self) -> bool:
        return self.clock.now_ns - self.heard_ns < NS_PER_S


class Stage:
    """Frames at 30 a second past the takes, a wire, and who looks at it after each frame."""

    def __init__(self, refuse: str = "") -> None:
        self.clock = SteppedClock(100 * NS_PER_S)
        self.wire = SteppedWire(self.clock)
        self.opened: list[tuple[TakeRequest, MemoryRecording]] = []
        self.said: list[str] = []
        self.ended: list[int] = []
        self.refuse = refuse
        self.takes = Takes(self._open)
        self.takes.keep(KEPT_S, images=False)
        self.starter = TakesByTimecode(
            self.wire,
            self.takes,
            self.said.append,
            lambda: self.ended.append(self.clock.now_ns),
            self.clock,
        )

    def _open(self, request: TakeRequest) -> MemoryRecording:
        if self.refuse:
            raise TakeError(self.refuse)
        self.opened.append((request, MemoryRecording(request.slate, request.number)))
        return self.opened[-1][1]

    def play(self, seconds: float, *, runs: bool) -> None:
        for _ in range(round(seconds * 30)):
            self.clock.now_ns += PERIOD_NS
            if runs and self.wire.running_since_ns is None:
                self.wire.running_since_ns = self.clock.now_ns - 1_000_000
            if runs:
                self.wire.heard_ns = self.clock.now_ns
            else:
                self.wire.running_since_ns = None
            image = np.zeros((4, 4, 3), np.uint8)
            self.takes.send(replace(tracked_frame(0), t_ns=self.clock.now_ns, image=image))
            self.starter.look()


def test_a_take_begins_with_the_first_frame_of_timecode_and_ends_a_second_after_it() -> None:
    stage = Stage()
    stage.play(3.0, runs=False)
    assert stage.opened == []
    first_ns = stage.clock.now_ns + PERIOD_NS
    stage.play(2.0, runs=True)
    stopped_ns = stage.clock.now_ns
    stage.play(3.0, runs=False)
    ((request, take),) = stage.opened
    times = [frame.t_ns for frame in take.frames]
    assert request.since_ns == times[0] == first_ns
    assert np.diff(times).tolist() == [PERIOD_NS] * (len(times) - 1)
    assert 0.95 * NS_PER_S < times[-1] - stopped_ns < 1.05 * NS_PER_S
    assert take.finished
    assert all(frame.image is None for frame in take.frames[:5])  # kept without their images
    assert [words.partition(":")[0] for words in stage.said] == [
        "timecode runs",
        "timecode stopped",
    ]
    stage.play(1.0, runs=True)
    assert len(stage.opened) == 2
    assert len(stage.ended) == 1


def test_images_are_kept_where_they_are_recorded() -> None:
    stage = Stage()
    stage.takes.keep(KEPT_S, images=True)
    stage.play(2.0, runs=True)
    assert all(frame.image is not None for frame in stage.opened[0][1].frames)


def test_timecode_that_ran_before_the_session_begins_a_take_with_what_is_kept() -> None:
    stage = Stage()
    stage.wire.running_since_ns = 0
    stage.play(1.0, runs=True)
    ((request, take),) = stage.opened
    assert request.since_ns == take.frames[0].t_ns
    assert len(take.frames) == 30


def test_without_a_frame_meanwhile_a_take_begins_where_its_timecode_did() -> None:
    stage = Stage()
    stage.clock.now_ns = now_ns()
    stage.wire.running_since_ns = stage.clock.now_ns
    stage.clock.now_ns += NS_PER_S
    stage.wire.heard_ns = stage.clock.now_ns
    stage.starter.look()
    ((request, take),) = stage.opened
    assert request.since_ns == stage.wire.running_since_ns
    assert not take.frames


def test_a_blip_starts_nothing_and_a_short_drop_out_ends_nothing() -> None:
    stage = Stage()
    stage.play(0.4, runs=True)
    stage.play(2.0, runs=False)
    assert stage.opened == []
    stage.play(1.0, runs=True)
    stage.play(0.9, runs=False)
    stage.play(1.0, runs=True)
    ((_, take),) = stage.opened
    assert not take.finished
    assert len(take.frames) == 30 + 27 + 30


def test_takes_of_others_are_left_alone() -> None:
    stage = Stage()
    stage.play(0.1, runs=False)
    stage.takes.start(TakeRequest("by hand"))
    stage.play(2.0, runs=True)
    stage.play(2.0, runs=False)
    ((_, take),) = stage.opened
    assert not take.finished
    stage.takes.stop()
    stage.play(2.0, runs=True)
    stage.takes.stop()
    stage.play(2.0, runs=True)
    assert len(stage.opened) == 2  # ended by hand: none follows while the same timecode runs
    stage.takes.start(TakeRequest("by hand"))
    stage.play(2.0, runs=False)
    assert not stage.opened[2][1].finished


def test_a_refusal_is_told_once() -> None:
    stage = Stage("the disk is full")
    stage.play(3.0, runs=True)
    assert stage.said == ["timecode runs: the disk is full"]
    stage.play(2.0, runs=False)
    assert stage.said == ["timecode runs: the disk is full"]


def test_frames_that_come_while_a_take_is_made_are_in_it() -> None:
    stage = Stage()
    make: Callable[[TakeRequest], MemoryRecording] = stage._open

    def slow(request: TakeRequest) -> MemoryRecording:
        for _ in range(90):  # three seconds, longer than frames are kept otherwise
            stage.clock.now_ns += PERIOD_NS
            stage.takes.send(replace(tracked_frame(0), t_ns=stage.clock.now_ns))
        return make(request)

    stage.takes._factory = slow
    stage.play(1.0, runs=True)
    ((_, take),) = stage.opened
    times = [frame.t_ns for frame in take.frames]
    assert stage.wire.running_since_ns == times[0] - 1_000_000
    assert len(times) == 30 + 90
    assert np.diff(times).tolist() == [PERIOD_NS] * 119


@pytest.mark.parametrize("rate", ["23.976", "25", "29.97df"])
def test_sound_and_labels_of_such_a_take_begin_where_linear_timecode_began(
    tmp_path: Path, rate: str
) -> None:
    device = FakePortAudio(n_channels=2, jitter_s=0.001)
    device.devices = (type(device.devices[0])(3, "Booth", 2, True),)
    microphone = device.microphone()
    wire = SoundTimecode(microphone, 2, clock=device.clock)
    said: list[str] = []

    def timecode(t_ns: int):  # type: ignore[no-untyped-def]
        heard = wire.rate(30.0)
        assert heard is not None
        count = WireCount(wire, heard, t_ns)
        label, start_ns = count.start
        return TimecodeStart(heard, "ltc", label, start_ns), count.frame_at

    factory = TakeFactory(
        tmp_path,
        [clip_info(rate, slate="s", is_live=True)],
        sound=from_microphone(microphone),
        timecode=timecode,
        on_warning=said.append,
    )
    takes = Takes(factory)
    takes.keep(KEPT_S, images=False)
    starter = TakesByTimecode(wire, takes, said.append, clock=device.clock)
    writer = LtcWriter(RATES[rate], "10:00:10:00", level=0.3)
    silence = np.zeros(2 * RATE_HZ, np.float32)
    begun_ns = device.time_of(device.n_played + len(silence))
    n_frames = round(2 * RATES[rate].fraction)
    samples = np.concatenate([silence, writer.write(n_frames), silence])
    for i, begin in enumerate(range(0, len(samples), 1600)):  # a picture for each block
        stereo = np.zeros((len(samples[begin : begin + 1600]), 2), np.float32)
        stereo[:, 1] = samples[begin : begin + 1600]
        device.play(stereo)
        takes.send(replace(tracked_frame(0), i_frame=i, t_ns=device.clock.now_ns))
        starter.look()
    take = Take(tmp_path / "s_001")
    assert take.state == "closed"
    assert take.rate == RATES[rate]
    assert 0 <= take.t_ns[0] - begun_ns < 1.5 * PERIOD_NS
    assert take.timecode(0) in ("10:00:10:00", "10:00:10:01", "10:00:10;00", "10:00:10;01")
    sound = sound_of(take)
    assert sound is not None
    assert sound.clock.start_ns <= take.t_ns[0] + 2_000_000  # no picture is without sound
    assert not any("lost" in words for words in said)
