"""One face on its way through the picture: where it goes, how it is shaped, whether it lives."""

from __future__ import annotations

import math
from collections import deque
from functools import cached_property
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, I64
from livefacs.au.estimator_model import EstimatorModel
from livefacs.clock import NS_PER_S
from livefacs.kernels import geometry
from livefacs.mesh import N_MESH, N_SKIN
from livefacs.resources import data_path

CROWDED: Final = 0.9
"""Faces whose centres are nearer than so many face sizes may hide one another."""

STILL_SHIFT: Final = 0.007
"""A face that moves less than this in a second, in face sizes, is a picture. People who sat as
still as they could moved by .008 and more (24 people), pictures seen through a noisy camera or
H.264 by .003, in their first second by up to .006 (5 pictures, 4 kinds of noise)."""
_STILL_NS: Final = 2 * NS_PER_S  # so long before a face is called a picture
_WINDOW_NS: Final = NS_PER_S

_SAMPLE_NS: Final = 60_000_000  # between samples of a shape: neighbours in time say the same
_MOST_SAMPLES: Final = 30
_MOST_YAW_RAD: Final = math.radians(25.0)
_ROUNDS: Final = 3
_SOFTNESS: Final = 0.02
_LONGEST_EXTRAPOLATION_NS: Final = NS_PER_S // 2
_SPEED_SHARE: Final = 0.4
_EVERY: Final = 20  # of the skin's points are looked at for movement


Box = tuple[float, float, float]
"""Centre x, y and greater side of a face, pixels."""


class ShapeReader:
    """The points that expressions leave in place, brought into the face's own frame.

    What they move all the same with expression and turning is taken out (``tools.shape_changes``).

    Parameters
    ----------
    model : EstimatorModel
        Its mean face and the points of its rigid fit.
    changes : (K, n, 2) float32 or None
        Directions that are taken out by their length squared; None: those that are shipped.

    Attributes
    ----------
    ids : (n,) int64, the points
    """

    def __init__(self, model: EstimatorModel, changes: F32 | None = None) -> None:
        self._ids = np.ascontiguousarray(model.align_ids, np.int64)
        self._prior = np.ascontiguousarray(model.align_prior, np.float64)
        self._mean_face = np.ascontiguousarray(model.canonical, np.float64)
        self.ids = self._ids[self._ids < N_SKIN]
        self._changes = _shipped_changes(self.ids) if changes is None else changes
        self._points = np.zeros((N_MESH, 3), np.float32)
        self._flat = np.zeros((N_MESH, 3))
        self._rotation, self._offset, self._moved = np.eye(3), np.zeros(3), np.zeros((N_MESH, 3))
        self.read((100.0 * model.canonical + 300.0).astype(np.float32), (640, 640))  # compiles

    def read(self, points_px: F32, image_size: tuple[int, int]) -> F64 | None:
        """(n, 2) in eye distances; None where the head is turned too far to tell shapes.

        Parameters
        ----------
        points_px : (478, 3) float32
        image_size : (width, height), pixels
        """
        np.copyto(self._points, points_px)  # one signature, whatever its flags
        focal_px = float(max(image_size))
        # About the face's own centre: off the camera's axis a face seems turned, which the fit
        # undoes, and one face looks the same on either side of the picture.
        x, y = points_px[:, :2].mean(axis=0).tolist()
        geometry.undo_perspective(self._points, x, y, focal_px, self._flat)
        scale, _ = geometry.fit_similarity(
            self._flat,
            self._mean_face,
            self._ids,
            self._prior,
            _ROUNDS,
            _SOFTNESS,
            self._rotation,
            self._offset,
        )
        if abs(math.atan2(self._rotation[0, 2], self._rotation[2, 2])) > _MOST_YAW_RAD:
            return None
        geometry.apply_similarity(self._flat, scale, self._rotation, self._offset, self._moved)
        shape = self._moved[self.ids, :2]
        along = np.einsum("kij,ij->k", self._changes, shape)
        return np.asarray(shape - np.einsum("k,kij->ij", along, self._changes))


def _shipped_changes(ids: I64) -> F32:
    """The directions at these points; 0 at those that the file does not know."""
    with np.load(data_path("shape_changes.npz")) as stored:
        known, changes = stored["ids"], stored["changes"]
    found: F32 = np.zeros((len(changes), len(ids), 2), np.float32)
    _, ours, theirs = np.intersect1d(ids, known, return_indices=True)
    found[:, ours] = changes[:, theirs]
    return found


class ShapeMemory:
    """The newest samples of one face's shape, and their median."""

    def __init__(self) -> None:
        self._samples: deque[F64] = deque(maxlen=_MOST_SAMPLES)

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, *samples: F64) -> None:
        """Remember samples."""
        self._samples.extend(samples)
        self.__dict__.pop("shape", None)

    def take_in(self, other: ShapeMemory) -> None:
        """Remember what another memory holds, which is empty afterwards."""
        self.add(*other._samples)
        other._samples.clear()
        other.__dict__.pop("shape", None)

    @cached_property
    def shape(self) -> F64:
        """(n, 2) median of the samples."""
        return np.asarray(np.median(np.stack(self._samples), axis=0))

    def distance(self, other: ShapeMemory) -> float:
        """Root mean square distance of two shapes, eye distances."""
        away = self.shape - other.shape
        return float(np.sqrt((away**2).sum(axis=1).mean()))


class FaceTrack:
    """A face from its first frame until it is lost for good.

    Attributes
    ----------
    x, y, size : float
        Centre and greater side of its box, pixels, when it was seen last.
    born_ns, seen_ns : int
    found_ns : int or None
        When it was found again after it had been lost.
    fresh : ShapeMemory
        Its shape since it came, or since it is in doubt who it is.
    in_doubt : bool
        It was near another face, or came after one was lost: shapes must tell who it is.
    is_back : bool
        It came where one had been lost for long.
    is_crowded : bool
        Another face is so near just now that the mesh may be of both.
    """

    def __init__(self, points_px: F32, box: Box, t_ns: int) -> None:
        self.x, self.y, self.size = box
        self.born_ns = self.seen_ns = t_ns
        self.found_ns: int | None = None
        self.fresh = ShapeMemory()
        self.in_doubt = self.is_back = self.is_crowded = False
        self._speed_x = self._speed_y = 0.0  # pixels a nanosecond
        self._sampled_ns = t_ns - _SAMPLE_NS
        self._places: deque[tuple[int, F32]] = deque()
        self._still_since_ns: int | None = None
        self._remember_place(points_px, t_ns)

    def predicted(self, t_ns: int) -> tuple[float, float]:
        """Where its centre should be now, going on as it went; at most half a second."""
        after_ns = min(t_ns - self.seen_ns, _LONGEST_EXTRAPOLATION_NS)
        return self.x + self._speed_x * after_ns, self.y + self._speed_y * after_ns

    def distance(self, box: Box, t_ns: int) -> float:
        """How unlikely a mesh continues it: way from where it should be and change in size."""
        x, y, size = box
        expected_x, expected_y = self.predicted(t_ns)
        way = math.hypot(x - expected_x, y - expected_y) / max(size, self.size)
        return way + abs(math.log(size / self.size))

    def follow(self, points_px: F32, box: Box, t_ns: int) -> None:
        """It was seen again."""
        x, y, size = box
        elapsed_ns = max(1, t_ns - self.seen_ns)
        self._speed_x += _SPEED_SHARE * ((x - self.x) / elapsed_ns - self._speed_x)
        self._speed_y += _SPEED_SHARE * ((y - self.y) / elapsed_ns - self._speed_y)
        self.x, self.y, self.size, self.seen_ns = x, y, size, t_ns
        self._remember_place(points_px, t_ns)

    def is_due(self, t_ns: int) -> bool:
        """True where its shape may be sampled now; the next time is a while later."""
        if self.is_crowded or t_ns - self._sampled_ns < _SAMPLE_NS:
            return False
        self._sampled_ns = t_ns
        return True

    def is_picture(self, t_ns: int) -> bool:
        """True where it has not moved for two seconds."""
        still = self._still_since_ns
        return still is not None and t_ns - still >= _STILL_NS

    def has_moved(self, t_ns: int) -> bool:
        """True where it has been watched for a second and moved."""
        return t_ns - self.born_ns >= _WINDOW_NS and self._still_since_ns is None

    def _remember_place(self, points_px: F32, t_ns: int) -> None:
        places = self._places
        places.append((t_ns, points_px[:N_SKIN:_EVERY, :2].copy()))
        if t_ns - places[0][0] < _WINDOW_NS:
            return
        if _shift([place for _, place in places]) >= STILL_SHIFT * self.size:
            self._still_since_ns = None
        elif self._still_since_ns is None:
            self._still_since_ns = places[0][0]
        for _ in range(max(1, len(places) // 2)):
            places.popleft()


def _shift(places: list[F32]) -> float:
    """How far nine points in ten of a face stayed within, between thirds of a time, pixels."""
    third = max(1, len(places) // 3)
    parts = (places[:third], places[third:-third] or places[:1], places[-third:])
    first, middle, last = (np.mean(part, axis=0) for part in parts)
    ways = (
        np.quantile(np.hypot(*(one - other).T), 0.9)
        for one, other in ((first, middle), (middle, last), (first, last))
    )
    return float(max(ways))


def box_of(points_px: F32) -> Box:
    """Centre and greater side of a mesh's box, from every other point."""
    plane = points_px[::2, :2].T.copy()
    low, high = plane.min(axis=1).tolist(), plane.max(axis=1).tolist()
    size = max(high[0] - low[0], high[1] - low[1], 1.0)
    return 0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), size
