"""Numbered pictures: which files a word means, and which of the numbers in their names counts."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from livefacs.errors import SourceError

IMAGE_SUFFIXES: Final = frozenset(
    (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".pgm", ".tif", ".tiff", ".webp", ".exr", ".dpx")
)
_PLACES: Final = re.compile(r"%(?:0(\d))?d|#+")  # shot.%04d.jpg, shot.####.exr
_LONGEST_HOLE: Final = 10_000
"""Numbers further apart count no frames: times of day, serial numbers."""


def is_image_spec(spec: str) -> bool:
    """True for a folder, a pattern, or the name of an image file."""
    path = Path(spec)
    if path.suffix.lower() in IMAGE_SUFFIXES or path.is_dir():
        return True
    return glob.has_magic(spec) and not path.is_file()  # a clip's name may have brackets


def list_images(spec: str) -> list[Path]:
    """Image files of a folder or pattern in natural order.

    Parameters
    ----------
    spec : str
        A folder, one image, or a pattern: ``shots/*.png``, ``shot.%04d.jpg``, ``shot.####.exr``.

    Raises
    ------
    SourceError
        There is none.
    """
    folder = Path(spec)
    if folder.is_dir():
        found = list(folder.iterdir())
    elif folder.is_file():
        found = [folder]
    elif _PLACES.search(folder.name):
        wanted = _from_numbered_pattern(folder.name)
        siblings = folder.parent.iterdir() if folder.parent.is_dir() else ()
        found = [path for path in siblings if wanted.fullmatch(path.name)]
    elif glob.has_magic(spec):
        found = [Path(name) for name in glob.glob(spec)]  # noqa: PTH207 (takes absolute patterns)
    else:
        found = []
    paths = [path for path in found if _is_picture(path) and not _is_hidden(path, spec)]
    if not paths:
        raise SourceError(
            f"no image at {spec}: expected a folder, a pattern (shots/*.png, shot.%04d.jpg,"
            f" shot.####.exr) or a file with one of {', '.join(sorted(IMAGE_SUFFIXES))};"
            " convert others to PNG"
        )
    return sorted(paths, key=natural_key)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def _is_hidden(path: Path, spec: str) -> bool:
    """True for what nobody means, such as the ``._shot.0001.jpg`` that macOS leaves behind."""
    return path.name.startswith(".") and not Path(spec).name.startswith(".")


def _from_numbered_pattern(name: str) -> re.Pattern[str]:
    """``%04d`` and ``####`` are four digits or more, ``%d`` and ``#`` one or more."""
    parts, at = [], 0
    for place in _PLACES.finditer(name):
        n_digits = len(place[0]) if place[0].startswith("#") else int(place[1] or 1)
        parts += [re.escape(name[at : place.start()]), rf"\d{{{n_digits},}}"]
        at = place.end()
    return re.compile("".join((*parts, re.escape(name[at:]))))


def natural_key(path: Path) -> tuple[tuple[int, int | str], ...]:
    """Sort key under which numbers inside a name count by value."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def frame_numbers(paths: Sequence[Path]) -> list[int] | None:
    """The frame number in each name: the one number in which the names differ.

    Parameters
    ----------
    paths : sequence of Path
        In natural order.

    Returns
    -------
    list of int, rising, or None
        None where the names differ in more than one number or count no frames.

    Raises
    ------
    SourceError
        Two names have the same number: a sequence in two formats.
    """
    parts = [re.findall(r"\d+|\D+", path.stem.casefold()) for path in paths]
    if len({len(names) for names in parts}) != 1:
        return None
    varying = [column for column in zip(*parts, strict=True) if len(set(column)) > 1]
    if len(varying) > 1 or not all(part.isdecimal() for column in varying for part in column):
        return None
    numbers = [int(part) for part in varying[0]] if varying else [0] * len(paths)
    for index in range(1, len(paths)):
        if numbers[index] == numbers[index - 1]:
            raise SourceError(
                f"two pictures for one frame: {paths[index - 1]} and {paths[index].name};"
                f" choose with a pattern, such as {paths[index].parent / '*'}{paths[index].suffix}"
            )
        if numbers[index] - numbers[index - 1] > _LONGEST_HOLE:
            return None
    return numbers


def missing_in_words(numbers: Sequence[int]) -> str:
    """Numbers that a sequence lacks, ``1006-1008, 1020``; empty where it is whole.

    A sequence of every second frame, or third, lacks none.
    """
    steps = [after - before for before, after in pairwise(numbers)]
    usual = min(steps, default=1)
    holes = []
    for before, step in zip(numbers, steps, strict=False):
        if step > usual:
            first, last = before + usual, before + step - usual
            holes.append(str(first) if first >= last else f"{first}-{last}")
    return ", ".join(holes[:5]) + (f" and {len(holes) - 5} more holes" if len(holes) > 5 else "")
