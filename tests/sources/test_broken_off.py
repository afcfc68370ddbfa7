"""Clips that break off are told as incomplete, whatever their container; whole ones are not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from livefacs.errors import SourceError
from livefacs.sources.broken_off import CHECKS, is_broken_off
from livefacs.sources.video import VideoSource

N_FRAMES = 60
CONTAINERS = {
    "flv": "flv",
    "wmv": "wmv2",
    "asf": "msmpeg4",
    "mpg": "mpeg2video",
    "vob": "mpeg2video",
    "ts": "mpeg2video",
    "m2ts": "mpeg2video",
    "mkv": "mpeg4",
    "webm": "libvpx",
    "mxf": "mpeg2video",
    "nut": "mpeg4",
    "avi": "mpeg4",
    "mp4": "mpeg4",
}
MUXERS = {"mp4": {"movflags": "frag_keyframe+empty_moov"}}
"""Else the index stands at the end, and nothing can be read of a file without."""


def write(path: Path, codec: str, *, with_sound: bool = False) -> Path:
    """Two seconds of noise that moves: every frame has some bytes."""
    options = MUXERS.get(path.suffix[1:], {})
    noise = np.random.default_rng(1).integers(0, 255, (96, 256, 3), np.uint8)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=25, options={"g": "10"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        sound = container.add_stream("mp2", rate=48_000) if with_sound else None
        for i_frame in range(N_FRAMES):
            image = np.ascontiguousarray(noise[:, i_frame : i_frame + 128])
            picture = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            picture.pts, picture.time_base = i_frame, Fraction(1, 25)
            container.mux(stream.encode(picture))
            if sound is not None:
                tone = np.random.default_rng(i_frame).integers(-9999, 9999, (1, 3840), np.int16)
                frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="stereo")
                frame.sample_rate, frame.pts = 48_000, i_frame * 1920
                container.mux(sound.encode(frame))
        for each in (stream, sound):
            if each is not None:
                container.mux(each.encode(None))
    return path


def read(path: Path) -> tuple[int, tuple[str, ...]]:
    try:
        source = VideoSource(path)
    except SourceError as error:  # what is needed to begin stands at the end of some
        return 0, (str(error).replace("is the file complete", "the file may be incomplete"),)
    n_frames = sum(1 for _ in iter(source.read, None))
    source.close()
    return n_frames, source.closing_notices()


def whole_and_cuts(path: Path) -> list[Path]:
    data = path.read_bytes()
    cuts = []
    for share in (0.6, 0.8, 0.95, 0.99):
        cut = path.with_name(f"cut-{share}{path.suffix}")
        cut.write_bytes(data[: int(len(data) * share) | 1])  # odd: no packet of a stream ends there
        cuts.append(cut)
    return cuts


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_clip_that_breaks_off_is_told(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"whole.{suffix}", CONTAINERS[suffix])
    assert read(whole) == (N_FRAMES, ())
    for cut in whole_and_cuts(whole):
        n_frames, notices = read(cut)
        if n_frames < N_FRAMES:  # the very end may hold an index alone
            assert "the file may be incomplete" in notices[-1], (cut, n_frames, notices)


@pytest.mark.parametrize("suffix", ["mkv", "mpg", "ts", "avi"])
def test_so_is_one_that_breaks_off_in_its_sound(tmp_path: Path, suffix: str) -> None:
    whole = write(tmp_path / f"whole.{suffix}", CONTAINERS[suffix], with_sound=True)
    assert read(whole)[1] == ()
    for cut in whole_and_cuts(whole):
        n_frames, notices = read(cut)
        if n_frames < N_FRAMES:
            assert "the file may be incomplete" in notices[-1], (cut, n_frames, notices)


def test_sizes_left_open_are_no_break(tmp_path: Path) -> None:
    """As FFmpeg and browsers write them to a pipe."""
    whole = write(tmp_path / "whole.mkv", "mpeg4")
    data = bytearray(whole.read_bytes())
    at = data.index(b"\x18\x53\x80\x67") + 4
    data[at : at + 8] = b"\x01" + b"\xff" * 7
    (tmp_path / "open.mkv").write_bytes(data)
    assert not is_broken_off(tmp_path / "open.mkv", "matroska,webm")


@pytest.mark.parametrize("container", [*CHECKS, "another"])
def test_rubbish_is_no_error(tmp_path: Path, container: str) -> None:
    rng = np.random.default_rng(3)
    path = tmp_path / "rubbish"
    assert not is_broken_off(path, container)
    for n_bytes in (0, 1, 3, 4, 16, 27, 200, 5000):
        for data in (bytes(n_bytes), rng.bytes(n_bytes), b"\xff" * n_bytes):
            path.write_bytes(data)
            assert is_broken_off(path, container) in (True, False)
