"""Clips: exact times, upright pictures, damage counted, broken files refused in one line."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from livefacs.errors import SourceError
from livefacs.protocols import Source
from livefacs.resources import data_path
from livefacs.sources.upright import turned_by_display_matrix
from livefacs.sources.video import VideoSource
from livefacs.types import Frame
from tests.sources.clips import brightness, damage, every, set_display_matrix, write_clip

ONE, W_ONE = 1 << 16, 1 << 30


def frames_of(path: Path) -> list[Frame]:
    source = VideoSource(path)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def test_every_frame_comes_in_order_with_its_number(tmp_path: Path) -> None:
    frames = frames_of(write_clip(tmp_path / "a.mkv", times_ms=every(25)))
    assert [frame.i_frame for frame in frames] == list(range(25))
    for frame in frames:
        assert abs(int(frame.image.mean()) - brightness(frame.i_frame)) <= 2
        assert frame.image.dtype == np.uint8
        assert frame.image.shape == (48, 64, 3)
        assert frame.image.flags.c_contiguous


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_variable_frame_rate_keeps_exact_times(tmp_path: Path, suffix: str) -> None:
    times_ms = [0, 33, 66, 200, 201, 450, 1000]
    frames = frames_of(write_clip(tmp_path / f"vfr.{suffix}", times_ms=times_ms))
    assert [frame.t_ns for frame in frames] == [time_ms * 1_000_000 for time_ms in times_ms]


def test_times_start_at_zero_wherever_the_file_starts(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "late.mkv", times_ms=[5_000, 5_040, 5_100])
    assert [frame.t_ns for frame in frames_of(clip)] == [0, 40_000_000, 100_000_000]


def test_reordered_frames_come_in_presentation_order(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "b.mp4", times_ms=every(30), codec="libx264")
    frames = frames_of(clip)
    assert [frame.t_ns for frame in frames] == [time * 1_000_000 for time in every(30)]
    assert all(abs(int(f.image.mean()) - brightness(f.i_frame)) <= 4 for f in frames)


def test_one_thread_decodes_what_many_do() -> None:
    sources = [VideoSource(data_path("performer.mp4"), n_threads=n) for n in (1, 0)]
    for _ in range(40):
        one, many = (source.read() for source in sources)
        assert one is not None
        assert many is not None
        assert (one.i_frame, one.t_ns) == (many.i_frame, many.t_ns)
        np.testing.assert_array_equal(one.image, many.image)
    for source in sources:
        source.close()


def test_times_of_the_performer_are_thirtieths_of_a_second() -> None:
    frames = frames_of(data_path("performer.mp4"))
    assert [frame.t_ns for frame in frames] == [round(i * 1e9 / 30) for i in range(420)]


@pytest.mark.parametrize("size", [(63, 47), (1, 1), (8, 8), (640, 2), (358, 202)])
def test_odd_and_tiny_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    clip = write_clip(tmp_path / "odd.mkv", times_ms=every(3), size=size, pix_fmt="yuv444p")
    image = frames_of(clip)[2].image
    assert image.shape == (size[1], size[0], 3)
    assert image.flags.c_contiguous


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p10le", "gray", "gray16le", "bgra"])
def test_ten_bits_and_grey_become_rgb_bytes(tmp_path: Path, pix_fmt: str) -> None:
    clip = write_clip(tmp_path / "deep.mkv", times_ms=every(4), pix_fmt=pix_fmt)
    frames = frames_of(clip)
    assert frames[3].image.shape == (48, 64, 3)
    assert abs(int(frames[3].image.mean()) - brightness(3)) <= 2


@pytest.mark.parametrize(
    ("matrix", "white_corner"),
    [
        ((ONE, 0, 0, 0, ONE, 0, 0, 0, W_ONE), (0, 0)),
        ((0, ONE, 0, -ONE, 0, 0, 48 << 16, 0, W_ONE), (0, -1)),  # a quarter turn clockwise
        ((-ONE, 0, 0, 0, -ONE, 0, 64 << 16, 48 << 16, W_ONE), (-1, -1)),
        ((0, -ONE, 0, ONE, 0, 0, 0, 64 << 16, W_ONE), (-1, 0)),
        ((-ONE, 0, 0, 0, ONE, 0, 64 << 16, 0, W_ONE), (0, -1)),  # mirrored
    ],
)
def test_rotation_is_applied(
    tmp_path: Path, matrix: tuple[int, ...], white_corner: tuple[int, int]
) -> None:
    clip = write_clip(tmp_path / "turned.mp4", times_ms=every(3), codec="libx264", corner=True)
    set_display_matrix(clip, matrix)
    image = frames_of(clip)[0].image
    is_turned = matrix[0] == 0
    assert image.shape == ((64, 48, 3) if is_turned else (48, 64, 3))
    assert image.flags.c_contiguous
    corners = {(y, x): int(image[y, x].mean()) for y in (0, -1) for x in (0, -1)}
    assert max(corners, key=lambda corner: corners[corner]) == white_corner


def test_display_matrix_of_all_eight_orientations() -> None:
    image = np.arange(6, dtype=np.uint8).reshape(2, 3, 1).repeat(3, axis=2)
    for a, b, c, d in [
        *((i, 0, 0, j) for i in (1, -1) for j in (1, -1)),
        *((0, i, j, 0) for i in (1, -1) for j in (1, -1)),
    ]:
        matrix = np.array((a, b, 0, c, d, 0, 0, 0, 1), np.int32).tobytes()
        shown = turned_by_display_matrix(image, matrix)
        at_x = [a * x + c * y for y in range(2) for x in range(3)]
        at_y = [b * x + d * y for y in range(2) for x in range(3)]
        for i, (x, y) in enumerate(zip(at_x, at_y, strict=True)):
            assert shown[y - min(at_y), x - min(at_x), 0] == i


def test_damaged_packets_are_counted_and_leave_gaps(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "hurt.mkv", times_ms=every(40), size=(320, 240), corner=True)
    damage(clip, 0.5, 40)
    source = VideoSource(clip)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    assert source.n_damaged >= 1
    assert len(frames) + source.n_damaged == 40
    assert frames[-1].i_frame == 39
    assert frames[-1].t_ns == every(40)[-1] * 1_000_000
    assert "damaged" in source.closing_notices()[0]
    source.close()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_damage_in_a_real_clip_loses_no_other_frame(tmp_path: Path, share: float) -> None:
    """H.264 with reordered frames, decoded by several threads: every frame is given or counted."""
    clip = tmp_path / "hurt.mp4"
    clip.write_bytes(data_path("performer.mp4").read_bytes())
    damage(clip, share, 150)
    source = VideoSource(clip)
    frames = []
    while (frame := source.read()) is not None:
        frames.append((frame.i_frame, frame.t_ns))
    source.close()
    assert len(frames) + source.n_damaged == 420
    assert frames[-1] == (419, round(419e9 / 30))
    assert frames == sorted(frames)


def test_pixels_are_made_square(tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "wide.mp4", times_ms=every(3), codec="libx264", pixel_aspect=Fraction(3, 2)
    )
    assert frames_of(clip)[0].image.shape == (48, 96, 3)


def test_a_file_without_an_index_that_breaks_off_says_so(tmp_path: Path) -> None:
    late = [5_000 + time_ms for time_ms in every(60)]
    for times_ms in (every(60), late):
        clip = write_clip(tmp_path / "whole.mkv", times_ms=times_ms, size=(320, 240), corner=True)
        whole = VideoSource(clip)
        while whole.read() is not None:
            pass
        assert whole.n_frames is None
        assert whole.closing_notices() == ()
        whole.close()
        data = clip.read_bytes()
        (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
        cut = VideoSource(tmp_path / "cut.mkv")
        n_read = sum(1 for _ in iter(cut.read, None))
        assert 0 < n_read < 60
        (notice,) = cut.closing_notices()
        assert "the file may be incomplete" in notice
        cut.close()


def test_a_file_that_breaks_off_gives_what_is_there(tmp_path: Path) -> None:
    clip = tmp_path / "short.mp4"
    clip.write_bytes(data_path("performer.mp4").read_bytes()[:200_000])
    source = VideoSource(clip)
    n_read = 0
    while source.read() is not None:
        n_read += 1
    assert 100 < n_read < 420
    assert "of 420 frames" in source.closing_notices()[0]
    source.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read as video"),
        (b"not a clip at all " * 100, "cannot be read as video"),
        (data_path("performer.mp4").read_bytes()[:100], "video"),
        (data_path("performer.mp4").read_bytes()[36:], "video"),
    ],
)
def test_unreadable_files_say_so(tmp_path: Path, content: bytes, words: str) -> None:
    clip = tmp_path / "broken.mp4"
    clip.write_bytes(content)
    with pytest.raises(SourceError, match=words) as caught:
        VideoSource(clip)
    assert "\n" not in str(caught.value)
    assert "broken.mp4" in str(caught.value)


def test_a_clip_whose_pictures_are_all_gone_is_refused(tmp_path: Path) -> None:
    clip = tmp_path / "gone.mp4"
    clip.write_bytes(data_path("performer.mp4").read_bytes()[:5_900])
    with pytest.raises(SourceError, match="no frame could be decoded"):
        VideoSource(clip)


def test_sound_without_pictures_is_refused(tmp_path: Path) -> None:
    import av

    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        samples.sample_rate = 8000
        container.mux(stream.encode(samples))
    with pytest.raises(SourceError, match="no video stream"):
        VideoSource(sound)


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no clip at"):
        VideoSource(tmp_path / "absent.mp4")


def test_rewind_gives_the_same_frames_again(tmp_path: Path) -> None:
    source = VideoSource(write_clip(tmp_path / "a.mkv", times_ms=every(5)))
    first = [source.read() for _ in range(3)]
    source.rewind()
    again = [source.read() for _ in range(3)]
    for one, other in zip(first, again, strict=True):
        assert one is not None
        assert other is not None
        assert (one.t_ns, one.i_frame) == (other.t_ns, other.i_frame)
        np.testing.assert_array_equal(one.image, other.image)
    source.close()


def test_close_from_another_thread_ends_the_reading() -> None:
    source = VideoSource(data_path("performer.mp4"))
    assert source.read() is not None
    closer = threading.Thread(target=source.close)
    closer.start()
    while source.read() is not None:
        pass
    closer.join()
    assert source.read() is None
    source.close()


def test_it_is_a_source_and_says_what_it_is() -> None:
    source = VideoSource(data_path("performer.mp4"))
    assert isinstance(source, Source)
    assert source.description == "performer.mp4, 640×480, 30 fps"
    assert (source.n_frames, source.rate_hz, source.is_live) == (420, 30.0, False)
    assert source.closing_notices() == ()
    source.close()


def test_timecode_of_the_file_is_found(tmp_path: Path) -> None:
    import av

    clip = tmp_path / "tc.mov"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.metadata["timecode"] = "01:02:03:04"
        for _ in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    source = VideoSource(clip)
    assert source.timecode == "01:02:03:04"
    source.close()
