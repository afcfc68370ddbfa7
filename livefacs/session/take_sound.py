"""Where the sound of takes comes from: a microphone, or the clip that is recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from livefacs.clock import NS_PER_S, ClockMap
from livefacs.config import RecordOptions, SessionOptions
from livefacs.errors import ConfigError
from livefacs.protocols import SoundInput, Source
from livefacs.sinks.take_factory import TakeTimecode
from livefacs.sinks.take_sound import (
    ClipSoundCopy,
    MicrophoneSound,
    OpenSound,
    Seconds,
    SoundFiles,
    SoundSink,
)
from livefacs.sources.clip_sound import ClipSoundFile, sound_in_clip
from livefacs.sources.microphone import Microphone
from livefacs.sources.wire_timecode import WireCount, WireTimecode
from livefacs.take.model import TakeInfo, TimecodeStart
from livefacs.take.writer import CountFrames

NO_SOUND: Final = "none"
"""Word that leaves out a clip's sound."""
_USUAL_RATE_HZ: Final = 30.0
_USUAL_CHANNELS: Final = 2
_ON_A_WIRE: Final = "ltc:"
_LOCK_S: Final = 3.0


def wire_channel(options: RecordOptions) -> int:
    """The channel that linear timecode is in, from 1; 0: none is asked for."""
    is_wire = options.timecode_source.startswith(_ON_A_WIRE)
    return int(options.timecode_source.removeprefix(_ON_A_WIRE)) if is_wire else 0


def timecode_of_takes(
    options: RecordOptions,
    source: Source,
    microphone: SoundInput | None,
    notify: Callable[[str], None],
) -> TakeTimecode | None:
    """Timecode of takes from a live source by the wire; None where none is asked for.

    Raises
    ------
    ConfigError
        There is no microphone, or it has not so many channels.
    """
    channel = wire_channel(options)
    if not channel or not source.is_live or options.folder is None:
        return None
    if microphone is None:
        raise ConfigError(
            f"timecode source {options.timecode_source!r}: {source.description} is live, so linear"
            " timecode comes from a microphone's channel: name it with --audio"
        )
    wire = WireTimecode(microphone, channel)
    if not wire.wait(_LOCK_S):
        notify(f"{wire.description}: none is heard yet")

    def timecode(t_ns: int) -> tuple[TimecodeStart, CountFrames] | None:
        rate = wire.rate(source.rate_hz)
        if rate is None:
            notify(f"{wire.description}: none is heard; this take has the time of day")
            return None
        if not wire.is_heard:
            notify(f"{wire.description}: it is silent; counted on from what was heard last")
        count = WireCount(wire, rate, t_ns)
        label, start_ns = count.start
        return TimecodeStart(rate, "ltc", label, start_ns), count.frame_at

    return timecode


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
        return None
    if options.folder is None:
        raise ConfigError(
            f"--audio {options.audio}: sound is recorded into takes; name their folder with"
            " --record DIR"
        )
    n_channels = options.audio_channels
    if n_channels is None and (channel := wire_channel(options)) > _USUAL_CHANNELS:
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

    def opened(
        folder: Path,
        info: TakeInfo,
        clock: ClockMap,
        seconds: Seconds,
        warn: Callable[[str], None],
    ) -> SoundSink:
        files = SoundFiles(folder, microphone.n_channels, info, clock, seconds)
        return MicrophoneSound(microphone, files, warn)

    return opened


def from_clip(clip: Path, rate_hz: float) -> OpenSound:
    """What copies the sound of a clip along with its frames."""

    def opened(
        folder: Path,
        info: TakeInfo,
        clock: ClockMap,
        seconds: Seconds,
        warn: Callable[[str], None],
    ) -> SoundSink:
        sound = ClipSoundFile(clip)
        files = SoundFiles(folder, sound.n_channels, info, clock, seconds)
        return ClipSoundCopy(sound, files, round(NS_PER_S / (rate_hz or _USUAL_RATE_HZ)), warn)

    return opened
