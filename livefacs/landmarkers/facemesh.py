"""MediaPipe's FaceMesh with refined lips, eyes and irises, run by livefacs on LiteRT."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import numpy as np

from livefacs.arrays import F32, F64, U8
from livefacs.errors import LandmarkerError
from livefacs.kernels.face_detection import overlap_of_squares
from livefacs.landmarkers.face_selector import MOST_FACES, FaceSelector
from livefacs.landmarkers.mesh_networks import FaceDetector, MeshNetworks, empty_points, region_of
from livefacs.landmarkers.network import litert_version
from livefacs.landmarkers.orientation import OrientationCheck
from livefacs.types import Frame, Landmarks
from livefacs.workers import side_by_side

NAME: Final = "facemesh-litert"

_LOOK_EVERY: Final = 15  # frames
_LOOK_EVERY_FOR_LOST: Final = 4  # where fewer faces are tracked than performers are wanted
_SAME_FACE: Final = 0.5
"""Two regions that overlap by more hold one face (MediaPipe's own limit)."""
_MIN_CONFIDENCE: Final = 0.5  # for detection and for keeping a track
_WARM_UP_SIDE_PX: Final = 64


class FaceMeshLandmarker:
    """FaceMesh, tracking every face from frame to frame; the largest is followed.

    A face is looked for in the frame's whole only where none is tracked, and now and then for
    those that came; a tracked one is looked for where it was a frame ago. One face is therefore
    found at the cost of one whether others are looked for or not.

    Parameters
    ----------
    max_faces : int
        Faces tracked at once. With 1, the face found first is followed until it is lost.
    n_threads : int
        Threads of a network. More than one seldom pays: the networks are small.
    n_at_once : int
        Faces whose meshes are found side by side, each with networks and a thread of its own.
    n_performers : int
        Performers; while fewer faces are tracked, others are looked for more often.
    notify : callable(str)
        Told once where the picture seems to be turned.

    Attributes
    ----------
    delegate : str
        What computes the networks: ``XNNPACK``, or LiteRT's plain kernels.
    description : str

    Raises
    ------
    LandmarkerError
        LiteRT is not installed, or a network is missing or damaged.
    """

    name = NAME

    def __init__(
        self,
        *,
        max_faces: int = MOST_FACES,
        n_threads: int = 1,
        n_at_once: int = 1,
        n_performers: int = 1,
        notify: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._networks = [MeshNetworks(n_threads) for _ in range(n_at_once)]
        self._pool = ThreadPoolExecutor(n_at_once - 1, "livefacs-mesh") if n_at_once > 1 else None
        self._detector = FaceDetector(_MIN_CONFIDENCE, n_threads)
        self._orientation = OrientationCheck(notify, self._detector.surest)
        self._max_faces = max_faces
        self._n_performers = n_performers
        self._selector = FaceSelector()
        self._regions: list[F64] = []
        self._n_until_look = 0
        self._shape: tuple[int, ...] = ()
        self.delegate = self._networks[0].delegate
        threads = f"{n_threads} thread{'s' if n_threads > 1 else ''}"
        self.description = f"FaceMesh on LiteRT {litert_version()}: {self.delegate}, {threads}"
        self._warm_up()

    def detect(self, frame: Frame) -> Landmarks | None:
        """The mesh of the followed face, or None.

        Raises
        ------
        LandmarkerError
            The frame's image is not (H, W, 3) uint8, or the landmarker was closed.
        """
        image = _usable(frame.image)
        faces = self._faces(image)
        points = self._selector.pick(faces, frame.t_ns)
        self._orientation.look(image, points)
        if points is None:
            return None
        height, width = image.shape[:2]
        return Landmarks(points, frame.t_ns, frame.i_frame, (width, height), len(faces))

    def faces(self, frame: Frame) -> list[F32]:
        """Every mesh, (478, 3) float32 pixels each; raises as ``detect`` does."""
        return self._faces(_usable(frame.image))

    def _faces(self, image: U8) -> list[F32]:
        if not self._networks:
            raise LandmarkerError(f"{self.name}: the landmarker was closed")
        if image.shape != self._shape:  # regions are places in an image of one size
            self._shape = image.shape
            self._regions = []
        self._look_for_faces(image)
        return self._track(image)

    def close(self) -> None:
        """Free the networks; may be called twice."""
        if self._pool is not None:
            self._pool.shutdown()
        self._networks = []
        del self._regions[:]

    def _look_for_faces(self, image: U8) -> None:
        """Add the regions of faces that are not tracked yet."""
        if self._regions:
            if self._max_faces == 1:
                return
            self._n_until_look -= 1
            if self._n_until_look > 0:
                return
        for region in self._detector.find(image, self._max_faces):
            if len(self._regions) < self._max_faces and not _is_among(region, self._regions):
                self._regions.append(region)
        is_short = len(self._regions) < self._n_performers
        self._n_until_look = _LOOK_EVERY_FOR_LOST if is_short else _LOOK_EVERY

    def _track(self, image: U8) -> list[F32]:
        """The meshes of this frame; where each was is where it is looked for in the next."""
        faces: list[F32] = []
        regions: list[F64] = []
        for points, confidence in self._found(image):
            if confidence < _MIN_CONFIDENCE or not np.isfinite(points).all():
                self._n_until_look = 0  # it may be elsewhere
                continue
            region = region_of(points)
            if not _is_among(region, regions):
                faces.append(points)
                regions.append(region)
        self._regions = regions
        return faces

    def _found(self, image: U8) -> list[tuple[F32, float]]:
        """The mesh in every region and how sure it is that there is a face."""
        found = [(empty_points(), 0.0) for _ in self._regions]

        def find(first: int) -> None:
            """Every face whose turn it is with one of the networks."""
            for i in range(first, len(found), len(self._networks)):
                points = found[i][0]
                found[i] = points, self._networks[first].find(image, self._regions[i], points)

        n_jobs = min(len(self._networks), len(found))
        side_by_side([partial(find, first) for first in range(n_jobs)], self._pool)
        return found

    def _warm_up(self) -> None:
        """Compile every kernel with the types of a live frame."""
        black = np.zeros((_WARM_UP_SIDE_PX, _WARM_UP_SIDE_PX, 3), np.uint8)
        half = 0.5 * _WARM_UP_SIDE_PX
        for networks in self._networks:
            networks.find(black, np.array((half, half, half, 0.0)), empty_points())
        self._detector.find(black, 1)
        overlap_of_squares(np.ones(4), np.ones(4))
        region_of(np.ones_like(empty_points()))


def _is_among(region: F64, others: list[F64]) -> bool:
    return any(overlap_of_squares(region, other) > _SAME_FACE for other in others)


def _usable(image: U8) -> U8:
    """The image as the kernels take it; they are compiled for arrays that can be written."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise LandmarkerError(
            f"expected an RGB image of (height, width, 3) uint8, got {image.shape} {image.dtype}"
        )
    if image.flags.c_contiguous and image.flags.writeable:
        return image
    return np.array(image, order="C")
