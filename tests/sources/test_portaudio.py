"""A real PortAudio stream: a take is recorded from a null sink of a PulseAudio of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from livefacs.take.integrity import errors_of
from livefacs.take.reader import Take
from livefacs.take.sound import sound_of
from livefacs.take.wave import read_samples
from livefacs.wire.ltc import LtcReader
from tests.support.pulse import MISSING, null_sink
from tests.support.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}")


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of programs that hear and play through a null sink."""
    with null_sink(tmp_path) as environment:
        if environment is None:
            pytest.skip(f"PulseAudio does not run here: {(tmp_path / 'log').read_text()[-300:]}")
        yield environment


def tone(path: Path, seconds: int = 120) -> Path:
    """1 kHz at half of full scale."""
    samples = np.sin(np.arange(48_000) * 2 * np.pi / 48) * 16_384
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        for _ in range(seconds):
            file.writeframes(samples.astype("<i2").tobytes())
    return path


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "livefacs", *(str(word) for word in words)]


@contextlib.contextmanager
def started(pulse: dict[str, str], *words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until its block has ended it; its lines are those of both outputs."""
    process = subprocess.Popen(
        command(*words), env=pulse, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        yield process
        process.stdout.read()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_tone_on_the_null_sink_is_in_the_take(tmp_path: Path, pulse: dict[str, str]) -> None:
    listed = subprocess.run(
        command("cameras"),
        env=pulse,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert "microphone" in listed.stdout
    assert "(auto)" in listed.stdout
    player = subprocess.Popen(["paplay", str(tone(tmp_path / "tone.wav"))], env=pulse)
    try:
        words = ("--realtime", "--seconds", "3", "--audio", "auto", "--no-meters")
        subprocess.run(
            command("record", "demo", "--take", tmp_path / "take", *words),
            env=pulse,
            timeout=3 * PATIENCE_S,
            check=True,
        )
    finally:
        player.kill()
        player.wait(PATIENCE_S)
    take = Take(tmp_path / "take")
    assert errors_of(take) == ()
    sound = sound_of(take)
    assert sound is not None
    assert sound.info.n_channels == 2
    assert sound.clock.start_ns < take.t_ns[0] + 200_000_000
    assert sound.end_ns > take.t_ns[-1] - 200_000_000
    samples = read_samples(sound.path, sound.info, 0, sound.info.n_samples)[:, 0]
    assert take.document["sound"]["samples"] == len(samples)
    # Where it is loud it is the tone: what repeats after 48 samples.
    loud = samples[np.abs(samples).argmax() :][:4800]
    assert np.abs(loud).max() > 0.2
    spectrum = np.abs(np.fft.rfft(loud * np.hanning(len(loud))))
    assert np.argmax(spectrum) * 48_000 / len(loud) == pytest.approx(1000, abs=30)


def test_takes_of_several_performers_have_one_sound(tmp_path: Path, pulse: dict[str, str]) -> None:
    words = ("--realtime", "--seconds", "3", "--audio", "auto", "--no-meters", "--faces", "2")
    subprocess.run(
        command("record", "demo", "--take", tmp_path / "both", *words),
        env=pulse,
        timeout=3 * PATIENCE_S,
        check=True,
    )
    first, second = Take(tmp_path / "both"), Take(tmp_path / "both" / "face_2")
    assert errors_of(first) == errors_of(second) == ()
    sound, same = sound_of(first), sound_of(second)
    assert sound is not None
    assert same == sound  # the one beside the first performer's curves, on everyone's clock
    assert not (second.folder / "sound.wav").exists()
    exported = tmp_path / "second.wav"
    words = ("--face", "2", "--to", "wav", "-o", str(exported))
    subprocess.run(command("export", tmp_path / "both", *words), timeout=PATIENCE_S, check=True)
    with wave.open(str(exported), "rb") as file:
        length_s = file.getnframes() / file.getframerate()
    assert length_s == pytest.approx(second.duration_s, abs=0.1)


@pytest.mark.parametrize("page", ["stage", "mirror"])
def test_the_pages_record_button_records_sound(
    tmp_path: Path, pulse: dict[str, str], page: str
) -> None:
    words = ("--source", "demo", "--no-browser", "--port", "0", "--audio", "auto")
    with started(pulse, page, *words, "--record", tmp_path / "takes") as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if line.startswith(f"{page}: "))
        base = "/".join(said.split()[1].split("/")[:3])
        with httpx.Client(base_url=base, headers={"Origin": base}, timeout=PATIENCE_S) as http:

            def asked(word: str) -> bool:
                return http.post(f"/api/command/{word}", json={"arguments": []}).is_success

            wait_until(lambda: asked("record"), "the session")
            rows = tmp_path / "takes" / "livefacs_001" / "frames.rec"
            wait_until(lambda: rows.is_file() and rows.stat().st_size > 50_000, "frames")
            assert asked("finish")
        process.terminate()
    take = Take(tmp_path / "takes" / "livefacs_001")
    assert errors_of(take) == ()
    sound = sound_of(take)
    assert sound is not None
    assert sound.end_ns > take.t_ns[-1] - 200_000_000
    assert take.document["sound"]["source"] == "microphone"


def running_label(take: Take) -> tuple[np.ndarray, np.ndarray]:
    """Session times at which frames of the timecode in the take's own sound begin, and those."""
    sound = sound_of(take)
    assert sound is not None
    samples = read_samples(sound.path, sound.info, 0, sound.info.n_samples)[:, 0]
    heard = LtcReader(48_000).read(np.ascontiguousarray(samples, np.float32))
    times = np.array([sound.clock.ns_at(frame.start) for frame in heard])
    return times, np.array([take.rate.frame_from_label(frame.label) for frame in heard])


@pytest.mark.parametrize(
    "words",
    [
        ("record", "demo", "--realtime", "--take"),
        ("stage", "-s", "demo", "--no-browser", "--port", "0", "--record"),
    ],
    ids=["record", "stage"],
)
def test_a_take_starts_and_ends_with_timecode_that_is_played(
    tmp_path: Path, pulse: dict[str, str], words: tuple[str, ...]
) -> None:
    is_stage = words[0] == "stage"
    made = ("--rate", "25", "--start", "10:00:00:00", "--seconds", "6")
    subprocess.run(command("ltc", "write", tmp_path / "ltc.wav", *made), check=True)
    wire = ("--start-with", "timecode", "--timecode-source", "ltc:1", "--audio", "auto")
    quiet = () if is_stage else ("--no-meters",)
    with started(pulse, *words, tmp_path / "takes", *wire, *quiet) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("waiting for timecode"))
        subprocess.run(["paplay", str(tmp_path / "ltc.wav")], env=pulse, check=True)
        next(line for line in process.stdout if "take ended at" in line)
        if is_stage:
            process.terminate()
    take = Take(tmp_path / "takes" / "livefacs_001" if is_stage else tmp_path / "takes")
    assert errors_of(take) == ()
    assert take.document["timecode"]["source"] == "ltc"
    lost = take.document["sound"]["gap_samples"]
    if lost:
        pytest.skip(f"this machine lost {lost} samples of sound: what was running is not known")
    times, labels = running_label(take)
    inside = (take.t_ns >= times[0]) & (take.t_ns <= times[-1])
    off = take.frames["timecode"][inside] - np.interp(take.t_ns[inside], times, labels)
    assert len(off) > 50
    assert off.max() < 0.1  # each row has the label that was running, in whole frames
    assert off.min() > -1.1
