"""What the image says besides the mesh: wrinkles and texture of the upright face.

Every place follows from the mesh and the mean face alone. An affine camera is fitted from the mean
face to the points that expressions leave in place; it turns patches and the upright face with the
head, so that turning does not move what they look at. Patches ride on landmarks, as wrinkles do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livefacs import mesh
from livefacs.arrays import F32, F64, I64, U8
from livefacs.au.estimator_model import EstimatorModel
from livefacs.kernels import image as k
from livefacs.types import Landmarks
from livefacs.vocab.readings import (
    N_PATCH_READINGS,
    N_PATCHES,
    N_TEXTURE,
    PATCHES,
    TEXTURE_COLUMNS,
    TEXTURE_ROWS,
)

TOP_LEFT: Final = (-0.875, -0.52)
"""Upper left corner of the upright face in the mean face, eye distances."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Where a piece of skin lies.

    Attributes
    ----------
    points : landmarks of the right side or the midline whose mean is its middle
    size_px : (across, down), at 80 pixels to the outer-eye distance
    """

    points: tuple[int, ...]
    size_px: tuple[int, int]


_PATCHES: Final[dict[str, Patch]] = {
    "glabella": Patch((107, 336, 9), (18, 18)),
    "forehead_R": Patch((69, 105), (24, 18)),
    "nose_root": Patch((6, 168), (12, 12)),
    "nose_side_R": Patch((188, 114), (12, 12)),
    "under_eye_R": Patch((230, 119), (18, 12)),
    "cheek_R": Patch((50, 36), (18, 12)),
    "fold_R": Patch((203, 206), (12, 18)),
    "lip_corner_R": Patch((57, 61), (12, 18)),
    "mouth": Patch((13, 14), (24, 9)),
    "chin": Patch((199, 200), (24, 18)),
    "eye_R": Patch((159, 145, 33, 133), (18, 9)),
}


class ImageReader:
    """Patches and texture of one face in one image; no state, no allocation but the results.

    Parameters
    ----------
    model : EstimatorModel
        Its mean face and the points of its rigid fit.
    """

    def __init__(self, model: EstimatorModel) -> None:
        self._ids = np.ascontiguousarray(model.align_ids, np.int64)
        self._prior = np.ascontiguousarray(model.align_prior, np.float64)
        self._mean_face = np.ascontiguousarray(model.canonical, np.float64)
        self._orthographic = np.zeros((mesh.N_MESH, 3))
        self._inverse = _weighted_inverse(model.canonical[self._ids], model.align_prior)
        self._patch_points, self._patch_sizes, self._slopes = _patch_tables(model.canonical)
        self._relief = _relief(model.canonical)
        self._camera = np.zeros((4, 2))
        self._points = np.zeros((mesh.N_MESH, 3), np.float32)
        self._upright = np.zeros(self._relief.shape, np.float32)
        self._cells = np.zeros((TEXTURE_ROWS, TEXTURE_COLUMNS, k.N_ORIENTATIONS))
        face = Landmarks((100.0 * model.canonical + 300.0).astype(np.float32), 0, 0, (640, 640))
        self.read(np.zeros((640, 640, 3), np.uint8), face)  # compiles now, not in the first frame

    @property
    def upright(self) -> F32:
        """(96, 84) float32, green, the last face upright; a view, overwritten by the next."""
        return self._upright

    def read(self, image: U8, landmarks: Landmarks) -> tuple[F32, U8]:
        """Patches (N_PATCHES, 3) float32 and texture (N_TEXTURE,) uint8 of a face.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB
        landmarks : Landmarks
            Of this image.
        """
        np.copyto(self._points, landmarks.points_px)  # one signature, whatever its flags
        patches = np.empty((N_PATCHES, N_PATCH_READINGS), np.float32)
        texture = np.empty(N_TEXTURE, np.uint8)
        k.read_face(
            np.require(image, np.uint8, ("C", "W")),  # one signature here, too
            self._points,
            self._ids,
            self._prior,
            self._mean_face,
            self._orthographic,
            self._inverse,
            self._patch_points,
            self._patch_sizes,
            self._slopes,
            self._relief,
            TOP_LEFT[0],
            TOP_LEFT[1],
            self._camera,
            self._upright,
            self._cells,
            patches,
            texture,
        )
        return patches, texture


def _weighted_inverse(shape: F64, weight: F64) -> F64:
    """(4, m): least-squares inverse of homogeneous mean-face coordinates."""
    rows = np.hstack((shape, np.ones((len(shape), 1))))
    weighted = rows * weight[:, None]
    return np.ascontiguousarray(np.linalg.solve(rows.T @ weighted, weighted.T))


def _patch_tables(canonical: F64) -> tuple[I64, I64, F64]:
    """Landmarks (n, 4, -1 for none), sizes (n, 2), slopes of depth along x and y (n, 2)."""
    points = np.full((N_PATCHES, 4), -1, np.int64)
    sizes = np.empty((N_PATCHES, 2), np.int64)
    slopes = np.empty((N_PATCHES, 2))
    for row, name in enumerate(PATCHES):
        patch = _PATCHES.get(name) or _PATCHES[name[:-2] + "_R"]
        ids = mesh.partners(patch.points) if name.endswith("_L") else patch.points
        points[row, : len(ids)] = ids
        sizes[row] = patch.size_px
        slopes[row] = _slope(canonical, canonical[list(ids)].mean(axis=0))
    return points, sizes, slopes


def _slope(canonical: F64, middle: F64) -> F64:
    """(2,) how depth changes along x and y where the mean face passes a point."""
    skin = canonical[: mesh.N_SKIN]
    near = skin[np.argsort(((skin - middle) ** 2)[:, :2].sum(axis=1))[:12]]
    rows = np.hstack((near[:, :2], np.ones((len(near), 1))))
    return np.asarray(np.linalg.lstsq(rows, near[:, 2], rcond=None)[0][:2])


def _relief(canonical: F64) -> F32:
    """(rows, columns) float32 depth of the mean face at each pixel of the upright face.

    Weighted mean of the nearby points' depths, falling with the fourth power of the distance.
    """
    unit = 1.0 / k.PIXELS_PER_EYES
    x = TOP_LEFT[0] + unit * np.arange(TEXTURE_COLUMNS * k.CELL_PX)
    y = TOP_LEFT[1] + unit * np.arange(TEXTURE_ROWS * k.CELL_PX)
    skin = canonical[: mesh.N_SKIN]
    relief = np.empty((len(y), len(x)), np.float32)
    for row, y_row in enumerate(y):  # all at once would need 90 MB for a moment
        square = (x[:, None] - skin[:, 0]) ** 2 + (y_row - skin[:, 1]) ** 2
        weight = 1.0 / (square + 1e-3) ** 2
        relief[row] = (weight * skin[:, 2]).sum(axis=1) / weight.sum(axis=1)
    return relief
