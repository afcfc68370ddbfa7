"""The clips and takes of a folder, and where the result of each goes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from livefacs.batch import Job
from livefacs.errors import ConfigError, SourceError
from livefacs.files.output import STANDARD_OUTPUT
from livefacs.offline.solve_options import TAKE_FORMAT, SolveOptions, is_take, suffix_of

_CLIPS: Final = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".mpg", ".mpeg"),
    *(".wmv", ".ts", ".mts", ".m2ts", ".3gp", ".flv", ".ogv", ".vob", ".dv"),
)


def find_jobs(folder: Path, output: Path, options: SolveOptions) -> list[Job]:
    """Every clip and take under a folder, with where its result goes (the same tree).

    Linked folders are followed, hidden files and what lies in ``output`` are not clips. Clips that
    differ only in their ending keep it: ``a.mov.csv``, ``a.mp4.csv``.

    Raises
    ------
    SourceError
        No such folder, or nothing in it.
    ConfigError
        Solved takes would come between the takes that they are made of.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder; expected a folder of clips")
    if output == STANDARD_OUTPUT:
        raise ConfigError("the results of several clips go into a folder: name one with -o")
    root, own = folder.resolve(), output.resolve()
    if own == root and options.format == TAKE_FORMAT:
        raise ConfigError(f"solved takes cannot go into {output}, which holds the clips themselves")
    clips = sorted(_clips_under(folder, None if own == root else own, frozenset()))
    if not clips:
        raise SourceError(f"{folder}: no clip and no take in it (looked for {', '.join(_CLIPS)})")
    suffix = suffix_of(options)
    plain = [own / _without_ending(clip.relative_to(folder), clip) for clip in clips]
    n_alike = Counter(os.path.normcase(target) for target in plain)
    jobs = []
    for clip, target in zip(clips, plain, strict=True):
        name = clip.name if n_alike[os.path.normcase(target)] > 1 else target.name
        jobs.append(Job(os.path.abspath(clip), str(target.with_name(name + suffix))))  # noqa: PTH100 (a link keeps its own name)
    _check_targets(jobs)
    return jobs


def _clips_under(folder: Path, own: Path | None, above: frozenset[Path]) -> Iterator[Path]:
    """Clips and takes; a folder that leads back to itself is entered once."""
    real = folder.resolve()
    if real == own or real in above:
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror or error}") from None
    for path in entries:
        if path.name.startswith("."):  # left by a killed run, or by a system; nobody's clip
            continue
        if path.is_dir():
            if not is_take(str(path)):
                yield from _clips_under(path, own, above | {real})
            elif path.resolve() != own:
                yield path
        elif path.suffix.lower() in _CLIPS:
            yield path


def _without_ending(place: Path, clip: Path) -> Path:
    """Takes are folders, whose names may have dots that end nothing."""
    return place if clip.is_dir() else place.with_suffix("")


def _check_targets(jobs: list[Job]) -> None:
    counts = Counter(os.path.normcase(job.target) for job in jobs)
    for job in jobs:
        if counts[os.path.normcase(job.target)] > 1:
            raise ConfigError(f"several clips would be written to {job.target}: rename one of them")
