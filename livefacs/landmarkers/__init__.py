"""Who finds the mesh: MediaPipe's bundled FaceMesh, its Tasks FaceLandmarker, or a recording."""

from livefacs.landmarkers.opening import BACKENDS, has_facemesh, open_landmarker

__all__ = ["BACKENDS", "has_facemesh", "open_landmarker"]
