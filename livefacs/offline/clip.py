"""One clip or take, solved and delivered in the chosen format."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from livefacs.errors import SourceError, TakeError
from livefacs.formats.export import check_export, export_take, find_format
from livefacs.offline.estimating import estimate_take
from livefacs.offline.meshes import meshes_of_clip
from livefacs.offline.options import TAKE_FORMAT, ClipReport, SolveOptions
from livefacs.resources import scratch_beside, scratch_of
from livefacs.take.model import safe_name
from livefacs.take.reader import Take


def solve_clip(
    clip: str,
    target: Path,
    options: SolveOptions,
    *,
    on_frame: Callable[[], None] = lambda: None,
    on_open: Callable[[int | None], None] = lambda _: None,
) -> ClipReport:
    """Solve a clip, an image folder or a take and write it in the chosen format.

    Works on disk, so that memory does not grow with the clip; the target appears when it is whole.

    Parameters
    ----------
    clip, target, options
    on_frame : callable()
        Called after each frame that went through the landmarker.
    on_open : callable(number of frames, or None where the source does not know)

    Raises
    ------
    SourceError, LandmarkerError, TakeError, ConfigError
        As soon as something cannot be had; nothing is left behind.
    """
    began_s = time.monotonic()
    _check_target(target, options)
    work = scratch_beside(target, f"solving-{platform.node()}-{os.getpid()}")
    try:
        solved = work / "solved" / _name_of(clip)
        solved.parent.mkdir(parents=True, exist_ok=True)
        meshes, notices = meshes_of_clip(clip, work / "meshes", options, on_frame, on_open)
        notices += _estimated(clip, meshes, solved, options, notices)
        _deliver(solved, target, options)
        report = _report(clip, target, meshes, notices, time.monotonic() - began_s)
        del meshes  # mapped files cannot be removed on every system
        return report
    except OSError as error:
        raise TakeError(
            f"cannot write {target}: {error.strerror or error}; name another place"
        ) from error
    finally:
        _clear(target)


def _estimated(
    clip: str, meshes: Take, folder: Path, options: SolveOptions, notices: tuple[str, ...]
) -> tuple[str, ...]:
    """What the estimate has to say; a failure tells of the source's faults, too."""
    try:
        return estimate_take(clip, meshes, folder, options)
    except SourceError as error:
        raise SourceError("; ".join((str(error), *notices))) from None


def _clear(target: Path) -> None:
    """Take away what is unfinished: ours, and what a killed run left."""
    for folder in scratch_of(target, "solving-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in scratch_of(target, "unfinished-*"):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _name_of(clip: str) -> str:
    """What titles and timelines call the take: the clip's name, as they are named by the folder."""
    path = Path(clip).resolve()
    return safe_name(path.name if path.is_dir() else path.stem)


def _report(
    clip: str, target: Path, meshes: Take, notices: Sequence[str], work_s: float
) -> ClipReport:
    faces = meshes.frames["n_faces"]
    return ClipReport(
        clip=clip,
        target=str(target),
        n_frames=meshes.n_rows,
        n_with_face=int((faces > 0).sum()),
        n_faces_at_once=int(faces.max(initial=0)),
        work_s=work_s,
        notices=(*notices, *_notices(meshes)),
    )


def work_on_clip(clip: str, target: str, options: SolveOptions) -> dict[str, Any]:
    """``solve_clip`` for other processes: plain values in and out."""
    return asdict(solve_clip(clip, Path(target), options))


def _check_target(target: Path, options: SolveOptions) -> None:
    if options.format == TAKE_FORMAT and target.exists():
        raise TakeError(f"{target} is there already: a take never goes over what is there")
    if options.format != TAKE_FORMAT:
        check_export(find_format(options.format), options.export)


def _deliver(solved: Path, target: Path, options: SolveOptions) -> None:
    if options.format == TAKE_FORMAT:
        solved.replace(target)
        return
    export = options.export
    if export.smooth_hz:
        export = replace(export, raw=True)  # zero phase in place of the live filter, not after it
    export_take(Take(solved), find_format(options.format), target, export)


def _notices(meshes: Take) -> tuple[str, ...]:
    faces = meshes.frames["n_faces"]
    notices = []
    if faces.max(initial=0) > 1:
        notices.append(f"{int(faces.max())} faces at once: the largest was followed")
    n_lost = int((faces == 0).sum())
    if n_lost:
        notices.append(f"no face in {n_lost} of {meshes.n_rows} frames: their cells are empty")
    return tuple(notices)
