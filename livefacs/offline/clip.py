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
from livefacs.files.atomic import make_folder, move_folder
from livefacs.files.output import STANDARD_OUTPUT
from livefacs.formats.export import check_export, check_place, export_take, find_format
from livefacs.offline.solve_options import TAKE_FORMAT, ClipReport, SolveOptions
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
            make_folder(target.parent)
        with working_take(clip, options, on_frame=on_frame, on_open=on_open) as working:
            working.estimate()
            notices = _estimate_others(working)
            told = _deliver(working.take, target, options)
            for number, other in enumerate(working.others, 2):
                if options.format != TAKE_FORMAT and other.take.frames["n_faces"].any():
                    _deliver(other.take, target_of_performer(target, number), options)
            tells = options.format != TAKE_FORMAT and not find_format(options.format).unseen
            own = _notices(working.take, len(working.others) + 1, tells=tells)
            return _report(working, target, time.monotonic() - began_s, (*own, *told, *notices))
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


def target_of_performer(target: Path, number: int) -> Path:
    """Where a performer's curves go: ``a.csv``, ``a.face_2.csv`` …"""
    stem, dot, suffixes = target.name.partition(".")
    return target if number == 1 else target.with_name(f"{stem}.face_{number}{dot}{suffixes}")


def _estimate_others(working: WorkingTake) -> tuple[str, ...]:
    """Estimate the further performers; what is to be said of them."""
    notices = []
    for number, other in enumerate(working.others, 2):
        n_seen = int((other.take.frames["n_faces"] > 0).sum())
        if n_seen:
            other.estimate()
        seen = f"seen in {n_seen} of {other.take.n_rows} frames" if n_seen else "never seen"
        notices += [f"performer {number}: {seen}", *other.notices]
    return tuple(notices)


def _report(
    working: WorkingTake, target: Path, work_s: float, notices: tuple[str, ...]
) -> ClipReport:
    faces = working.take.frames["n_faces"]
    return ClipReport(
        clip=working.clip,
        target=str(target),
        n_frames=working.take.n_rows,
        n_with_face=int((faces > 0).sum()),
        n_faces_at_once=int(faces.max(initial=0)),
        work_s=work_s,
        notices=(*working.notices, *notices),
    )


def work_on_clip(clip: str, target: str, options: SolveOptions) -> dict[str, Any]:
    """``solve_clip`` for other processes: plain values in and out."""
    return asdict(solve_clip(clip, Path(target), options))


def _check_target(target: Path, options: SolveOptions) -> None:
    if options.tracking.faces > 1 and target == STANDARD_OUTPUT:
        raise ConfigError("several performers are several files: name one with -o")
    if options.format == TAKE_FORMAT and target == STANDARD_OUTPUT:
        raise ConfigError("a take is a folder: name one with -o")
    if options.format == TAKE_FORMAT and target.exists():
        raise TakeError(f"{target} is there already: a take never goes over what is there")
    if options.format != TAKE_FORMAT:
        check_export(find_format(options.format), options.export)
        check_place(find_format(options.format), target)


def _deliver(take: Take, target: Path, options: SolveOptions) -> tuple[str, ...]:
    """Write what was asked for; what the file cannot say."""
    if options.format == TAKE_FORMAT:
        unfinished = scratch_beside(target, f"solving-{platform.node()}-{os.getpid()}")
        shutil.copytree(take.folder, unfinished)
        move_folder(unfinished, target)
        return ()
    export = options.export
    if export.smooth_hz:
        export = replace(export, raw=True)  # zero phase in place of the live filter, not after it
    return export_take(take, find_format(options.format), target, export)


def _notices(take: Take, n_performers: int, *, tells: bool) -> tuple[str, ...]:
    """What is to be said of the faces; ``tells``: the format has cells for each frame."""
    faces = take.frames["n_faces"]
    notices = []
    if n_performers > 1 and faces.max(initial=0) > n_performers:
        notices.append(f"{int(faces.max())} faces at once, of which {n_performers} have numbers")
    elif n_performers == 1 and faces.max(initial=0) > 1:
        notices.append(f"{int(faces.max())} faces at once: the largest was followed")
    n_lost = int((faces == 0).sum())
    if n_lost:
        cells = ": their cells are empty" if tells else ""
        notices.append(f"no face in {n_lost} of {take.n_rows} frames{cells}")
    return tuple(notices)
