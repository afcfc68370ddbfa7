"""The first frames of a tracker, shown to it until it has settled."""

from __future__ import annotations

from typing import Final

from livefacs.landmarkers.facemesh import NAME
from livefacs.protocols import Landmarker
from livefacs.types import Frame, Landmarks

N_PRIMING: Final = 3
"""A tracker's first frames are about a pixel off: the first image is shown to it this often."""


def prime(landmarker: Landmarker, frame: Frame) -> Landmarks | None:
    """Let a tracker settle on its first frame; the mesh, or None where the backend needs it not."""
    landmarks = None
    if landmarker.name == NAME:  # the other backend wants rising times
        for _ in range(N_PRIMING):
            landmarks = landmarker.detect(frame)
    return landmarks
