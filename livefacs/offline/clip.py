"""One clip or take, solved and delivered in the chosen format."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from livefacs.errors import ConfigError, TakeError
from livefacs.files.atomic import move_folder
from livefacs.files.output import STANDARD_OUTPUT
from livefacs.formats.export import check_export, check_place, export_take, find_format
from livefacs.offline.options import TAKE_FORMAT, ClipReport, SolveOptions
from livefacs.offline.working import WorkingTake, working_take
from livefacs.resources import scratch_beside, scratch_of
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

    Works in the local temporary folder, so that memory does not grow with the clip; the target
    appears when it is whole.

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
    try:
        if target != STANDARD_OUTPUT:  # where nothing can be written, before the work
            target.parent.mkdir(parents=True, exist_ok=True)
        with working_take(clip, options, on_frame=on_frame, on_open=on_open) as working:
            working.estimate()
            _deliver(working.take, target, options)
            return _report(working, target, time.monotonic() - began_s)
    except OSError as error:
        raise TakeError(
            f"cannot write {target}: {error.strerror or error}; name another place"
        ) from error
    finally:
        _clear(target)


def _clear(target: Path) -> None:
    """Take away what is unfinished: ours, and what a killed run left."""
    for folder in scratch_of(target, "solving-*"):
        shutil.rmtree(folder, ignore_errors=True)
    for file in scratch_of(target, "unfinished-*"):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _report(working: WorkingTake, target: Path, work_s: float) -> ClipReport:
    faces = working.take.frames["n_faces"]
    return ClipReport(
        clip=working.clip,
        target=str(target),
        n_frames=working.take.n_rows,
        n_with_face=int((faces > 0).sum()),
        n_faces_at_once=int(faces.max(initial=0)),
        work_s=work_s,
        notices=(*working.notices, *_notices(working.take)),
    )


def work_on_clip(clip: str, target: str, options: SolveOptions) -> dict[str, Any]:
    """``solve_clip`` for other processes: plain values in and out."""
    return asdict(solve_clip(clip, Path(target), options))


def _check_target(target: Path, options: SolveOptions) -> None:
    if options.format == TAKE_FORMAT and target == STANDARD_OUTPUT:
        raise ConfigError("a take is a folder: name one with -o")
    if options.format == TAKE_FORMAT and target.exists():
        raise TakeError(f"{target} is there already: a take never goes over what is there")
    if options.format != TAKE_FORMAT:
        check_export(find_format(options.format), options.export)
        check_place(find_format(options.format), target)


def _deliver(take: Take, target: Path, options: SolveOptions) -> None:
    if options.format == TAKE_FORMAT:
        unfinished = scratch_beside(target, f"solving-{platform.node()}-{os.getpid()}")
        shutil.copytree(take.folder, unfinished)
        move_folder(unfinished, target)
        return
    export = options.export
    if export.smooth_hz:
        export = replace(export, raw=True)  # zero phase in place of the live filter, not after it
    export_take(take, find_format(options.format), target, export)


def _notices(take: Take) -> tuple[str, ...]:
    faces = take.frames["n_faces"]
    notices = []
    if faces.max(initial=0) > 1:
        notices.append(f"{int(faces.max())} faces at once: the largest was followed")
    n_lost = int((faces == 0).sum())
    if n_lost:
        notices.append(f"no face in {n_lost} of {take.n_rows} frames: their cells are empty")
    return tuple(notices)
