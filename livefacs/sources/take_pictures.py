"""The pictures of a take's video, by the row that each belongs to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final, Self

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame

from livefacs.arrays import U8
from livefacs.errors import TakeError
from livefacs.take.layout import VIDEO_FILE
from livefacs.take.reader import Take

_LOOKED_AHEAD: Final = 60  # pictures decoded on the way; further ones are sought
_US: Final = 1_000_000


class TakePictures:
    """Decodes forward, and seeks where that is shorter. Not thread-safe.

    Parameters
    ----------
    take : Take

    Raises
    ------
    TakeError
        The take has no video, or it cannot be read.
    """

    def __init__(self, take: Take) -> None:
        stamps = take.video_stamps()
        self._rows, self._pts_us = np.array(stamps["row"]), np.array(stamps["pts"])
        self._path = take.folder / VIDEO_FILE
        if not len(self._rows):
            raise TakeError(f"{take.folder}: the take has no video")
        try:
            self._container = av.open(str(self._path))
        except (FFmpegError, OSError) as error:
            raise TakeError(f"{self._path}: cannot be read: {error}") from error
        self._stream = self._container.streams.video[0]
        self._frames: Iterator[VideoFrame] = self._container.decode(self._stream)
        self._i_newest = -1
        self._newest: VideoFrame | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def rows(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """(N,) rows of the take that have a picture, rising."""
        return self._rows

    def image(self, row: int) -> U8:
        """Picture of a row, or the last one before it: (HEIGHT, WIDTH, 3) uint8, RGB.

        Raises
        ------
        TakeError
            The video is damaged there.
        """
        wanted = max(0, int(np.searchsorted(self._rows, row, "right")) - 1)
        try:
            if not 0 <= wanted - self._i_newest <= _LOOKED_AHEAD:
                self._seek(wanted)
            while self._newest is None or self._i_newest < wanted:
                self._newest = next(self._frames)
                self._i_newest = self._index(self._newest)
        except (FFmpegError, OSError, StopIteration) as error:
            self._newest, self._i_newest = None, -1
            raise TakeError(f"{self._path}: no picture can be read for row {row}") from error
        return self._newest.to_ndarray(format="rgb24").view(np.uint8)

    def close(self) -> None:
        """Let the file go."""
        self._container.close()

    def _seek(self, wanted: int) -> None:
        """To the key picture before."""
        base = self._stream.time_base
        assert base is not None
        self._container.seek(int(self._pts_us[wanted] / _US / base), stream=self._stream)
        self._frames = self._container.decode(self._stream)
        self._newest, self._i_newest = None, -1

    def _index(self, frame: VideoFrame) -> int:
        """Which of the stamps is this picture's."""
        us = 0 if frame.time is None else round(frame.time * _US)
        return int(np.argmin(np.abs(self._pts_us - us)))


def open_pictures(take: Take) -> contextlib.AbstractContextManager[TakePictures | None]:
    """A take's pictures; None where it has none."""
    if take.document["video"] is None or not len(take.video_stamps()):
        return contextlib.nullcontext(None)
    return TakePictures(take)
