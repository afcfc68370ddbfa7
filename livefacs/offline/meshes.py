"""From a clip's images to a take with its meshes, in which nothing is estimated yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from livefacs.app import following_largest
from livefacs.au.solving import Mesh
from livefacs.batch import usable_cores
from livefacs.errors import ConfigError, SourceError, TakeError
from livefacs.landmarkers import open_landmarker
from livefacs.offline.options import SolveOptions, is_take
from livefacs.offline.read_ahead import ReadAhead, each_mesh
from livefacs.offline.writing import append_all
from livefacs.protocols import Landmarker, Source
from livefacs.sources import open_source
from livefacs.take.model import TakeInfo, TimecodeStart
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.timecode import nearest_rate, rate_for_label
from livefacs.types import ActionUnits, Gaze, HeadPose, Health, TrackedFrame
from livefacs.vocab.facs import N_AU


def meshes_of_clip(
    clip: str,
    folder: Path,
    options: SolveOptions,
    on_frame: Callable[[], None],
    on_open: Callable[[int | None], None],
) -> tuple[Take, tuple[str, ...]]:
    """The take with the meshes: the clip's own, or one made from its images in ``folder``.

    Returns
    -------
    take : Take
    notices : tuple of str
        What the source has to say.
    """
    if is_take(clip):
        take = Take(Path(clip))
        if not take.n_rows:
            raise TakeError(f"{clip}: the take has no frames, nothing can be solved")
        return take, ()
    with ExitStack() as stack:
        source = _open_clip(clip, options)
        stack.callback(source.close)
        on_open(source.n_frames)
        finder = stack.enter_context(closing(_open_finder(options)))
        folder.mkdir()
        info = _clip_info(clip, source, finder)
        writer = TakeWriter(folder, info)
        append_all(writer, _bare_frames(each_mesh(source, finder), on_frame))
        writer.close()
        notices = (*_timecode_notices(source, info.timecode), *source.closing_notices())
    take = Take(folder)
    if not take.n_rows:
        raise SourceError(f"{clip}: no frame in it, nothing can be solved")
    return take, notices


def _open_clip(clip: str, options: SolveOptions) -> Source:
    # Ahead in a thread of its own, decoding may have every core but the one that finds the face.
    n_threads = max(1, usable_cores() - 1) if options.read_ahead else 1
    source = open_source(clip, realtime=False, rate_hz=options.rate_hz, n_threads=n_threads)
    if source.is_live:
        source.close()
        raise SourceError(f"{clip} is live: solve takes clips, image folders and takes")
    return ReadAhead(source) if options.read_ahead else source


def _open_finder(options: SolveOptions) -> Landmarker:
    tracking = options.tracking
    return following_largest(open_landmarker(tracking.landmarker, model=tracking.model), tracking)


def _clip_info(clip: str, source: Source, finder: Landmarker) -> TakeInfo:
    return TakeInfo(
        slate=Path(clip).stem or clip,
        source=source.description,
        rate_hz=source.rate_hz,
        is_live=False,
        landmarker=finder.name,
        config={"source": {"spec": str(Path(clip).resolve()), "realtime": False, "loop": False}},
        timecode=_clip_timecode(source),
    )


def _clip_timecode(source: Source) -> TimecodeStart:
    """The clip's own timecode, counted as it is written; from 0 where it has none of use."""
    nearest = nearest_rate(source.rate_hz)
    if source.timecode is None:
        return TimecodeStart(nearest, "clip")
    rate = rate_for_label(nearest, source.timecode)
    try:
        rate.frame_from_label(source.timecode)
    except ConfigError:
        return TimecodeStart(nearest, "clip")
    return TimecodeStart(rate, "clip", source.timecode)


def _timecode_notices(source: Source, start: TimecodeStart) -> tuple[str, ...]:
    if source.timecode is None or start.start == source.timecode:
        return ()
    return (
        f"its timecode {source.timecode!r} is none at {start.rate.name}:"
        " counted from 00:00:00:00 instead",
    )


def _bare_frames(meshes: Iterator[Mesh], on_frame: Callable[[], None]) -> Iterator[TrackedFrame]:
    """Meshes as frames that nothing is known of yet."""
    unknown = unknown_units()
    for mesh in meshes:
        landmarks = mesh.landmarks
        size = (0, 0) if landmarks is None else landmarks.image_size
        health = Health.OK if landmarks is not None else Health.NO_FACE
        yield TrackedFrame(
            mesh.i_frame, mesh.t_ns, health, size, landmarks, HeadPose(), Gaze(), unknown
        )
        on_frame()


def unknown_units() -> ActionUnits:
    """Units of a frame that nothing is known of."""
    unknown = np.full(N_AU, np.nan, np.float32)
    return ActionUnits(unknown, unknown, np.zeros(N_AU, np.float32))
