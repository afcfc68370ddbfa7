"""From the words a user wrote to a source: camera, clip, images, network camera, performer."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from livefacs.protocols import Source
from livefacs.resources import data_path
from livefacs.sources.player import Clip, Player

NETWORK_SCHEMES: Final = ("rtsp", "rtsps", "http", "https")


class OpenedSource(Source, Protocol):
    """What ``open_source`` returns: a source with words for the user.

    Attributes
    ----------
    notices : tuple of str
        What a user should be told before the start.
    timecode : str or None
        Start timecode of a clip, where it has one.
    """

    notices: tuple[str, ...]
    timecode: str | None

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end."""


def open_source(
    spec: str,
    *,
    width: int = 640,
    height: int = 480,
    rate_hz: float = 30.0,
    pixel_format: str = "MJPG",
    realtime: bool = True,
    loop: bool = False,
) -> OpenedSource:
    """Open what a user asked for.

    Parameters
    ----------
    spec : str
        ``auto`` (the first camera that opens, else the performer), ``demo`` (the bundled
        performer), a camera by index, name or path, ``rtsp://…`` or ``http://…``, a video file,
        a folder of images or a pattern such as ``shots/*.png``.
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

    Raises
    ------
    SourceError
        Nothing of that kind is there, or it cannot be opened.
    """
    from livefacs.sources.images import ImagesSource, is_image_spec
    from livefacs.sources.video import VideoSource

    if spec == "demo":
        clip: Clip = VideoSource(data_path("performer.mp4"))
    elif is_image_spec(spec):
        clip = ImagesSource(spec, rate_hz)
    else:
        clip = VideoSource(Path(spec))
    return Player(clip, realtime=realtime, loop=loop) if realtime or loop else clip
