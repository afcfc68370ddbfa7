"""What a clip's header says of its pictures, and how far it can be believed."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from livefacs.clock import NS_PER_S
from livefacs.sources.timeline import rate_from_stamps

DEFAULT_RATE_HZ: Final = 30.0
_HIGHEST_TOLD_HZ: Final = 250.0
_RATES_AGREE: Final = 0.02  # the average, and the rate that fits all time stamps
_RATE_IS_LIKELY: Final = 0.1
_STAMPS_FOR_A_RATE: Final = 120
_BYTES_FOR_A_RATE: Final = 1 << 25

_COMPLETE_SHARE: Final = 0.99
"""Of the packets that a file's index promises, and of its length."""

_COMPLETE_LENGTH: Final = 0.9
"""Of the length that a file without an index promises (Matroska), which is less exact."""

_WITH_INDEX: Final = ("mov,mp4,m4a,3gp,3g2,mj2", "avi")
"""Containers, by FFmpeg's names, whose index lists every packet that can be had."""

_CLOCK: Final = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class Promise:
    """What a file's header says of its pictures, to be held against what was there.

    Attributes
    ----------
    n_frames : int or None
        Pictures that will come; None where the file does not say.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, rate_hz: float) -> None:
        self._period_s = 1.0 / (rate_hz or DEFAULT_RATE_HZ)
        self._has_count = stream.frames > 0
        self._n_counted = stream.frames
        self._length_s = _promised_length_s(stream)
        length_s = self._length_s
        self._index = stream.index_entries if container.format.name in _WITH_INDEX else ()
        self._n_index = len(self._index)
        if container.format.name == "avi" and stream.average_rate:
            # The header's count makes its length; what FFmpeg says follows the file's size.
            self._length_s = max(length_s, stream.frames / float(stream.average_rate))
        self.n_frames: int | None = None
        if self._has_count:
            shown = round(length_s / self._period_s) if length_s else stream.frames
            self.n_frames = max(1, min(stream.frames, shown))

    def missing(self, n_packets: int, seen_s: float) -> str:
        """What is not there, in words; empty where the promise was kept.

        Too few packets alone prove nothing (edit lists, empty frames of AVI), nor does a length
        that is too short (a last frame that stands long).
        """
        share = _COMPLETE_SHARE if self._has_count else _COMPLETE_LENGTH
        if seen_s + 2 * self._period_s >= share * self._length_s:
            return ""
        if not self._has_count:
            return f"only {seen_s:.2f} of {self._length_s:.2f} s were there"
        # An index that grows while the file is read stood not in it; else it counts without what
        # an edit list hides.
        has_index = len(self._index) == self._n_index > 1
        n_promised = self._n_index if has_index else self._n_counted
        if n_packets >= share * n_promised:
            return ""
        return f"only {n_packets} of {n_promised} frames were there"


def _promised_length_s(stream: VideoStream) -> float:
    """From the first picture to the end, as the file's header has it; 0 where it does not say."""
    time_base = float(stream.time_base or 0)
    if stream.duration:
        return stream.duration * time_base
    tag = _CLOCK.match(find_tag(stream.metadata, "duration"))
    if tag is None:
        return 0.0
    end_s = 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3])
    return end_s - (stream.start_time or 0) * time_base


def find_tag(metadata: Mapping[str, str], name: str) -> str:
    """A tag whatever its case (Matroska's are upper case); empty where it is not there."""
    return next((value for key, value in metadata.items() if key.casefold() == name), "")


def chosen_track(tracks: Sequence[VideoStream]) -> VideoStream:
    """The track that players show: the default one; never a cover picture.

    Where none is (MPEG-TS has no such mark), the one with the largest picture, as FFmpeg chooses.
    """
    moving = [t for t in tracks if not t.disposition & Disposition.attached_pic] or list(tracks)
    default = next((t for t in moving if t.disposition & Disposition.default), None)
    return default or max(moving, key=_pixels)


def _pixels(track: VideoStream) -> int:
    return 0 if track.codec_context is None else track.width * track.height


def start_ns_of(container: InputContainer, stream: VideoStream, rate_hz: float) -> int:
    """When the picture begins after the file's beginning; 0 within half a frame."""
    if stream.start_time is None or container.start_time is None or stream.time_base is None:
        return 0
    file_ns = container.start_time * NS_PER_S // av.time_base
    start_ns = round(stream.start_time * stream.time_base * NS_PER_S) - file_ns
    return start_ns if start_ns * (rate_hz or DEFAULT_RATE_HZ) > NS_PER_S / 2 else 0


def rate_hz_of(path: Path, stream: VideoStream) -> float:
    """The average rate as the file tells it, where it is likely; else from the first times."""
    average, guessed = stream.average_rate, stream.guessed_rate
    told_hz = float(average or guessed or 0.0)
    agree = average and guessed and abs(float(guessed) / told_hz - 1) <= _RATES_AGREE
    if agree and told_hz <= _HIGHEST_TOLD_HZ:
        return told_hz
    seen_hz = rate_from_stamps(_first_stamps_s(path, stream.index))
    if average and abs(seen_hz / told_hz - 1) <= _RATE_IS_LIKELY:
        return told_hz
    return seen_hz or told_hz


def _first_stamps_s(path: Path, index: int) -> list[float]:
    """Times of a clip's first pictures, which need not be decoded for it."""
    stamps: list[float] = []
    n_bytes = 0
    with contextlib.suppress(FFmpegError), av.open(str(path)) as container:
        for packet in container.demux(container.streams[index]):
            n_bytes += packet.size
            if packet.pts is not None and packet.time_base is not None:
                stamps.append(float(packet.pts * packet.time_base))
            if len(stamps) >= _STAMPS_FOR_A_RATE or n_bytes > _BYTES_FOR_A_RATE:
                break
    return stamps
