"""Choosing a landmark backend: by name, or what is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from livefacs.errors import LandmarkerError
from livefacs.protocols import Landmarker

BACKENDS: Final = ("facemesh", "tasks")


def open_landmarker(
    name: str = "auto", *, model: Path | None = None, max_faces: int | None = None
) -> Landmarker:
    """Open a landmark backend.

    Parameters
    ----------
    name : str
        ``facemesh``, ``tasks``, or ``auto``: FaceMesh where the installed MediaPipe bundles it,
        unless a model is given.
    model : Path or None
        Model of the Tasks backend; None looks in the user's model folder.
    max_faces : int or None
        Faces looked for, of which the largest is followed; None leaves it to the backend.

    Raises
    ------
    LandmarkerError
        Unknown name, or the backend or its model is not there.
    """
    if name == "auto":
        name = _name_from_model(model)
    if name == "facemesh":
        from livefacs.landmarkers.facemesh import FaceMeshLandmarker

        return FaceMeshLandmarker(max_faces=max_faces or 1)
    if name == "tasks":
        from livefacs.landmarkers.tasks import TasksLandmarker

        return TasksLandmarker(model, max_faces=max_faces or 1)
    raise LandmarkerError(f"no landmark backend {name!r}: expected auto, {', '.join(BACKENDS)}")


def _name_from_model(model: Path | None) -> str:
    if model is not None:
        return "tasks"
    return "facemesh" if has_facemesh() else "tasks"


def has_facemesh() -> bool:
    """True where the installed MediaPipe bundles FaceMesh (looked up, not imported)."""
    package = find_spec("mediapipe")
    folders = package.submodule_search_locations if package is not None else None
    return any(
        Path(folder, "python", "solutions", "face_mesh.py").is_file() for folder in folders or ()
    )
