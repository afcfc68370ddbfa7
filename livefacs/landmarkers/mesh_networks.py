"""FaceMesh's networks with the steps between them: from an image and a region to 478 points."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, I64, U8
from livefacs.kernels.face_detection import regions_from_detector
from livefacs.kernels.facemesh import (
    N_SCRATCH_ROWS,
    crop_to_float,
    cut_patches,
    refine_mesh,
    region_from_points,
)
from livefacs.landmarkers.graph_cutting import cut_graph
from livefacs.landmarkers.network import Network
from livefacs.landmarkers.weights import read_weights
from livefacs.mesh import OUTER_CORNERS
from livefacs.resources import data_path
from livefacs.types import N_LANDMARKS

_N_MESH: Final = 468
_CROP: Final = 192
_MAP: Final = (48, 48, 32)
_PATCH: Final = (16, 16, 32)
_IMAGE_TENSOR, _MESH_TENSORS = (0,), (186, 35, 710)
"""Image; mesh, feature map, logit of a face being there: numbers of tensors in the file."""
_PATCH_TENSORS, _REFINED_TENSORS = (199, 200, 201), (697, 687, 690, 693, 696)
"""Patches of lips and eyes; lips, left eye, its iris, right eye, its iris."""

_DETECTOR_INPUT: Final = 128
_CELLS: Final = ((16, 2), (8, 6))
"""Rows of the detector's grids and how many boxes each cell gives."""
_N_BOXES: Final = sum(n_rows * n_rows * n_boxes for n_rows, n_boxes in _CELLS)


@cache
def facemesh_points(name: str) -> I64:
    """A list of mesh points from ``data/facemesh_points.json``, int64."""
    document = json.loads(data_path("facemesh_points.json").read_text(encoding="utf-8"))
    return np.array(document[name], np.int64)


class MeshNetworks:
    """The mesh of the face in a region of an image.

    Parameters
    ----------
    n_threads : int
    """

    def __init__(self, n_threads: int = 1) -> None:
        weights = read_weights("face_mesh")
        self._coarse = Network(
            "FaceMesh",
            cut_graph(weights, _IMAGE_TENSOR, _MESH_TENSORS),
            [_CROP * _CROP * 3],
            [3 * _N_MESH, math.prod(_MAP), 1],
            n_threads,
        )
        lips, eye, iris = 2 * 80, 2 * 71, 2 * 5
        self._fine = Network(
            "FaceMesh's attention",
            cut_graph(weights, _PATCH_TENSORS, _REFINED_TENSORS),
            [math.prod(_PATCH)] * 3,
            [lips, eye, iris, eye, iris],
            n_threads,
        )
        self._parts = (
            facemesh_points("lips"),
            facemesh_points("left_eye"),
            facemesh_points("right_eye"),
        )
        self._lines = facemesh_points("level_lines")
        self._transforms = np.empty((3, 2, 3))
        self._ticks = np.empty((N_SCRATCH_ROWS, _CROP), np.int32)
        self.delegate = self._coarse.delegate

    def find(self, image: U8, region: F64, points_px: F32) -> float:
        """Write the points of the face in a region.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB
        region : (4,) float64
            Centre x, centre y, side (pixels), angle (radians).
        points_px : (478, 3) float32, written
            Pixels of the image; z in x's scale, away from the camera.

        Returns
        -------
        float
            0..1, how sure it is that there is a face.
        """
        (picture,) = self._coarse.inputs
        crop_to_float(image, region, 0.0, 1.0, False, self._ticks, picture()[0])
        self._coarse.run()
        mesh, feature_map, logit = (output() for output in self._coarse.outputs)
        flat = mesh.reshape(-1)
        lips, left, right = self._fine.inputs
        patches = lips()[0], left()[0], right()[0]
        cut_patches(flat, feature_map[0], self._parts, self._lines, patches, self._transforms)
        del lips, left, right, patches  # no view may be held while a network runs
        self._fine.run()
        a, b, c, d, e = (output().reshape(-1) for output in self._fine.outputs)
        found = a, b, c, d, e  # as many as the kernel's type says
        refine_mesh(flat, self._parts, found, self._transforms, region, points_px)
        return _probability(logit.item())


def region_of(points_px: F32) -> F64:
    """(4,) float64: where to look for a face whose points were these a frame ago."""
    region = np.empty(4)
    region_from_points(points_px, *OUTER_CORNERS, region)
    return region


class FaceDetector:
    """Faces anywhere in an image, nearer than about two metres: MediaPipe's short-range detector.

    Parameters
    ----------
    min_confidence : float
        0..1.
    n_threads : int
    """

    def __init__(self, min_confidence: float = 0.5, n_threads: int = 1) -> None:
        self._network = Network(
            "face detector",
            read_weights("face_detector"),
            [_DETECTOR_INPUT * _DETECTOR_INPUT * 3],
            [16 * _N_BOXES, _N_BOXES],
            n_threads,
        )
        self._min_confidence = min_confidence
        self._anchors = detector_anchors()
        self._scores = np.empty(_N_BOXES)
        self._ticks = np.empty((N_SCRATCH_ROWS, _DETECTOR_INPUT), np.int32)

    def find(self, image: U8, n_most: int) -> F64:
        """(n, 4) float64: regions of at most ``n_most`` faces, the surest first."""
        self._run(image, 0.0)
        height, width = image.shape[:2]
        regressors, logits = self._network.outputs
        regions = np.empty((n_most, 4))
        n_found = regions_from_detector(
            regressors()[0],
            logits().reshape(-1),
            self._anchors,
            self._min_confidence,
            width,
            height,
            self._scores,
            regions,
        )
        return regions[:n_found]

    def surest(self, image: U8, angle_rad: float) -> float:
        """The greatest logit of a face being there, in the picture turned by an angle."""
        self._run(image, angle_rad)
        return float(self._network.outputs[1]().max())

    def _run(self, image: U8, angle_rad: float) -> None:
        height, width = image.shape[:2]
        whole = np.array((0.5 * width, 0.5 * height, float(max(width, height)), angle_rad))
        (picture,) = self._network.inputs
        crop_to_float(image, whole, -1.0, 1.0, True, self._ticks, picture()[0])
        self._network.run()


def detector_anchors() -> F32:
    """(896, 2) float32: centres of the detector's cells, a row for each box that a cell gives."""
    centres = []
    for n_rows, n_boxes in _CELLS:
        rows, columns = np.mgrid[:n_rows, :n_rows]
        grid = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5) / n_rows
        centres.append(np.repeat(grid, n_boxes, axis=0))
    anchors: F32 = np.concatenate(centres).astype(np.float32)
    return anchors


def empty_points() -> F32:
    """(478, 3) float32 to be written."""
    return np.empty((N_LANDMARKS, 3), np.float32)


def _probability(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(logit, -100.0), 100.0)))
