"""A take or a clip as a recording: its sound, its place in time, its labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError, TakeError
from livefacs.offline.solve_options import is_take
from livefacs.sources.clip_sound import ClipSoundFile
from livefacs.take.layout import Marker
from livefacs.take.reader import Take
from livefacs.take.sound import TakeSound, sound_of
from livefacs.take.wave import SAMPLE_RATE_HZ

_LONGEST_S: Final = 4 * 3600.0


class Recording:
    """A take with frames, or a clip or audio file with sound; ``close`` it.

    Times are seconds since the first frame; of an audio file, since its beginning.

    Parameters
    ----------
    path : Path
    channel : int
        Of the sound, from 1; 0: all of them mixed.

    Attributes
    ----------
    take : Take or None
        None: a clip.
    has_sound : bool
    start_s : float
        Time of sample 0.
    rate_hz : float
        Samples in a second of the recording's time: a take's by the measured drift.

    Raises
    ------
    TakeError, SourceError
        It cannot be read, has no frames, or is a clip without sound.
    ConfigError
        It has not so many channels.
    """

    def __init__(self, path: Path, channel: int = 0) -> None:
        self.path = path
        self.name = path.resolve().name
        self.take = Take(path) if is_take(str(path)) else None
        self.start_s, self.rate_hz = 0.0, float(SAMPLE_RATE_HZ)
        self._clip: ClipSoundFile | None = None
        self._sound: TakeSound | None = None
        self._channel = channel - 1
        n_channels = self._open_take(self.take) if self.take else self._open_clip()
        self.has_sound = n_channels > 0
        if self.has_sound and channel > n_channels:
            self.close()
            raise ConfigError(f"{path}: no channel {channel}; its sound has {n_channels}")

    def _open_clip(self) -> int:
        self._clip = ClipSoundFile(self.path)
        return self._clip.n_channels

    def _open_take(self, take: Take) -> int:
        if not take.n_rows:
            raise TakeError(f"{self.path}: the take has no frames")
        self._sound = sound_of(take)
        if self._sound is None:
            return 0
        self.start_s = (self._sound.clock.start_ns - int(take.t_ns[0])) / NS_PER_S
        self.rate_hz = self._sound.clock.rate_hz
        return self._sound.info.n_channels

    def blocks(self) -> Iterator[F32]:
        """(n,) float32 at 48 kHz of the device, full scale ±1, once.

        Raises
        ------
        TakeError
            The file cannot be read.
        SourceError
            It is longer than four hours.
        """
        if self._clip is not None:
            parts = self._clip.blocks()
        elif self.take is not None and self._sound is not None:
            parts = self._sound.blocks(0, self._sound.info.n_samples)
        else:
            return
        n_samples = 0
        for part in parts:
            n_samples += len(part)
            if n_samples > _LONGEST_S * SAMPLE_RATE_HZ:
                raise TakeError(f"{self.path}: its sound is longer than four hours: cut it first")
            mono = part.mean(axis=1) if self._channel < 0 else part[:, self._channel]
            yield np.ascontiguousarray(mono, np.float32)

    def marker_at(self, time_s: float, kind: str, label: str) -> Marker:
        """A marker of the take's row that is nearest to a time."""
        assert self.take is not None
        at_ns = int(self.take.t_ns[0]) + round(time_s * NS_PER_S)
        row = int(np.argmin(np.abs(self.take.t_ns - at_ns)))
        i_frame, timecode = (int(self.take.frames[key][row]) for key in ("i_frame", "timecode"))
        return Marker(row, i_frame, int(self.take.t_ns[row]), timecode, kind, label)

    def label_at(self, time_s: float) -> str:
        """The timecode of a time, counted from the take's first frame; empty of a clip."""
        if self.take is None:
            return ""
        rate = self.take.rate
        frame = int(self.take.frames["timecode"][0]) + rate.frames_from_ns(round(time_s * NS_PER_S))
        return rate.label_from_frame(frame % rate.frames_a_day)

    def close(self) -> None:
        """Let the files go."""
        if self._clip is not None:
            self._clip.close()
        if self.take is not None:
            self.take.close()
