"""Sound of a clip or audio file, one channel at a time, with its place in the file's time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from livefacs.arrays import F32
from livefacs.errors import SourceError


class AudioFile:
    """One channel of the first sound track of a file.

    Parameters
    ----------
    path : Path
    channel : int
        From 1.

    Attributes
    ----------
    sample_rate_hz : int
    n_channels : int
    start_s : float
        Time of the first sample since the file's beginning, as ``Source.start_ns`` counts.

    Raises
    ------
    SourceError
        Not there, not readable, no sound in it, or not so many channels.
    """

    def __init__(self, path: Path, channel: int = 1) -> None:
        if not path.is_file():
            raise SourceError(f"no sound at {path}: expected a clip with sound or an audio file")
        try:
            self._container = av.open(str(path))
        except (FFmpegError, OSError, ValueError) as error:
            raise SourceError(
                f"{path} cannot be read as sound ({getattr(error, 'strerror', None) or error})"
            ) from None
        tracks = self._container.streams.audio
        if not tracks:
            self._container.close()
            raise SourceError(f"{path} holds no sound; expected a clip or file with a sound track")
        self._track = tracks[0]
        self.sample_rate_hz = int(self._track.rate)
        self.n_channels = int(self._track.channels)
        if not 1 <= channel <= self.n_channels:
            self._container.close()
            raise SourceError(
                f"{path}: no channel {channel}; expected 1 to {self.n_channels}, counted from 1"
            )
        self._channel = channel - 1
        began_s = (self._container.start_time or 0) / av.time_base
        self.start_s = float((self._track.start_time or 0) * (self._track.time_base or 0)) - began_s

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._container.close()

    def blocks(self) -> Iterator[F32]:
        """Blocks of (n,) float32 samples, full scale ±1, to the end or to where it is damaged."""
        planes = av.AudioResampler(format="fltp")
        try:
            for frame in self._container.decode(self._track):
                for plane in planes.resample(frame):
                    yield np.asarray(plane.to_ndarray()[self._channel], np.float32)
        except FFmpegError:
            return
