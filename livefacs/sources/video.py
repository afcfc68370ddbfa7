"""Clips through PyAV: exact presentation times, upright images, damage counted and passed over."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.error import FFmpegError
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from livefacs.arrays import U8
from livefacs.clock import NS_PER_S
from livefacs.errors import SourceError
from livefacs.types import Frame

_DEFAULT_RATE_HZ: Final = 30.0
_LONGEST_SILENCE: Final = 600
"""Packets without a single frame after which a clip counts as unreadable."""

_COMPLETE_SHARE: Final = 0.99
"""Of the frames that a file's index promises; edit lists may hide a few without harm."""

_COMPLETE_LENGTH: Final = 0.9
"""Of the length that a file without an index promises (Matroska), which is less exact."""

_CLOCK: Final = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")

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
        Average rate; single frames may lie closer or further apart.
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
        self._closed = self._ended = False
        self._n_read = 0
        self._seen_s = 0.0
        self._first: Frame | None = None
        self._lock = threading.Lock()  # a container must not be closed while it decodes
        self._open()
        self.n_frames: int | None = self._stream.frames or None
        self.rate_hz = float(self._stream.average_rate or self._stream.guessed_rate or 0.0)
        self._length_s = _promised_length_s(self._stream) - 1 / (self.rate_hz or _DEFAULT_RATE_HZ)
        self.timecode = self._find_timecode()
        self.description = f"{path.name}, {self._size_in_words()}, {self.rate_hz:.4g} fps"

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
                self._n_read = frame.i_frame + 1
                self._seen_s = frame.t_ns / NS_PER_S
            return frame

    def rewind(self) -> None:
        """Begin again at the first frame, with the same times and numbers."""
        with self._lock:
            if not self._closed:
                self._ended = False
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
        if self._ended and self.n_frames and self._n_read < _COMPLETE_SHARE * self.n_frames:
            notices.append(
                f"{self.path.name}: only {self._n_read} of {self.n_frames} frames were there; "
                "the file may be incomplete"
            )
        elif self._ended and not self.n_frames and self._seen_s < _COMPLETE_LENGTH * self._length_s:
            notices.append(
                f"{self.path.name}: only {self._seen_s:.2f} of {self._length_s:.2f} s were there; "
                "the file may be incomplete"
            )
        return tuple(notices)

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
        if not self._container.streams.video:
            self._container.close()
            raise SourceError(f"{self.path} holds no video stream; expected a clip with pictures")
        self._stream = self._container.streams.video[0]
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
            timecode = holder.metadata.get("timecode")
            if timecode:
                return str(timecode)
        return None

    def _numbered_frames(self) -> Generator[Frame, None, None]:
        """Frames with times from 0 and numbers that count the damaged ones."""
        timeline = _Timeline(self._stream)
        n_damaged_before = self.n_damaged
        i_frame = 0
        for picture in self._pictures():
            i_frame += self.n_damaged - n_damaged_before
            n_damaged_before = self.n_damaged
            image = self._upright.upright(picture)
            yield Frame(image, timeline.t_ns(picture.pts), i_frame)
            i_frame += 1

    def _pictures(self) -> Iterator[VideoFrame]:
        n_silent = 0
        for packet in self._packets():
            try:
                pictures = packet.decode()
            except FFmpegError:
                self.n_damaged += 1
                pictures = []
            n_silent = 0 if pictures else n_silent + 1
            if n_silent > _LONGEST_SILENCE:
                return
            for picture in pictures:
                if picture.is_corrupt:
                    self.n_damaged += 1
                else:
                    yield picture

    def _packets(self) -> Iterator[av.Packet[VideoStream]]:
        """Packets of the stream; a file that breaks off ends there."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.n_damaged += 1
                return
            if packet is None:
                return
            yield packet


def _promised_length_s(stream: VideoStream) -> float:
    """From the first picture to the end, as the file's header has it; 0 where it does not say."""
    time_base = float(stream.time_base or 0)
    if stream.duration:
        return stream.duration * time_base
    tag = _CLOCK.match(stream.metadata.get("DURATION", ""))
    if tag is None:
        return 0.0
    end_s = 3600 * int(tag[1]) + 60 * int(tag[2]) + float(tag[3])
    return end_s - (stream.start_time or 0) * time_base


class _Timeline:
    """Presentation times in nanoseconds from the first frame, strictly rising."""

    def __init__(self, stream: VideoStream) -> None:
        self._base = stream.time_base or Fraction(1, 1_000_000)
        rate = stream.average_rate or stream.guessed_rate or Fraction(_DEFAULT_RATE_HZ)
        self._period_ns = round(NS_PER_S / rate)
        self._first_pts: int | None = None
        self._last_ns: int | None = None

    def t_ns(self, pts: int | None) -> int:
        """Time of a frame; one without a usable time comes a nominal period after the last."""
        t_ns = self._from_pts(pts)
        if self._last_ns is not None and (t_ns is None or t_ns <= self._last_ns):
            t_ns = self._last_ns + self._period_ns
        self._last_ns = t_ns or 0
        return self._last_ns

    def _from_pts(self, pts: int | None) -> int | None:
        if pts is None:
            return None
        if self._first_pts is None:
            self._first_pts = pts
        return round((pts - self._first_pts) * self._base * NS_PER_S)


class UprightPictures:
    """Makes decoded pictures of one clip (H, W, 3) uint8 RGB with square pixels, as they are shown.

    One converter serves the whole clip, and the first picture says how all are turned: a
    converter a picture starts threads for each, and a picture that is asked for its side data is
    never freed (PyAV 18).
    """

    def __init__(self, pixel_aspect: Fraction, n_threads: int = 0) -> None:
        self._pixel_aspect = pixel_aspect
        self._n_threads = n_threads
        self._converter = VideoReformatter()
        self._matrix: bytes | None = None
        self._is_first = True

    def upright(self, picture: VideoFrame) -> U8:
        """One picture."""
        if self._is_first:
            self._is_first = False
            if SideDataType.DISPLAYMATRIX in picture.side_data:
                self._matrix = bytes(picture.side_data[SideDataType.DISPLAYMATRIX])  # type: ignore[typeddict-item]  # the stub lacks the key
        width = max(1, round(picture.width * self._pixel_aspect))
        plain = self._converter.reformat(
            picture, format="rgb24", width=width, threads=self._n_threads
        )
        image = plain.to_ndarray().view(np.uint8)
        if self._matrix is None:
            return image
        return np.ascontiguousarray(turned_by_display_matrix(image, self._matrix))


def turned_by_display_matrix(image: U8, matrix: bytes) -> U8:
    """The image as a display matrix wants it shown, in quarter turns and flips.

    Parameters
    ----------
    image : (H, W, 3) uint8
    matrix : bytes
        Nine 32-bit integers a b u c d v x y w, row by row; a point (p, q) of the picture is shown
        at (a p + c q, b p + d q). Source: ISO/IEC 14496-12, track header; FFmpeg ``display.h``.
    """
    a, b, _, c, d = np.frombuffer(matrix, np.int32, count=5).tolist()
    if abs(a) >= abs(b):
        flip_x, flip_y = a < 0, d < 0
    else:
        image = image.swapaxes(0, 1)
        flip_x, flip_y = c < 0, b < 0
    return image[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
