"""MediaPipe's bundled FaceMesh: weights in the wheel, no download (mediapipe 0.10.21)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

import numpy as np

from livefacs.arrays import F32
from livefacs.errors import LandmarkerError
from livefacs.landmarkers.following import FaceSelector
from livefacs.landmarkers.lean import plotting_left_out
from livefacs.landmarkers.packets import points_from_serialised
from livefacs.landmarkers.stderr_filter import native_logs_silenced
from livefacs.types import N_LANDMARKS, Frame, Landmarks

if TYPE_CHECKING:
    from livefacs.landmarkers.facemesh_graph import FaceMeshGraph

_WARM_UP_SIDE_PX: Final = 64


class FaceMeshLandmarker:
    """FaceMesh with refined lips, eyes and irises, tracking from frame to frame.

    Parameters
    ----------
    max_faces : int
        Faces looked for. With 1, the detector rests while a face is tracked, and the face found
        first is followed until it is lost. With more, the largest is followed, and the detector
        runs in every frame with fewer faces, which costs about half as much again.
    min_confidence : float
        0..1, for detection and for keeping a track.

    Raises
    ------
    LandmarkerError
        This MediaPipe has no FaceMesh (it left after 0.10.21).
    """

    name = "facemesh"

    def __init__(self, *, max_faces: int = 1, min_confidence: float = 0.5) -> None:
        self._follower = FaceSelector()
        self._has_found_face = False
        with native_logs_silenced():
            self._graph: FaceMeshGraph | None = _open_graph(max_faces, min_confidence)
            self._graph.faces(np.zeros((_WARM_UP_SIDE_PX, _WARM_UP_SIDE_PX, 3), np.uint8))

    def detect(self, frame: Frame) -> Landmarks | None:
        """The mesh of the followed face, or None."""
        height, width = frame.image.shape[:2]
        with self._silence_until_first_face():
            serialised = self._serialised_faces(frame)
        faces = [points_from_serialised(face, width, height) for face in serialised]
        points = self._follower.pick([face for face in faces if _is_whole(face)])
        if points is None:
            return None
        self._has_found_face = True
        return Landmarks(points, frame.t_ns, frame.i_frame, (width, height), len(faces))

    def _serialised_faces(self, frame: Frame) -> list[bytes]:
        if self._graph is None:
            raise LandmarkerError("facemesh: the landmarker was closed")
        return self._graph.faces(frame.image)

    def _silence_until_first_face(self) -> AbstractContextManager[None]:
        """Its last log lines come with the first face; afterwards nothing is redirected."""
        return nullcontext() if self._has_found_face else native_logs_silenced()

    def close(self) -> None:
        """Free the graph; may be called twice."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None


def _is_whole(points: F32) -> bool:
    return len(points) == N_LANDMARKS and bool(np.isfinite(points).all())


def _open_graph(max_faces: int, min_confidence: float) -> FaceMeshGraph:
    try:
        with plotting_left_out():
            from livefacs.landmarkers.facemesh_graph import FaceMeshGraph
    except ImportError as error:
        raise LandmarkerError(
            f"facemesh: this MediaPipe has no FaceMesh ({error}); "
            "use --landmarker tasks, or Python below 3.13 with mediapipe 0.10.21"
        ) from error
    return FaceMeshGraph(max_faces, min_confidence)
