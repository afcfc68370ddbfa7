"""A real PortAudio stream: a take is recorded from a null sink of a PulseAudio of its own."""

from __future__ import annotations

import importlib.util
import os
import shutil
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
from tests.support.waiting import PATIENCE_S, wait_until

ALSA = Path("/usr/share/alsa/alsa.conf")
PLUGINS = Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")
MISSING = [
    what
    for what, is_there in (
        ("sounddevice", importlib.util.find_spec("sounddevice") is not None),
        ("pulseaudio", shutil.which("pulseaudio") is not None),
        ("paplay and pactl", shutil.which("paplay") and shutil.which("pactl")),
        ("ALSA's plug-in for PulseAudio", ALSA.is_file() and any(PLUGINS)),
    )
    if not is_there
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}")


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of programs that hear and play through a null sink."""
    alsa = tmp_path / "alsa.conf"
    alsa.write_text(f"<{ALSA}>\npcm.!default {{ type pulse }}\nctl.!default {{ type pulse }}\n")
    socket = tmp_path / "native"
    environment = {
        **os.environ,
        "XDG_RUNTIME_DIR": str(tmp_path),
        "ALSA_CONFIG_PATH": str(alsa),
        "PULSE_SERVER": f"unix:{socket}",
        "PULSE_COOKIE": str(tmp_path / "cookie"),
    }
    modules = (
        "module-null-sink sink_name=null0 rate=48000",
        f"module-native-protocol-unix socket={socket} auth-anonymous=1",
    )
    words = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [*words, *(word for each in modules for word in ("-L", each))],
            env={**environment, "HOME": str(tmp_path)},
            stdout=log,
            stderr=log,
        )
        try:

            def answers() -> bool:
                asked = subprocess.run(
                    ["pactl", "info"], env=environment, capture_output=True, check=False
                )
                return asked.returncode == 0 or server.poll() is not None

            wait_until(answers, "PulseAudio")
            if server.poll() is not None:
                pytest.skip(
                    f"PulseAudio does not run here: {(tmp_path / 'log').read_text()[-300:]}"
                )
            yield environment
        finally:
            server.terminate()
            server.wait(PATIENCE_S)


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
    process = subprocess.Popen(
        command(page, *words, "--record", tmp_path / "takes"),
        env=pulse,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
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
        process.stdout.read()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    take = Take(tmp_path / "takes" / "livefacs_001")
    assert errors_of(take) == ()
    sound = sound_of(take)
    assert sound is not None
    assert sound.end_ns > take.t_ns[-1] - 200_000_000
    assert take.document["sound"]["source"] == "microphone"
