"""Cameras through the real class: a network camera that stalls, dies and comes back."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from livefacs.arrays import U8
from livefacs.clock import now_ns
from livefacs.errors import SourceError
from livefacs.protocols import SelfReading, Source
from livefacs.sources import capture, device
from livefacs.sources.capture import CaptureLost, CaptureWishes
from livefacs.sources.webcam import CameraSource
from tests.sources.mjpeg import MjpegCamera
from tests.support.waiting import PATIENCE_S, wait_until


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    served = MjpegCamera()
    yield served
    served.close()


@pytest.fixture
def source(camera: MjpegCamera) -> Iterator[CameraSource]:
    opened = CameraSource(camera.url)
    yield opened
    opened.close()


def test_pictures_come_with_rising_numbers_and_grab_times(source: CameraSource) -> None:
    frames = [source.read() for _ in range(10)]
    assert isinstance(source, Source)
    assert isinstance(source, SelfReading)  # a session adds no hand-over of its own
    numbers = [frame.i_frame for frame in frames if frame]
    times = [frame.t_ns for frame in frames if frame]
    assert len(frames) == len(numbers)
    assert numbers == sorted(set(numbers))
    assert times == sorted(set(times))
    assert all(0 <= now_ns() - t_ns < 5e9 for t_ns in times)
    assert frames[0] is not None
    assert frames[0].image.shape == (48, 64, 3)
    assert "64×48" in source.description


def test_a_slow_reader_gets_the_newest_picture_and_drops_are_counted(
    camera: MjpegCamera, source: CameraSource
) -> None:
    before = source.read()
    n_sent = camera.n_sent
    wait_until(lambda: camera.n_sent >= n_sent + 20)
    wait_until(lambda: source.n_dropped >= 10)
    newest = source.read()
    assert before is not None
    assert newest is not None
    assert newest.i_frame - before.i_frame > 10
    assert int(newest.image.mean()) >= n_sent + 10  # brightness counts what was sent
    assert source.n_dropped >= 10


def test_a_stalled_connection_is_taken_up_again(camera: MjpegCamera, source: CameraSource) -> None:
    first = source.read()
    camera.stall()
    wait_until(lambda: source.is_lost)
    camera.flow()
    wait_until(lambda: not source.is_lost)
    frames = [source.read() for _ in range(3)]
    assert first is not None
    assert all(frame is not None and frame.i_frame > first.i_frame for frame in frames)
    assert source.n_losses == 1
    assert source.lost_ns > 0
    assert "was lost 1 time(s)" in source.closing_notices()[0]


def test_a_killed_and_restarted_camera_comes_back_by_itself(
    camera: MjpegCamera, source: CameraSource
) -> None:
    for n_times in (1, 2):
        camera.kill()
        wait_until(lambda: source.is_lost)
        assert "away at the end" in source.closing_notices()[0]
        camera.start()
        wait_until(lambda: not source.is_lost)
        assert source.read() is not None
        assert source.n_losses == n_times
    assert camera.n_connections >= 3


def test_close_ends_a_read_that_waits_for_a_stalled_camera(
    camera: MjpegCamera, source: CameraSource
) -> None:
    camera.stall()
    ended = threading.Event()

    def read_to_the_end() -> None:
        while source.read() is not None:
            pass
        ended.set()

    threading.Thread(target=read_to_the_end, daemon=True).start()
    began = time.perf_counter()
    source.close()
    assert ended.wait(PATIENCE_S)
    assert time.perf_counter() - began < 3.0


def test_damaged_pictures_are_skipped_and_counted(
    camera: MjpegCamera, source: CameraSource
) -> None:
    whole = camera._picture()
    camera.picture_override = whole[:2] + b"\x00" * 40
    wait_until(lambda: source.n_damaged >= 3)
    camera.picture_override = None
    assert source.read() is not None
    assert any("damaged" in notice for notice in source.closing_notices())


def test_an_absent_camera_is_told_at_once(camera: MjpegCamera) -> None:
    camera.kill()
    with pytest.raises(SourceError, match="no picture from http://127") as caught:
        CameraSource(camera.url)
    assert "\n" not in str(caught.value)
    assert camera.start() is None


def test_an_address_without_pictures_is_told(camera: MjpegCamera) -> None:
    camera.picture_override = b"this is text, not a picture " * 20
    with pytest.raises(SourceError, match="decoded as a picture"):
        CameraSource(camera.url)


def test_passwords_are_not_shown() -> None:
    with pytest.raises(SourceError) as caught:
        CameraSource("rtsp://me:secret@127.0.0.1:1/x")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", [63, "/dev/video-none"])
def test_a_missing_device_is_told(address: int | str) -> None:
    with pytest.raises(SourceError, match="camera") as caught:
        CameraSource(address)
    assert "livefacs cameras" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_opencv_s_capture_gives_rgb_and_is_opened_again_at_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenCV's own object, on a short file instead of a device: its end is a pulled cable."""
    clip = tmp_path / "device.avi"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 30, (64, 48))
    blue_bgr = np.zeros((48, 64, 3), np.uint8)
    blue_bgr[..., 0] = 250
    for _ in range(5):
        writer.write(blue_bgr)
    writer.release()
    monkeypatch.setattr(device, "_DEVICE_BACKENDS", {sys.platform: (cv2.CAP_FFMPEG,)})
    source = CameraSource(str(clip))
    frame = source.read()
    assert frame is not None
    red, green, blue = frame.image.reshape(-1, 3).mean(axis=0)
    assert blue > 200
    assert max(red, green) < 50
    assert "64×48, 30 fps" in source.description
    wait_until(lambda: source.n_losses >= 2)
    assert source.lost_ns > 200_000_000
    source.close()


class Device:
    """Stands for a USB camera whose cable the test pulls."""

    rate_hz = 50.0
    format_in_words = "50 fps, MJPG"

    def __init__(self, plug: Plug) -> None:
        self.plug = plug

    def grab(self) -> tuple[U8, int] | None:
        if self.plug.silent or self.plug.pulled.wait(0.005):
            raise CaptureLost
        return np.zeros((4, 4, 3), np.uint8), now_ns()

    def close(self) -> None:
        self.plug.n_closed += 1


class Plug:
    """Where a device is plugged in; opens it, or says that it is gone."""

    def __init__(self) -> None:
        self.pulled = threading.Event()
        self.silent = False
        self.n_closed = 0
        self.attempts: list[float] = []

    def open(self, _address: int | str, _wishes: CaptureWishes) -> Device:
        self.attempts.append(time.perf_counter())
        if self.pulled.is_set():
            raise SourceError("gone")
        return Device(self)


def test_an_unplugged_device_is_retried_with_growing_pauses() -> None:
    plug = Plug()
    source = CameraSource(0, opener=plug.open)
    assert source.read() is not None
    assert source.rate_hz == 50.0
    plug.pulled.set()
    wait_until(lambda: len(plug.attempts) >= 4)
    pauses = np.diff(plug.attempts)[1:]
    assert pauses[1] > 1.5 * pauses[0]
    plug.pulled.clear()
    wait_until(lambda: not source.is_lost)
    assert source.read() is not None
    assert source.n_losses == 1
    source.close()
    assert plug.n_closed == 2


def test_macos_is_asked_for_permission_in_the_caller_s_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, threading.Thread]] = []

    class Recorded:
        def __init__(self, address: int, _backend: int) -> None:
            asked.append((address, threading.current_thread()))

        def release(self) -> None:
            pass

    monkeypatch.setattr(capture.sys, "platform", "darwin")
    monkeypatch.setattr(cv2, "VideoCapture", Recorded)
    source = CameraSource(3, opener=Plug().open)
    assert asked == [(3, threading.current_thread())]
    source.close()


def test_a_device_that_opens_but_is_silent_is_told() -> None:
    plug = Plug()
    plug.silent = True
    with pytest.raises(SourceError, match="gives no picture"):
        CameraSource(0, opener=plug.open)
    assert plug.n_closed == 1


def test_an_unforeseen_failure_reaches_the_reader() -> None:
    plug = Plug()
    source = CameraSource(0, opener=plug.open)

    def fail(_self: Device) -> None:
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Device, "grab", fail)
        wait_until(lambda: source._failure is not None)
    with pytest.raises(ZeroDivisionError):
        source.read()
    source.close()


def test_a_camera_file_that_is_a_clip_is_refused(tmp_path: Path) -> None:
    import functools
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from livefacs.resources import data_path

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "clip.mp4").write_bytes(data_path("performer.mp4").read_bytes())
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with pytest.raises(SourceError, match="is a clip, not a camera"):
            CameraSource(f"http://127.0.0.1:{server.server_address[1]}/clip.mp4")
        server.shutdown()
