"""Where the labels of takes come from: a wire, a clip and its sound, or a clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from livefacs.clock import NS_PER_S
from livefacs.config import RecordOptions, SessionOptions
from livefacs.errors import ConfigError
from livefacs.protocols import SoundInput, Source
from livefacs.sinks.take_factory import TakeTimecode
from livefacs.sources.audio_timecode import timecode_in_sound
from livefacs.sources.midi import MidiTimecode
from livefacs.sources.wire_timecode import SoundTimecode, WireCount, WireTimecode
from livefacs.take.layout import TimecodeSource, TimecodeStart, first_label
from livefacs.take.writer import CountFrames
from livefacs.timecode import (
    TimecodeRate,
    find_rate,
    nearest_rate,
    rate_for_label,
    with_frames_of,
)

_IN_SOUND: Final = "ltc:"
_IN_MIDI: Final = "mtc:"
_AUTO: Final = "auto"
_LOCK_S: Final = 3.0


def sound_channel(options: RecordOptions) -> int:
    """The channel of sound that linear timecode is in, from 1; 0: none is asked for."""
    is_asked = options.timecode_source.startswith(_IN_SOUND)
    return int(options.timecode_source.removeprefix(_IN_SOUND)) if is_asked else 0


def open_wire(
    options: RecordOptions,
    source: Source,
    microphone: SoundInput | None,
    notify: Callable[[str], None],
) -> WireTimecode | None:
    """The wire that takes from a live source get their timecode from; None: none is asked for.

    Raises
    ------
    ConfigError
        There is no microphone, it has not so many channels, a library is not installed, or
        takes are to start by timecode that comes on no wire.
    SourceError
        There is no such MIDI port.
    """
    is_midi = options.timecode_source.startswith(_IN_MIDI)
    is_sound = bool(sound_channel(options)) and source.is_live
    is_waiting = options.start_with == "timecode"
    if is_waiting and (options.folder is None or not (is_midi or is_sound)):
        raise ConfigError(
            "--start-with timecode: takes start where timecode runs on a wire; expected --record,"
            " a live source and --timecode-source ltc:CHANNEL (with --audio) or mtc:PORT"
        )
    if options.folder is None or not (is_midi or is_sound):
        return None
    rate = None if options.timecode_rate == _AUTO else find_rate(options.timecode_rate)
    if is_midi and not source.is_live:
        raise ConfigError(
            f"timecode source {options.timecode_source!r}: {source.description} is no live source;"
            " expected a camera, or a clip with --realtime"
        )
    if not is_midi and microphone is None:
        raise ConfigError(
            f"timecode source {options.timecode_source!r}: {source.description} is live, so linear"
            " timecode comes from a microphone's channel: name it with --audio"
        )
    wire: WireTimecode
    if is_midi:
        wire = MidiTimecode(options.timecode_source.removeprefix(_IN_MIDI), rate)
    else:
        assert microphone is not None
        wire = SoundTimecode(microphone, sound_channel(options), rate)
    if not is_waiting and not wire.wait(_LOCK_S):
        notify(f"{wire.description}: none is heard yet")
    return wire


def timecode_from_wire(
    wire: WireTimecode,
    options: RecordOptions,
    source: Source,
    notify: Callable[[str], None],
) -> TakeTimecode:
    """What says where each take stands on the wire."""
    kind = cast("TimecodeSource", options.timecode_source[:3])

    def timecode(t_ns: int) -> tuple[TimecodeStart, CountFrames] | None:
        rate = wire.rate(source.rate_hz)
        if rate is None:
            notify(f"{wire.description}: none is heard; this take has the time of day")
            return None
        if not wire.is_heard:
            notify(f"{wire.description}: it is silent; counted on from what was heard last")
        if options.timecode_rate != _AUTO and find_rate(options.timecode_rate).name != rate.name:
            notify(f"{wire.description}: it runs at {rate.name}, not at {options.timecode_rate}")
        count = WireCount(wire, rate, t_ns)
        label, start_ns = count.start
        return TimecodeStart(rate, kind, label, start_ns), count.frame_at

    return timecode


def timecode_start(
    options: SessionOptions, source: Source, notify: Callable[[str], None]
) -> TimecodeStart:
    """The timecode that all takes of a session begin with, but for what a wire says.

    Raises
    ------
    ConfigError
        The timecode that was asked for cannot be.
    """
    record = options.record
    if sound_channel(record) and not source.is_live:
        return _timecode_in_sound(options, source, notify)
    if record.timecode_source.startswith((_IN_SOUND, _IN_MIDI)):
        record = replace(record, timecode_source="time of day")  # what a silent wire leaves
    return _timecode_start(record, source, options.source.rate_hz)


def _timecode_in_sound(
    options: SessionOptions, source: Source, notify: Callable[[str], None]
) -> TimecodeStart:
    """Where the linear timecode in a clip's sound stands at its first frame."""
    path = Path(options.source.spec)
    channel = sound_channel(options.record)
    heard = timecode_in_sound(path, channel, source.start_ns / NS_PER_S, source.rate_hz)
    for notice in heard.notices:
        notify(f"{path.name}: {notice}")
    return TimecodeStart(heard.rate, "ltc", heard.label)


def _timecode_start(record: RecordOptions, source: Source, asked_hz: float) -> TimecodeStart:
    """As asked; else the clip's own timecode where it has one, a clip's time, the time of day.

    Where no rate is asked for, a label decides between drop-frame and not, as it is written.
    """
    if record.timecode_source == _AUTO:
        chosen: TimecodeSource = "time of day" if source.is_live else "clip"
    else:
        chosen = cast("TimecodeSource", record.timecode_source)  # checked with the options
    if chosen == "clip" and source.is_live:
        raise ConfigError(
            f"timecode source 'clip': {source.description} is live and brings no timecode;"
            " expected 'time of day' or 'free run'"
        )
    own = source.timecode if chosen == "clip" and not record.timecode_start else None
    label = record.timecode_start or own or ""
    if record.timecode_rate == _AUTO and own:
        return TimecodeStart.of_clip(source.rate_hz or asked_hz, own)  # as where it is solved
    if record.timecode_rate == _AUTO:
        rate = rate_for_label(nearest_rate(source.rate_hz or asked_hz), label)
    else:
        rate = find_rate(record.timecode_rate)
    if label:
        _check_label(label, rate, own is not None)
    if not source.is_live:
        rate = with_frames_of(rate, nearest_rate(source.rate_hz or asked_hz))
    return TimecodeStart(rate, chosen, label or "00:00:00:00")


def _check_label(label: str, rate: TimecodeRate, is_own: bool) -> None:
    """Raises ``ConfigError`` where a first label is none at the rate."""
    try:
        if is_own and rate_for_label(rate, label) is not rate:
            raise ConfigError(f"timecode {label!r} does not count as the rate {rate.name} does")
        rate.frame_from_label(first_label(label, rate))
    except ConfigError as error:
        whose = "the clip's own " if is_own else ""
        raise ConfigError(
            f"{whose}{error}; choose with --timecode-rate and --timecode-start"
        ) from None
