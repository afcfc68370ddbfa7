"""Recorded takes as a source: their frame numbers, times and meshes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from livefacs.errors import SourceError, TakeError
from livefacs.take.layout import DOCUMENT_NAME
from livefacs.take.reader import Take
from livefacs.types import Frame


class TakeSource:
    """Every frame of a take in its order with its mesh, and black images of the recorded size.

    Times begin at 0; numbers are the recorded ones, so that what was dropped stays a gap.

    Raises
    ------
    SourceError
        The folder is no take, a damaged one, or an empty one.
    """

    is_live = False
    notices: tuple[str, ...] = ()
    start_ns = 0

    def __init__(self, folder: Path) -> None:
        try:
            self._take = Take(folder)
        except TakeError as error:
            raise SourceError(str(error)) from None
        if not self._take.n_rows:
            raise SourceError(f"take {folder} holds no frame")
        self.n_frames: int | None = self._take.n_rows
        self.rate_hz = self._take.frame_rate_hz
        self.timecode: str | None = self._take.timecode(0)
        self.description = f"take {self._take.name}, {self.n_frames} frames, {self.rate_hz:.4g} fps"
        self._row = 0
        self._i_frame = -1
        self._is_sound = self._take.has_sound_mesh
        self._closed = False
        self._black = np.zeros((1, 1, 3), np.uint8)

    def read(self) -> Frame | None:
        """The next recorded frame, or None at the end or once closed."""
        row = self._row
        if self._closed or row >= self._take.n_rows:
            return None
        self._row += 1
        t_ns = int(self._take.t_ns[row]) - int(self._take.t_ns[0])
        if not self._is_sound[row]:  # nothing of it can be believed, but that it was there
            return Frame(self._black, t_ns, self._i_frame + 1)
        record = self._take.frames[row]
        shape = (max(1, int(record["height"])), max(1, int(record["width"])), 3)
        if self._black.shape != shape:
            self._black = np.zeros(shape, np.uint8)
        self._i_frame = int(record["i_frame"])
        return Frame(self._black, t_ns, self._i_frame, self._take.tracked(row).landmarks)

    def rewind(self) -> None:
        """Begin again at the first frame."""
        self._row = 0

    def close(self) -> None:
        """End; ``read`` returns None from now on."""
        self._closed = True

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end: bytes that a crash tore."""
        if not self._take.n_torn_bytes:
            return ()
        return (f"take {self._take.name}: its torn tail of a crash was ignored",)


def is_take(spec: str) -> bool:
    """True for a folder with a take in it."""
    return (Path(spec) / DOCUMENT_NAME).is_file()
