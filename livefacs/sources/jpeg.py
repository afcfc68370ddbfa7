"""Single JPEG pictures from senders that need not be trusted."""

from __future__ import annotations

from typing import Final

from av.codec.context import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from livefacs.arrays import U8
from livefacs.sources.capture import rgb_from_picture

_START: Final = b"\xff\xd8\xff"
_SCAN: Final = b"\xff\xda"
_MOST_SCANS: Final = 16  # one that is drawn in thousands of scans takes minutes; cameras need one
_LEAST_SIDE: Final = 16


class JpegReader:
    """Decodes JPEG pictures up to a size, one after the other; used by one thread.

    Parameters
    ----------
    most_side : int
        Pixels of the longer side.
    """

    def __init__(self, most_side: int) -> None:
        self._most_side = most_side
        self._decoder = self._new_decoder()

    def read(self, data: bytes) -> U8 | None:
        """A picture as (H, W, 3) uint8 RGB; None for what is damaged, too large or no JPEG."""
        if not data.startswith(_START) or data.count(_SCAN) > _MOST_SCANS:
            return None
        try:
            pictures = self._decoder.decode(Packet(data))
        except (FFmpegError, ValueError):
            self._decoder = self._new_decoder()  # whatever state it was left in
            return None
        if len(pictures) != 1 or pictures[0].is_corrupt:
            return None
        sides = pictures[0].width, pictures[0].height
        if min(sides) < _LEAST_SIDE or max(sides) > self._most_side:
            return None
        return rgb_from_picture(pictures[0])

    def _new_decoder(self) -> VideoCodecContext:
        decoder = CodecContext.create("mjpeg", "r")
        assert isinstance(decoder, VideoCodecContext)
        # Looked at in the header, before anything is unpacked; a picture that breaks off is none.
        decoder.options = {"max_pixels": str(self._most_side**2), "err_detect": "explode"}
        decoder.thread_count = 1
        return decoder
