"""The largest face of a clip, whenever it comes, at little more than the cost of one face."""

from __future__ import annotations

from typing import Final

from livefacs.landmarkers.priming import prime
from livefacs.protocols import Landmarker
from livefacs.types import Frame, Landmarks

MOST_FACES: Final = 4
_LOOK_EVERY: Final = 90  # frames


class LargestFace:
    """A landmarker that now and then looks for more faces than the one it follows.

    The landmarker that follows one face fast does not see the others: a second one looks at the
    first frame and at every ninetieth. From the first look on that finds several, that one finds
    the mesh, and the largest face is followed.

    Parameters
    ----------
    finder : Landmarker
        Opened for one face.
    looker : Landmarker
        The same backend, opened for ``MOST_FACES``.
    """

    def __init__(self, finder: Landmarker, looker: Landmarker) -> None:
        self.name = finder.name
        self._finder = finder
        self._looker: Landmarker | None = looker
        self._next_look: int | None = None

    def detect(self, frame: Frame) -> Landmarks | None:
        """The mesh of the largest face that is known of; None where there is no face."""
        looker = self._looker
        if looker is not None and (self._next_look is None or frame.i_frame >= self._next_look):
            self._next_look = frame.i_frame + _LOOK_EVERY
            found = looker.detect(frame)
            if found is not None and found.n_faces > 1:
                self._finder.close()
                self._finder, self._looker = looker, None
                return prime(looker, frame) or found
        return self._finder.detect(frame)

    def close(self) -> None:
        """Free both models."""
        self._finder.close()
        if self._looker is not None:
            self._looker.close()
