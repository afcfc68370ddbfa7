"""Two recordings of one moment are brought together; two of different moments are refused."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError, TakeError
from livefacs.offline.aligning import Alignment, align
from livefacs.offline.recordings import Recording
from livefacs.sinks.take_sound import SoundFiles
from livefacs.take.reader import Take
from livefacs.take.sound import sound_entry
from livefacs.take.writer import TakeWriter
from livefacs.types import TrackedFrame
from tests.support.commands import run
from tests.support.sound import RATE_HZ, heard, speech, write_wav
from tests.take.synthetic import CLOCK, START_NS, clip_info, make_take, tracked_frame

WORST_BY_SOUND_S = 0.001
WORST_BY_CURVES_S = 0.017


def aligned(a: Path, b: Path, by: str = "", channel: int = 0) -> Alignment:
    with closing(Recording(a, channel)) as first, closing(Recording(b, channel)) as second:
        return align(first, second, by)


def at_rate(sound: np.ndarray, ppm: float) -> np.ndarray:
    """The sound as a device has it whose clock counts so much slower."""
    places = np.arange(int(len(sound) / (1 + ppm * 1e-6))) * (1 + ppm * 1e-6)
    return np.interp(places, np.arange(len(sound)), sound).astype(np.float32)


@pytest.mark.parametrize(("begin_s", "end_s", "snr_db"), [(3.217, 13, 0), (0.4, 3, 20), (2, 22, 5)])
def test_other_microphones_agree_on_a_sound(
    tmp_path: Path, begin_s: float, end_s: float, snr_db: float
) -> None:
    sound = speech(24)
    a = write_wav(tmp_path / "a.wav", heard(sound[: 20 * RATE_HZ], 11, gain=0.8, snr_db=snr_db))
    part = sound[round(begin_s * RATE_HZ) : round(end_s * RATE_HZ)]
    b = write_wav(tmp_path / "b.wav", heard(part, 12, gain=0.1, snr_db=snr_db))
    found = aligned(a, b)
    assert found.offset_s == pytest.approx(begin_s, abs=WORST_BY_SOUND_S)
    assert found.overlap_s == pytest.approx(min(end_s, 20) - begin_s, abs=0.01)
    assert found.confidence > 0.5
    turned = aligned(b, a)
    assert turned.offset_s == pytest.approx(-begin_s, abs=WORST_BY_SOUND_S)
    assert turned.time_in_b(1.0) == pytest.approx(1.0 + begin_s, abs=WORST_BY_SOUND_S)


@pytest.mark.parametrize("ppm", [120.0, -80.0])
def test_clocks_that_drift_are_measured(tmp_path: Path, ppm: float) -> None:
    sound = speech(62, seed=3)
    a = write_wav(tmp_path / "a.wav", heard(sound[: 60 * RATE_HZ], 11))
    b = write_wav(tmp_path / "b.wav", heard(at_rate(sound[2 * RATE_HZ :], ppm), 12))
    found = aligned(a, b)
    assert found.drift_ppm == pytest.approx(ppm, abs=15)
    assert found.offset_s == pytest.approx(2.0, abs=WORST_BY_SOUND_S)
    assert found.time_in_b(60.0) == pytest.approx(58 / (1 + ppm * 1e-6), abs=WORST_BY_SOUND_S)
    turned = aligned(b, a)
    assert turned.drift_ppm == pytest.approx(-ppm, abs=15)


@pytest.mark.parametrize("seed", range(5))
def test_other_moments_are_refused(tmp_path: Path, seed: int) -> None:
    a = write_wav(tmp_path / "a.wav", heard(speech(20, seed), 1))
    b = write_wav(tmp_path / "b.wav", heard(speech(15, seed + 50), 2))
    with pytest.raises(TakeError, match="no part of one is found in the other by sound"):
        aligned(a, b)


def test_silence_is_refused(tmp_path: Path) -> None:
    a = write_wav(tmp_path / "a.wav", heard(speech(5), 1))
    b = write_wav(tmp_path / "b.wav", np.zeros(5 * RATE_HZ, np.float32))
    with pytest.raises(TakeError, match="no part of one"):
        aligned(a, b)


def sounding_take(folder: Path, sound: np.ndarray, *, late_s: float, ppm: float = 0.0) -> Path:
    """A take at 60 Hz whose first frame comes so much later than its sound begins."""
    folder.mkdir()
    info = clip_info()
    writer = TakeWriter(folder, info, CLOCK)
    n_frames = int((len(sound) / RATE_HZ - late_s) * 60)
    for begin in range(0, n_frames, 100):
        rows = range(begin, min(begin + 100, n_frames))
        writer.append([tracked_frame(i) for i in rows])
    files = SoundFiles(writer, 1)
    for begin in range(0, len(sound), 4800):
        t_ns = START_NS + round((begin / RATE_HZ * (1 + ppm * 1e-6) - late_s) * NS_PER_S)
        files.append(sound[begin : begin + 4800, None], t_ns)
    entry = sound_entry(1, "test", "microphone")
    writer.describe_sound({**entry, **files.close()}, write=False)
    writer.close()
    return folder


def curves(folder: Path, *, first_s: float, seconds: float, rate_hz: float, seed: int) -> Path:
    """A take of a performance that is the same in each, seen from ``first_s`` on, with noise."""
    random = np.random.default_rng(4)
    knots = np.arange(0, 90, 0.4)
    paths = random.uniform(0, 1, (8, len(knots))) ** 3
    noise = np.random.default_rng(seed)
    gains = noise.uniform(0.6, 1.0, 8)
    frames: list[TrackedFrame] = []
    for i in range(round(seconds * rate_hz)):
        frame = tracked_frame(i, rate_hz=rate_hz)
        values = np.zeros_like(frame.units.intensity)
        time_s = first_s + i / rate_hz
        values[:8] = [np.interp(time_s, knots, path) for path in paths]
        values[:8] = values[:8] * gains + noise.normal(0, 0.03, 8)
        head = replace(frame.head, yaw_rad=0.2 * np.sin(time_s * 1.7) ** 3)
        units = replace(frame.units, intensity=values.astype(np.float32))
        frames.append(replace(frame, units=units, head=head))
    return make_take(folder, frames).folder


def test_curves_of_two_cameras_agree(tmp_path: Path) -> None:
    a = curves(tmp_path / "a", first_s=0.0, seconds=30, rate_hz=60, seed=1)
    b = curves(tmp_path / "b", first_s=4.321, seconds=20, rate_hz=25, seed=2)
    found = aligned(a, b)
    assert found.by == "curves"
    assert found.offset_s == pytest.approx(4.321, abs=WORST_BY_CURVES_S)
    assert found.n_agreeing == found.n_clear > 1
    other = curves(tmp_path / "other", first_s=50.0, seconds=20, rate_hz=60, seed=3)
    with pytest.raises(TakeError, match="is found in the other by curves"):
        aligned(a, other)


def test_takes_by_their_sound_and_marks_that_editors_join(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = speech(16)
    a = sounding_take(tmp_path / "a", heard(sound[: 12 * RATE_HZ], 1), late_s=0.5, ppm=60)
    b = sounding_take(tmp_path / "b", heard(sound[4 * RATE_HZ :], 2), late_s=1.25)
    assert run("takes", "align", a, b, "--json", "--mark") == 0
    told = json.loads(capsys.readouterr().out)
    due = 4.0 + 1.25 - 0.5  # between the first frames
    assert told["by"] == "sound"
    assert told["offset_s"] == pytest.approx(due, abs=WORST_BY_SOUND_S)
    assert told["offset_frames"] == pytest.approx(due * 60, abs=0.1)
    assert told["timecode"] == "01:00:04:45"
    (mark_a,), (mark_b,) = (Take(folder).markers for folder in (a, b))
    assert (mark_a.kind, mark_a.label) == ("sync", "sync with b")
    assert (mark_a.row, mark_b.row) == (round(due * 60), 0)
    assert run("takes", "align", a, b, "--mark") == 0
    said = capsys.readouterr().out
    assert "b begins 4750." in said
    assert "after a" in said
    assert "its first frame is at 01:00:04:45 of a" in said
    assert [len(Take(folder).markers) for folder in (a, b)] == [1, 1]  # not set twice


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    silent = make_take(tmp_path / "silent", [tracked_frame(i) for i in range(30)]).folder
    clip = write_wav(tmp_path / "a.wav", heard(speech(3), 1))
    with pytest.raises(ConfigError, match=r"silent has no sound; with takes, try --by curves"):
        aligned(silent, clip, "sound")
    with pytest.raises(ConfigError, match=r"a.wav is a clip, and by curves takes are compared"):
        aligned(silent, clip)
    with pytest.raises(ConfigError, match="expected sound or curves"):
        aligned(silent, clip, "eye")
    with pytest.raises(ConfigError, match="no channel 2; its sound has 1"):
        aligned(clip, clip, channel=2)
