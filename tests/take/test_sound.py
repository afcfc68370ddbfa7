"""Takes with sound: in step with the pictures over ten minutes, gaps filled, whole after a kill."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from livefacs.clock import ClockMap
from livefacs.errors import TakeError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.session.sound_of_takes import from_microphone
from livefacs.sinks.recorder import RecorderSink
from livefacs.sinks.trimming import trim_take
from livefacs.take.catalog import repair
from livefacs.take.integrity import errors_of
from livefacs.take.reader import Take
from livefacs.take.sound import BlockFlag, read_blocks, sound_of
from livefacs.take.wave import WaveWriter, read_info, read_samples
from tests.support.commands import run
from tests.support.sound import NS_PER_S, RATE_HZ, FakePortAudio, clap, onsets
from tests.support.waiting import PATIENCE_S, wait_until
from tests.take.synthetic import CLOCK, START_NS, clip_info, tracked_frame

CLAPS_S = 10
WORST_S = 0.005


def recorder(folder: Path, device: FakePortAudio, **more: object) -> RecorderSink:
    opener = from_microphone(device.microphone())
    now_ns = device.clock.now_ns  # what the device gave while it settled is none of the take's
    clock = ClockMap(now_ns, CLOCK.unix_ns_from_session(now_ns))
    return RecorderSink(folder, clip_info(), sound=opener, clock=clock, **more)  # type: ignore[arg-type]


def play(device: FakePortAudio, sink: RecorderSink, samples: np.ndarray, n: int = 480) -> None:
    """Play in blocks; no faster than the recorder writes."""
    for begin in range(0, len(samples), n):
        device.play(samples[begin : begin + n])
    sound = sink._sound
    wait_until(lambda: sound._n_taken == sound._n_heard or sound._failed, "the sound")  # type: ignore[union-attr]


def recorded_claps(
    folder: Path, device: FakePortAudio, seconds: int, frame_hz: float = 1.0
) -> list[int]:
    """A take with a clap every ten seconds; session times of the claps as they were."""
    sink = recorder(folder, device)
    claps_ns, i_frame = [], 0
    for begin_s in range(0, seconds, CLAPS_S):
        samples = np.zeros((min(CLAPS_S, seconds - begin_s) * RATE_HZ, 1), np.float32)
        at = RATE_HZ + 37 * begin_s
        samples[at : at + 480] = clap()
        claps_ns.append(device.time_of(device.n_played + at))
        play(device, sink, samples, 2400)
        while (frame := tracked_frame(i_frame, rate_hz=frame_hz)).t_ns < device.clock.now_ns:
            sink.send(frame)
            i_frame += 1
    assert sink.close().failure == ""
    return claps_ns


def exported_wav(take: Take, path: Path) -> Path:
    export_take(take, find_format("wav"), path, ExportOptions())
    return path


@pytest.mark.slow
@pytest.mark.parametrize("drift_ppm", [90.0, -140.0])
def test_picture_and_sound_stay_together_over_ten_minutes(tmp_path: Path, drift_ppm: float) -> None:
    device = FakePortAudio(drift_ppm=drift_ppm, jitter_s=0.002)
    claps_ns = recorded_claps(tmp_path / "t", device, 600)
    take = Take(tmp_path / "t")
    assert errors_of(take) == ()
    entry = take.document["sound"]
    assert entry["drift_ppm"] == pytest.approx(drift_ppm, abs=2.0)
    assert (entry["gaps"], entry["xruns"]) == (0, 0)

    sound = sound_of(take)
    assert sound is not None
    samples = read_samples(sound.path, sound.info, 0, sound.info.n_samples)[:, 0]
    heard_ns = [sound.clock.ns_at(at) for at in onsets(samples)]
    assert len(heard_ns) == len(claps_ns) == 60
    assert np.abs(np.subtract(heard_ns, claps_ns)).max() < WORST_S * NS_PER_S

    wav = exported_wav(take, tmp_path / "out.wav")
    info = read_info(wav)
    on_frames = onsets(read_samples(wav, info, 0, info.n_samples)[:, 0])
    since_first = [(t_ns - int(take.t_ns[0])) / NS_PER_S for t_ns in claps_ns]
    assert np.abs(np.array(on_frames) / RATE_HZ - since_first).max() < WORST_S
    # At the nominal rate they would be as far apart as the clocks: the test can fail.
    nominal_s = (onsets(samples)[-1] - onsets(samples)[0]) / RATE_HZ
    assert abs(nominal_s - (claps_ns[-1] - claps_ns[0]) / NS_PER_S) > 5 * WORST_S


def test_lost_samples_are_silence_and_what_comes_after_stands_where_it_was_heard(
    tmp_path: Path,
) -> None:
    device, said = FakePortAudio(), []
    sink = recorder(tmp_path / "t", device, on_warning=said.append)
    sink.send(tracked_frame(0))
    play(device, sink, np.full((RATE_HZ, 1), 0.1, np.float32))
    device.lose(9_600)
    at = device.n_played
    device.play(clap(), overflowed=True)
    play(device, sink, np.full((RATE_HZ, 1), 0.1, np.float32))
    sink.send(tracked_frame(100))
    sink.close()
    take = Take(tmp_path / "t")
    entry = take.document["sound"]
    assert (entry["gaps"], entry["gap_samples"], entry["xruns"]) == (1, 9_600, 1)
    blocks = read_blocks(take.folder)
    assert blocks["flags"].tolist().count(BlockFlag.SILENCE) == 1
    assert (np.diff(blocks["sample"]) == blocks["n_samples"][:-1]).all()
    sound = sound_of(take)
    assert sound is not None
    samples = read_samples(sound.path, sound.info, 0, sound.info.n_samples)[:, 0]
    (heard,) = onsets(samples)
    assert abs(sound.clock.ns_at(heard) - device.time_of(at)) < 1e6
    assert (samples[heard - 9_600 : heard] == 0).all()
    assert any("200 ms of sound were lost" in words for words in said)


def test_the_time_reference_is_the_timecode_of_the_first_sample(tmp_path: Path) -> None:
    device = FakePortAudio()
    sink = recorder(tmp_path / "t", device)
    play(device, sink, np.zeros((RATE_HZ // 2, 1), np.float32))
    sink.send(tracked_frame(60))  # 01:00:00:00 is the first frame's, a second after START_NS
    play(device, sink, np.zeros((RATE_HZ, 1), np.float32))
    sink.close()
    info = read_info(tmp_path / "t" / "sound.wav")
    sound = sound_of(Take(tmp_path / "t"))
    assert sound is not None
    first_s = (sound.clock.start_ns - (START_NS + NS_PER_S)) / NS_PER_S
    assert info.time_reference == round((3600 + first_s) * RATE_HZ)
    assert first_s == pytest.approx(-0.5, abs=0.02)


def test_a_full_disk_ends_the_sound_and_the_curves_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, said = WaveWriter.append, []

    def fail_late(self: WaveWriter, samples: np.ndarray) -> bytes:
        if self.n_samples > 20_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return append(self, samples)

    monkeypatch.setattr(WaveWriter, "append", fail_late)
    device = FakePortAudio()
    sink = recorder(tmp_path / "t", device, on_warning=said.append)
    sink.send(tracked_frame(0))
    play(device, sink, np.zeros((RATE_HZ, 1), np.float32))
    for i in range(1, 20):
        sink.send(tracked_frame(i))
    assert sink.close().rows == 20
    assert "the sound of the take ends here: No space left" in said[0]
    take = Take(tmp_path / "t")
    assert take.state == "closed"
    assert "No space left" in take.document["sound"]["failure"]
    assert 20_000 < take.document["sound"]["samples"] < 21_000
    assert sound_of(take) is not None


def killed(tmp_path: Path) -> Path:
    folder = tmp_path / "killed"
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.take.sound_child", str(folder)], cwd=Path(__file__).parents[2]
    )
    try:
        blocks = folder / "sound.rec"
        frames = folder / "frames.rec"
        wait_until(lambda: blocks.is_file() and blocks.stat().st_size > 24 * 200, "the sound")
        wait_until(lambda: frames.is_file() and frames.stat().st_size > 0, "the frames")
        child.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    finally:
        child.kill()
        child.wait(PATIENCE_S)
    return folder


def test_killed_at_any_moment_the_sound_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = killed(tmp_path)
    n_there = read_info(folder / "sound.wav").n_samples
    n_noted = int(read_blocks(folder)["n_samples"].sum())
    assert 0 < n_noted <= n_there <= n_noted + 800
    assert sound_of(Take(folder)) is not None  # before any repair
    assert run("takes", "repair", folder) == 0
    assert f"sound.wav: {n_there / RATE_HZ:.2f} s" in capsys.readouterr().out
    with wave.open(str(folder / "sound.wav")) as plain:
        assert plain.getnframes() == n_there
        octets = plain.readframes(n_there)
    assert octets == octets[:3] * n_there
    assert int.from_bytes(octets[:3], "little") == pytest.approx(0.25 * 2**23, abs=2)
    assert read_info(folder / "sound.wav").time_reference // RATE_HZ in (3599, 3600, 3601)
    take = Take(folder)
    assert (take.state, errors_of(take)) == ("repaired", ())
    assert take.document["sound"]["samples"] == n_there
    assert repair(folder).n_sound is None


@pytest.fixture
def short(tmp_path: Path) -> Take:
    recorded_claps(tmp_path / "short", FakePortAudio(), 4, frame_hz=30.0)
    return Take(tmp_path / "short")


def test_what_is_missing_of_the_sound_is_named(short: Take) -> None:
    path = short.folder / "sound.wav"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    (said,) = errors_of(Take(short.folder))
    assert "samples are missing at its end" in said
    path.unlink()
    assert errors_of(Take(short.folder)) == ("sound.wav is missing",)
    assert sound_of(Take(short.folder)) is None  # kept elsewhere, as the video may be


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../sound.wav"},
        {"blocks": {"file": "frames.rec"}},
        {"samples": "many"},
        {"channels": 2**70},
    ],
)
def test_a_document_with_a_wrong_sound_is_refused(short: Take, change: dict[str, object]) -> None:
    path = short.folder / "take.json"
    document = json.loads(path.read_text())
    document["sound"] |= change
    path.write_text(json.dumps(document))
    with pytest.raises(TakeError, match=r"take\.json is damaged"):
        Take(short.folder)


def test_a_trimmed_take_keeps_its_sound(short: Take, tmp_path: Path) -> None:
    rows = range(24, 84)
    folder = trim_take(short, rows, tmp_path / "trimmed")
    part = Take(folder)
    assert errors_of(part) == ()
    before, after = sound_of(short), sound_of(part)
    assert before is not None
    assert after is not None
    assert after.clock.start_ns == pytest.approx(int(short.t_ns[24]), abs=30_000)
    assert after.info.n_samples == pytest.approx(60 * RATE_HZ / 30, abs=2)
    begin = round(before.clock.sample_at(int(short.t_ns[24])))
    copied = read_samples(after.path, after.info, 0, after.info.n_samples)
    assert onsets(copied[:, 0])
    original = read_samples(before.path, before.info, begin, after.info.n_samples)
    assert (copied == original).all()


def test_show_tells_of_the_sound(short: Take, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("takes", "show", short.folder) == 0
    (said,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("sound")]
    assert "1 channel(s) at 48000 Hz, microphone 'Booth', 1 channel(s)" in said
    assert "ppm against the session clock" in said


def test_a_device_that_dies_is_told_and_the_take_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livefacs.sinks.take_sound._SILENT_S", 0.05)
    device, said = FakePortAudio(), []
    sink = recorder(tmp_path / "t", device, on_warning=said.append)
    device.play(np.zeros((480, 1), np.float32))
    wait_until(lambda: any("gives nothing any more" in words for words in said))
    sink.send(tracked_frame(0))
    sink.close()
    assert Take(tmp_path / "t").document["sound"]["samples"] == 480


def test_a_take_without_sound_is_as_it_was(tmp_path: Path) -> None:
    sink = RecorderSink(tmp_path / "t", clip_info(), clock=CLOCK)
    sink.send(tracked_frame(0))
    sink.close()
    assert "sound" not in Take(tmp_path / "t").document
    with pytest.raises(TakeError, match="has no sound; record with --audio"):
        exported_wav(Take(tmp_path / "t"), tmp_path / "o.wav")


def test_an_export_that_needs_soxr_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded_claps(tmp_path / "t", FakePortAudio(drift_ppm=100.0), 20)
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(Exception, match=r"livefacs\[audio\]"):
        exported_wav(Take(tmp_path / "t"), tmp_path / "o.wav")
