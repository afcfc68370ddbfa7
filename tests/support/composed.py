"""Pictures of several people, composed of clips of one: each face a tile on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import av
import cv2
import numpy as np

from livefacs.arrays import U8
from livefacs.sources.video import VideoSource
from livefacs.types import Frame

FACEBENCH = Path(__file__).parents[3] / "shared" / "facebench"
RATE_HZ = 30
PERIOD_NS = 1_000_000_000 // RATE_HZ

Place = tuple[float, float] | None


@dataclass
class Tile:
    """One face in the picture.

    Attributes
    ----------
    clip : Path
    centre : callable(seconds)
        Centre of the tile in pixels; None: not in the picture.
    height : int
        Of the tile, pixels.
    crop : (left, top, right, bottom)
        What of the clip's picture is taken, in parts of its width and height.
    still : bool
        A picture: the clip's first frame and no other.
    first : int
        Frames of the clip that are left out.
    """

    clip: Path
    centre: Callable[[float], Place]
    height: int = 360
    crop: tuple[float, float, float, float] = (0.2, 0.0, 0.8, 1.0)
    still: bool = False
    first: int = 0


def _pictures(tile: Tile) -> Iterator[U8]:
    """The clip's frames, again and again, at the tile's height."""
    while True:
        source = VideoSource(tile.clip)
        for i in count():
            frame = source.read()
            if frame is None:
                break
            if i < tile.first:
                continue
            height, width = frame.image.shape[:2]
            left, top, right, bottom = tile.crop
            part = frame.image[
                round(top * height) : round(bottom * height),
                round(left * width) : round(right * width),
            ]
            scale = tile.height / part.shape[0]
            small = cv2.resize(part, (round(part.shape[1] * scale), tile.height))
            yield small
            while tile.still:
                yield small
        source.close()


def composed(
    tiles: Sequence[Tile],
    seconds: float,
    size: tuple[int, int] = (800, 480),
    noise: float = 3.0,
    seed: int = 0,
) -> Iterator[Frame]:
    """Frames at 30 a second, later tiles in front of earlier ones, with a camera's noise."""
    width, height = size
    random = np.random.default_rng(seed)
    grain = random.normal(0.0, noise, (height, width + 64, 3)).astype(np.float32)
    feeds = [_pictures(tile) for tile in tiles]
    for i_frame in range(round(seconds * RATE_HZ)):
        image = np.full((height, width, 3), 96, np.uint8)
        for tile, feed in zip(tiles, feeds, strict=True):
            picture, centre = next(feed), tile.centre(i_frame / RATE_HZ)
            if centre is not None:
                _paste(image, picture, centre)
        shift = int(random.integers(64))
        noisy = image + grain[:, shift : shift + width]
        yield Frame(np.clip(noisy, 0, 255).astype(np.uint8), i_frame * PERIOD_NS, i_frame)


def _paste(image: U8, picture: U8, centre: tuple[float, float]) -> None:
    height, width = picture.shape[:2]
    left, top = round(centre[0] - width / 2), round(centre[1] - height / 2)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + width, image.shape[1]), min(top + height, image.shape[0])
    if x0 < x1 and y0 < y1:
        image[y0:y1, x0:x1] = picture[y0 - top : y1 - top, x0 - left : x1 - left]


def write_clip(path: Path, frames: Iterator[Frame], rate_hz: int = RATE_HZ) -> Path:
    """The frames as a clip (H.264 where there is an encoder, else MPEG-4)."""
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            if not frame.i_frame:
                stream.height, stream.width = frame.image.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="rgb24")))
        container.mux(stream.encode())
    return path
