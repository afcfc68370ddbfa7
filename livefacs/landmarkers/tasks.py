"""MediaPipe's Tasks FaceLandmarker, with a model file that the user fetches or brings."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np

from livefacs.arrays import F32
from livefacs.errors import LandmarkerError
from livefacs.files.bounded_reading import read_bytes
from livefacs.landmarkers.downloads import find_model
from livefacs.landmarkers.face_selector import FaceSelector
from livefacs.landmarkers.orientation import OrientationCheck
from livefacs.landmarkers.stderr_filter import native_logs_silenced
from livefacs.types import N_LANDMARKS, Frame, Landmarks

_NS_PER_MS: Final = 1_000_000
_MIN_CONFIDENCE: Final = 0.5  # for detection, presence and tracking
_WARM_UP_SIDE_PX: Final = 64
_MOST_BYTES: Final = 256 << 20  # the known model has 4 million
_FEWEST_FACES: Final = 2
"""With one face in VIDEO mode, MediaPipe smooths the points and swallows sub-pixel motion."""


class TasksLandmarker:
    """FaceLandmarker in VIDEO mode, unsmoothed.

    Parameters
    ----------
    model : Path or None
        A ``face_landmarker.task``; None: ``$LIVEFACS_MODEL``, else the fetched one.
    max_faces : int
        Faces looked for, of which the largest is followed; at least 2.
    notify : callable(str)
        Told once where the face lies on its side.

    Raises
    ------
    LandmarkerError
        No model, a damaged one, or MediaPipe is not installed.
    """

    name = "tasks"

    def __init__(
        self,
        model: Path | None = None,
        *,
        max_faces: int = 2,
        notify: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self.description = "MediaPipe's Tasks FaceLandmarker"
        self._selector = FaceSelector()
        self._orientation = OrientationCheck(notify)
        self._has_found_face = False
        self._first_ns: int | None = None
        self._last_ms = 0
        self._task: Any = None
        path = find_model(model)
        with native_logs_silenced():
            self._mediapipe, self._task = _open_task(path, max(_FEWEST_FACES, max_faces))
            self._faces(np.zeros((_WARM_UP_SIDE_PX, _WARM_UP_SIDE_PX, 3), np.uint8), 0)

    def detect(self, frame: Frame) -> Landmarks | None:
        """The mesh of the followed face, or None."""
        faces = self.faces(frame)
        points = self._selector.pick(faces, frame.t_ns)
        self._orientation.look(frame.image, points)
        if points is None:
            return None
        height, width = frame.image.shape[:2]
        return Landmarks(points, frame.t_ns, frame.i_frame, (width, height), len(faces))

    def faces(self, frame: Frame) -> list[F32]:
        """Every mesh, (478, 3) float32 pixels each.

        Raises
        ------
        LandmarkerError
            The landmarker was closed.
        """
        if self._task is None:
            raise LandmarkerError("tasks: the landmarker was closed")
        time_ms = self._time_ms(frame.t_ns)
        if self._has_found_face:
            return self._faces(frame.image, time_ms)
        with native_logs_silenced():  # its last log lines come with the first face
            faces = self._faces(frame.image, time_ms)
        self._has_found_face = bool(faces)
        return faces

    def close(self) -> None:
        """Free the model; may be called twice."""
        if self._task is not None:
            self._task.close()
            self._task = None

    def _faces(self, image: Any, time_ms: int) -> list[F32]:
        """Whole meshes in pixels, (478, 3) float32 each."""
        height, width = image.shape[:2]
        scale = np.array((width, height, width), np.float32)
        picture = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image)
        )
        found = self._task.detect_for_video(picture, time_ms).face_landmarks
        meshes = [_points_from_landmarks(landmarks) * scale for landmarks in found]
        return [mesh for mesh in meshes if len(mesh) == N_LANDMARKS and np.isfinite(mesh).all()]

    def _time_ms(self, t_ns: int) -> int:
        """Whole milliseconds since the first frame, strictly rising as VIDEO mode demands."""
        if self._first_ns is None:
            self._first_ns = t_ns
        self._last_ms = max(self._last_ms + 1, (t_ns - self._first_ns) // _NS_PER_MS)
        return self._last_ms


def _points_from_landmarks(landmarks: Any) -> F32:
    """(N, 3) float32 as MediaPipe gives them: fractions of the image's width and height."""
    return np.array([(point.x, point.y, point.z) for point in landmarks], np.float32)


def _open_task(path: Path, max_faces: int) -> tuple[Any, Any]:
    """The mediapipe module and an open FaceLandmarker."""
    try:
        bundle = _whole_bundle(path)
    except (OSError, BadZipFile) as error:
        raise _unusable(path, error) from None
    try:
        import mediapipe
        from mediapipe.tasks.python.core.base_options import BaseOptions
        from mediapipe.tasks.python.vision import face_landmarker
        from mediapipe.tasks.python.vision.core.vision_task_running_mode import (
            VisionTaskRunningMode,
        )
    except ImportError as error:
        raise LandmarkerError(
            f"tasks: MediaPipe cannot be imported ({error}); pip install 'livefacs[mediapipe]'"
        ) from error
    try:
        options = face_landmarker.FaceLandmarkerOptions(
            # The bytes rather than the path: native code does not open every path on Windows.
            base_options=BaseOptions(model_asset_buffer=bundle),
            running_mode=VisionTaskRunningMode.VIDEO,
            num_faces=max_faces,
            min_face_detection_confidence=_MIN_CONFIDENCE,
            min_face_presence_confidence=_MIN_CONFIDENCE,
            min_tracking_confidence=_MIN_CONFIDENCE,
        )
        return mediapipe, face_landmarker.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError, OSError) as error:
        raise _unusable(path, error) from None


def _unusable(path: Path, error: Exception) -> LandmarkerError:
    return LandmarkerError(
        f"{path} is no usable face landmark model ({_first_line(error)}); "
        "run `livefacs models fetch`, or give another with --model"
    )


def _whole_bundle(path: Path) -> bytes:
    """The bytes of a .task bundle, a ZIP archive, whose checksums MediaPipe does not look at."""
    bundle = read_bytes(path, _MOST_BYTES, follow=True)
    with ZipFile(BytesIO(bundle)) as archive:
        if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
            raise BadZipFile(f"it unpacks to more than {_MOST_BYTES:,} bytes")
        damaged = archive.testzip()
    if damaged is not None:
        raise BadZipFile(f"its part {damaged} is damaged")
    return bundle


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
