"""Linear timecode in a clip's sound: at its first frame, through recording."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from livefacs.cli.main import main
from livefacs.errors import SourceError
from livefacs.resources import data_path
from livefacs.sources.audio_timecode import timecode_in_sound
from livefacs.take.reader import Take
from livefacs.timecode import RATES
from livefacs.wire.ltc import LtcWriter

HZ = 48_000


def write_sound(path: Path, samples: np.ndarray, performer: bool = False) -> Path:
    """A clip with silence in the first channel and the samples in the second; two seconds of the
    performer before it where that is asked for."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=30) if performer else None
        track = container.add_stream("pcm_s16le", rate=HZ, layout="stereo")
        if video is not None:
            video.width, video.height, video.pix_fmt = 640, 480, "yuv420p"
            with av.open(str(data_path("performer.mp4"))) as clip:
                for i, picture in enumerate(islice(clip.decode(video=0), 60)):
                    copy = av.VideoFrame.from_ndarray(picture.to_ndarray(format="rgb24"))
                    copy.pts, copy.time_base = i, Fraction(1, 30)
                    container.mux(video.encode(copy.reformat(format="yuv420p")))
                container.mux(video.encode(None))
        whole = (samples * 32767).astype(np.int16)
        both = np.stack([np.zeros_like(whole), whole], axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(both, "s16", "stereo")
        frame.sample_rate = HZ
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path


def test_the_label_of_a_moment(tmp_path: Path) -> None:
    timecode = LtcWriter(RATES["25"], "10:00:00:00", HZ).write(100)
    clip = write_sound(tmp_path / "a.mov", np.r_[np.zeros(HZ // 2, np.float32), timecode])
    heard = timecode_in_sound(clip, 2, 0.9, 25.0)
    assert (heard.rate.name, heard.label, heard.notices) == ("25", "10:00:00:10", ())
    assert timecode_in_sound(clip, 2, 0.1, 25.0).label == "09:59:59:15"  # before it began


def test_twice_as_many_frames_as_on_the_wire(tmp_path: Path) -> None:
    timecode = LtcWriter(RATES["59.94df"], "10:00:59;20", HZ).write(60)
    clip = write_sound(tmp_path / "a.mov", timecode)
    first = timecode_in_sound(clip, 2, 0.001, 59.94)
    assert (first.rate.name, first.label) == ("59.94df", "10:00:59;40")
    assert timecode_in_sound(clip, 2, 1.001 / 60 + 0.001, 59.94).label == "10:00:59;41"
    assert timecode_in_sound(clip, 2, 0.001, 29.97).label == "10:00:59;20"


def test_jumps_and_silence_are_told(tmp_path: Path) -> None:
    parts = [
        LtcWriter(RATES["25"], "10:00:00:00", HZ).write(30),
        LtcWriter(RATES["25"], "20:00:00:00", HZ).write(30),
        np.zeros(2 * HZ, np.float32),
        LtcWriter(RATES["25"], "20:00:03:05", HZ).write(30),
    ]
    heard = timecode_in_sound(write_sound(tmp_path / "a.mov", np.concatenate(parts)), 2, 0.0, 25.0)
    assert heard.label == "10:00:00:00"
    assert "jumps 1 time" in heard.notices[0]
    assert "silent 1 time" in heard.notices[1]


def test_none_there(tmp_path: Path) -> None:
    clip = write_sound(tmp_path / "a.mov", np.zeros(HZ, np.float32))
    with pytest.raises(SourceError, match="no linear timecode in channel 2 of 2"):
        timecode_in_sound(clip, 2, 0.0, 25.0)


def test_a_recorded_clip_has_the_labels_of_its_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timecode = LtcWriter(RATES["30"], "10:20:30:00", HZ).write(60)
    clip = write_sound(tmp_path / "shot.mov", timecode, performer=True)
    words = ["record", str(clip), "--take", str(tmp_path / "take")]
    with pytest.raises(SystemExit) as end:
        main([*words, "--timecode-source", "ltc:2"])
    assert not end.value.code
    take = Take(tmp_path / "take")
    assert take.document["timecode"]["source"] == "ltc"
    assert [take.timecode(row) for row in (0, 29, 30)] == [
        "10:20:30:00",
        "10:20:30:29",
        "10:20:31:00",
    ]
    with pytest.raises(SystemExit):
        main(["record", str(clip), "--take", str(tmp_path / "b"), "--timecode-source", "ltc:3"])
    assert "no channel 3; expected 1 to 2" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["record", str(clip), "--take", str(tmp_path / "c"), "--timecode-source", "ltc"])
    assert "timecode_source" in capsys.readouterr().err
