"""MIDI timecode: labels from quarter frames and full frames, against a writer of a few lines."""

from __future__ import annotations

import random

import mido
import pytest

from livefacs.clock import NS_PER_S
from livefacs.timecode import RATES
from livefacs.wire.following import HeardFrame, TimecodeFollower
from livefacs.wire.mtc import MtcReader
from tests.support.midi import CODES, full_frame, quarter_frames, running

BEGIN_NS = 7 * NS_PER_S


class Wire:
    """Bytes through mido's parser into reader and follower."""

    def __init__(self, rate: str | None = None) -> None:
        self.parser, self.reader = mido.Parser(), MtcReader()
        known = None if rate is None else RATES[rate]
        self.follower = TimecodeFollower(NS_PER_S, known, is_exact=False)
        self.frames: list[HeardFrame] = []

    def play(self, data: bytes, t_ns: int) -> None:
        self.parser.feed(data)
        for message in self.parser:
            if message.type == "quarter_frame":
                heard = self.reader.quarter(message.frame_type, message.frame_value, t_ns)
                self.follower.follow(heard)
                self.frames += heard
            elif message.type == "sysex" and (frame := self.reader.full(message.data, t_ns)):
                self.follower.locate(frame)

    def run(
        self, label: tuple[int, int, int, int], name: str, seconds: float, begin_ns: int = BEGIN_NS
    ) -> int:
        """Let timecode run; the end's time."""
        t_ns = begin_ns
        for due_s, data, _ in running(label, name, seconds):
            t_ns = begin_ns + round(due_s * NS_PER_S)
            self.play(data, t_ns)
        return t_ns

    def label_at(self, t_ns: float) -> str:
        assert self.follower.rate is not None
        frame = self.follower.frame_at(t_ns)
        assert frame is not None
        return self.follower.rate.label_from_frame(frame)


def words(label: tuple[int, int, int, int], name: str) -> str:
    mark = ";" if name == "29.97df" else ":"
    return "{:02}:{:02}:{:02}".format(*label[:3]) + f"{mark}{label[3]:02}"


@pytest.mark.parametrize("name", ["24", "25", "29.97df", "30"])
def test_every_moment_has_the_label_that_runs(name: str) -> None:
    wire = Wire()
    label = (9, 59, 58, 10) if name != "29.97df" else (9, 58, 58, 10)  # over a minute's skip
    n_checked = 0
    for due_s, data, runs in running(label, name, 4.0):
        t_ns = BEGIN_NS + round(due_s * NS_PER_S)
        wire.play(data, t_ns)
        if wire.follower.rate is not None:
            assert wire.follower.rate == RATES[name]
            assert wire.label_at(t_ns + 2_000_000) == words(runs, name)
            n_checked += 1
    assert n_checked > 4 * 4 * 24 - 24
    assert wire.follower.n_jumps == 0
    assert wire.frames[0].label == words(label, name)
    assert wire.frames[0].start == pytest.approx(BEGIN_NS, abs=2_000)
    assert wire.follower.running_since == wire.frames[0].start


def test_bursts_after_a_stall_move_no_label() -> None:
    wire = Wire()
    for due_s, data, runs in running((1, 0, 58, 0), "30", 6.0):
        t_ns = BEGIN_NS + round(due_s * NS_PER_S)
        stalled_s = 0.4 - due_s % 1.0 if due_s > 1.0 and due_s % 1.0 < 0.4 else 0.0
        wire.play(data, t_ns + round(stalled_s * NS_PER_S))
        if due_s > 1.0:
            assert wire.label_at(t_ns + 2_000_000) == words(runs, "30")
    assert wire.follower.n_jumps == 0
    assert wire.follower.running_since is not None


@pytest.mark.parametrize("name", ["24", "29.97df"])
def test_single_messages_that_come_late_move_no_label(name: str) -> None:
    wire, random_ = Wire(), random.Random(4)
    for due_s, data, runs in running((1, 0, 58, 0), name, 5.0):
        t_ns = BEGIN_NS + round(due_s * NS_PER_S)
        late_s = random_.expovariate(1 / 0.002) if random_.random() < 0.9 else 0.03
        wire.play(data, t_ns + round(late_s * NS_PER_S))
        if due_s > 1.0:
            assert wire.label_at(t_ns + NS_PER_S // 200) == words(runs, name)
    assert wire.follower.n_jumps == 0


def test_23_976_is_24_until_it_is_said() -> None:
    wire, told = Wire(), Wire("23.976")
    for each in (wire, told):
        each.run((1, 0, 0, 0), "23.976", 3.0)
    assert wire.follower.rate == RATES["24"]
    assert told.follower.rate == RATES["23.976"]
    other = Wire("25")
    other.run((1, 0, 0, 0), "30", 1.0)
    assert other.follower.rate == RATES["30"]


def test_it_runs_on_through_a_drop_out() -> None:
    wire = Wire()
    end_ns = wire.run((1, 0, 0, 0), "25", 2.0)
    heard_until = wire.follower.heard_until
    assert wire.label_at(end_ns + 3 * NS_PER_S) == "01:00:04:24"
    begin_ns = BEGIN_NS + 10 * NS_PER_S
    wire.run((1, 0, 10, 0), "25", 1.0, begin_ns)
    assert wire.follower.n_jumps == 0
    assert wire.follower.heard_until > heard_until
    assert wire.follower.running_since == pytest.approx(begin_ns, abs=2_000)


def test_a_jump_of_running_timecode() -> None:
    wire = Wire()
    end_ns = wire.run((1, 0, 0, 0), "25", 2.0)
    end_ns = wire.run((20, 30, 0, 0), "25", 1.0, end_ns + 10_000_000)
    assert wire.follower.n_jumps == 1
    assert wire.label_at(end_ns).startswith("20:30:0")


def test_a_full_frame_jumps_and_does_not_run() -> None:
    wire = Wire()
    end_ns = wire.run((1, 0, 0, 0), "30", 1.0)
    wire.play(full_frame(12, 34, 56, 7, CODES["30"]), end_ns)
    assert wire.label_at(end_ns + 1_000_000) == "12:34:56:07"
    assert wire.follower.running_since is None
    assert wire.follower.heard_until == -float("inf")
    fresh = Wire()
    fresh.play(full_frame(12, 34, 56, 7, CODES["29.97df"]), 5)
    assert fresh.follower.rate == RATES["29.97df"]
    assert fresh.label_at(6) == "12:34:56;07"


@pytest.mark.parametrize("speed", [-1.0, 2.0, 1.5, 1.25, 0.8, 0.5])
def test_reverse_and_shuttle_lock_nothing(speed: float) -> None:
    wire = Wire()
    messages = [data for _, data, _ in running((1, 0, 0, 0), "25", 4.0)]
    for n, data in enumerate(messages[::-1] if speed < 0 else messages):
        wire.play(data, BEGIN_NS + round(n * NS_PER_S / 100 / abs(speed)))
    assert wire.follower.rate is None
    assert wire.frames == []


def test_half_a_sequence_and_mixed_rates_lock_nothing() -> None:
    wire, n = Wire(), 0
    for k in range(40):
        code = CODES["25"] if k % 2 else CODES["30"]
        label = (1, 0, 2 * k // 25, 2 * k % 25)
        for data in quarter_frames(*label, code):
            wire.play(data, BEGIN_NS + n * NS_PER_S // 100)
            n += 1
    for k in range(40):
        for data in quarter_frames(1, 0, 2 * k // 25, 2 * k % 25, CODES["25"])[: 7 - k % 7]:
            wire.play(data, BEGIN_NS + n * NS_PER_S // 100)
            n += 1
    assert wire.frames == []
    assert wire.follower.rate is None


@pytest.mark.parametrize(
    "label", [(24, 0, 0, 0), (31, 0, 0, 0), (1, 60, 0, 0), (1, 0, 63, 0), (1, 0, 0, 25)]
)
def test_labels_that_are_none(label: tuple[int, int, int, int]) -> None:
    wire = Wire()
    for n in range(5):
        for k, data in enumerate(quarter_frames(*label, CODES["25"])):
            wire.play(data, BEGIN_NS + (8 * n + k) * NS_PER_S // 100)
    wire.play(full_frame(*label, CODES["25"]), BEGIN_NS)
    assert wire.frames == []
    assert wire.follower.rate is None


def test_a_hundred_thousand_hostile_messages() -> None:
    wire, random_ = Wire(), random.Random(11)
    t_ns = BEGIN_NS
    for _ in range(100_000):
        t_ns += round(random_.expovariate(1 / 0.005) * NS_PER_S)
        kind = random_.random()
        if kind < 0.7:
            data = bytes((0xF1, random_.randrange(128)))
        elif kind < 0.8:
            data = bytes((0xF0, 0x7F, 0x7F, 1, 1, *random_.randbytes(5)))
        elif kind < 0.9:
            data = bytearray(full_frame(1, 2, 3, 4, 1))  # type: ignore[assignment]
            data[random_.randrange(len(data))] = random_.randrange(256)  # type: ignore[index]
        else:
            data = random_.randbytes(random_.randrange(12))
        wire.play(bytes(data), t_ns)
    assert wire.frames == []
    end_ns = wire.run((5, 0, 0, 0), "25", 1.0, t_ns + NS_PER_S)
    assert wire.label_at(end_ns) == "05:00:01:00"  # 13 sequences
