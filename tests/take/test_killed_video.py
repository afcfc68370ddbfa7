"""After a kill: the stamps of a take name no picture that its video does not hold."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from livefacs.sinks.recorder import RecorderSink
from livefacs.take.catalog import repair
from livefacs.take.integrity import errors_of
from livefacs.take.reader import Take
from livefacs.take.video_samples import n_video_samples
from tests.support.waiting import wait_until
from tests.take.synthetic import clip_info, tracked_frame

N_FRAMES = 40


def decoded(path: Path) -> int:
    """Pictures as an independent decoder sees them."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """What lies on the disk in the middle of a recording, as a kill leaves it."""
    sink = RecorderSink(tmp_path / "t", clip_info(), video=True)
    for i in range(N_FRAMES):
        image = np.full((48, 64, 3), 40 + 4 * (i % 20), np.uint8)
        sink.send(replace(tracked_frame(i), image=image))
    stamps = tmp_path / "t" / "video.rec"
    wait_until(lambda: stamps.exists() and stamps.stat().st_size == 16 * N_FRAMES)
    shutil.copytree(tmp_path / "t", tmp_path / "killed")
    sink.close()
    return tmp_path / "killed"


def test_repair_names_what_did_not_reach_the_video(killed: Path) -> None:
    n_there = decoded(killed / "video.mp4")
    n_missing = N_FRAMES - n_there
    assert n_missing > 0, "the encoder held nothing back: this test shows nothing"
    assert len(Take(killed).video_stamps()) == n_there
    report = repair(killed)
    assert report.n_rows == N_FRAMES
    assert report.torn["video.rec"] == 16 * n_missing
    assert any(f"{n_missing} of {N_FRAMES} pictures did not reach" in f for f in report.errors)
    take = Take(killed)
    assert len(take.video_stamps()) == n_there
    assert errors_of(take) == ()
    assert (killed / "torn" / f"video.rec.{16 * n_there}").stat().st_size == 16 * n_missing


def test_a_closed_take_has_every_picture(tmp_path: Path, killed: Path) -> None:
    take = Take(tmp_path / "t")
    assert n_video_samples(take.folder / "video.mp4") == N_FRAMES
    assert decoded(take.folder / "video.mp4") == N_FRAMES
    assert len(take.video_stamps()) == N_FRAMES
    assert errors_of(take) == ()


def test_a_video_that_was_cut_off_later_is_a_error_and_keeps_its_stamps(
    tmp_path: Path, killed: Path
) -> None:
    video = tmp_path / "t" / "video.mp4"
    whole = video.read_bytes()
    for cut in range(len(whole) - 1, 200, -len(whole) // 17):
        video.write_bytes(whole[:cut])
        n_there = n_video_samples(video)
        if n_there is None:  # not even its header is whole
            continue
        take = Take(tmp_path / "t")
        assert n_there < N_FRAMES
        assert f"{N_FRAMES - n_there} of {N_FRAMES} pictures" in errors_of(take)[-1]
        assert len(take.video_stamps()) == n_there
    assert "video.rec" not in repair(tmp_path / "t").torn
    video.write_bytes(whole)
    assert len(Take(tmp_path / "t").video_stamps()) == N_FRAMES


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense" * 10,
        b"\0\0\0\0moof",
        b"\0\0\0\1moof" + b"\xff" * 8,
        b"\0\0\0\x08moof" * 1000,
        b"\0\0\0\x18moof\0\0\0\x10traf\0\0\0\x00trun\0\0\0\0",
        b"\0\0\0\x07moof",
    ],
)
def test_rubbish_in_its_place_is_counted_or_not_but_ends(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    assert n_video_samples(path) in (None, 0)
    assert n_video_samples(tmp_path / "absent") is None


def test_an_open_take_says_nothing_of_pictures_on_their_way(killed: Path) -> None:
    assert json.loads((killed / "take.json").read_text())["state"] == "recording"
    assert not any("pictures" in error for error in errors_of(Take(killed)))
