"""Every frame of a finite source through a landmarker, in order, none dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from livefacs.au.solving import Mesh
from livefacs.protocols import Landmarker, Source
from livefacs.types import Frame

N_PRIMING: Final = 3
"""A tracker's first frames are about a pixel off: the first image is shown to it this often."""


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
            _prime(landmarker, frame)
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


def _prime(landmarker: Landmarker, frame: Frame) -> None:
    if landmarker.name == "facemesh":  # the other backend wants rising times
        for _ in range(N_PRIMING):
            landmarker.detect(frame)
