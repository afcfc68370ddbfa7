"""Several performers in one stream: one encoder for each name that a performer goes by."""

from __future__ import annotations

from collections.abc import Sequence

from livefacs.protocols import Encoder
from livefacs.types import TrackedFrame


class SeveralEncoder:
    """Encodes every performer of a frame.

    Parameters
    ----------
    encoders : sequence of (number of the performer, Encoder)
        In sending order; a performer may stand more than once.
    """

    def __init__(self, encoders: Sequence[tuple[int, Encoder]]) -> None:
        self._encoders = tuple(encoders)

    def encode(self, tracked: TrackedFrame) -> Sequence[bytes | bytearray | memoryview]:
        """The datagrams of a frame, performer after performer; valid until the next call."""
        return [
            datagram
            for face, encoder in self._encoders
            for datagram in encoder.encode(tracked.of_face(face))
        ]
