"""A take of several performers: a take each, the first at the top, the others in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from livefacs.errors import TakeError
from livefacs.take.layout import DOCUMENT_NAME

MOST_PERFORMERS: Final = 8


def performer_folder(folder: Path, performer: int) -> Path:
    """Where a performer's records lie in a take of several: the first one's at its top."""
    return folder if performer == 1 else folder / f"face_{performer}"


def performer_folders(folder: Path) -> list[Path]:
    """Folders of the further performers in a take, by number; none in a take of one."""
    found = (performer_folder(folder, number) for number in range(2, MOST_PERFORMERS + 1))
    return [path for path in found if (path / DOCUMENT_NAME).is_file()]


def folder_of_face(folder: Path, face: int) -> Path:
    """Where the records of a performer lie.

    Raises
    ------
    TakeError
        The take has no such performer.
    """
    found = performer_folder(folder, face)
    if face > 1 and not (found / DOCUMENT_NAME).is_file():
        n = len(performer_folders(folder)) + 1
        raise TakeError(f"{folder}: no performer {face}; expected 1 to {n}, as this take holds")
    return found
