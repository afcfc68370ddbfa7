"""Clips through PyAV: exact presentation times, upright images, damage counted and passed over."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from livefacs.clock import NS_PER_S
from livefacs.errors import SourceError
from livefacs.sources.broken_off import is_broken_off
from livefacs.sources.header import (
    DEFAULT_RATE_HZ,
    Promise,
    chosen_track,
    find_tag,
    rate_hz_of,
    start_ns_of,
)
from livefacs.sources.limits import bound_pixels
from livefacs.sources.timeline import Timeline
from livefacs.sources.upright import UprightPictures
from livefacs.timecode import clip_rate_and_label
from livefacs.types import Frame

_LATE_NS: Final = NS_PER_S // 10  # less is the sound's own lead
_LONGEST_SILENCE: Final = 600
"""Packets without a single frame after which a clip counts as unreadable."""
_REORDERED: Final = 4
"""Pictures that may be shown after a damaged one that was the last in the file."""

av.logging.set_level(None)  # what goes wrong comes back as exceptions and counters


class VideoSource:
    """Every frame of a clip, in presentation order.

    Parameters
    ----------
    path : Path
    n_threads : int
        For decoding and converting; 0: as many as there are cores.

    Attributes
    ----------
    rate_hz : float
        Average rate; single frames may lie closer or further apart. Where the file does not tell
        it, or tells what cannot be, it comes from the frames' times.
    start_ns : int
        Time of the first frame in the file, which other streams (sound) may have begun earlier.
    n_damaged : int
        Packets and frames that could not be decoded so far; each leaves a gap in ``i_frame``.
    timecode : str or None
        Start timecode as the file gives it (``01:00:00:00``; ``;`` before the frames: drop frame).
    notices : tuple of str
        What a user should be told before the start.

    Raises
    ------
    SourceError
        Not there, not a clip, no video in it, or no frame of it can be decoded.
    """

    is_live = False

    def __init__(self, path: Path, *, n_threads: int = 0) -> None:
        self.path = path
        self._n_threads = n_threads
        self.n_damaged = 0
        self.notices: tuple[str, ...] = ()
        self._told: tuple[str, ...] = ()
        self._closed = self._ended = False
        self._n_packets = 0
        self._n_after_damage = 0  # pictures that came whole since
        self._seen_s = 0.0
        self._first: Frame | None = None
        self._in_order: deque[int] = deque()  # stamps by presentation, where packets have none
        self._lock = threading.Lock()  # a container must not be closed while it decodes
        self.rate_hz = 0.0
        self._open()
        self.n_frames: int | None = self._promise.n_frames
        self.start_ns = start_ns_of(self._container, self._stream, self.rate_hz)
        self.timecode = self._find_timecode()
        self.description = f"{path.name}, {self._size_in_words()}, {self.rate_hz:.4g} fps"
        self.notices = (*self._notices(),)

    def read(self) -> Frame | None:
        """The next frame, or None at the end or once closed."""
        with self._lock:
            if self._closed:
                return None
            frame = self._first or next(self._frames, None)
            self._first = None
            if frame is None:
                self._ended = True
            else:
                self._seen_s = max(self._seen_s, frame.t_ns / NS_PER_S)
            return frame

    def rewind(self) -> None:
        """Begin again at the first frame, with the same times and numbers."""
        with self._lock:
            if not self._closed:
                self._frames.close()
                if not self._sought_start():
                    self._container.close()
                    self._open()

    def close(self) -> None:
        """Let the file go."""
        self._closed = True
        with self._lock:
            self._frames.close()
            self._container.close()

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end."""
        notices = []
        if self.n_damaged:
            notices.append(f"{self.path.name}: {self.n_damaged} damaged frame(s) were skipped")
        notices += [f"{self.path.name}: {notice}" for notice in self._told]
        if self._ended and not self._told:  # wrong stamps make wrong lengths
            missing = self._promise.missing(self._n_packets, self._seen_s) or self._break()
            notices += [f"{self.path.name}: {missing}; the file may be incomplete"] * bool(missing)
        return tuple(notices)

    def _break(self) -> str:
        """That the file ends in the middle of something, in words; empty where it does not."""
        ends_damaged = self.n_damaged and self._n_after_damage < _REORDERED
        if ends_damaged or is_broken_off(self.path, self._format):
            return "it breaks off in the middle"
        return ""

    def _open(self) -> None:
        if not self.path.is_file():
            raise SourceError(f"no clip at {self.path}: expected the path of a video file")
        try:
            self._container = av.open(str(self.path))
        except (FFmpegError, OSError, ValueError) as error:
            raise SourceError(
                f"{self.path} cannot be read as video ({_reason(error)}); "
                "is the file complete, and a format that FFmpeg knows?"
            ) from None
        self._format = self._container.format.name
        if not self._container.streams.video:
            self._container.close()
            raise SourceError(f"{self.path} holds no video stream; expected a clip with pictures")
        self._stream = chosen_track(self._container.streams.video)
        if self._stream.codec_context is None:  # the stubs do not know of tracks without a decoder
            self._container.close()
            raise SourceError(
                f"{self.path}: this FFmpeg has no decoder for its picture track; convert it, with"
                " the program that wrote it, to H.264 or ProRes"
            )
        bound_pixels(self._stream.codec_context)
        self.rate_hz = self.rate_hz or rate_hz_of(self.path, self._stream)
        self._promise = Promise(self._container, self._stream, self.rate_hz)
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = self._n_threads
        self._upright = UprightPictures(
            self._stream.sample_aspect_ratio or Fraction(1), self._n_threads
        )
        self._frames: Generator[Frame, None, None] = self._numbered_frames()
        self._first = next(self._frames, None)
        if self._first is None:
            self._container.close()
            raise SourceError(
                f"{self.path}: no frame could be decoded ({self.n_damaged} damaged); "
                "the clip is empty or broken"
            )

    def _sought_start(self) -> bool:
        """Go back in the open file. A new decoder every round would leave its threads' memory in
        pieces: a looping clip grew to a gigabyte in half an hour."""
        try:
            self._container.seek(0)
        except FFmpegError:
            return False
        self._frames = self._numbered_frames()
        self._first = next(self._frames, None)
        return self._first is not None

    def _size_in_words(self) -> str:
        if self._first is None:
            return ""
        height, width = self._first.image.shape[:2]
        return f"{width}×{height}"

    def _find_timecode(self) -> str | None:
        for holder in (self._stream, *self._container.streams, self._container):
            timecode = find_tag(holder.metadata, "timecode")
            if timecode:
                return timecode
        return None

    def _notices(self) -> Iterator[str]:
        name, n_tracks = self.path.name, len(self._container.streams.video)
        rate, label = clip_rate_and_label(self.rate_hz, self.timecode)
        if self.timecode is not None and label is None:
            yield (
                f"{name}: its timecode {self.timecode!r} is none at {rate.name}: counted from"
                " 00:00:00:00 instead"
            )
        if n_tracks > 1:
            yield (
                f"{name} has {n_tracks} video tracks: number {self._stream.index}, "
                f"{self._size_in_words()}, is taken"
            )
        if self.start_ns >= _LATE_NS:
            yield (
                f"{name}: the picture starts {self.start_ns / NS_PER_S:.2f} s after the file does; "
                "times count from the first picture, in formats that link the clip from its start"
            )

    def _numbered_frames(self) -> Generator[Frame, None, None]:
        """Frames with times from 0 and numbers that count the damaged ones."""
        timeline: Timeline[tuple[int, VideoFrame]] = Timeline(
            round(NS_PER_S / (self.rate_hz or DEFAULT_RATE_HZ))
        )
        for t_ns, (i_frame, picture) in timeline.timed(self._stamped_pictures()):
            self._told = self._told or timeline.notices()
            yield Frame(self._upright.upright(picture), t_ns, i_frame)
        self._told = timeline.notices()

    def _stamped_pictures(self) -> Iterator[tuple[int | None, tuple[int, VideoFrame]]]:
        """Stamps in nanoseconds, and pictures with their numbers."""
        base = self._stream.time_base or Fraction(1, 1_000_000)
        self._in_order.clear()
        n_damaged_before = self.n_damaged
        i_frame = 0
        for picture in self._pictures():
            i_frame += self.n_damaged - n_damaged_before
            n_damaged_before = self.n_damaged
            pts = self._in_order.popleft() if self._in_order else picture.pts
            yield None if pts is None else round(pts * base * NS_PER_S), (i_frame, picture)
            i_frame += 1

    def _pictures(self) -> Iterator[VideoFrame]:
        n_silent = 0
        for packet in self._packets():
            try:
                pictures = packet.decode()
            except FFmpegError:
                self._note_damage()
                self._pass_over_stamp()
                pictures = []
            n_silent = 0 if pictures else n_silent + 1
            if n_silent > _LONGEST_SILENCE:
                return
            for picture in pictures:
                if picture.is_corrupt:
                    self._note_damage()
                    self._pass_over_stamp()
                else:
                    self._n_after_damage += 1
                    yield picture

    def _pass_over_stamp(self) -> None:
        if self._in_order:
            self._in_order.popleft()

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        """Packets of the stream; a file that breaks off ends there."""
        packets = self._container.demux(self._stream)
        is_reordered = self._container.format.name == "avi" and self._stream.has_b_frames
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self._note_damage()
                return
            if packet is None:
                return
            self._n_packets += packet.size > 0
            # AVI numbers packets as they are decoded: one number a picture, in its order.
            if is_reordered and packet.size and packet.dts is not None:
                self._in_order.append(packet.dts)
            yield packet

    def _note_damage(self) -> None:
        self.n_damaged += 1
        self._n_after_damage = 0


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
