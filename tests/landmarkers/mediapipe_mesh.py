"""MediaPipe's own FaceMesh (0.10.21), which ours is compared with; read point by point."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from livefacs.arrays import F32, U8
from livefacs.landmarkers.stderr_filter import native_logs_silenced


def has_mediapipe_facemesh() -> bool:
    """True where the installed MediaPipe still bundles FaceMesh; looked up, not imported."""
    package = find_spec("mediapipe")
    folders = package.submodule_search_locations if package is not None else None
    return any(
        Path(folder, "python", "solutions", "face_mesh.py").is_file() for folder in folders or ()
    )


class MediaPipeMesh:
    """FaceMesh with refined landmarks as MediaPipe runs it."""

    def __init__(self, max_faces: int = 1) -> None:
        with native_logs_silenced():
            from mediapipe.python.solutions.face_mesh import FaceMesh

            self._mesh = FaceMesh(max_num_faces=max_faces, refine_landmarks=True)

    def faces(self, image: U8) -> list[F32]:
        """(478, 3) float32 in pixels of each face of the next image."""
        height, width = image.shape[:2]
        with native_logs_silenced():
            found = self.process(image).multi_face_landmarks or ()
        return [
            np.array([(p.x * width, p.y * height, p.z * width) for p in face.landmark], np.float32)
            for face in found
        ]

    def process(self, image: U8) -> Any:
        """What MediaPipe itself gives for the next image."""
        return self._mesh.process(np.ascontiguousarray(image))

    def close(self) -> None:
        """Free the graph."""
        self._mesh.close()
