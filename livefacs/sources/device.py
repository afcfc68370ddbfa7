"""A camera of this machine through OpenCV, which is loaded only where one is opened."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from livefacs.arrays import U8
from livefacs.clock import now_ns
from livefacs.errors import SourceError
from livefacs.sources.capture import READ_TIMEOUT_S, CaptureLost, CaptureWishes

_DEVICE_BACKENDS: Final = {
    "linux": (cv2.CAP_V4L2,),
    "darwin": (cv2.CAP_AVFOUNDATION,),
    "win32": (cv2.CAP_DSHOW, cv2.CAP_MSMF),
}
# OpenCV waits 10 s for a V4L2 picture unless this says otherwise; it reads it at every wait.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(round(READ_TIMEOUT_S)))


class DeviceCapture:
    """A camera of this machine, by index or device path."""

    def __init__(self, address: int | str, wishes: CaptureWishes) -> None:
        silence_opencv()
        self._capture = _open_device(address)
        fourcc = cv2.VideoWriter.fourcc(*wishes.pixel_format)
        self._capture.set(cv2.CAP_PROP_FOURCC, fourcc)
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, wishes.width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wishes.height)
        self._capture.set(cv2.CAP_PROP_FPS, wishes.rate_hz)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate_hz = rate_hz if rate_hz > 0 else wishes.rate_hz
        given = int(self._capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little", signed=True)
        pixel_format = given.decode("ascii", "replace") if given.isalnum() else "unnamed format"
        self.format_in_words = f"{self.rate_hz:.4g} fps, {pixel_format}"

    def grab(self) -> tuple[U8, int] | None:
        """The next picture and the moment its grab returned."""
        if not self._capture.grab():
            raise CaptureLost
        t_ns = now_ns()
        whole, bgr = self._capture.retrieve()
        if not whole or bgr is None:
            return None
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).view(np.uint8), t_ns

    def close(self) -> None:
        """Let the device go."""
        self._capture.release()


def silence_opencv() -> None:
    """Failures come back as results; OpenCV 5 moved the switch for its log."""
    opencv: Any = cv2
    set_log_level = getattr(opencv, "setLogLevel", None) or opencv.utils.logging.setLogLevel
    set_log_level(0)


def _open_device(address: int | str) -> cv2.VideoCapture:
    for backend in _DEVICE_BACKENDS.get(sys.platform, (cv2.CAP_ANY,)):
        capture = cv2.VideoCapture(address, backend)
        if capture.isOpened():
            return capture
        capture.release()
    raise SourceError(_why_not(address))


def _why_not(address: int | str) -> str:
    name = f"camera {address}"
    path = Path(f"/dev/video{address}" if isinstance(address, int) else address)
    if sys.platform == "linux" and not path.exists():
        return f"no {name}: {path} does not exist; `livefacs cameras` lists what is there"
    if sys.platform == "linux" and not os.access(path, os.R_OK | os.W_OK):
        return f"{name}: no permission to use {path}; is this user in the group 'video'?"
    return (
        f"{name} cannot be opened: it is absent, in use by another program, or forbidden in the "
        "system's privacy settings; `livefacs cameras` lists what is there"
    )
