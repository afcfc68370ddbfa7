"""How many faces a clip shows, at little cost."""

from __future__ import annotations

from typing import Final

from livefacs.protocols import Landmarker, Source
from livefacs.types import Frame

MOST_FACES: Final = 4
_LOOK_EVERY: Final = 90  # frames


class FaceCounter:
    """A source that looks into some of the frames it hands on for more faces than one.

    The landmarker that follows one face fast does not see the others: a second one looks at the
    first frame, which decides how many the first must find, and at every ninetieth.

    Parameters
    ----------
    source : Source
    looker : Landmarker
        Opened for ``MOST_FACES``; stays the caller's.

    Attributes
    ----------
    n_seen : int
        Faces at the last look.
    max_faces : int or None
        What the landmarker should be opened for: None (its own default) for a single face.
    """

    is_live = False

    def __init__(self, source: Source, looker: Landmarker) -> None:
        self._source = source
        self._looker = looker
        self._next = source.read()
        self._n_read = 0
        self.n_seen = 0 if self._next is None else self._count(self._next)
        self.max_faces = MOST_FACES if self.n_seen > 1 else None
        self.description = source.description
        self.rate_hz = source.rate_hz
        self.n_frames = source.n_frames
        self.timecode = source.timecode
        self.notices = source.notices

    def read(self) -> Frame | None:
        """The next frame, or None at the end."""
        frame = self._next
        if frame is None:
            return None
        if self._n_read and self._n_read % _LOOK_EVERY == 0:
            self.n_seen = self._count(frame)
        self._n_read += 1
        self._next = self._source.read()
        return frame

    def close(self) -> None:
        """Let the source go."""
        self._source.close()

    def closing_notices(self) -> tuple[str, ...]:
        """The source's own."""
        return self._source.closing_notices()

    def _count(self, frame: Frame) -> int:
        found = self._looker.detect(frame)
        return 0 if found is None else found.n_faces
