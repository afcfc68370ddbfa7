"""``livefacs ltc``: written to a file, read back from it and from a clip's second channel."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from livefacs.cli.main import main


def run(*words: object) -> None:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    if end.value.code:
        raise AssertionError(f"exit code {end.value.code}")


def test_written_and_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ltc.wav"
    run(
        *("ltc", "write", path, "--rate", "29.97df", "--start", "10:00:59;28"),
        *("--seconds", 2, "--user-bits", "cafe1234"),
    )
    assert "60 frames of timecode at 29.97df from 10:00:59;28" in capsys.readouterr().out
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (48_000, 1)
        assert sound.getnframes() == pytest.approx(60 * 1601.6, abs=1)
    run("ltc", "read", path)
    (line,) = capsys.readouterr().out.splitlines()
    assert "0.0000 s  10:00:59;28 to 10:01:01;28  59 frames at 29.970 a second" in line
    assert line.endswith("user bits cafe1234")


def test_parts_and_channels_of_a_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, start in (("a", "01:00:00:00"), ("b", "02:00:00:00")):
        run("ltc", "write", tmp_path / f"{name}.wav", "--start", start, "--seconds", 1)
    halves = []
    for name in "ab":
        with wave.open(str(tmp_path / f"{name}.wav")) as sound:
            halves.append(np.frombuffer(sound.readframes(48_000), "<i2"))
    timecode = np.concatenate(halves)
    clip = tmp_path / "clip.mov"
    with av.open(str(clip), "w") as container:
        track = container.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        both = np.stack([np.zeros_like(timecode), timecode], axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, "s16", "stereo")
        frame.sample_rate = 48_000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    capsys.readouterr()
    run("ltc", "read", clip, "--channel", 2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["01:00:00:00", "02:00:00:00"]
    with pytest.raises(SystemExit):
        main(["ltc", "read", str(clip)])
    assert "no linear timecode in channel 1 of 2" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["ltc", "read", str(clip), "--channel", "3"])
    assert "no channel 3; expected 1 to 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seconds", "0"], "expected more than 0, at most a day"),
        (["--rate", "12"], "no timecode rate '12'"),
        (["--start", "25:00:00:00"], "expected hours 00-23"),
        (["--level", "6"], "expected -60 to 0 dB"),
        (["--user-bits", "xyz"], "hexadecimal digits"),
        (["--sample-rate", "10"], "expected 8000 to 384000"),
    ],
)
def test_what_cannot_be_written(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["ltc", "write", str(tmp_path / "x.wav"), *words])
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_reading_what_is_no_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "a.txt"
    text.write_text("no sound")
    for path in (text, tmp_path / "missing.wav", Path(__file__).parents[2] / "none"):
        with pytest.raises(SystemExit):
            main(["ltc", "read", str(path)])
        assert str(path) in capsys.readouterr().err
