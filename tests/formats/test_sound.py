"""Formats name a take's sound; WAV and MP4 hold it, in step with the pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import av
import numpy as np
import opentimelineio as otio
import pygltflib
import pytest
from pxr import Usd, UsdMedia

from livefacs.errors import TakeError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.session.sound_of_takes import from_microphone
from livefacs.sinks.recorder import RecorderSink
from livefacs.take.reader import Take
from livefacs.take.sound import sound_of
from livefacs.take.wave import read_info
from tests.support.claps import FLASHES, N_FRAMES, clap_take
from tests.support.sound import NS_PER_S, RATE_HZ, FakePortAudio, onsets
from tests.take.synthetic import CLOCK, clip_info, tracked_frame


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> Take:
    return clap_take(tmp_path_factory.mktemp("takes") / "claps 1")


def exported(take: Take, name: str, folder: Path) -> Path:
    path = folder / f"out{find_format(name).suffixes[0]}"
    export_take(take, find_format(name), path, ExportOptions())
    return path


def heard(path: Path) -> tuple[np.ndarray, float]:
    """Samples of the first channel, and the time of the first."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    planes = av.AudioResampler(format="fltp")
    parts = [part.to_ndarray()[0] for frame in frames for part in planes.resample(frame)]
    return np.concatenate(parts), float(frames[0].time or 0.0)


def test_the_movie_shows_each_flash_when_its_clap_is_heard(take: Take, tmp_path: Path) -> None:
    path = exported(take, "mp4", tmp_path)
    with av.open(str(path)) as container:
        names = [stream.codec_context.name for stream in container.streams]
        shown = [
            frame.time
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 150
        ]
    assert names[1] == "aac"
    samples, begin_s = heard(path)
    claps = np.array(onsets(samples)) / RATE_HZ + begin_s
    assert len(shown) == len(claps) == 2
    assert np.abs(claps - np.array(shown)).max() < 0.005


def test_the_pictures_of_the_movie_are_those_of_the_take(take: Take, tmp_path: Path) -> None:
    path = exported(take, "mp4", tmp_path)

    def pictures(file: Path) -> list[bytes]:
        with av.open(str(file)) as container:
            return [
                frame.to_ndarray(format="gray").tobytes() for frame in container.decode(video=0)
            ]

    assert pictures(path) == pictures(take.folder / "video.mp4")


def test_the_wav_begins_at_the_first_frame(take: Take, tmp_path: Path) -> None:
    path = exported(take, "wav", tmp_path)
    samples, _ = heard(path)
    at_s = np.array(onsets(samples)) / RATE_HZ
    assert np.abs(at_s - np.array(FLASHES) / 60).max() < 0.002
    assert len(samples) == pytest.approx(N_FRAMES * RATE_HZ / 60, abs=2)
    assert read_info(path).time_reference == 3600 * RATE_HZ


def test_otio_has_the_sound_on_a_track_of_its_own(take: Take, tmp_path: Path) -> None:
    timeline = otio.adapters.read_from_file(str(exported(take, "otio", tmp_path)))
    (track,) = timeline.audio_tracks()
    (clip,) = track
    assert Path(unquote(clip.media_reference.target_url.removeprefix("file://"))) == (
        take.folder.resolve() / "sound.wav"
    )
    sound = sound_of(take)
    assert sound is not None
    available = clip.media_reference.available_range
    assert available.duration.value == sound.info.n_samples
    into_s = (clip.source_range.start_time - available.start_time).to_seconds()
    first_s = (int(take.t_ns[0]) - sound.clock.start_ns) / NS_PER_S
    assert into_s == pytest.approx(first_s, abs=0.001)
    (picture,) = timeline.video_tracks()[0]
    duration_s = picture.source_range.duration.to_seconds()
    assert clip.source_range.duration.to_seconds() == pytest.approx(duration_s, abs=0.001)
    assert clip.source_range.start_time.to_seconds() == pytest.approx(3600, abs=0.001)


@pytest.mark.parametrize("later_s", [0.5, -0.25])
def test_otio_shows_no_sound_that_is_not_there(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later_s: float
) -> None:
    """Where sound begins after the picture, or ends before it, the range of its clip does, too."""
    sound = sound_of(take)
    assert sound is not None
    start_ns = int(take.t_ns[0]) + round(later_s * NS_PER_S)
    n_samples = round(N_FRAMES / 60 * RATE_HZ) - 16
    moved = replace(
        sound,
        clock=replace(sound.clock, start_ns=start_ns),
        info=replace(sound.info, n_samples=n_samples),
    )
    monkeypatch.setattr("livefacs.formats.otio.sound_of", lambda _take: moved)
    timeline = otio.adapters.read_from_file(str(exported(take, "otio", tmp_path)))
    (track,) = timeline.audio_tracks()
    clip = track[-1]
    there, shown = clip.available_range(), clip.source_range
    assert there.start_time <= shown.start_time
    assert shown.end_time_exclusive() <= there.end_time_exclusive()
    assert [type(each) for each in track] == [otio.schema.Gap, otio.schema.Clip][later_s < 0 :]
    (picture,) = timeline.video_tracks()[0]
    begin_s = track.range_of_child(clip).start_time.to_seconds()
    assert begin_s == pytest.approx(max(later_s, 0.0), abs=0.001)
    end_s = min(picture.source_range.duration.to_seconds(), later_s + n_samples / RATE_HZ)
    assert track.duration().to_seconds() == pytest.approx(end_s, abs=0.001)


def test_elan_links_the_sound_with_its_offset(take: Take, tmp_path: Path) -> None:
    root = ElementTree.parse(exported(take, "eaf", tmp_path)).getroot()
    video, sound = root.findall("HEADER/MEDIA_DESCRIPTOR")
    assert video.get("MIME_TYPE") == "video/mp4"
    assert sound.get("MIME_TYPE") == "audio/x-wav"
    assert sound.get("MEDIA_URL") == (take.folder.resolve() / "sound.wav").as_uri()
    recorded = sound_of(take)
    assert recorded is not None
    first_ms = (int(take.t_ns[0]) - recorded.clock.start_ns) / 1e6
    assert int(sound.get("TIME_ORIGIN", "0")) == pytest.approx(first_ms, abs=1)


def test_usd_and_gltf_name_it_from_where_they_are(take: Take, tmp_path: Path) -> None:
    recorded = sound_of(take)
    assert recorded is not None
    into_s = (int(take.t_ns[0]) - recorded.clock.start_ns) / NS_PER_S
    stage = Usd.Stage.Open(str(exported(take, "usd", tmp_path)))
    audio = UsdMedia.SpatialAudio(stage.GetPrimAtPath("/Face/Sound"))
    asset = audio.GetFilePathAttr().Get()
    assert Path(asset.resolvedPath) == take.folder.resolve() / "sound.wav"
    assert audio.GetMediaOffsetAttr().Get() == pytest.approx(into_s, abs=1e-6)
    assert audio.GetStartTimeAttr().Get().GetValue() == stage.GetStartTimeCode()
    path = exported(take, "gltf", tmp_path)
    extras = pygltflib.GLTF2().load(str(path)).animations[0].extras["sound"]
    assert (tmp_path / unquote(extras["uri"])).resolve() == take.folder.resolve() / "sound.wav"
    assert extras["begins_s"] == pytest.approx(-into_s, abs=1e-5)


def test_a_movie_needs_a_video(take: Take, tmp_path: Path) -> None:
    device = FakePortAudio()
    sink = RecorderSink(
        tmp_path / "t", clip_info(), sound=from_microphone(device.microphone()), clock=CLOCK
    )
    device.play(np.zeros((4800, 1), np.float32))
    sink.send(tracked_frame(31))
    sink.close()
    with pytest.raises(TakeError, match="has no video; record with --video"):
        exported(Take(tmp_path / "t"), "mp4", tmp_path)
