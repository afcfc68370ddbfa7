"""From a user's words to a source."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from livefacs.errors import SourceError
from livefacs.sources import cameras, open_source
from livefacs.sources import source_from_words as opening
from livefacs.sources.cameras import CameraInfo, find_camera, list_cameras
from livefacs.sources.capture import CaptureWishes
from livefacs.sources.images import ImagesSource
from livefacs.sources.player import Player
from livefacs.sources.recorded_take import TakeSource
from livefacs.sources.video import VideoSource
from livefacs.sources.webcam import CameraSource
from tests.sources.clips import every, write_clip
from tests.sources.mjpeg import MjpegCamera
from tests.take.synthetic import make_take, tracked_frame


def test_demo_is_the_performer_in_real_time() -> None:
    source = open_source("demo")
    assert source.is_live
    assert source.description == "performer.mp4, 640×480, 30 fps, in real time"
    source.close()


def test_files_come_as_fast_as_they_go_when_asked(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mkv", times_ms=every(3))
    source = open_source(str(clip), realtime=False)
    assert isinstance(source, VideoSource)
    assert not source.is_live
    source.close()
    looped = open_source(str(clip), realtime=False, loop=True)
    assert isinstance(looped, Player)
    looped.close()


def test_a_folder_of_images_takes_the_asked_rate(tmp_path: Path) -> None:
    encoded = cv2.imencode(".png", np.zeros((4, 6, 3), np.uint8))[1]
    (tmp_path / "1.png").write_bytes(encoded.tobytes())
    for spec in (str(tmp_path), str(tmp_path / "*.png"), str(tmp_path / "1.png")):
        source = open_source(spec, rate_hz=12.5, realtime=False)
        assert isinstance(source, ImagesSource)
        assert source.rate_hz == 12.5


def test_a_network_address_is_a_camera() -> None:
    camera = MjpegCamera()
    source = open_source(camera.url, rate_hz=60)
    assert isinstance(source, CameraSource)
    assert source.read() is not None
    assert source.rate_hz == 60
    source.close()
    camera.close()


def test_a_take_is_replayed_with_its_numbers_and_times(tmp_path: Path) -> None:
    numbers = [0, 1, 2, 5, 6]
    make_take(tmp_path / "take", [tracked_frame(number) for number in numbers])
    source = open_source(str(tmp_path / "take"), realtime=False)
    assert isinstance(source, TakeSource)
    frames = [source.read() for _ in numbers]
    assert [frame.i_frame for frame in frames if frame] == numbers
    assert [frame.t_ns for frame in frames if frame] == [round(n * 1e9 / 60) for n in numbers]
    assert frames[0] is not None
    assert frames[0].image.shape == (480, 640, 3)
    assert source.read() is None
    source.rewind()
    assert source.read() is not None


@pytest.mark.parametrize("spec", ["clip-that-is-not-there.mp4", "Facecam Pro", "http:/typo"])
def test_what_is_nothing_is_told_with_what_could_be(spec: str) -> None:
    with pytest.raises(SourceError, match=r"is no file and names no single camera .*livelink://"):
        open_source(spec)


def test_auto_plays_the_performer_where_no_camera_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "list_cameras", lambda: [CameraInfo(62, "Absent")])
    source = open_source("auto")
    assert isinstance(source, Player)
    assert source.is_live
    assert "bundled performer plays instead" in source.notices[0]
    assert source.read() is not None
    source.close()


def test_auto_takes_the_first_camera_that_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    class Opened:
        def __init__(
            self, address: int | str, _wishes: CaptureWishes, *, name: str, opener: object
        ) -> None:
            if address != "/dev/video2":
                raise SourceError("busy")
            self.name = name

    found = [CameraInfo(0, "Busy", "/dev/video0"), CameraInfo(2, "Good", "/dev/video2")]
    monkeypatch.setattr(opening, "list_cameras", lambda: found)
    monkeypatch.setattr(opening, "CameraSource", Opened)
    source = open_source("auto")
    assert isinstance(source, Opened)
    assert source.name == "Good"


def test_cameras_are_found_by_whole_name_or_part() -> None:
    found = [
        CameraInfo(0, "Integrated Camera"),
        CameraInfo(2, "Logitech BRIO"),
        CameraInfo(4, "BRIO"),
    ]
    for spec, index in (("brio", 4), ("logitech", 2), ("integrated camera", 0)):
        camera = find_camera(spec, found)
        assert camera is not None
        assert camera.index == index
    assert find_camera("cam", [*found, CameraInfo(6, "Other Cam")]) is None
    assert find_camera("nothing", found) is None


@pytest.mark.skipif(os.name == "nt", reason="Linux's device tree; Windows forbids its names")
def test_linux_cameras_without_their_metadata_nodes(tmp_path: Path) -> None:
    for node, index, name in (
        ("video10", "0", "Second"),
        ("video0", "0", "First"),
        ("video1", "1", "First"),
    ):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n")
        (tmp_path / node / "name").write_text(f"{name}\n")
    assert list_cameras(tmp_path) == [
        CameraInfo(0, "First", "/dev/video0"),
        CameraInfo(10, "Second", "/dev/video10"),
    ]


@pytest.mark.parametrize("platform", ["darwin", "win32", "linux"])
def test_listing_never_fails(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras.sys, "platform", platform)
    assert list_cameras(tmp_path / "absent") == []
