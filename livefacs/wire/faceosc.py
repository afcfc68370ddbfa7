"""FaceOSC's addresses (ofxFaceTracker, port 8338), for patches made for that program.

Source: FaceOSC/src/FaceOsc.cpp. Gestures are distances between landmarks in the units of FaceOSC's
face model. That model is not part of this project: here a unit is 1/25 of the distance between
the outer eye corners, which gives FaceOSC's usual magnitudes (mouth width 10 to 16, jaw 20 to 28),
a choice that is not confirmed. ``scale`` adjusts it. Left is the performer's left.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.mesh import OUTER_CORNERS
from livefacs.types import Health, Landmarks, TrackedFrame
from livefacs.wire.osctemplate import OscMessage, OscTemplate

_IMAGE_SIZE: Final = (640.0, 480.0)
_UNITS_BETWEEN_EYE_CORNERS: Final = 25.0
_GESTURES: Final[dict[str, tuple[int, int]]] = {
    "mouth/width": (61, 291),
    "mouth/height": (13, 14),
    "eyebrow/left": (386, 334),
    "eyebrow/right": (159, 105),
    "eye/left": (386, 374),
    "eye/right": (159, 145),
    "jaw": (2, 152),
    "nostrils": (64, 294),
}
"""Landmarks of the 478-point mesh that stand where FaceOSC's pairs do."""

_pack_pair: Final = struct.Struct(">2f").pack_into
_pack_float: Final = struct.Struct(">f").pack_into
_pack_triple: Final = struct.Struct(">3f").pack_into


class FaceOscEncoder:
    """Encodes tracked frames with FaceOSC's addresses.

    Without a face only ``/found 0`` goes out, as FaceOSC does it.

    Parameters
    ----------
    scale : float
        Factor on every gesture.
    mirrored : bool
        The frames are mirrored: gestures (taken from the landmarks, which stay as seen) exchange
        their sides, and the position is counted from the other edge.
    """

    def __init__(self, *, scale: float = 1.0, mirrored: bool = False) -> None:
        self._scale = scale
        self._mirrored = mirrored
        names = list(_GESTURES)
        self._found = OscTemplate([OscMessage("/found", "i", (0,))])
        self._template = OscTemplate(
            [
                OscMessage("/found", "i", (1,)),
                OscMessage("/pose/position", "ff", (0.0, 0.0)),
                OscMessage("/pose/scale", "f", (0.0,)),
                OscMessage("/pose/orientation", "fff", (0.0, 0.0, 0.0)),
                *(OscMessage(f"/gesture/{name}", "f", (0.0,)) for name in names),
            ]
        )
        targets = [_other_side(name) for name in names] if mirrored else names
        self._words = self._template.word_indexes([f"/gesture/{name}" for name in targets])
        pairs = np.array([_GESTURES[name] for name in names], np.intp)
        self._first, self._second = pairs[:, 0], pairs[:, 1]
        self._position_at = self._template.offsets("/pose/position")[0]
        self._scale_at = self._template.offsets("/pose/scale")[0]
        self._orientation_at = self._template.offsets("/pose/orientation")[0]

    def encode(self, tracked: TrackedFrame) -> Sequence[memoryview]:
        """One bundle; a view of one buffer, valid until the next call."""
        landmarks = tracked.landmarks
        if landmarks is None or Health.NO_FACE in tracked.health:
            return self._found.datagrams
        points = landmarks.points_px
        corner, other = OUTER_CORNERS
        unit_px = math.dist(points[corner], points[other]) / _UNITS_BETWEEN_EYE_CORNERS
        if not (math.isfinite(unit_px) and unit_px > 0.0):
            return self._found.datagrams
        self._fill(tracked, landmarks, points, unit_px)
        return self._template.datagrams

    def _fill(
        self, tracked: TrackedFrame, landmarks: Landmarks, points: F32, unit_px: float
    ) -> None:
        gaps = points[self._first] - points[self._second]
        distances = np.sqrt((gaps * gaps).sum(axis=1)) * (self._scale / unit_px)
        self._template.floats[self._words] = distances
        buffer, head = self._template.buffer, tracked.head
        width, height = landmarks.image_size
        centre = 0.5 * (points[OUTER_CORNERS[0]] + points[OUTER_CORNERS[1]])
        x = float(centre[0]) * _IMAGE_SIZE[0] / width
        x = _IMAGE_SIZE[0] - x if self._mirrored else x
        _pack_pair(buffer, self._position_at, x, float(centre[1]) * _IMAGE_SIZE[1] / height)
        _pack_float(buffer, self._scale_at, unit_px * _IMAGE_SIZE[0] / width)
        _pack_triple(buffer, self._orientation_at, head.pitch_rad, head.yaw_rad, head.roll_rad)


def _other_side(name: str) -> str:
    if name.endswith("left"):
        return name.removesuffix("left") + "right"
    return name.removesuffix("right") + "left" if name.endswith("right") else name
