"""Meshes from a recorded take in place of a model: the same numbers again, without images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from livefacs.errors import LandmarkerError, TakeError
from livefacs.take.reader import Take
from livefacs.types import Frame, Landmarks


class ReplayLandmarker:
    """Gives each frame the mesh that was recorded under its number.

    Parameters
    ----------
    folder : Path
        A take. The frames come from ``sources.takes.TakeSource``, or from any other source with
        the same numbers.

    Raises
    ------
    LandmarkerError
        The folder is no take, or a damaged one.
    """

    name = "replay"

    def __init__(self, folder: Path) -> None:
        try:
            self._take = Take(folder)
        except TakeError as error:
            raise LandmarkerError(f"replay: {error}") from None
        numbers = self._take.frames["i_frame"].tolist()
        self._row_from_i_frame = {i_frame: row for row, i_frame in enumerate(numbers)}

    def detect(self, frame: Frame) -> Landmarks | None:
        """The recorded mesh at the frame's own time; None where there was no face or no record."""
        row = self._row_from_i_frame.get(frame.i_frame)
        recorded = None if row is None else self._take.tracked(row).landmarks
        return None if recorded is None else replace(recorded, t_ns=frame.t_ns)

    def close(self) -> None:
        """Forget the recording."""
        self._row_from_i_frame = {}
