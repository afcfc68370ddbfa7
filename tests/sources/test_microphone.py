"""Microphones: which one is meant, how its blocks are stamped, and what goes wrong."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import ConfigError, SourceError
from livefacs.protocols import SoundBlock
from livefacs.sources import microphone
from livefacs.sources.microphone import MicrophoneInfo, find_microphone, portaudio
from livefacs.take.reader import Take
from livefacs.take.sound import sound_of
from tests.support.commands import run
from tests.support.sound import NS_PER_S, FakePortAudio
from tests.support.waiting import wait_until

DEVICES = [
    MicrophoneInfo(0, "HDA Intel PCH", 2),
    MicrophoneInfo(4, "Scarlett 18i8", 8, True),
    MicrophoneInfo(5, "Scarlett Solo", 1),
]


@pytest.mark.parametrize(
    ("spec", "index"), [("auto", 4), ("0", 0), ("5", 5), ("solo", 5), ("HDA intel pch", 0)]
)
def test_a_microphone_is_found_by_number_and_name(spec: str, index: int) -> None:
    assert find_microphone(spec, DEVICES).index == index


@pytest.mark.parametrize(
    ("spec", "error"),
    [("9", "no microphone '9'"), ("scarlett", "several microphones fit"), ("", "several")],
)
def test_what_names_none_or_several_lists_them(spec: str, error: str) -> None:
    with pytest.raises(SourceError, match=error) as said:
        find_microphone(spec, DEVICES)
    assert "5 'Scarlett Solo'" in str(said.value)
    with pytest.raises(SourceError, match="none found"):
        find_microphone("auto", [])


def test_blocks_carry_the_time_at_which_they_were_heard() -> None:
    device, heard = FakePortAudio(latency_s=0.3), []
    source = device.microphone()
    assert source.notices == ()
    at = device.n_played
    source.subscribe(heard.append)
    device.play(np.ones((480, 1), np.float32))
    device.play(np.ones((480, 1), np.float32), overflowed=True)
    source.unsubscribe(heard.append)
    device.play(np.ones((480, 1), np.float32))
    blocks: list[SoundBlock] = heard
    assert [block.t_ns for block in blocks] == [
        pytest.approx(device.time_of(at + n), abs=1000) for n in (0, 480)
    ]
    assert [block.overflowed for block in blocks] == [False, True]
    source.close()
    assert device.is_closed


def test_samples_are_copied_as_portaudio_uses_its_buffer_again() -> None:
    device, heard = FakePortAudio(), []
    device.microphone().subscribe(heard.append)
    buffer = np.ones((480, 1), np.float32)
    device.play(buffer)
    buffer[:] = 0
    assert heard[0].samples.min() == 1.0


def test_opening_waits_until_the_times_can_be_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "_LONGEST_SETTLING_S", 0.01)
    device = FakePortAudio()

    def start() -> None:  # as PulseAudio does: it thinks that half a second waits at first
        for late in np.linspace(0.5, 0.0, 40):
            device.latency_s = 0.02
            device.play(np.zeros((480, 1), np.float32), late_s=0.0)
            device._heard(np.zeros((480, 1), np.float32), late, False)

    monkeypatch.setattr(device, "start", start)
    (notice,) = device.microphone().notices
    assert "its times swing by more than 15 ms" in notice


def test_a_device_that_gives_nothing_or_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "_FIRST_BLOCK_S", 0.01)
    device = FakePortAudio()
    monkeypatch.setattr(device, "start", lambda: None)
    with pytest.raises(SourceError, match="gives nothing"):
        device.microphone()
    assert device.is_closed

    def refuse() -> None:
        raise RuntimeError("Invalid sample rate")

    monkeypatch.setattr(device, "start", refuse)
    with pytest.raises(SourceError, match="does not open at 48 kHz: Invalid sample rate"):
        device.microphone()
    with pytest.raises(ConfigError, match="has 1 channel"):
        device.microphone("auto", 2)


@pytest.mark.parametrize(
    ("error", "words"),
    [(ImportError("x"), r"pip install 'livefacs\[audio\]'"), (OSError("x"), "libportaudio2")],
)
def test_what_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name == "sounddevice":
            raise error
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=words):
        portaudio()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("live", "-s", "demo", "--audio", "auto"), "name their folder with --record"),
        (("record", "demo", "--take", "t", "--audio-channels", "2"), "name one with --audio"),
    ],
)
def test_options_that_cannot_be_heeded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    error: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*words, "--no-meters") == 2
    assert error in capsys.readouterr().err


def test_live_records_the_microphone_beside_the_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    device = FakePortAudio()
    opened = device.microphone()
    monkeypatch.setattr("livefacs.session.sound_of_takes.Microphone", lambda *_: opened)
    words = ("--record", tmp_path / "takes", "--slate", "s", "--audio", "booth", "--no-meters")
    real = type(opened).subscribe

    def subscribe(self: object, listener: object, since_ns: int | None = None) -> None:
        real(opened, listener, since_ns)  # type: ignore[arg-type]
        for _ in range(100):
            device.play(np.full((480, 1), 0.5, np.float32))

    monkeypatch.setattr(type(opened), "subscribe", subscribe)
    assert run("live", "-s", "demo", "--seconds", "1", *words) == 0
    assert "sound from microphone 'Booth', 1 channel(s)" in capsys.readouterr().out
    sound = sound_of(Take(tmp_path / "takes" / "s_001"))
    assert sound is not None
    assert sound.info.n_samples == 48_000
    wait_until(lambda: device.is_closed)


def test_time_is_of_the_session_clock() -> None:
    device, heard = FakePortAudio(), []
    device.microphone().subscribe(heard.append)
    device.play(np.zeros((480, 1), np.float32))
    assert heard[0].t_ns / NS_PER_S == pytest.approx(5.5, abs=0.001)
