"""Where offline work gets its meshes: a clip's images, a recorded take, arrays that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, overload

import numpy as np

from livefacs.arrays import F32, I64
from livefacs.au.estimator import ReaderChoice
from livefacs.landmarkers.face_readers import ReadingLandmarker
from livefacs.landmarkers.priming import prime
from livefacs.protocols import Landmarker, PerformersLandmarker, Source
from livefacs.session.feed import Feed
from livefacs.take.reader import Take
from livefacs.types import (
    ActionUnits,
    Estimate,
    Frame,
    Gaze,
    HeadPose,
    Health,
    Landmarks,
    Readings,
    TrackedFrame,
)
from livefacs.vocab.facs import N_AU

_WAIT_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Mesh:
    """One frame of a clip: its mesh, or None where no face was found."""

    i_frame: int
    t_ns: int
    landmarks: Landmarks | None


class Meshes(Sequence[Mesh]):
    """Meshes that stand in arrays, mapped from a file or in memory; nothing is copied.

    Parameters
    ----------
    points_px : (T, 478, 3) float32
    t_ns : (T,) int64
    i_frame : (T,) int64 or None
        None counts from 0.
    n_faces : (T,) int or None
        Faces in each frame; 0: no mesh. None: one in every frame.
    sizes : (T, 2) int, or one (width, height)
        Of the images, pixels.
    readings : callable(row)
        Gives what was read of the face besides, or None.
    """

    def __init__(
        self,
        points_px: F32,
        t_ns: I64,
        sizes: Any,
        i_frame: I64 | None = None,
        n_faces: Any = None,
        readings: Callable[[int], Readings | None] = lambda _: None,
    ) -> None:
        n = len(t_ns)
        self._points: Any = np.asarray(points_px)  # no np.memmap, whose slices are slow
        self._t_ns = t_ns
        self._sizes = np.broadcast_to(np.asarray(sizes), (n, 2))
        self._i_frame = np.arange(n) if i_frame is None else i_frame
        self._n_faces = np.ones(n, np.int64) if n_faces is None else n_faces
        self._readings = readings

    @classmethod
    def of_take(
        cls, take: Take, reader: ReaderChoice = "all", *, as_recorded: bool = True
    ) -> Meshes:
        """Those of a take, read from the disk as they are asked for; ``geometry``: no readings.

        Where the number of a performer went on to another, ``as_recorded`` False gives those of
        the last one alone.
        """
        frames = take.frames
        sizes = np.stack((frames["width"], frames["height"]), axis=1)
        numbers = frames["i_frame"], frames["n_faces"]
        if not (is_sound := take.has_sound_mesh).all():
            numbers = numbers[0], np.where(is_sound, numbers[1], 0)
        if not as_recorded and (first := _first_row_of_performer(take)):
            numbers = numbers[0], np.where(np.arange(take.n_rows) < first, 0, numbers[1])
        if reader == "geometry":
            return cls(take.points_px, take.t_ns, sizes, *numbers)
        return cls(take.points_px, take.t_ns, sizes, *numbers, take.readings)

    def copied(self) -> Meshes:
        """The same in memory, whatever becomes of the file."""
        readings = [self._readings(row) for row in range(len(self))]
        return Meshes(
            np.array(self._points),
            np.array(self._t_ns),
            np.array(self._sizes),
            np.array(self._i_frame),
            np.array(self._n_faces),
            readings.__getitem__,
        )

    @property
    def faces(self) -> Sequence[Landmarks]:
        """The meshes alone, without the frames that have none."""
        return _Faces(self, np.flatnonzero(self._n_faces))

    def __len__(self) -> int:
        return len(self._t_ns)

    @overload
    def __getitem__(self, row: int) -> Mesh: ...

    @overload
    def __getitem__(self, row: slice) -> list[Mesh]: ...

    def __getitem__(self, row: int | slice) -> Mesh | list[Mesh]:
        if isinstance(row, slice):
            return [self[index] for index in range(*row.indices(len(self)))]
        i_frame, t_ns, n_faces = int(self._i_frame[row]), int(self._t_ns[row]), self._n_faces[row]
        landmarks = None
        if n_faces:
            width, height = self._sizes[row].tolist()
            landmarks = Landmarks(
                self._points[row],
                t_ns,
                i_frame,
                (width, height),
                int(n_faces),
                self._readings(int(row)),
            )
        return Mesh(i_frame, t_ns, landmarks)


class _Faces(Sequence[Landmarks]):
    """Rows of meshes that have a face."""

    def __init__(self, meshes: Meshes, rows: Any) -> None:
        self._meshes = meshes
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Landmarks: ...

    @overload
    def __getitem__(self, index: slice) -> list[Landmarks]: ...

    def __getitem__(self, index: int | slice) -> Landmarks | list[Landmarks]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        landmarks = self._meshes[int(self._rows[index])].landmarks
        assert landmarks is not None  # the rows were chosen so
        return landmarks


def _first_row_of_performer(take: Take) -> int:
    rows = np.flatnonzero(take.frames["health"] & int(Health.NEW_PERFORMER))
    return int(rows[-1]) if len(rows) else 0


UNKNOWN_UNITS: Final = ActionUnits(
    np.full(N_AU, np.nan, np.float32), np.full(N_AU, np.nan, np.float32), np.zeros(N_AU, np.float32)
)
UNKNOWN: Final = Estimate(UNKNOWN_UNITS, HeadPose(), Gaze(), Health.NO_FACE)
"""What is known of a frame without a face: nothing."""


def tracked_meshes(
    source: Source,
    landmarker: Landmarker,
    on_frame: Callable[[], None] = lambda: None,
    *,
    reads_beside: bool = False,
) -> Iterator[TrackedFrame]:
    """Every frame of a clip through a landmarker, in order, none dropped, a few kept.

    Parameters
    ----------
    source : Source
        A clip that is not played in real time.
    landmarker : Landmarker
    on_frame : callable
        Called after each frame, for a progress bar.
    reads_beside : bool
        Read what is read besides the mesh in a thread of its own, while the next mesh is found.

    Yields
    ------
    TrackedFrame
        With its mesh, without units.
    """
    frames = _primed(source, landmarker)
    if reads_beside and isinstance(landmarker, ReadingLandmarker):
        found = _read_beside(frames, landmarker)
    else:
        found = ((frame, landmarker.detect(frame)) for frame in frames)
    for frame, landmarks in found:
        health = Health.OK if landmarks is not None else Health.NO_FACE
        height, width = frame.image.shape[:2]
        yield _without_units(frame.i_frame, frame.t_ns, health, (width, height), landmarks)
        on_frame()


def _primed(source: Source, landmarker: Landmarker) -> Iterator[Frame]:
    """The frames, before whose first one the landmarker has seen the clip's pictures."""
    is_first = True
    while (frame := source.read()) is not None:
        if is_first:
            prime(landmarker, frame)
            is_first = False
        yield frame


def _read_beside(
    frames: Iterator[Frame], landmarker: ReadingLandmarker
) -> Iterator[tuple[Frame, Landmarks | None]]:
    """Find meshes here and read them in another thread, one frame behind."""
    with ThreadPoolExecutor(1, "livefacs-readers") as readers:
        before: tuple[Frame, Future[Landmarks | None]] | None = None
        for frame in frames:
            reading = readers.submit(landmarker.read, frame, landmarker.find(frame))
            if before is not None:
                yield before[0], before[1].result()
            before = frame, reading
        if before is not None:
            yield before[0], before[1].result()


def performers_meshes(
    source: Source,
    landmarker: PerformersLandmarker,
    on_frame: Callable[[], None] = lambda: None,
) -> Iterator[TrackedFrame]:
    """The same for several performers: the others stand in ``TrackedFrame.others``."""
    while (frame := source.read()) is not None:
        height, width = frame.image.shape[:2]
        first, *others = (
            _without_units(
                frame.i_frame,
                frame.t_ns,
                (Health.OK if each.landmarks is not None else Health.NO_FACE)
                | (Health.NEW_PERFORMER if each.is_new else Health.OK),
                (width, height),
                each.landmarks,
            )
            for each in landmarker.detect_all(frame)
        )
        yield replace(first, others=tuple(others))
        on_frame()


def recorded_meshes(
    take: Take, on_frame: Callable[[], None] = lambda: None
) -> Iterator[TrackedFrame]:
    """The same of a take, with what its session noted of each frame."""
    frames = take.frames
    for mesh, health, width, height in zip(
        Meshes.of_take(take), frames["health"], frames["width"], frames["height"], strict=True
    ):
        size = (int(width), int(height))
        yield _without_units(mesh.i_frame, mesh.t_ns, Health(int(health)), size, mesh.landmarks)
        on_frame()


def _without_units(
    i_frame: int, t_ns: int, health: Health, size: tuple[int, int], landmarks: Landmarks | None
) -> TrackedFrame:
    return TrackedFrame(i_frame, t_ns, health, size, landmarks, HeadPose(), Gaze(), UNKNOWN_UNITS)


class ReadAhead:
    """A finite source that is decoded in a thread of its own, a few frames ahead."""

    is_live = False

    def __init__(self, source: Source) -> None:
        self._source = source
        self._feed = Feed(source, lambda: 0)
        self._feed.start()
        self.description = source.description
        self.rate_hz = source.rate_hz
        self.n_frames = source.n_frames
        self.timecode = source.timecode
        self.start_ns = source.start_ns
        self.notices = source.notices

    def read(self) -> Frame | None:
        """The next frame, or None at the end; raises what the source raised."""
        while True:
            grabbed = self._feed.get(_WAIT_S)
            if grabbed is not None:
                return grabbed.frame
            if self._feed.ended:
                return None

    def close(self) -> None:
        """Stop reading and let the source go."""
        self._feed.close()

    def closing_notices(self) -> tuple[str, ...]:
        """The source's own."""
        return self._source.closing_notices()
