"""Choosing a landmark backend: by name, or what is installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from livefacs.errors import LandmarkerError
from livefacs.landmarkers.face_selector import MOST_FACES
from livefacs.protocols import FaceFinder

BACKENDS: Final = ("facemesh", "tasks")
_SPARE_FACES: Final = 2
"""Beside the performers: a picture on the wall, somebody who looks in."""


def open_landmarker(
    name: str = "auto",
    *,
    model: Path | None = None,
    max_faces: int | None = None,
    n_threads: int = 1,
    n_performers: int = 1,
    n_at_once: int = 1,
    notify: Callable[[str], None] = lambda _sentence: None,
) -> FaceFinder:
    """Open a landmark backend.

    Parameters
    ----------
    name : str
        ``facemesh``, ``tasks``, or ``auto``: FaceMesh where LiteRT is installed, unless a model is
        given.
    model : Path or None
        Model of the Tasks backend; None looks in the user's model folder.
    max_faces : int or None
        Faces tracked at once, of which the largest is followed; None: four, and two more than
        the performers.
    n_threads : int
        Threads of FaceMesh's networks.
    n_performers : int
        Faces that are wanted; see ``landmarkers.performers``.
    n_at_once : int
        Meshes that FaceMesh finds side by side.
    notify : callable(str)
        Told once where the networks run slower than they should, and where the picture seems to
        be turned.

    Raises
    ------
    LandmarkerError
        Unknown name, or the backend or its model is not there.
    """
    max_faces = max_faces or max(MOST_FACES, n_performers + _SPARE_FACES)
    if name == "auto":
        name = _name_from_model(model)
    if name == "facemesh":
        from livefacs.landmarkers.facemesh import FaceMeshLandmarker
        from livefacs.landmarkers.network import XNNPACK

        landmarker = FaceMeshLandmarker(
            max_faces=max_faces,
            n_threads=n_threads,
            n_performers=n_performers,
            n_at_once=n_at_once,
            notify=notify,
        )
        if landmarker.delegate != XNNPACK:
            notify(
                f"LiteRT refuses {XNNPACK} here: the mesh is found on {landmarker.delegate}, slower"
            )
        return landmarker
    if name == "tasks":
        from livefacs.landmarkers.tasks import TasksLandmarker

        return TasksLandmarker(model, max_faces=max_faces, notify=notify)
    raise LandmarkerError(f"no landmark backend {name!r}: expected auto, {', '.join(BACKENDS)}")


def _name_from_model(model: Path | None) -> str:
    if model is not None:
        return "tasks"
    return "facemesh" if has_litert() else "tasks"


def has_litert() -> bool:
    """True where LiteRT is installed, which runs FaceMesh (looked up, not imported)."""
    return find_spec("ai_edge_litert") is not None
