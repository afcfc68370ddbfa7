"""From the words a user wrote to a source: camera, clip, images, network camera, performer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from livefacs.errors import ConfigError, SourceError
from livefacs.protocols import Source
from livefacs.resources import data_path
from livefacs.sources.cameras import CameraInfo, find_camera, list_cameras
from livefacs.sources.capture import CaptureWishes, is_browser, is_network_address
from livefacs.sources.livelink_csv import LiveLinkCsvSource, is_livelink_csv
from livefacs.sources.player import Clip, Player
from livefacs.sources.recorded_take import TakeSource, is_take
from livefacs.sources.sequence import is_image_spec
from livefacs.sources.trackers import TrackerSource, is_tracker
from livefacs.sources.turned import TURNS, TurnedClip, turning_opener
from livefacs.sources.video import VideoSource
from livefacs.sources.webcam import CameraSource


def open_source(
    spec: str,
    *,
    width: int = 640,
    height: int = 480,
    rate_hz: float = 30.0,
    pixel_format: str = "MJPG",
    realtime: bool = True,
    loop: bool = False,
    rotate: int = 0,
    n_threads: int = 0,
    notify: Callable[[str], None] = lambda _sentence: None,
) -> Source:
    """Open what a user asked for.

    Parameters
    ----------
    spec : str
        ``auto`` (the first camera that opens, else the performer), ``demo`` (the performer),
        a camera by index, name or path, ``rtsp://…`` or ``http://…``, ``browser`` (the camera of
        a page, ``browser://*`` for phones on the network), a video file,
        a folder of images or a pattern such as ``shots/*.png`` or ``shot.%04d.jpg``, a recorded
        take (to be replayed), another tracker (``livelink://:11111``), a CSV of Live Link Face.
    width, height : int
        Pixels asked of a camera; it may give others.
    rate_hz : float
        Frames per second asked of a camera; the rate of an image folder.
    pixel_format : str
        FourCC asked of a camera.
    realtime : bool
        Play clips and images at their own pace; otherwise every frame as fast as it goes.
    loop : bool
        Begin clips and images again at their end.
    rotate : int
        Degrees clockwise by which pictures are turned: 0, 90, 180 or 270.
    n_threads : int
        That decode a clip; 0: as many as there are cores.
    notify : callable(str)
        Takes plain sentences while the source runs, from any thread: what ``browser`` has to say.

    Raises
    ------
    ConfigError
        Pictures cannot be turned by so much.
    SourceError
        Nothing of that kind is there, or it cannot be opened.
    """
    wishes = CaptureWishes(width, height, rate_hz, pixel_format)
    _check_turn(spec, rotate)
    if spec == "auto":
        return _open_auto(wishes, rotate)
    if is_tracker(spec):
        return TrackerSource(spec)
    if is_browser(spec):
        from livefacs.sources.browser import BrowserSource  # a web server, which nothing else needs

        return BrowserSource(spec, wishes, degrees=rotate, notify=notify)
    camera = _camera_address(spec)
    if camera is not None:
        return CameraSource(camera, wishes, opener=turning_opener(rotate))
    clip = _open_clip(spec, rate_hz, n_threads)
    if clip is None:
        return _open_named_camera(spec, wishes, rotate)
    if rotate:
        clip = TurnedClip(clip, rotate)
    return Player(clip, realtime=realtime, loop=loop) if realtime or loop else clip


def _check_turn(spec: str, rotate: int) -> None:
    if rotate not in TURNS:
        raise ConfigError(f"--rotate {rotate}: expected 90, 180 or 270")
    if rotate and (is_tracker(spec) or is_take(spec) or is_livelink_csv(spec)):
        raise SourceError(f"{spec} brings no pictures that could be turned: leave out --rotate")


def _camera_address(spec: str) -> int | str | None:
    """Index, device path or network address; None where the words mean something else."""
    if spec.isdecimal():
        return int(spec)
    if is_network_address(spec) or spec.startswith("/dev/"):
        return spec
    return None


def _open_clip(spec: str, rate_hz: float, n_threads: int) -> Clip | None:
    """The performer, a take, images or a clip; None where there is no such file."""
    if spec == "demo":
        return VideoSource(data_path("performer.mp4"), n_threads=n_threads)
    if is_take(spec):
        return TakeSource(Path(spec))
    if is_livelink_csv(spec):
        return LiveLinkCsvSource(Path(spec))
    if is_image_spec(spec):
        from livefacs.sources.images import ImagesSource  # OpenCV, which a clip does not need

        return ImagesSource(spec, rate_hz)
    if Path(spec).exists():
        return VideoSource(Path(spec), n_threads=n_threads)
    return None


def _open_named_camera(name: str, wishes: CaptureWishes, rotate: int) -> Source:
    cameras = list_cameras()
    camera = find_camera(name, cameras)
    if camera is None:
        known = ", ".join(repr(camera.name) for camera in cameras) or "none found"
        raise SourceError(
            f"{name!r} is no file and names no single camera (cameras: {known}); expected auto, "
            "demo, a camera's number or name, a clip, images, rtsp://…, http://…, browser or "
            "another program (livelink://:11111, ifacialmocap://PHONE, vmc://:39539 …)"
        )
    return CameraSource(
        camera.path or camera.index, wishes, name=camera.name, opener=turning_opener(rotate)
    )


def _open_auto(wishes: CaptureWishes, rotate: int) -> Source:
    """The first camera that opens; else the performer, with a sentence saying so."""
    reasons = []
    for camera in list_cameras() or [CameraInfo(0, "camera 0")]:
        try:
            return CameraSource(
                camera.path or camera.index,
                wishes,
                name=camera.name,
                opener=turning_opener(rotate),
            )
        except SourceError as error:
            reasons.append(str(error))
    performer = Player(VideoSource(data_path("performer.mp4")), loop=True)
    why = "; ".join(reasons)
    performer.notices = (
        f"No camera could be opened, so the bundled performer plays instead ({why}).",
    )
    return performer


def gives_shapes(spec: str) -> bool:
    """True where a source brings another tracker's shapes in place of images."""
    return is_tracker(spec) or is_livelink_csv(spec)
