"""One working take in the local temporary folder: a clip's meshes first, then their estimates."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.au.checkup import misfit_of_clip
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import NO_REST, Neutral
from livefacs.au.profile import Profile
from livefacs.au.regions import REGION_NAMES
from livefacs.batch import usable_cores
from livefacs.clock import ClockMap
from livefacs.errors import SourceError, TakeError
from livefacs.files.locks import Lock, is_locked
from livefacs.landmarkers.face_readers import with_readers
from livefacs.landmarkers.recorded import NO_MESH
from livefacs.offline.estimating import Setup, clip_setup, take_setup
from livefacs.offline.meshes import (
    Meshes,
    ReadAhead,
    performers_meshes,
    recorded_meshes,
    tracked_meshes,
)
from livefacs.offline.solve_options import SolveOptions, is_take
from livefacs.protocols import Landmarker, Source
from livefacs.session.parts import (
    landmarker_from_options,
    performers_from_options,
    tracking_of_performers,
)
from livefacs.sources import open_source
from livefacs.take.layout import TakeInfo, TimecodeStart, safe_name
from livefacs.take.performers import performer_folder, performer_folders
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter, rewrite_estimates
from livefacs.types import Health, TrackedFrame
from livefacs.vocab.facs import AU_CHANNELS, EYE_CHANNELS, HEAD_CHANNELS, action_of

_PREFIX: Final = "livefacs-solving-"
_LOCK: Final = "lock"
_ROWS_A_WRITE: Final = 128
_CHANGES_FROM: Final = 0.15
"""Intensity, 0..1, by which an action changes where something moves: a letter B."""
_MOST_ROWS: Final = 2000
_MOVING: Final = [
    i
    for i, name in enumerate(AU_CHANNELS)
    if action_of(name) not in {"AU43", "AU45", *HEAD_CHANNELS, *EYE_CHANNELS}
]
"""Channels of what a face may hold: not lids that blink, nor head and gaze."""
_MAY_BE_HELD: Final = (
    "the face does the same throughout: what it holds may pass for its rest; name a resting frame"
    " with --neutral, or a profile"
)
_SESSION_FLAGS: Final = (
    Health.FRAMES_SKIPPED | Health.LATE | Health.RECORDER_LATE | Health.NEW_PERFORMER
)
"""What the running session adds to a frame's health; kept as recorded."""


@dataclass(slots=True)
class WorkingTake:
    """The take of a clip while it is worked on.

    Attributes
    ----------
    take : Take
        Its meshes; after ``estimate`` its units, too.
    setup : Setup
    notices : tuple of str
        What the user should know of the source, the weights and the profile.
    neutral : Neutral or None
        The neutral that the estimates are of, after ``estimate``.
    others : tuple of WorkingTake
        Those of the further performers, where several were asked for.
    """

    clip: str
    take: Take
    setup: Setup
    notices: tuple[str, ...] = ()
    neutral: Neutral | None = None
    others: tuple[WorkingTake, ...] = ()

    def estimate(self) -> None:
        """Estimate every mesh and put the result beside it, a few rows at a time.

        Raises
        ------
        SourceError
            No face, or none in the seconds of the neutral; tells of the source's errors, too.
        """
        try:
            estimator, found = self.setup.estimates(self.take)
        except SourceError as error:
            raise SourceError("; ".join((f"{self.clip}: {error}", *self.notices))) from None
        rewrite_estimates(self.take, found, kept=_SESSION_FLAGS)
        self.neutral = estimator.neutral
        if self.setup.profile is not None and self.take.frames["n_faces"].any():
            faces = Meshes.of_take(self.take).faces
            reason = misfit_of_clip(self.setup.model, self.setup.profile, faces)
            self.notices += (reason,) if reason else ()
        notices = _rest_notice(estimator.neutral)
        if not notices and self._is_still():
            self.neutral = replace(estimator.neutral, is_confirmed=False)
            _, found = self.setup.estimates(self.take, self.neutral)
            rewrite_estimates(self.take, found, kept=_SESSION_FLAGS)
            notices = (_MAY_BE_HELD,)
        self.notices += notices

    def _is_still(self) -> bool:
        """A face that does one thing throughout may hold it: no other frame says how it rests."""
        options = self.setup.options
        if self.setup.profile is not None or options.neutral_s is not None or options.as_live:
            return False
        rows = np.flatnonzero(self.take.frames["n_faces"])
        values = self.take.raw[rows[:: -(-len(rows) // _MOST_ROWS)]][:, _MOVING]
        low, high = np.percentile(np.nan_to_num(values), (5, 95), axis=0)
        return bool((high - low).max() < _CHANGES_FROM)


def _rest_notice(neutral: Neutral) -> tuple[str, ...]:
    """What the user should know where parts of the face never rest."""
    acting = [
        name
        for name, evidence in zip(REGION_NAMES, neutral.evidence, strict=True)
        if evidence < NO_REST
    ]
    if not acting:
        return ()
    return (
        f"no resting frame found ({', '.join(acting)}): measured against the mean face;"
        " name one with --neutral",
    )


@contextmanager
def working_take(
    clip: str,
    options: SolveOptions,
    person: Profile | None = None,
    *,
    on_frame: Callable[[], None] = lambda: None,
    on_open: Callable[[int | None], None] = lambda _: None,
) -> Iterator[WorkingTake]:
    """The meshes of a clip, an image folder or a take, in a working take; gone afterwards.

    Memory does not grow with the clip: one mesh at a time goes to the disk, and what is read back
    is mapped.

    Parameters
    ----------
    clip, options
    person : Profile or None
        A profile in place of the one that the options name.
    on_frame : callable()
        Called after each frame.
    on_open : callable(number of frames, or None where the source does not know)

    Raises
    ------
    SourceError, LandmarkerError, TakeError, ConfigError
        As soon as something cannot be had.
    """
    with _working_folder() as work:
        folder = work / _name_of(clip)
        folder.mkdir()
        fill = _fill_from_take if is_take(clip) else _fill_from_images
        if options.tracking.faces > 1:
            fill = _fill_with_performers
        setups, notices = fill(clip, folder, options, person, on_frame, on_open)
        with ExitStack() as takes:  # mapped files cannot be removed on every system
            first, *others = (
                WorkingTake(
                    clip if place == folder else f"{clip}, performer {number}",
                    takes.enter_context(Take(place)),
                    setup,
                )
                for number, (place, setup) in enumerate(
                    zip((folder, *performer_folders(folder)), setups, strict=True), 1
                )
            )
            if not first.take.n_rows:
                raise SourceError(f"{clip}: no frame in it, nothing can be solved")
            first.notices, first.others = notices, tuple(others)
            yield first


@contextmanager
def _working_folder() -> Iterator[Path]:
    """A folder of our own; those that killed runs left are taken away on the way."""
    place = Path(tempfile.gettempdir())
    for left in place.glob(f"{_PREFIX}*"):
        if (left / _LOCK).exists() and not is_locked(left / _LOCK):
            shutil.rmtree(left, ignore_errors=True)
    try:
        work = Path(tempfile.mkdtemp(prefix=_PREFIX))
    except OSError as error:
        raise _no_room(place, error) from error
    try:
        with closing(Lock(work / _LOCK)):
            yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _no_room(folder: Path, error: OSError) -> TakeError:
    return TakeError(
        f"cannot work in {folder}: {error.strerror or error}; make room there, or name another"
        " folder for temporary files in the environment variable TMPDIR"
    )


def _name_of(clip: str) -> str:
    """What titles and timelines call the take: the clip's name, as they are named by the folder."""
    path = Path(clip).resolve()
    return safe_name(path.name if path.is_dir() else path.stem)


def _fill_from_take(
    clip: str,
    folder: Path,
    options: SolveOptions,
    person: Profile | None,
    on_frame: Callable[[], None],
    on_open: Callable[[int | None], None],
) -> tuple[list[Setup], tuple[str, ...]]:
    take = Take(Path(clip))
    if not take.n_rows:
        raise TakeError(f"{clip}: the take has no frames, nothing can be solved")
    if options.rotate:
        raise TakeError(f"{clip}: a take brings no pictures to turn: leave out --rotate")
    if take.document["landmarker"] == NO_MESH:
        raise TakeError(
            f"{clip}: another program tracked this take, it holds no landmarks to solve from;"
            " export what was recorded instead"
        )
    setup, notices = take_setup(options, take, person)
    on_open(take.n_rows)
    with _writer(folder, _take_info(take, setup), take.clock) as writer:
        for frames in _some_at_a_time(recorded_meshes(take, on_frame)):
            writer.append(frames)
        for marker in take.markers:
            writer.mark(marker)
    return [setup], notices


def _fill_from_images(
    clip: str,
    folder: Path,
    options: SolveOptions,
    person: Profile | None,
    on_frame: Callable[[], None],
    on_open: Callable[[int | None], None],
) -> tuple[list[Setup], tuple[str, ...]]:
    notices: list[str] = []
    with (
        closing(_open_clip(clip, options)) as source,
        closing(_open_finder(options, notices.append)) as finder,
    ):
        on_open(source.n_frames)
        setup = clip_setup(options, finder.name, person)
        info = _clip_info(clip, source, setup)
        with _writer(folder, info) as writer:
            meshes = tracked_meshes(source, finder, on_frame, reads_beside=options.read_ahead)
            for frames in _some_at_a_time(meshes):
                writer.append(frames)
        return [setup], (*notices, *source.notices, *source.closing_notices())


def _fill_with_performers(
    clip: str,
    folder: Path,
    options: SolveOptions,
    person: Profile | None,
    on_frame: Callable[[], None],
    on_open: Callable[[int | None], None],
) -> tuple[list[Setup], tuple[str, ...]]:
    """The meshes of several performers, each in a take of its own."""
    tracking = options.tracking
    if is_take(clip) or person is not None:
        raise TakeError(f"{clip}: --faces is for clips; of a take, name one performer with --face")
    notices: list[str] = []
    model = load_model(tracking.weights)
    finder = performers_from_options(
        tracking, model, notices.append, takes_over=False, side_by_side=options.read_ahead
    )
    with closing(_open_clip(clip, options)) as source, closing(finder), ExitStack() as writers:
        on_open(source.n_frames)
        setups = [
            clip_setup(replace(options, tracking=own), finder.name)
            for own in tracking_of_performers(tracking)
        ]
        open_writers = []
        for number, setup in enumerate(setups, 1):
            place = performer_folder(folder, number)
            place.mkdir(exist_ok=True)
            info = replace(
                _clip_info(clip, source, setup), performer=number, n_performers=len(setups)
            )
            open_writers.append(writers.enter_context(_writer(place, info)))
        for frames in _some_at_a_time(performers_meshes(source, finder, on_frame)):
            open_writers[0].append(frames)
            for i, writer in enumerate(open_writers[1:]):
                writer.append([frame.others[i] for frame in frames])
        return setups, (*notices, *source.notices, *source.closing_notices())


@contextmanager
def _writer(folder: Path, info: TakeInfo, clock: ClockMap | None = None) -> Iterator[TakeWriter]:
    try:
        writer = TakeWriter(folder, info, clock)
        yield writer
        writer.close()
    except OSError as error:
        raise _no_room(folder.parent, error) from error


def _some_at_a_time(frames: Iterator[TrackedFrame]) -> Iterator[list[TrackedFrame]]:
    while some := list(islice(frames, _ROWS_A_WRITE)):
        yield some


def _open_clip(clip: str, options: SolveOptions) -> Source:
    # Ahead in a thread of its own, decoding may have every core but the one that finds the face.
    n_threads = max(1, usable_cores() - 1) if options.read_ahead else 1
    source = open_source(
        clip,
        realtime=False,
        rate_hz=options.rate_hz,
        rotate=options.rotate,
        n_threads=n_threads,
    )
    if source.is_live:
        source.close()
        raise SourceError(f"{clip} is live: solve takes clips, image folders and takes")
    return ReadAhead(source) if options.read_ahead else source


def _open_finder(options: SolveOptions, notify: Callable[[str], None]) -> Landmarker:
    tracking = options.tracking
    finder = landmarker_from_options(tracking, notify)
    return with_readers(finder, tracking.reader, load_model(tracking.weights))


def _clip_info(clip: str, source: Source, setup: Setup) -> TakeInfo:
    spec = {"spec": str(Path(clip).resolve()), "realtime": False, "loop": False}
    return TakeInfo(
        slate=Path(clip).stem or clip,
        source=source.description,
        rate_hz=source.rate_hz,
        is_live=False,
        start_ns=source.start_ns,
        config={"source": spec, **setup.config()},
        timecode=TimecodeStart.of_clip(source.rate_hz, source.timecode),
        **setup.entries(),
    )


def _take_info(take: Take, setup: Setup) -> TakeInfo:
    document, timecode = take.document, take.document["timecode"]
    config = document["config"]
    source = config.get("source") if isinstance(config, dict) else None
    return TakeInfo(
        slate=take.slate,
        number=take.number,
        notes=str(document["notes"]),
        source=str(document["source"]["description"]),
        rate_hz=float(document["source"]["rate_hz"]),
        is_live=bool(document["source"]["is_live"]),
        start_ns=int(document["source"].get("start_ns", 0)),
        config={**setup.config(), **({"source": source} if source else {})},
        # The same labels for the same times, whatever they came from.
        timecode=TimecodeStart(
            take.rate, timecode["source"], timecode["start"], timecode["start_ns"]
        ),
        **setup.entries(),
    )
