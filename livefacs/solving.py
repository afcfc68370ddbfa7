"""One clip or take, solved and delivered: meshes, Action Units, the chosen format."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.app import make_smoothing
from livefacs.au.estimator import Estimator
from livefacs.au.model import EstimatorModel, load_model
from livefacs.au.profile import Profile, load_profile
from livefacs.au.solving import Mesh, solve
from livefacs.config import TrackingOptions
from livefacs.errors import ConfigError, SourceError, TakeError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.landmarkers import open_landmarker
from livefacs.pipeline.face_counter import MOST_FACES, FaceCounter
from livefacs.pipeline.offline import ReadAhead, each_mesh
from livefacs.pipeline.replay import TakeMeshes, replay_take
from livefacs.pipeline.tracker import Tracker
from livefacs.protocols import Landmarker, Source
from livefacs.sources import open_source
from livefacs.take.model import DOCUMENT_NAME, TakeInfo, TimecodeStart
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.timecode import nearest_rate
from livefacs.types import (
    ActionUnits,
    Estimate,
    Frame,
    Gaze,
    HeadPose,
    Health,
    Landmarks,
    TrackedFrame,
)
from livefacs.vocab.facs import N_AU

TAKE_FORMAT: Final = "take"
"""Besides the export formats: the solved take itself, as a folder."""

_ROWS_A_WRITE: Final = 128


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """What a clip is solved with; plain values, so that other processes can be told.

    Attributes
    ----------
    tracking : TrackingOptions
    rate_hz : float
        Of image folders.
    focal_px : float or None
    neutral_s : (start, end) or None
        Seconds in which the face rests; None: the whole clip says.
    as_live : bool
        Find the neutral as the live run does; a take then comes out as it was recorded.
    format : str
        Name of an export format, or ``take``.
    export : ExportOptions
    read_ahead : bool
        Decode in a thread of its own; not where every core has a clip already.
    """

    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    rate_hz: float = 30.0
    focal_px: float | None = None
    neutral_s: tuple[float, float] | None = None
    as_live: bool = False
    format: str = "csv"
    export: ExportOptions = field(default_factory=ExportOptions)
    read_ahead: bool = True


@dataclass(frozen=True, slots=True)
class ClipReport:
    """What became of a clip.

    Attributes
    ----------
    n_faces_at_once : int
        Most faces seen in one frame; with more than one the largest was followed.
    notices : tuple of str
        What the user should know: damaged frames, several faces, frames without one.
    """

    clip: str
    target: str
    n_frames: int
    n_with_face: int
    n_faces_at_once: int
    work_s: float
    notices: tuple[str, ...] = ()


def suffix_of(options: SolveOptions) -> str:
    """File name ending of what is written."""
    if options.format == TAKE_FORMAT:
        return ""
    return find_format(options.format).suffixes[0]


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
    work = target.parent / f".{target.name}.solving-{os.getpid()}"
    try:
        work.mkdir(parents=True, exist_ok=True)
        meshes, notices = _meshes(clip, work / "meshes", options, on_frame, on_open)
        solved = _solve(clip, meshes, work / "solved", options)
        _deliver(solved, target, options)
    except OSError as error:
        raise TakeError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return _report(clip, target, meshes, notices, time.monotonic() - began_s)


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


def is_take(clip: str) -> bool:
    """True for the folder of a take."""
    return (Path(clip) / DOCUMENT_NAME).is_file()


@lru_cache(maxsize=1)
def _model(weights: Path | None) -> EstimatorModel:
    return load_model(weights)


def _check_target(target: Path, options: SolveOptions) -> None:
    if options.format == TAKE_FORMAT and target.exists():
        raise TakeError(f"{target} is there already: a take never goes over what is there")
    if options.format != TAKE_FORMAT:
        find_format(options.format)


def _meshes(
    clip: str,
    folder: Path,
    options: SolveOptions,
    on_frame: Callable[[], None],
    on_open: Callable[[int | None], None],
) -> tuple[Take, tuple[str, ...]]:
    """The take with the meshes: the clip's own, or one made from its images."""
    if is_take(clip):
        take = Take(Path(clip))
        if not take.n_rows:
            raise TakeError(f"{clip}: the take has no frames, nothing can be solved")
        return take, ()
    with ExitStack() as stack:
        source = _open_clip(clip, options)
        stack.callback(source.close)
        on_open(source.n_frames)
        looker = stack.enter_context(closing(_open_finder(options, MOST_FACES)))
        watched = FaceCounter(source, looker)
        finder = stack.enter_context(closing(_open_finder(options, watched.max_faces)))
        folder.mkdir()
        writer = TakeWriter(folder, _clip_info(clip, source, finder))
        _append(writer, _bare_frames(each_mesh(watched, finder), watched, on_frame))
        writer.close()
        notices = source.closing_notices()
    take = Take(folder)
    if not take.n_rows:
        raise SourceError(f"{clip}: no frame in it, nothing can be solved")
    return take, notices


def _open_clip(clip: str, options: SolveOptions) -> Source:
    source = open_source(clip, realtime=False, rate_hz=options.rate_hz)
    if source.is_live:
        source.close()
        raise SourceError(f"{clip} is live: solve takes clips, image folders and takes")
    return ReadAhead(source) if options.read_ahead else source


def _open_finder(options: SolveOptions, max_faces: int | None) -> Landmarker:
    tracking = options.tracking
    return open_landmarker(tracking.landmarker, model=tracking.model, max_faces=max_faces)


def _clip_info(clip: str, source: Source, finder: Landmarker) -> TakeInfo:
    rate = nearest_rate(source.rate_hz)
    start = source.timecode or "00:00:00:00"
    return TakeInfo(
        slate=Path(clip).stem or clip,
        source=source.description,
        rate_hz=source.rate_hz,
        is_live=False,
        landmarker=finder.name,
        timecode=TimecodeStart(rate, "clip", start),
    )


def _bare_frames(
    meshes: Iterator[Mesh], watched: FaceCounter, on_frame: Callable[[], None]
) -> Iterator[TrackedFrame]:
    """Meshes as frames that nothing is known of yet."""
    unknown = _unknown_units()
    for mesh in meshes:
        landmarks = mesh.landmarks
        if landmarks is not None and watched.n_seen > landmarks.n_faces:
            landmarks = replace(landmarks, n_faces=watched.n_seen)
        size = (0, 0) if landmarks is None else landmarks.image_size
        health = Health.OK if landmarks is not None else Health.NO_FACE
        yield TrackedFrame(
            mesh.i_frame, mesh.t_ns, health, size, landmarks, HeadPose(), Gaze(), unknown
        )
        on_frame()


def _solve(clip: str, meshes: Take, folder: Path, options: SolveOptions) -> Take:
    tracking = options.tracking
    model = _model(tracking.weights)
    backend = str(meshes.document["landmarker"])
    profile = None if tracking.profile is None else load_profile(tracking.profile, backend)
    if options.as_live:
        frames = _as_live(meshes, model, profile, options)
    else:
        frames = _with_whole_clip(clip, meshes, model, profile, options)
    folder.mkdir()
    writer = TakeWriter(folder, _solved_info(meshes, model, profile, options))
    _append(writer, frames)
    for marker in meshes.markers:
        writer.mark(marker)
    writer.close()
    return Take(folder)


def _as_live(
    meshes: Take, model: EstimatorModel, profile: Profile | None, options: SolveOptions
) -> Iterator[TrackedFrame]:
    estimator = Estimator(
        model, profile, make_smoothing(options.tracking), focal_px=options.focal_px
    )
    return replay_take(meshes, Tracker(_NoLandmarker(), estimator))


def _with_whole_clip(
    clip: str,
    meshes: Take,
    model: EstimatorModel,
    profile: Profile | None,
    options: SolveOptions,
) -> Iterator[TrackedFrame]:
    try:
        rows = solve(
            TakeMeshes(meshes),
            model,
            profile=profile,
            smoothing=make_smoothing(options.tracking),
            neutral_s=options.neutral_s,
            focal_px=options.focal_px,
        )
    except SourceError as error:
        raise SourceError(f"{clip}: {error}") from None
    return _solved_frames(meshes, rows)


def _solved_frames(
    meshes: Take, rows: Sequence[tuple[int, int, Estimate | None]]
) -> Iterator[TrackedFrame]:
    unknown = _unknown_units()
    for mesh, (_, _, estimate) in zip(meshes, rows, strict=True):
        if estimate is None:
            yield replace(mesh, units=unknown, head=HeadPose(), gaze=Gaze(), rigs={})
        else:
            yield replace(
                mesh,
                units=estimate.units,
                head=estimate.head,
                gaze=estimate.gaze,
                health=estimate.health,
                rigs={},
            )


def _unknown_units() -> ActionUnits:
    unknown = np.full(N_AU, np.nan, np.float32)
    return ActionUnits(unknown, unknown, np.zeros(N_AU, np.float32))


def _solved_info(
    meshes: Take, model: EstimatorModel, profile: Profile | None, options: SolveOptions
) -> TakeInfo:
    document = meshes.document
    tracking = options.tracking
    return TakeInfo(
        slate=meshes.slate,
        number=meshes.number,
        notes=str(document["notes"]),
        source=str(document["source"]["description"]),
        rate_hz=float(document["source"]["rate_hz"]),
        is_live=bool(document["source"]["is_live"]),
        landmarker=str(document["landmarker"]),
        weights={
            "file": str(tracking.weights) if tracking.weights else "shipped",
            "sha256": model.digest,
        },
        profile={"name": profile.name} if profile else None,
        estimator={"as_live": options.as_live, "neutral_s": options.neutral_s},
        timecode=TimecodeStart(meshes.rate, "free run", meshes.timecode(0)),
    )


def _deliver(solved: Take, target: Path, options: SolveOptions) -> None:
    if options.format == TAKE_FORMAT:
        solved.folder.replace(target)
        return
    export = options.export
    if export.smooth_hz:
        export = replace(export, raw=True)  # zero phase in place of the live filter, not after it
    export_take(solved, find_format(options.format), target, export)


def _append(writer: TakeWriter, frames: Iterator[TrackedFrame]) -> None:
    batch: list[TrackedFrame] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == _ROWS_A_WRITE:
            writer.append(batch)
            batch = []
    writer.append(batch)


def _notices(meshes: Take) -> tuple[str, ...]:
    faces = meshes.frames["n_faces"]
    notices = []
    if faces.max(initial=0) > 1:
        notices.append(f"{int(faces.max())} faces at once: the largest was followed")
    n_lost = int((faces == 0).sum())
    if n_lost:
        notices.append(f"no face in {n_lost} of {meshes.n_rows} frames: their cells are empty")
    return tuple(notices)


class _NoLandmarker:
    """Stands where a tracker that only replays has no model."""

    name = "replay"

    def detect(self, frame: Frame) -> Landmarks | None:
        """Never asked."""
        raise ConfigError(f"frame {frame.i_frame}: a replay has no images")

    def close(self) -> None:
        """Nothing to free."""
