"""The optional video of a take: H.264 where this PyAV has it, readable after a crash."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from livefacs.arrays import U8, Records
from livefacs.files.atomic import write_all
from livefacs.take.checksums import FileSums
from livefacs.take.layout import VIDEO_FILE, VIDEO_STAMPS_FILE, stream_entry, video_dtype
from livefacs.take.writer import TakeWriter

_ENCODERS: Final = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf", "mpeg4")
_TIME_BASE: Final = Fraction(1, 1_000_000)
_SECONDS_A_FRAGMENT: Final = 0.5
_OPTIONS: Final = {"libx264": {"preset": "ultrafast", "tune": "zerolatency", "crf": "20"}}


def find_encoder() -> str:
    """Name of the first encoder that this PyAV offers; MPEG-4 is always there."""
    return next(name for name in _ENCODERS if name in av.codecs_available)


class _SummedFile:
    """What FFmpeg writes into: appended to a file, and summed up as it goes.

    It cannot seek, and need not: a fragment stays as it was written.
    """

    def __init__(self, path: Path, sums: FileSums) -> None:
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._sums = sums

    def write(self, data: bytes) -> int:
        """Append; raises ``OSError`` where the disk does not take it."""
        write_all(self._file, data, self._sums.add)
        return len(data)

    def close(self) -> None:
        """Bring it to the disk, with the last sum."""
        with self._file:
            os.fsync(self._file.fileno())
            self._sums.seal()


class TakeVideo:
    """Encodes images into ``video.mp4`` and notes each one's row and stamp in ``video.rec``.

    The file is a fragmented MP4: what was written before a crash plays.

    Parameters
    ----------
    take : TakeWriter
        Open.
    size : (width, height) of the images; an odd last column or row is left out
    rate_hz : float, nominal; stamps are the frames' own
    """

    def __init__(self, take: TakeWriter, size: tuple[int, int], rate_hz: float) -> None:
        self.path = take.folder / VIDEO_FILE
        self.size = (size[0] & ~1, size[1] & ~1)
        self.encoder = find_encoder()
        self._first_ns: int | None = None
        self._last_pts = -1
        self._stamps = (take.folder / VIDEO_STAMPS_FILE).open("xb", buffering=0)
        flags = "frag_keyframe+empty_moov+default_base_moof+skip_trailer"
        self._file = _SummedFile(self.path, take.sums_of(VIDEO_FILE))
        self._container: OutputContainer = av.open(
            self._file, "w", format="mp4", options={"movflags": flags, "flush_packets": "1"}
        )
        rate = Fraction(rate_hz or 30.0).limit_denominator(1001)
        stream = self._container.add_stream(
            self.encoder, rate=rate, options=_OPTIONS.get(self.encoder, {})
        )
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = self.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _TIME_BASE
        stream.time_base = _TIME_BASE
        stream.codec_context.gop_size = max(1, round(float(rate) * _SECONDS_A_FRAGMENT))
        stream.codec_context.max_b_frames = 0
        self._stream = stream

    def describe(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """For ``take.json``: the video, and the stream of its stamps."""
        video = {
            "file": VIDEO_FILE,
            "encoder": self.encoder,
            "width": self.size[0],
            "height": self.size[1],
        }
        return video, stream_entry("video", VIDEO_STAMPS_FILE, video_dtype())

    def append(self, images: Sequence[tuple[int, int, U8]]) -> Records:
        """Encode images, each with its row and session nanoseconds.

        Returns
        -------
        (N,) structured
            Their stamps, as they stand in ``video.rec`` now.

        Raises
        ------
        OSError
            The disk or the encoder did not take them (PyAV's errors are OSErrors).
        """
        stamps = np.empty(len(images), video_dtype())
        n_encoded = 0
        for row, t_ns, image in images:
            if (image.shape[1] & ~1, image.shape[0] & ~1) != self.size:
                continue  # the camera changed its size; the records go on
            if self._first_ns is None:
                self._first_ns = t_ns
            pts = max((t_ns - self._first_ns) // 1000, self._last_pts + 1)
            frame = av.VideoFrame.from_ndarray(self._cropped(image), format="rgb24")
            frame.pts, frame.time_base = pts, _TIME_BASE
            self._container.mux(self._stream.encode(frame))
            stamps[n_encoded] = row, pts
            self._last_pts = pts
            n_encoded += 1
        write_all(self._stamps, stamps[:n_encoded].tobytes())
        return stamps[:n_encoded]

    def close(self) -> None:
        """Finish the file."""
        try:
            if self._first_ns is not None:
                self._container.mux(self._stream.encode(None))
            self._container.close()
            os.fsync(self._stamps.fileno())
        finally:
            self._stamps.close()
            self._file.close()

    def _cropped(self, image: U8) -> U8:
        width, height = self.size
        return np.ascontiguousarray(image[:height, :width])
