"""OpenTimelineIO: a timeline with the take as a clip, its picture and its markers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from livefacs.clock import NS_PER_S
from livefacs.errors import TakeError
from livefacs.formats.curves import ExportOptions, need
from livefacs.formats.media import media_of
from livefacs.take.reader import Take
from livefacs.take.sound import sound_of
from livefacs.timecode import RATES, TimecodeRate


def _frames_since(first: int, frame: int, rate: TimecodeRate) -> int:
    """Frames from the take's first to another, which may lie on the other side of midnight."""
    half_day = rate.frames_a_day // 2
    return (frame - first + half_day) % rate.frames_a_day - half_day


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; needs opentimelineio."""
    try:
        import opentimelineio as otio
    except ImportError:
        raise need("opentimelineio", "otio") from None
    if not take.n_rows:
        raise TakeError(f"{take.folder}: the take has no frames, nothing can be exported")
    rate = float(RATES[take.rate.name].fraction)  # it finds the labels by the rate alone
    first, last = (int(take.frames["timecode"][row]) for row in (0, -1))
    n_frames = max(0, _frames_since(first, last, take.rate)) + 1
    found = media_of(take)
    n_before = 0 if found is None else take.rate.frames_from_ns(int(take.t_ns[0]) - found[1])
    media_first = max(0, first - n_before)  # of the file, whose beginning may be no picture's
    shown_first = media_first + n_before
    start = otio.opentime.RationalTime(shown_first, rate)
    span = otio.opentime.TimeRange(start, otio.opentime.RationalTime(n_frames, rate))
    available = otio.opentime.TimeRange(
        otio.opentime.RationalTime(media_first, rate),
        otio.opentime.RationalTime(n_before + n_frames, rate),
    )
    media = (
        otio.schema.MissingReference(available_range=span)
        if found is None
        else otio.schema.ExternalReference(target_url=found[0].as_uri(), available_range=available)
    )
    clip = otio.schema.Clip(name=take.name, media_reference=media, source_range=span)
    one_frame = otio.opentime.RationalTime(1, rate)
    for marker in take.markers:
        since = _frames_since(first, marker.timecode, take.rate)
        at = otio.opentime.RationalTime(shown_first + since, rate)
        clip.markers.append(
            otio.schema.Marker(
                name=marker.label or marker.kind,
                marked_range=otio.opentime.TimeRange(at, one_frame),
                color=otio.schema.MarkerColor.GREEN,
                metadata={"livefacs": {"kind": marker.kind, "frame": marker.i_frame}},
            )
        )
    timeline = otio.schema.Timeline(name=take.name, global_start_time=start)
    timeline.metadata["livefacs"] = {"slate": take.slate, "take": take.number}
    track = otio.schema.Track(name="face", kind=otio.schema.TrackKind.Video)
    track.append(clip)
    timeline.tracks.append(track)
    _add_sound(timeline, take, rate, n_frames)
    otio.adapters.write_to_file(timeline, str(path), adapter_name="otio_json")


def _add_sound(timeline: Any, take: Take, rate: float, n_frames: int) -> None:
    """A track with the take's own sound, as much of it as there is beside the picture."""
    import opentimelineio as otio

    sound = sound_of(take)
    if sound is None:
        return
    rate_hz = float(sound.info.sample_rate_hz)
    first = sound.info.time_reference
    before_s = (int(take.t_ns[0]) - sound.clock.start_ns) / NS_PER_S
    shown = round(before_s * rate_hz)  # the picture's beginning, below 0 where sound begins later
    begin, end = max(0, shown), min(shown + round(n_frames / rate * rate_hz), sound.info.n_samples)
    if end <= begin:
        return
    available = otio.opentime.TimeRange(
        otio.opentime.RationalTime(first, rate_hz),
        otio.opentime.RationalTime(sound.info.n_samples, rate_hz),
    )
    span = otio.opentime.TimeRange(
        otio.opentime.RationalTime(first + begin, rate_hz),
        otio.opentime.RationalTime(end - begin, rate_hz),
    )
    reference = otio.schema.ExternalReference(sound.path.resolve().as_uri(), available)
    clip = otio.schema.Clip(name=sound.path.name, media_reference=reference, source_range=span)
    track = otio.schema.Track(name="sound", kind=otio.schema.TrackKind.Audio)
    if shown < begin:
        late = otio.opentime.RationalTime(begin - shown, rate_hz)
        track.append(otio.schema.Gap(duration=late))
    track.append(clip)
    timeline.tracks.append(track)
