"""Meshes that the source carries, in place of a model: a take is replayed with its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from livefacs.types import Frame, Landmarks

NO_MESH: Final = "none"
"""Backend of a session that another tracker feeds: there are shapes and no landmarks."""


class RecordedLandmarks:
    """Hands on the mesh that was recorded with each frame (``sources.recorded_take.TakeSource``).

    Parameters
    ----------
    name : str
        Backend that found them.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.description = f"meshes as recorded ({name})"

    def detect(self, frame: Frame) -> Landmarks | None:
        """The recorded mesh, at the frame's own time and number; None where there was no face."""
        recorded = frame.landmarks
        if recorded is None:
            return None
        return replace(recorded, t_ns=frame.t_ns, i_frame=frame.i_frame)

    def close(self) -> None:
        """Nothing to free."""
