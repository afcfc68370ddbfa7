"""One opened camera: grab a picture, with the moment it came. OpenCV for devices (``device``), PyAV
for the network; what loses and finds them again is ``webcam.CameraSource``.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import av
import numpy as np
from av.error import ExitError, FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from livefacs.arrays import U8
from livefacs.clock import now_ns
from livefacs.errors import SourceError
from livefacs.printable import without_secrets

NETWORK_SCHEMES: Final = ("rtsp", "rtsps", "http", "https")
BROWSER: Final = "browser"
OPEN_TIMEOUT_S: Final = 5.0
READ_TIMEOUT_S: Final = 2.0

av.logging.set_level(None)  # what goes wrong comes back as exceptions


class CaptureLost(Exception):
    """The camera gives nothing more; opening it again may help."""


@dataclass(frozen=True, slots=True)
class CaptureWishes:
    """What is asked of a camera; it may give something else."""

    width: int = 640
    height: int = 480
    rate_hz: float = 30.0
    pixel_format: str = "MJPG"


class Capture(Protocol):
    """An open camera, used by one thread.

    Attributes
    ----------
    rate_hz : float
    format_in_words : str
        Rate and pixel format as the camera reports them.
    """

    rate_hz: float
    format_in_words: str

    def grab(self) -> tuple[U8, int] | None:
        """The next picture, (H, W, 3) uint8 RGB, and its session time in nanoseconds.

        None for a picture that came damaged.

        Raises
        ------
        CaptureLost
            Nothing came in time, or the camera has gone.
        """

    def close(self) -> None:
        """Let the camera go."""


class NetworkCapture:
    """A camera at an ``rtsp://`` or ``http://`` (MJPEG) address."""

    def __init__(self, url: str, wishes: CaptureWishes) -> None:
        options = {"fflags": "nobuffer", "flags": "low_delay"}
        if urlsplit(url).scheme.startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        try:
            self._container = av.open(
                url, options=options, timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S)
            )
        except (FFmpegError, OSError, ValueError) as error:
            raise SourceError(
                f"no picture from {without_secrets(url)} ({_reason(error)}); "
                "is the camera on, and its address and path right?"
            ) from None
        self._check_stream(url)
        self.rate_hz = wishes.rate_hz
        self.format_in_words = f"{self._container.streams.video[0].codec_context.name}, network"
        self._pictures = self._decode()

    def grab(self) -> tuple[U8, int] | None:
        """The next picture and the moment its last packet arrived."""
        found = next(self._pictures, None)
        if found is None:
            raise CaptureLost
        picture, t_ns = found
        return None if picture is None else (rgb_from_picture(picture), t_ns)

    def close(self) -> None:
        """Let the connection go."""
        self._container.close()

    def _check_stream(self, url: str) -> None:
        error = None
        if not self._container.streams.video:
            error = "sends no pictures"
        elif self._container.duration:
            error = "is a clip, not a camera; save it and give its path"
        if error is not None:
            self._container.close()
            raise SourceError(f"{without_secrets(url)} {error}")

    def _decode(self) -> Iterator[tuple[VideoFrame | None, int]]:
        """Pictures with their arrival times, None for a damaged one; ends with the connection."""
        packets = self._container.demux(self._container.streams.video[0])
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError):
                return
            t_ns = now_ns()
            if packet is None:
                return
            try:
                for picture in packet.decode():
                    yield (None if picture.is_corrupt else picture), t_ns
            except FFmpegError:
                yield None, t_ns


def open_capture(address: int | str, wishes: CaptureWishes) -> Capture:
    """Open a device (index or path) or a network camera (address).

    Raises
    ------
    SourceError
        It is not there, busy, forbidden, or sends no pictures.
    """
    if isinstance(address, str) and is_network_address(address):
        return NetworkCapture(address, wishes)
    from livefacs.sources.device import DeviceCapture  # OpenCV, which nothing else here needs

    return DeviceCapture(address, wishes)


def ask_permission(address: int | str) -> None:
    """Have macOS ask its user for the camera, which it does in the main thread only.

    To be called before a capture is opened in another thread; does nothing elsewhere.
    """
    if sys.platform == "darwin" and isinstance(address, int):
        import cv2

        cv2.VideoCapture(address, cv2.CAP_AVFOUNDATION).release()


def is_network_address(spec: str) -> bool:
    """True for ``rtsp://``, ``rtsps://``, ``http://`` and ``https://``."""
    return spec.partition("://")[0].lower() in NETWORK_SCHEMES and "://" in spec


def is_browser(spec: str) -> bool:
    """True for ``browser`` and ``browser://…``: a page's camera, by ``browser.BrowserSource``."""
    return spec == BROWSER or spec.startswith(f"{BROWSER}://")


_OWN: Final = threading.local()
"""Each thread's converter: one made for every picture would start threads for every picture."""


def rgb_from_picture(picture: VideoFrame) -> U8:
    """A decoded picture as (H, W, 3) uint8 RGB."""
    converter = getattr(_OWN, "converter", None)
    if converter is None:
        converter = _OWN.converter = VideoReformatter()
    image: U8 = converter.reformat(picture, format="rgb24").to_ndarray().view(np.uint8)
    return image


def _reason(error: Exception) -> str:
    if isinstance(error, ExitError):  # FFmpeg's word for "it was interrupted", here by the timeout
        return f"nothing usable came within {OPEN_TIMEOUT_S:.0f} s"
    return str(getattr(error, "strerror", None) or error)
