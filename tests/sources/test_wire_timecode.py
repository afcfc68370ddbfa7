"""Live linear timecode: labels of frames come from the wire, through drop-outs, noise and drift."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import ConfigError
from livefacs.sinks.recorder import RecorderSink
from livefacs.sources.wire_timecode import SoundTimecode, WireCount
from livefacs.take.layout import TimecodeStart
from livefacs.take.reader import Take
from livefacs.timecode import RATES, TimecodeRate
from livefacs.wire.ltc import LtcWriter
from tests.support.commands import run
from tests.support.sound import NS_PER_S, RATE_HZ, FakePortAudio
from tests.take.synthetic import clip_info, tracked_frame


class Wire:
    """A device that plays timecode into its second channel, from a known moment on."""

    def __init__(self, rate: str = "25", start: str = "10:00:00:00", **device: float) -> None:
        self.device = FakePortAudio(n_channels=2, **device)  # type: ignore[arg-type]
        self.device.devices = (type(self.device.devices[0])(3, "Booth", 2, True),)
        self.heard = SoundTimecode(self.device.microphone(), 2, clock=self.device.clock)
        self.rate = RATES[rate]
        self.writer = LtcWriter(self.rate, start, level=0.3)
        self.begin = self.device.n_played
        self.first = self.writer.rate.frame_from_label(start)

    def play(self, seconds: float, *, level: float = 1.0, noise: float = 0.0) -> None:
        n_frames = round(seconds * self.writer.rate.fraction)
        samples = self.writer.write(n_frames) * np.float32(level)
        random = np.random.default_rng(5)
        stereo = np.zeros((len(samples), 2), np.float32)
        stereo[:, 1] = samples + random.normal(0, noise, len(samples)).astype(np.float32)
        for begin in range(0, len(stereo), 441):
            self.device.play(stereo[begin : begin + 441])

    def lose(self, n_samples: int) -> None:
        """The wire goes on, and the device loses whole frames of it, at least so many samples."""
        lost = self.writer.write(-(-n_samples * self.writer.rate.nominal // RATE_HZ))
        self.device.lose(len(lost))

    def true_place(self, t_ns: int, rate: TimecodeRate | None = None) -> float:
        """Frames of the day at a session time, as the generator counts."""
        rate = rate or self.writer.rate
        hz = RATE_HZ * (1 + self.device.drift_ppm * 1e-6)
        since_s = (t_ns - self.device.time_of(self.begin)) / NS_PER_S * hz / RATE_HZ
        factor = float(rate.fraction / self.writer.rate.fraction)
        return factor * (self.first + since_s * float(self.writer.rate.fraction))


@pytest.mark.parametrize("rate", ["23.976", "24", "25", "29.97df", "29.97ndf", "30"])
def test_every_moment_has_the_label_that_runs_on_the_wire(rate: str) -> None:
    wire = Wire(rate, jitter_s=0.001)
    assert wire.heard.rate(30.0) is None
    wire.play(4.0)
    assert wire.heard.rate(float(wire.rate.fraction)) == wire.rate
    now_ns = wire.device.clock.now_ns
    for t_ns in range(now_ns - 2 * NS_PER_S, now_ns, 130_000_000):
        place = wire.heard.place(t_ns, wire.rate)
        assert place == pytest.approx(wire.true_place(t_ns), abs=0.1)


def test_a_camera_of_twice_the_rate_has_two_labels_a_frame_of_the_wire() -> None:
    wire = Wire("25", "10:00:00:00")
    wire.play(3.0)
    rate = wire.heard.rate(50.0)
    assert rate == RATES["50"]
    place = wire.heard.place(wire.device.clock.now_ns, rate)
    assert place == pytest.approx(wire.true_place(wire.device.clock.now_ns, rate), abs=0.2)


def test_the_count_runs_on_through_a_drop_out_and_noise() -> None:
    wire = Wire("25", drift_ppm=100.0)
    wire.play(3.0)
    count = WireCount(wire.heard, wire.rate, wire.device.clock.now_ns)
    assert wire.heard.is_heard
    wire.play(6.0, level=0.0)
    assert not wire.heard.is_heard
    silent_ns = wire.device.clock.now_ns
    assert count.frame_at(silent_ns) == pytest.approx(wire.true_place(silent_ns), abs=1)
    wire.play(3.0, noise=0.02)
    assert wire.heard.is_heard
    now_ns = wire.device.clock.now_ns
    assert count.frame_at(now_ns) == pytest.approx(wire.true_place(now_ns), abs=1)
    assert count.n_corrections == 0


@pytest.mark.parametrize("lost_s", [0.05, 0.12, 0.5, 3.0])
def test_no_label_is_wrong_while_sound_is_lost(lost_s: float) -> None:
    """Lost samples are part of the time: the count runs on through them, forward."""
    wire = Wire("25", jitter_s=0.002)
    wire.play(3.0)
    count = WireCount(wire.heard, wire.rate, wire.device.clock.now_ns)
    labels: list[int] = []
    for _ in range(12):
        wire.lose(round(lost_s * RATE_HZ))
        for _ in range(20):
            wire.play(0.04)
            now_ns = wire.device.clock.now_ns
            labels.append(count.frame_at(now_ns))
            assert labels[-1] + 0.5 == pytest.approx(wire.true_place(now_ns), abs=1.25)
    assert np.diff(labels).min() >= 0
    assert count.n_corrections <= 1


def test_the_count_stays_with_a_wire_that_drifts() -> None:
    wire = Wire("25", drift_ppm=300.0)
    wire.play(3.0)
    count = WireCount(wire.heard, wire.rate, wire.device.clock.now_ns)
    labels, t_ns = [], wire.device.clock.now_ns
    period_ns = Fraction(NS_PER_S) / wire.rate.fraction
    for _ in range(30):
        wire.play(10.0)
        while t_ns < wire.device.clock.now_ns:
            labels.append(count.frame_at(t_ns))
            assert labels[-1] + 0.5 == pytest.approx(wire.true_place(t_ns), abs=1.25)
            t_ns += round(period_ns)
    assert count.n_corrections == 3  # 300 s at 300 ppm are 2.25 frames
    steps = np.diff(labels)
    assert (steps == 1).sum() >= len(steps) - 2 * count.n_corrections
    assert steps.min() >= 0


def test_a_jump_of_the_wire_is_followed() -> None:
    wire = Wire("25")
    wire.play(2.0)
    count = WireCount(wire.heard, wire.rate, wire.device.clock.now_ns)
    wire.writer = LtcWriter(wire.rate, "20:30:00:00", level=0.3)
    begin_ns = wire.device.clock.now_ns
    wire.play(2.0)
    at_ns = wire.device.clock.now_ns
    frame = count.frame_at(at_ns)
    expected = wire.rate.frame_from_label("20:30:00:00") + (at_ns - begin_ns) / NS_PER_S * 25
    assert frame == pytest.approx(expected, abs=1.5)
    assert count.n_corrections == 1


def test_a_channel_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="ask for more with --audio-channels"):
        SoundTimecode(FakePortAudio().microphone(), 2)


def test_rows_and_marks_of_a_take_carry_the_labels_of_the_wire(tmp_path: Path) -> None:
    wire = Wire("25", "10:00:00:00")
    wire.play(2.0)
    begin_ns = wire.device.clock.now_ns
    count = WireCount(wire.heard, wire.rate, begin_ns)
    label, start_ns = count.start
    start = TimecodeStart(wire.rate, "ltc", label, start_ns)
    info = clip_info("25", timecode=start)
    sink = RecorderSink(tmp_path / "t", info, count=count.frame_at)
    wire.play(2.0)
    offset_ns = begin_ns - tracked_frame(0).t_ns
    for i in range(40):
        frame = tracked_frame(i, rate_hz=25.0)
        sink.send(replace(frame, t_ns=frame.t_ns + offset_ns + 5_000_000))
        if i == 20:
            sink.mark("here")
    sink.close()
    take = Take(tmp_path / "t")
    assert take.document["timecode"]["source"] == "ltc"
    truth = [int(wire.true_place(int(t_ns))) for t_ns in take.t_ns]
    assert np.abs(take.frames["timecode"] - np.array(truth)).max() <= 1
    assert (np.diff(take.frames["timecode"]) == 1).all()
    assert take.timecode(0).startswith("10:00:0")
    assert take.markers[0].timecode == take.frames["timecode"][20]


@pytest.mark.parametrize("plays", [True, False])
def test_live_takes_its_timecode_from_the_microphone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    plays: bool,
) -> None:
    monkeypatch.setattr("livefacs.session.take_timecode._LOCK_S", 0.01)
    wire = Wire("30", "14:00:00:00")
    opened = wire.device.microphone()
    monkeypatch.setattr("livefacs.session.sound_of_takes.Microphone", lambda *_: opened)
    subscribe = type(opened).subscribe
    heard: list[object] = []

    def subscribe_and_play(self: object, listener: object, since_ns: int | None = None) -> None:
        subscribe(opened, listener, since_ns)  # type: ignore[arg-type]
        heard.append(listener)
        if plays and len(heard) == 1:
            wire.play(2.0)

    monkeypatch.setattr(type(opened), "subscribe", subscribe_and_play)
    monkeypatch.setattr("livefacs.sinks.take_sound._SILENT_S", 0.01)
    words = ("--record", tmp_path / "takes", "--slate", "s", "--audio", "auto", "--no-meters")
    more = ("--timecode-source", "ltc:2", "--seconds", "1")
    assert run("live", "-s", "demo", *words, *more) == 0
    said = capsys.readouterr().out
    take = Take(tmp_path / "takes" / "s_001")
    assert take.rate == RATES["30"] if plays else take.rate.nominal == 30
    assert take.document["timecode"]["source"] == ("ltc" if plays else "time of day")
    assert ("this take has the time of day" in said) == (not plays)


def test_without_a_microphone_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--record", tmp_path / "t", "--timecode-source", "ltc:1", "--no-meters")
    assert run("live", "-s", "demo", *words) == 2
    assert "name it with --audio" in capsys.readouterr().err
