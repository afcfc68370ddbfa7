"""Where the sound of takes comes from: a microphone, or the clip that is recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.config import RecordOptions, SessionOptions
from livefacs.errors import ConfigError
from livefacs.protocols import SoundBlock, SoundInput, Source
from livefacs.session.take_timecode import sound_channel
from livefacs.sinks.take_sound import (
    ClipSoundCopy,
    MicrophoneSound,
    OpenSound,
    SoundFiles,
    SoundSink,
)
from livefacs.sources.clip_sound import ClipSoundFile, sound_in_clip
from livefacs.sources.microphone import Microphone
from livefacs.sources.sample_clock import SampleClock
from livefacs.take.claps import ClapFinder
from livefacs.take.wave import SAMPLE_RATE_HZ
from livefacs.take.writer import TakeWriter

NO_SOUND: Final = "none"
"""Word that leaves out a clip's sound."""
_USUAL_RATE_HZ: Final = 30.0
_USUAL_CHANNELS: Final = 2


class ClapListener:
    """Listens to a microphone, and tells of each clap a third of a second after it.

    Parameters
    ----------
    source : SoundInput
    on_clap : callable(t_ns)
        Told the session time; called in the device's thread.
    wire : int
        Channel that holds timecode and is not listened to, from 1; 0: none does.
    """

    def __init__(self, source: SoundInput, on_clap: Callable[[int], None], wire: int = 0) -> None:
        self._finder = ClapFinder()
        self._finder.find(np.zeros(SAMPLE_RATE_HZ, np.float32))  # what it imports is there now
        self._finder = ClapFinder()
        self._channels = [k for k in range(source.n_channels) if k != wire - 1] or [0]
        self._clock = SampleClock()
        self._on_clap = on_clap
        source.subscribe(self._hear)

    def _hear(self, block: SoundBlock) -> None:
        for samples in self._clock.put(block):
            for clap in self._finder.find(samples[:, self._channels].mean(axis=1)):
                self._on_clap(self._clock.time_ns(clap.sample))


def open_microphone(options: RecordOptions, notify: Callable[[str], None]) -> Microphone | None:
    """The microphone that is asked for, opened and settled; None where none is.

    Raises
    ------
    ConfigError
        Nothing is recorded, or the library is not installed.
    SourceError
        It cannot be had.
    """
    if options.audio in ("", NO_SOUND):
        if options.audio_channels is not None:
            raise ConfigError("--audio-channels is for a microphone: name one with --audio")
        if options.mark_claps:
            raise ConfigError(
                "--mark-claps listens to a microphone: name one with --audio; of a clip's take,"
                " `livefacs takes claps TAKE --mark` finds them"
            )
        return None
    if options.folder is None:
        raise ConfigError(
            f"--audio {options.audio}: sound is recorded into takes; name their folder with"
            " --record DIR"
        )
    n_channels = options.audio_channels
    if n_channels is None and (channel := sound_channel(options)) > _USUAL_CHANNELS:
        n_channels = channel
    microphone = Microphone(options.audio, n_channels)
    for words in (f"sound from {microphone.description}", *microphone.notices):
        notify(words)
    return microphone


def sound_of_takes(
    options: SessionOptions, source: Source, microphone: Microphone | None
) -> OpenSound | None:
    """What opens the sound of each take; None where there is none.

    A clip's sound is kept where every frame of it is recorded: one that is played in real time or
    in a loop has other times than its file.
    """
    if microphone is not None:
        return from_microphone(microphone)
    plays = source.is_live or options.source.loop
    if plays or options.record.audio == NO_SOUND:
        return None
    clip = sound_in_clip(options.source.spec)
    return None if clip is None else from_clip(clip, source.rate_hz)


def from_microphone(microphone: SoundInput) -> OpenSound:
    """What records a microphone from each take's beginning to its end."""

    def opened(take: TakeWriter, warn: Callable[[str], None]) -> SoundSink:
        files = SoundFiles(take, microphone.n_channels)
        return MicrophoneSound(microphone, files, take.clock.session_ns, warn)

    return opened


def from_clip(clip: Path, rate_hz: float) -> OpenSound:
    """What copies the sound of a clip along with its frames."""

    def opened(take: TakeWriter, warn: Callable[[str], None]) -> SoundSink:
        sound = ClipSoundFile(clip)
        files = SoundFiles(take, sound.n_channels)
        return ClipSoundCopy(sound, files, round(NS_PER_S / (rate_hz or _USUAL_RATE_HZ)), warn)

    return opened
