"""Which cameras are attached, and which one a user means."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.error import FFmpegError

from livefacs.sources.device_names import devices_named

_VIDEO4LINUX: Final = Path("/sys/class/video4linux")
_ENUMERATED_BY: Final = {"darwin": "avfoundation", "win32": "dshow"}


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """One attached camera.

    Attributes
    ----------
    index : int
        Number that OpenCV opens it by.
    name : str
    path : str or None
        Device file, on Linux.
    """

    index: int
    name: str
    path: str | None = None


def list_cameras(video4linux: Path = _VIDEO4LINUX) -> list[CameraInfo]:
    """Cameras of this machine in order of their index, without opening them.

    Linux: the capture nodes that the kernel names under ``/sys/class/video4linux``. macOS and
    Windows: what FFmpeg's ``avfoundation`` and ``dshow`` devices report, where PyAV has them; with
    several cameras on macOS the order may differ from OpenCV's.
    """
    if video4linux.is_dir():
        return _linux_cameras(video4linux)
    backend = _ENUMERATED_BY.get(sys.platform)
    return [] if backend is None else _enumerated_cameras(backend)


def find_camera(spec: str, cameras: Sequence[CameraInfo]) -> CameraInfo | None:
    """The camera whose name, or a part of it, a user wrote; None where it names none or several."""
    fitting = devices_named(spec, cameras, lambda camera: camera.name)
    return fitting[0] if len({camera.name for camera in fitting}) == 1 else None


def _linux_cameras(video4linux: Path) -> list[CameraInfo]:
    cameras = []
    for node in video4linux.glob("video*"):
        number = re.fullmatch(r"video(\d+)", node.name)
        if number is None or _text(node / "index") not in ("0", ""):
            continue  # nodes above 0 of one device carry its metadata, not pictures
        index = int(number[1])
        cameras.append(CameraInfo(index, _text(node / "name") or node.name, f"/dev/video{index}"))
    return sorted(cameras, key=lambda camera: camera.index)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _enumerated_cameras(backend: str) -> list[CameraInfo]:
    try:
        devices = av.enumerate_input_devices(backend)
    except (AttributeError, ValueError, FFmpegError):
        return []  # an older PyAV, or one built without this backend
    videos = [device for device in devices if "video" in device.media_types]
    return [CameraInfo(index, device.description) for index, device in enumerate(videos)]
