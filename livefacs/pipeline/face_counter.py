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
    first frame, which decides how many the first must find, and at every ninetieth. It looks in
    the thread that reads.

    Parameters
    ----------
    source : Source
    looker : Landmarker
        Opened for ``MOST_FACES``; stays the caller's.

    Attributes
    ----------
    max_faces : int or None
        What the landmarker should be opened for: None (its own default) for a single face.
    """

    is_live = False

    def __init__(self, source: Source, looker: Landmarker) -> None:
        self._source = source
        self._looker = looker
        self._looks: list[tuple[int, int]] = []
        self._n_read = 0
        self._first = self._read_and_look()
        self.max_faces = MOST_FACES if self._looks and self._looks[0][1] > 1 else None
        self.description = source.description
        self.rate_hz = source.rate_hz
        self.n_frames = source.n_frames
        self.timecode = source.timecode
        self.notices = source.notices

    def read(self) -> Frame | None:
        """The next frame, or None at the end."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return self._read_and_look()

    def faces_at(self, i_frame: int) -> int:
        """Faces at the last look up to a frame that was read."""
        return next((seen for looked, seen in reversed(self._looks) if looked <= i_frame), 0)

    def close(self) -> None:
        """Let the source go."""
        self._source.close()

    def closing_notices(self) -> tuple[str, ...]:
        """The source's own."""
        return self._source.closing_notices()

    def _read_and_look(self) -> Frame | None:
        frame = self._source.read()
        if frame is not None:
            if self._n_read % _LOOK_EVERY == 0:
                found = self._looker.detect(frame)
                self._looks.append((frame.i_frame, 0 if found is None else found.n_faces))
            self._n_read += 1
        return frame
