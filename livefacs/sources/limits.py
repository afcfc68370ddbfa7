"""What a picture may be at most, by what its header says: checked before anything is unpacked."""

from __future__ import annotations

from typing import Final

from av.codec.context import CodecContext

MOST_PIXELS: Final = 1 << 27
"""134 million: 11,585 squared; a frame of 16K has 133 million."""
MOST_FILE_BYTES: Final = 2 << 30
"""Of one picture file: a frame of 16K as half floats with depth is a gigabyte."""


def bound_pixels(decoder: CodecContext) -> None:
    """Let a decoder refuse pictures of more pixels by their header."""
    decoder.options = {**decoder.options, "max_pixels": str(MOST_PIXELS)}
