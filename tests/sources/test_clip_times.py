"""Clips whose headers or time stamps mislead: cut without encoding, joined, from browsers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from livefacs.sources.video import VideoSource
from livefacs.types import Frame
from tests.sources.clips import every, hide_beginning, restamp, without_rate, write_clip


def read_all(path: Path) -> tuple[VideoSource, list[Frame]]:
    source = VideoSource(path)
    frames = list(iter(source.read, None))
    source.close()
    return source, frames


def seconds(frames: Sequence[Frame]) -> list[float]:
    return [round(frame.t_ns / 1e9, 3) for frame in frames]


def add_picture(
    container: av.container.OutputContainer, stream: av.VideoStream, shade: int, ms: int
) -> None:
    image = np.full((stream.height, stream.width, 3), shade, np.uint8)
    picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
    picture.pts, picture.time_base = ms, Fraction(1, 1000)
    container.mux(stream.encode(picture))


@pytest.mark.parametrize("hidden_ms", [200, 1_000, 2_500])
def test_frames_that_an_edit_list_hides_are_not_missing(tmp_path: Path, hidden_ms: int) -> None:
    clip = write_clip(tmp_path / "cut.mp4", times_ms=every(120), codec="libx264")
    hide_beginning(clip, hidden_ms, 4_800 - hidden_ms)
    source, frames = read_all(clip)
    assert len(frames) == (4_800 - hidden_ms) // 40
    assert source.closing_notices() == ()


def test_empty_frames_of_avi_are_not_missing(tmp_path: Path) -> None:
    times_ms = [ms for ms in every(100) if not 1_000 < ms < 2_000]
    source, frames = read_all(write_clip(tmp_path / "gap.avi", times_ms=times_ms, codec="mpeg4"))
    assert len(frames) == len(times_ms)
    assert source.closing_notices() == ()
    assert source.rate_hz == pytest.approx(25, rel=0.01)


def test_reordered_frames_of_avi_stand_in_their_places(tmp_path: Path) -> None:
    """AVI has no times of presentation: what FFmpeg guesses for its B-frames is wrong."""
    clip = write_clip(tmp_path / "b.avi", times_ms=every(100), codec="libx264")
    source, frames = read_all(clip)
    np.testing.assert_allclose(seconds(frames), np.arange(100) * 0.04, atol=1e-6)
    assert source.closing_notices() == ()
    source = VideoSource(clip)
    for _ in range(30):
        source.read()
    source.rewind()
    again = [source.read() for _ in range(5)]
    assert [frame.t_ns for frame in again if frame] == [frame.t_ns for frame in frames[:5]]


@pytest.mark.parametrize("name", ["broken.avi", "broken.mp4", "broken.mkv"])
def test_what_is_missing_is_told_all_the_same(tmp_path: Path, name: str) -> None:
    whole = tmp_path / f"whole{Path(name).suffix}"
    with av.open(
        str(whole), "w", options={"movflags": "faststart"} if "mp4" in name else {}
    ) as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for i_frame in range(100):
            add_picture(container, stream, 2 * i_frame, 40 * i_frame)
        container.mux(stream.encode(None))
    data = whole.read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
    source, frames = read_all(tmp_path / name)
    assert 30 < len(frames) < 100
    assert "the file may be incomplete" in source.closing_notices()[-1]
    assert read_all(whole)[0].closing_notices() == ()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_two_wrong_time_stamps_move_no_other_frame(tmp_path: Path, suffix: str) -> None:
    plain = write_clip(tmp_path / f"plain.{suffix}", times_ms=every(120), codec="mpeg4")
    clip = restamp(plain, tmp_path / f"c.{suffix}", lambda n, s: 319 + s if n in (40, 41) else s)
    source, frames = read_all(clip)
    assert seconds(frames) == pytest.approx([0.04 * i for i in range(120)], abs=0.0011)
    (told,) = source.closing_notices()
    assert told.startswith(f"c.{suffix}: 2 frame(s) have wrong time stamps, the first is frame 40")
    assert source.rate_hz == pytest.approx(25, rel=0.01)


def test_reordered_frames_with_a_wrong_time_stamp(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mp4", times_ms=every(60), codec="libx264")
    clip = restamp(plain, tmp_path / "b.mp4", lambda n, s: s + 200 if n == 20 else s)
    source, frames = read_all(clip)
    assert seconds(frames) == pytest.approx([0.04 * i for i in range(60)], abs=0.0011)
    assert source.closing_notices()[0].startswith("b.mp4: 1 frame(s) have wrong time stamps")


@pytest.mark.parametrize(("first_s", "second_s"), [(0, 0), (0, 40), (40, 0)])
def test_joined_recordings_run_on_over_the_cut(tmp_path: Path, first_s: int, second_s: int) -> None:
    joined = tmp_path / "joined.ts"
    for start_s in (first_s, second_s):
        times_ms = [1000 * start_s + ms for ms in every(50)]
        part = write_clip(tmp_path / "part.ts", times_ms=times_ms, codec="libx264")
        with joined.open("ab") as file:
            file.write(part.read_bytes())
    source, frames = read_all(joined)
    assert seconds(frames) == pytest.approx([0.04 * i for i in range(100)], abs=0.0011)
    (told,) = source.closing_notices()
    assert "time stamps leap at frame 50 from" in told


@pytest.mark.parametrize("early_ms", [40, 1_200])
def test_frames_before_the_files_zero_are_no_cut(tmp_path: Path, early_ms: int) -> None:
    """Matroska has no time stamps below 0: FFmpeg gives those frames none."""
    whole = write_clip(tmp_path / "whole.mkv", times_ms=every(50))
    path = tmp_path / "early.mkv"
    restamp(whole, path, lambda _, s: s - early_ms / 1000, avoid_negative_ts="disabled")
    source, frames = read_all(path)
    assert source.closing_notices() == ()
    assert seconds(frames) == pytest.approx([0.04 * i for i in range(50)], abs=0.3)
    assert np.diff(seconds(frames)).min() > 0


def test_in_a_loop_the_stamps_are_told_of_once(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mkv", times_ms=every(20), codec="mpeg4")
    clip = restamp(plain, tmp_path / "c.mkv", lambda n, s: 319 + s if n == 9 else s)
    source = VideoSource(clip)
    for _ in range(3):
        while source.read() is not None:
            pass
        source.rewind()
    source.close()
    assert len(source.closing_notices()) == 1


@pytest.mark.parametrize(
    ("times_ms", "rate_hz"),
    [
        ([ms + (7 * i) % 5 for i, ms in enumerate(every(90, 33))], 30.3),
        ([ms + (11 * i) % 13 for i, ms in enumerate(every(90))], 25.0),
        ([ms for i, ms in enumerate(every(90, 40)) if i % 10 != 7], 25.0),
    ],
)
def test_a_browsers_recording_has_the_rate_of_its_frames(
    tmp_path: Path, times_ms: list[int], rate_hz: float
) -> None:
    clip = without_rate(write_clip(tmp_path / "c.webm", times_ms=times_ms, codec="libvpx"))
    source, frames = read_all(clip)
    assert source.rate_hz == pytest.approx(rate_hz, rel=0.03)
    assert [frame.t_ns // 1_000_000 for frame in frames] == times_ms


def two_tracks(path: Path, default: int | None, cover: bool = False) -> Path:
    """A small dark track and a larger bright one."""
    with av.open(str(path), "w") as container:
        streams = []
        for number, width in enumerate((64, 128)):
            stream = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, 48, "yuv420p"
            stream.disposition = av.stream.Disposition(0)
            if number == default:
                stream.disposition = av.stream.Disposition.default
            elif cover:
                stream.disposition = av.stream.Disposition.attached_pic
            streams.append(stream)
        for i_frame in range(10):
            for stream, shade in zip(streams, (30, 200), strict=True):
                add_picture(container, stream, shade, 40 * i_frame)
        for stream in streams:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "default", "width"),
    [("two.mkv", 0, 64), ("two.mkv", 1, 128), ("two.mkv", None, 128), ("two.ts", 0, 128)],
)
def test_the_default_track_is_taken_else_the_largest(
    tmp_path: Path, name: str, default: int | None, width: int
) -> None:
    source, frames = read_all(two_tracks(tmp_path / name, default))
    assert len(frames) == 10
    assert frames[0].image.shape[1] == width
    assert source.notices == (
        f"{name} has 2 video tracks: number {width // 128}, {width}×48, is taken",
    )


def with_sound_first(path: Path, late_ms: int) -> Path:
    """Sound from the beginning, pictures from ``late_ms`` on."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 32_000), np.int16), "s16", "mono")
        samples.sample_rate, samples.pts = 8000, 0
        container.mux(sound.encode(samples))
        for i_frame in range(50):
            add_picture(container, stream, 4 * i_frame, late_ms + 40 * i_frame)
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
def test_pictures_that_start_after_the_sound_say_when(tmp_path: Path, suffix: str) -> None:
    source, frames = read_all(with_sound_first(tmp_path / f"late.{suffix}", 1_800))
    assert source.start_ns == pytest.approx(1_800_000_000, abs=2_000_000)
    assert frames[0].t_ns == 0
    (told,) = source.notices
    assert "the picture starts 1.80 s after the file does" in told
    together, _ = read_all(with_sound_first(tmp_path / f"together.{suffix}", 0))
    assert (together.start_ns, together.notices) == (0, ())


@pytest.mark.parametrize("name", ["timecode", "TIMECODE", "TimeCode"])
def test_a_timecode_is_found_whatever_its_case(tmp_path: Path, name: str) -> None:
    clip = tmp_path / "tc.mkv"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata[name] = "01:02:03:04"
        add_picture(container, stream, 0, 0)
        container.mux(stream.encode(None))
    assert VideoSource(clip).timecode == "01:02:03:04"
