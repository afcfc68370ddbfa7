"""Linear timecode in the sound of a clip: which label its first frame has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livefacs.errors import SourceError
from livefacs.sources.audio import AudioFile
from livefacs.timecode import RATES, TimecodeRate
from livefacs.wire.following import TimecodeFollower
from livefacs.wire.ltc import LtcReader

_LONGEST_GAP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class SoundTimecode:
    """What was heard.

    Attributes
    ----------
    rate : TimecodeRate
        Of the wire; twice that where the clip has twice as many frames.
    label : str
        At the asked moment.
    notices : tuple of str
        What a user should know: jumps, long gaps.
    """

    rate: TimecodeRate
    label: str
    notices: tuple[str, ...]


def timecode_in_sound(path: Path, channel: int, at_s: float, rate_hz: float) -> SoundTimecode:
    """The timecode of a moment of a clip.

    Parameters
    ----------
    path : Path
    channel : int
        Of the sound, from 1.
    at_s : float
        Seconds since the file's beginning.
    rate_hz : float
        Frames a second of the pictures.

    Raises
    ------
    SourceError
        No sound, no such channel, or no timecode in it.
    """
    with AudioFile(path, channel) as sound:
        reader, follower = LtcReader(sound.sample_rate_hz), TimecodeFollower(sound.sample_rate_hz)
        sample = (at_s - sound.start_s) * sound.sample_rate_hz
        gaps, heard_until, first = 0, None, None
        for block in sound.blocks():
            for frame in reader.read(block):
                if heard_until is not None:
                    gaps += frame.start - heard_until > _LONGEST_GAP_S * sound.sample_rate_hz
                heard_until = frame.end
                follower.follow([frame])
                first = first or _label_at(follower, sample, rate_hz)
    if first is None:
        raise SourceError(
            f"{path}: no linear timecode in channel {channel} of {sound.n_channels}; look with"
            " `livefacs ltc read`"
        )
    return SoundTimecode(*first, _notices(follower, gaps))


def _label_at(
    follower: TimecodeFollower, sample: float, rate_hz: float
) -> tuple[TimecodeRate, str] | None:
    """Rate and label by what is heard so far: the frame whose beginning is nearest to a moment."""
    wire = follower.rate
    if wire is None:
        return None
    fast = next(
        (r for r in RATES.values() if r.fraction == 2 * wire.fraction and r.drop == wire.drop), None
    )
    if fast is None or abs(rate_hz - float(fast.fraction)) > abs(rate_hz - float(wire.fraction)):
        return wire, wire.label_from_frame(follower.frame_at(sample, nearest=True) or 0)
    half = 0.5 * follower.ticks_hz / float(wire.fraction)
    frame = follower.frame_at(sample + 0.5 * half) or 0
    is_second = follower.frame_at(sample + 1.5 * half) != frame
    return fast, fast.label_from_frame(2 * frame + is_second)


def _notices(follower: TimecodeFollower, gaps: int) -> tuple[str, ...]:
    notices = []
    if follower.n_jumps:
        notices.append(
            f"its timecode jumps {follower.n_jumps} time(s); labels count on from the beginning"
        )
    if gaps:
        notices.append(f"its timecode is silent {gaps} time(s) for over a second; counted through")
    return tuple(notices)
