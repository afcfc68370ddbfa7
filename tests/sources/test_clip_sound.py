"""Clips keep their sound when they are recorded, in step with their pictures."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from livefacs.errors import SourceError
from livefacs.sources.clip_sound import ClipSoundFile, sound_in_clip
from livefacs.take.integrity import errors_of
from livefacs.take.reader import Take
from livefacs.take.sound import sound_of
from livefacs.take.wave import read_info, read_samples
from tests.support.claps import RATE_HZ, clap_clip
from tests.support.commands import run
from tests.support.sound import onsets

SOUND_HZ = 48_000
FLASHES = (30, 75)


def claps_of(path: Path) -> np.ndarray:
    sound = ClipSoundFile(path)
    samples = np.concatenate(list(sound.blocks()))
    sound.close()
    return np.array(onsets(samples[:, 0])) / SOUND_HZ


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("a.mp4", {}),
        ("b.mp4", {"sample_rate_hz": 48_000}),
        ("c.mkv", {"codec": "pcm_s16le", "sample_rate_hz": 22_050}),
        ("d.mkv", {"codec": "pcm_s16le", "sound_begins_s": 0.5}),
        ("e.mkv", {"codec": "pcm_s16le", "hole_s": (1.5, 2.2)}),
        ("f.mov", {"codec": "pcm_s16le", "sample_rate_hz": 32_000}),
    ],
)
def test_each_clap_is_heard_when_its_picture_shows(
    tmp_path: Path, name: str, more: dict[str, object]
) -> None:
    path = clap_clip(tmp_path / name, **more)  # type: ignore[arg-type]
    assert np.abs(claps_of(path) - np.array(FLASHES) / RATE_HZ).max() < 0.002


def test_sound_before_the_first_picture_is_left_out(tmp_path: Path) -> None:
    clip = clap_clip(tmp_path / "a.mkv", codec="pcm_s16le")
    late = tmp_path / "late.mkv"
    with av.open(str(clip)) as old, av.open(str(late), "w") as new:
        streams = {s.index: new.add_stream_from_template(s) for s in old.streams}
        for packet in old.demux():
            if packet.dts is None:
                continue
            is_early = float(packet.pts * packet.time_base) < 0.4
            if packet.stream.type == "video" and is_early:
                continue
            packet.stream = streams[packet.stream.index]
            new.mux(packet)
    with av.open(str(late)) as container:
        shown = [f.time for f in container.decode(video=0)]
        flash = next(i for i, f in enumerate(_pictures(late)) if f.mean() > 150)
    assert shown[0] > 0.3
    assert claps_of(late)[0] == pytest.approx(shown[flash] - shown[0], abs=0.003)


def _pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_a_recorded_clip_has_its_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = clap_clip(tmp_path / "claps.mp4")
    assert run("record", clip, "--take", tmp_path / "take", "--no-meters") == 0
    take = Take(tmp_path / "take")
    assert errors_of(take) == ()
    entry = take.document["sound"]
    assert (entry["source"], entry["channels"], entry["gaps"]) == ("clip", 2, 0)
    sound = sound_of(take)
    assert sound is not None
    assert sound.info.n_samples == pytest.approx(4 * SOUND_HZ, abs=2)
    samples = read_samples(sound.path, sound.info, 0, sound.info.n_samples)
    heard_s = [sound.clock.ns_at(at) / 1e9 for at in onsets(samples[:, 0])]
    assert np.abs(np.array(heard_s) - np.array(FLASHES) / RATE_HZ).max() < 0.002


def test_part_of_a_clip_has_that_part_of_its_sound(tmp_path: Path) -> None:
    clip = clap_clip(tmp_path / "claps.mp4")
    words = ("--take", tmp_path / "take", "--no-meters", "--seconds", "2", "--timecode-rate", "25")
    assert run("record", clip, *words, "--timecode-start", "10:00:00:00") == 0
    take = Take(tmp_path / "take")
    info = read_info(tmp_path / "take" / "sound.wav")
    assert info.n_samples == pytest.approx(take.n_rows / RATE_HZ * SOUND_HZ, abs=2)
    assert info.time_reference == 36_000 * SOUND_HZ


@pytest.mark.parametrize(
    "words", [("--audio", "none"), ("--realtime", "--seconds", "1")], ids=["none", "real time"]
)
def test_no_sound_where_it_is_not_wanted_or_not_in_step(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    clip = clap_clip(tmp_path / "claps.mp4")
    assert run("record", clip, "--take", tmp_path / "take", "--no-meters", *words) == 0
    assert "sound" not in Take(tmp_path / "take").document
    assert not (tmp_path / "take" / "sound.wav").exists()


def test_what_holds_no_sound_is_told_apart(tmp_path: Path) -> None:
    assert sound_in_clip("0") is None
    assert sound_in_clip(str(tmp_path)) is None
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    assert sound_in_clip(str(tmp_path / "no.mp4")) is None
    with pytest.raises(SourceError, match="cannot be read as sound"):
        ClipSoundFile(tmp_path / "no.mp4")
    clip = clap_clip(tmp_path / "claps.mp4")
    assert sound_in_clip(str(clip)) == clip
