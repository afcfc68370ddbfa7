"""Who finds the mesh: FaceMesh on LiteRT, MediaPipe's Tasks FaceLandmarker, or a recording."""

from livefacs.landmarkers.backends import BACKENDS, has_litert, open_landmarker

__all__ = ["BACKENDS", "has_litert", "open_landmarker"]
