"""The sound of a clip at 48 kHz, from its first picture on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError

from livefacs.arrays import F32
from livefacs.errors import SourceError
from livefacs.sources.header import chosen_track

_RATE_HZ: Final = 48_000
_GAP_S: Final = 0.02  # less is the rounding of time stamps
_MOST_CHANNELS: Final = 64
_BLOCK: Final = 48_000


class ClipSoundFile:
    """The first sound track of a clip (``protocols.ClipSound``).

    Sample 0 is the moment of the first picture: sound before it is left out, and silence stands
    where the sound begins later or has holes.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SourceError
        It cannot be read, or holds no sound.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._container = av.open(str(path))
        except (FFmpegError, OSError, ValueError) as error:
            raise SourceError(f"{path} cannot be read as sound ({error})") from None
        tracks = self._container.streams.audio
        if not tracks or not 1 <= int(tracks[0].channels) <= _MOST_CHANNELS:
            self._container.close()
            raise SourceError(f"{path} holds no sound")
        self._track = tracks[0]
        self.n_channels = int(self._track.channels)
        self.description = (
            f"{path.name}, {self._track.codec_context.name}, {self._track.rate} Hz,"
            f" {self.n_channels} channel(s)"
        )
        pictures = self._container.streams.video
        first = chosen_track(pictures) if pictures else self._track
        self._begin_s = float((first.start_time or 0) * (first.time_base or 0))

        self._n_before = 0  # samples before the first picture that are still to come

    def blocks(self) -> Iterator[F32]:
        """(n, channels) float32, full scale ±1, to the end or to where it is damaged."""
        try:
            yield from self._blocks()
        except FFmpegError:
            return

    def _blocks(self) -> Iterator[F32]:
        resampler = av.AudioResampler(format="fltp", rate=_RATE_HZ)
        due_s: float | None = None
        for frame in self._container.decode(self._track):
            at_s = due_s if frame.time is None else frame.time - self._begin_s
            if at_s is not None and (due_s is None or at_s - due_s > _GAP_S):
                yield from self._silence(at_s - (due_s or 0.0))
            due_s = (at_s or 0.0) + frame.samples / frame.sample_rate
            for part in resampler.resample(frame):
                yield from self._kept(part)
        for part in resampler.resample(None):
            yield from self._kept(part)

    def _silence(self, seconds: float) -> Iterator[F32]:
        """Silence for a hole; a negative one is sound that is left out."""
        n_samples = round(seconds * _RATE_HZ) - self._n_before
        self._n_before = max(0, -n_samples)
        for left in range(n_samples, 0, -_BLOCK):
            yield np.zeros((min(left, _BLOCK), self.n_channels), np.float32)

    def _kept(self, part: AudioFrame) -> Iterator[F32]:
        samples = np.ascontiguousarray(part.to_ndarray().T, np.float32)
        if samples.shape[1] != self.n_channels:
            return  # the track changed its channels; what follows has no place in the file
        skipped = min(self._n_before, len(samples))
        self._n_before -= skipped
        if skipped < len(samples):
            yield samples[skipped:]

    def close(self) -> None:
        """Let the file go."""
        self._container.close()


def sound_in_clip(spec: str) -> Path | None:
    """The clip, where a source's words name one that holds sound; else None."""
    path = Path(spec)
    if not path.is_file():
        return None
    try:
        ClipSoundFile(path).close()
    except SourceError:
        return None
    return path
