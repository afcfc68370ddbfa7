"""Synthetic meshes: the mean face, moved, turned and projected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from livefacs import mesh
from livefacs.arrays import F64
from livefacs.au.estimator_model import load_model
from livefacs.types import Landmarks
from tests import reference

SIZE = (640, 480)
EYES_PX = 140.0
FPS = 30.0


def face(**moves: tuple[float, float]) -> F64:
    """The mean face with named groups displaced, in eye distances."""
    shape = load_model().canonical.copy()
    for group, (dx, dy) in moves.items():
        shape[GROUPS[group]] += (dx, dy, 0.0)
    return shape


GROUPS = {
    "corner_left": [291, 308, 306, 292, 375, 409, 270, 321],
    "corner_right": [61, 78, 76, 62, 146, 185, 40, 91],
    "brow_left": [276, 283, 282, 295, 285, 300, 293, 334, 296, 336],
    "brow_right": [46, 53, 52, 65, 55, 70, 63, 105, 66, 107],
    "chin": [152, 175, 199, 200, 148, 377, 176, 400, 18, 17, 14, 87, 317, 82 + 5, 84, 314],
    "upper_lid_left": [388, 387, 386, 385, 384, 398, 466],
    "upper_lid_right": [161, 160, 159, 158, 157, 173, 246],
    "irises": list(range(468, 478)),
}


def closed(shape: F64, side: str) -> F64:
    """The lids of one side shut."""
    pairs = mesh.LID_PAIRS_L if side == "L" else mesh.LID_PAIRS_R
    out = shape.copy()
    for upper, lower in pairs:
        out[upper, :2] = out[lower, :2] - (0.0, 0.002)
    return out


def landmarks(
    shape: F64,
    i_frame: int = 0,
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    eyes_px: float = EYES_PX,
    centre: tuple[float, float] = (0.0, 0.0),
    size: tuple[int, int] = SIZE,
    fps: float = FPS,
) -> Landmarks:
    """A shape before a pinhole camera whose focal length is the image's longer side."""
    focal = float(max(size))
    solid = eyes_px * shape @ reference.rotation(yaw, pitch, roll).T
    solid[:, :2] += centre
    stretch = 1.0 + solid[:, 2:] / focal
    seen = np.column_stack((solid[:, :2] / stretch + np.array(size) / 2.0, solid[:, 2]))
    return Landmarks(seen.astype(np.float32), round(i_frame * 1e9 / fps), i_frame, size)


def mirrored(given: Landmarks) -> Landmarks:
    """The mesh of the mirrored image."""
    points = given.points_px[mesh.MIRROR_POINTS].copy()
    points[:, 0] = given.image_size[0] - points[:, 0]
    return replace(given, points_px=points)
