"""Every frame of a finite source through a landmarker, in order, none dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from livefacs.au.solving import Mesh
from livefacs.landmarkers.priming import prime
from livefacs.protocols import Landmarker, Source
from livefacs.session.feed import Feed
from livefacs.types import Frame

_WAIT_S: Final = 0.25


def each_mesh(source: Source, landmarker: Landmarker) -> Iterator[Mesh]:
    """The mesh of every frame, one after the other; nothing is kept.

    Parameters
    ----------
    source : Source
        A clip that is not played in real time.
    landmarker : Landmarker
    """
    is_first = True
    while (frame := source.read()) is not None:
        if is_first:
            prime(landmarker, frame)
            is_first = False
        landmarks = landmarker.detect(frame)
        if landmarks is not None:  # a later frame may reuse the landmarker's buffer
            landmarks = replace(landmarks, points_px=landmarks.points_px.copy())
        yield Mesh(frame.i_frame, frame.t_ns, landmarks)


def meshes_of(
    source: Source, landmarker: Landmarker, on_frame: Callable[[], None] = lambda: None
) -> list[Mesh]:
    """The mesh of every frame, all in memory.

    Parameters
    ----------
    source, landmarker : as of ``each_mesh``
    on_frame : callable
        Called after each frame, for a progress bar.
    """
    meshes = []
    for mesh in each_mesh(source, landmarker):
        meshes.append(mesh)
        on_frame()
    return meshes


class ReadAhead:
    """A finite source that is decoded in a thread of its own, a few frames ahead."""

    is_live = False

    def __init__(self, source: Source) -> None:
        self._source = source
        self._feed = Feed(source, lambda: 0)
        self._feed.start()
        self.description = source.description
        self.rate_hz = source.rate_hz
        self.n_frames = source.n_frames
        self.timecode = source.timecode
        self.notices = source.notices

    def read(self) -> Frame | None:
        """The next frame, or None at the end; raises what the source raised."""
        while True:
            grabbed = self._feed.get(_WAIT_S)
            if grabbed is not None:
                return grabbed.frame
            if self._feed.ended:
                return None

    def close(self) -> None:
        """Stop reading and let the source go."""
        self._feed.close()

    def closing_notices(self) -> tuple[str, ...]:
        """The source's own."""
        return self._source.closing_notices()
