"""Claps are found in sound, at their sample, and speech is not taken for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import oaconvolve

from livefacs.protocols import TakeRequest
from livefacs.session.sound_of_takes import ClapListener, from_microphone
from livefacs.sinks.take_factory import TakeFactory
from livefacs.take.claps import Clap, ClapFinder
from livefacs.take.reader import Take
from tests.support.commands import run
from tests.support.sound import NS_PER_S, RATE_HZ, FakePortAudio, clap, heard, speech, write_wav
from tests.support.waiting import wait_until
from tests.take.synthetic import clip_info, make_take, tracked_frame


def found(sound: np.ndarray, n_block: int = 4800) -> list[Clap]:
    finder = ClapFinder()
    blocks = (sound[at : at + n_block] for at in range(0, len(sound), n_block))
    return [each for block in blocks for each in finder.find(block)] + finder.flush()


def with_clap(seed: int, *, level: float, ring_s: float, room_noise: float = 0.002) -> tuple:
    """Speech with a pause, and in it a clap, in a room; where the clap is."""
    random = np.random.default_rng(seed)
    sound, at = speech(8, seed + 100), int(random.uniform(4, 5) * RATE_HZ)
    sound[at - int(0.35 * RATE_HZ) : at + int(0.45 * RATE_HZ)] = 0
    sound[at : at + 480] += level * clap()[:, 0]
    n = int(ring_s * RATE_HZ)
    room = random.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    room *= 0.3 / np.sqrt((room**2).sum())
    room[0] = 1.0
    echoed = oaconvolve(sound, room)[: len(sound)]
    return (echoed + random.normal(0, room_noise, len(sound))).astype(np.float32), at


@pytest.mark.parametrize("ring_s", [0.2, 0.9])
@pytest.mark.parametrize("level", [1.0, 0.3])
def test_a_clap_in_a_pause_is_found_at_its_sample(level: float, ring_s: float) -> None:
    for seed in range(4):
        sound, at = with_clap(seed, level=level, ring_s=ring_s)
        assert min(abs(each.sample - at) for each in found(sound)) <= 48, seed


def test_blocks_of_any_length_give_the_same() -> None:
    sound, _ = with_clap(2, level=0.8, ring_s=0.4)
    assert found(sound, 441) == found(sound, 48_000) != []


@pytest.mark.parametrize("snr_db", [40, 15])
def test_speech_holds_no_claps(snr_db: float) -> None:
    assert found(heard(speech(60, 5), 3, snr_db=snr_db)) == []


def test_what_rises_slowly_or_goes_on_is_no_clap() -> None:
    t = np.arange(4 * RATE_HZ) / RATE_HZ
    noise = np.random.default_rng(1).normal(0, 0.2, len(t))
    begins = np.where(t > 2, noise, 0)  # and stays
    swells = noise * np.exp(-(((t - 2) / 0.02) ** 2))
    thump = np.where(t > 2, np.sin(2 * np.pi * 60 * t) * np.exp(-(t - 2) / 0.02), 0)
    for sound in (begins, swells, thump, np.zeros(len(t))):
        assert found(sound.astype(np.float32)) == []


def test_claps_are_listed_and_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound, at = with_clap(1, level=0.9, ring_s=0.3)
    wav = write_wav(tmp_path / "boom.wav", sound)
    assert run("takes", "claps", wav) == 0
    assert capsys.readouterr().out.startswith(f"{at / RATE_HZ:10.4f} s  ")
    assert run("takes", "claps", wav, "--mark") == 2
    assert "has no place for a marker" in capsys.readouterr().err
    silent = make_take(tmp_path / "silent", [tracked_frame(i) for i in range(3)]).folder
    assert run("takes", "claps", silent) == 2
    assert "claps are heard, not seen" in capsys.readouterr().err


def test_a_clap_is_marked_at_its_frame_while_it_records(tmp_path: Path) -> None:
    device = FakePortAudio(drift_ppm=80, jitter_s=0.001)
    microphone = device.microphone()
    takes = TakeFactory(tmp_path, [clip_info()], sound=from_microphone(microphone))
    ClapListener(microphone, takes.note_clap)
    recorder = takes(TakeRequest("smile", 1))
    sound, at = with_clap(3, level=0.9, ring_s=0.3)
    clap_ns = device.time_of(device.n_played + at)
    first, i_frame = device.clock.now_ns, 0
    for begin in range(0, len(sound), 480):
        device.play(sound[begin : begin + 480, None])
        while (frame := tracked_frame(i_frame)).t_ns <= device.clock.now_ns:
            recorder.send(frame)
            i_frame += 1
    assert first <= clap_ns
    writer = recorder._sound  # type: ignore[union-attr]
    wait_until(lambda: writer._n_taken == writer._n_heard, "the sound")  # type: ignore[union-attr]
    folder = Path(recorder.finish()[1])
    marks = [mark for mark in Take(folder).markers if mark.kind == "clap"]
    near = min(marks, key=lambda mark: abs(mark.t_ns - clap_ns))
    assert 0 <= clap_ns - near.t_ns < NS_PER_S / 60 + 5_000_000
    assert near.t_ns == Take(folder).t_ns[near.row]
    assert run("takes", "claps", folder, "--mark") == 0  # again, from the file
    again = [mark for mark in Take(folder).markers if mark.kind == "clap"]
    assert any(abs(mark.t_ns - clap_ns) <= NS_PER_S / 120 + 1 for mark in again)


def test_claps_are_marked_of_a_microphone_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("record", "demo", "--take", tmp_path / "t", "--mark-claps") == 2
    assert "--mark-claps listens to a microphone: name one with --audio" in capsys.readouterr().err
