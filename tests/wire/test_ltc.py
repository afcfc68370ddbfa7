"""Linear timecode: against libltc both ways, against itself, through what a stage does to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.errors import ConfigError
from livefacs.timecode import RATES
from livefacs.wire.following import WIRE_RATES, HeardFrame, TimecodeFollower, wire_rate
from livefacs.wire.ltc import (
    LtcReader,
    LtcWriter,
    bits_from_label,
    frame_from_bits,
)
from tests.wire import libltc

HZ = 48_000
START = {"29.97df": "01:00:59;25"}


def audio(rate: str, n_frames: int, label: str = "", hz: int = HZ, **options: float) -> np.ndarray:
    label = label or START.get(rate, "01:00:59:20")
    writer = LtcWriter(RATES[rate], label, hz, **options)  # type: ignore[arg-type]
    return writer.write(n_frames)


def read(samples: np.ndarray, hz: int = HZ) -> list[HeardFrame]:
    return LtcReader(hz).read(samples.astype(np.float32))


def labels_from(rate: str, label: str, n_frames: int) -> list[str]:
    first = RATES[rate].frame_from_label(label)
    return [RATES[rate].label_from_frame(first + i) for i in range(n_frames)]


@pytest.mark.parametrize("hz", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("rate", WIRE_RATES)
def test_what_is_written_is_read_at_its_place(rate: str, hz: int) -> None:
    samples = audio(rate, 30, hz=hz)
    frames = read(samples, hz)
    expected = labels_from(rate, START.get(rate, "01:00:59:20"), 30)
    length = float(hz / RATES[rate].fraction)
    assert [frame.label for frame in frames] == expected[:29]  # the last bit has no change after it
    for i, frame in enumerate(frames[1:], 1):
        assert frame.start == pytest.approx(i * length, abs=0.2)
        assert frame.end - frame.start == pytest.approx(length, abs=0.2)


@pytest.mark.parametrize(
    ("rate", "fps"), [("24", 24.0), ("25", 25.0), ("29.97df", 30000 / 1001), ("30", 30.0)]
)
def test_libltc_reads_what_we_write(rate: str, fps: float) -> None:
    label = START.get(rate, "01:00:59:20")
    heard = libltc.decoded(audio(rate, 40), HZ / fps)
    expected = [text.replace(";", ":") for text in labels_from(rate, label, 40)]
    assert len(heard) >= 37
    assert [text for text, _ in heard] == expected[39 - len(heard) : 39]
    steps = np.diff([start for _, start in heard[1:]])  # libltc places the first one late
    np.testing.assert_allclose(steps, HZ / fps, atol=3)


@pytest.mark.parametrize(
    ("rate", "fps"), [("24", 24.0), ("25", 25.0), ("29.97df", 30000 / 1001), ("30", 30.0)]
)
@pytest.mark.parametrize("hz", [44_100, 48_000])
def test_we_read_what_libltc_writes(rate: str, fps: float, hz: int) -> None:
    label = START.get(rate, "01:00:59:20")
    frames = read(libltc.encoded(label, fps, 40, hz), hz)
    assert len(frames) >= 38
    expected = labels_from(rate, label, 40)
    first = expected.index(frames[0].label)
    assert [frame.label for frame in frames] == expected[first : first + len(frames)]
    assert frames[0].start == pytest.approx(first * hz / fps, abs=3)


def test_rates_above_thirty_run_at_half() -> None:
    assert [wire_rate(RATES[name]).name for name in ("48", "50", "59.94df", "59.94ndf", "60")] == [
        "24",
        "25",
        "29.97df",
        "29.97ndf",
        "30",
    ]


@given(st.integers(0, 24 * 3600 * 30 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_bits_hold_label_and_user_bits(i_frame: int, user_bits: int) -> None:
    for name in WIRE_RATES:
        rate = RATES[name]
        label = rate.label_from_frame(i_frame)
        bits = bits_from_label(label, rate, user_bits)
        frame = frame_from_bits(bits, 0.0, 1.0)
        assert frame is not None
        assert (frame.label, frame.user_bits) == (label, user_bits)
        assert bits.sum() % 2 == 0  # every frame begins with the same polarity


def test_blocks_of_any_size_give_the_same_frames() -> None:
    samples = audio("25", 30)
    whole = read(samples)
    reader = LtcReader(HZ)
    pieces = [frame for part in np.array_split(samples, 97) for frame in reader.read(part)]
    assert pieces == whole


@pytest.mark.parametrize("level", [0.005, 0.05, 1.0])
def test_quiet_and_loud_with_offset_and_swing(level: float) -> None:
    samples = audio("25", 100, level=level)
    swing = 1.0 + 0.5 * np.sin(np.arange(len(samples)) / HZ * 2 * np.pi)
    assert len(read(samples * swing + 0.3 * level)) >= 98


def test_inverted_polarity() -> None:
    assert len(read(-audio("30", 30))) >= 28


def test_noise_beside_it() -> None:
    samples = audio("29.97df", 100)
    noise = np.random.default_rng(1).normal(0, 0.03, len(samples))  # 18 dB below
    frames = read(samples + noise)
    expected = labels_from("29.97df", "01:00:59;25", 100)
    assert len(frames) >= 95
    assert {frame.label for frame in frames} <= set(expected)


def test_a_tape_machines_band_pass() -> None:
    from scipy.signal import butter, sosfilt

    samples = sosfilt(butter(2, [100, 8000], "band", fs=HZ, output="sos"), audio("25", 60))
    assert len(read(samples)) >= 57


@pytest.mark.parametrize("kind", ["noise", "silence", "hum", "speech", "steps"])
def test_other_sound_is_no_timecode(kind: str) -> None:
    rng, time = np.random.default_rng(2), np.arange(10 * HZ) / HZ
    sounds = {
        "noise": rng.normal(0, 0.3, len(time)),
        "silence": np.zeros(len(time)),
        "hum": 0.5 * np.sin(2 * np.pi * 50 * time),
        "speech": np.sin(2 * np.pi * 140 * time) * (1 + np.sin(2 * np.pi * 4 * time)) / 2,
        "steps": np.sign(np.sin(2 * np.pi * 1000 * time)),
    }
    assert read(sounds[kind]) == []


def test_reverse_and_fast_play_are_no_timecode() -> None:
    samples = audio("25", 60)
    assert read(samples[::-1]) == []
    assert read(samples[::2]) == []
    assert read(np.repeat(samples, 2)) == []


def test_what_is_no_number_counts_as_silence() -> None:
    samples = audio("25", 60)
    samples[20_000:20_100] = np.nan
    assert len(read(samples)) in (57, 58)


def followed(samples: np.ndarray, rate: str | None = None) -> TimecodeFollower:
    follower = TimecodeFollower(HZ, RATES[rate] if rate else None)
    follower.follow(read(samples))
    return follower


@pytest.mark.parametrize("rate", WIRE_RATES)
def test_the_follower_finds_the_rate_and_the_count(rate: str) -> None:
    follower = followed(audio(rate, 60))
    assert follower.rate is RATES[rate]
    first = RATES[rate].frame_from_label(START.get(rate, "01:00:59:20"))
    length = float(HZ / RATES[rate].fraction)
    for i in (0, 1, 17, 59, 300):
        assert follower.frame_at((i + 0.5) * length) == first + i
    assert follower.n_jumps == 0


def test_jam_sync_runs_through_a_dropout() -> None:
    samples = audio("29.97df", 200)
    samples[50_000:200_000] = 0.0
    reader, follower = LtcReader(HZ), TimecodeFollower(HZ)
    follower.follow(reader.read(samples[:200_000]))
    length = float(HZ / RATES["29.97df"].fraction)
    first = RATES["29.97df"].frame_from_label("01:00:59;25")
    assert follower.frame_at(100.5 * length) == first + 100
    assert follower.heard_until < 50_000
    follower.follow(reader.read(samples[200_000:]))
    assert follower.heard_until > 300_000
    assert follower.frame_at(190.5 * length) == first + 190
    assert follower.n_jumps == 0


def test_a_jump_is_followed_and_counted() -> None:
    samples = np.concatenate([audio("25", 50), audio("25", 50, "10:00:00:00")])
    follower = followed(samples)
    assert follower.n_jumps == 1
    at = (50 + 10.5) * HZ / 25
    assert follower.frame_at(at) == RATES["25"].frame_from_label("10:00:00:10")


def test_midnight() -> None:
    follower = followed(audio("25", 50, "23:59:59:00"))
    assert follower.frame_at(30.5 * HZ / 25) == 5
    assert follower.n_jumps == 0


def test_one_frame_alone_locks_nothing() -> None:
    (frame, *_) = read(audio("25", 5))
    follower = TimecodeFollower(HZ)
    follower.follow([frame])
    assert follower.frame_at(frame.start) is None
    assert follower.rate is None


def test_what_cannot_be_written_says_why() -> None:
    with pytest.raises(ConfigError, match="drop-frame skips it"):
        LtcWriter(RATES["29.97df"], "00:01:00;00")
    with pytest.raises(ConfigError, match="level 2: expected more than 0, at most 1"):
        LtcWriter(RATES["25"], "00:00:00:00", level=2.0)
    with pytest.raises(ConfigError, match="expected 8000 Hz or more"):
        LtcReader(4000)
    with pytest.raises(ConfigError, match="expected 32 bits"):
        LtcWriter(RATES["25"], "00:00:00:00", user_bits=1 << 33)
