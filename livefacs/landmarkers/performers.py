"""Several performers at once: every face's mesh and readings, by the number of whose it is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from livefacs.au.estimator_model import EstimatorModel
from livefacs.landmarkers.face_readers import FaceReaders
from livefacs.landmarkers.roll_call import RollCall
from livefacs.protocols import FaceFinder
from livefacs.types import Frame, Landmarks, Sighting
from livefacs.workers import side_by_side

MOST_PERFORMERS: Final = 8


class Performers:
    """A landmarker of several faces (``protocols.PerformersLandmarker``).

    Parameters
    ----------
    finder : FaceFinder
        Closed with this one.
    roll_call : RollCall
    readers : list of FaceReaders
        One for each performer, so that they can read side by side; none: only meshes.
    n_at_once : int
        Faces that are read side by side.
    """

    def __init__(
        self,
        finder: FaceFinder,
        roll_call: RollCall,
        readers: list[FaceReaders],
        n_at_once: int = 1,
    ) -> None:
        self.name = finder.name
        self.description = finder.description
        self._finder = finder
        self._roll_call = roll_call
        self._readers = readers
        self._pool = ThreadPoolExecutor(n_at_once - 1, "livefacs-read") if n_at_once > 1 else None

    def detect_all(self, frame: Frame) -> tuple[Sighting, ...]:
        """What is seen of each performer, in the order of their numbers."""
        faces = self._finder.faces(frame)
        height, width = frame.image.shape[:2]
        size = (width, height)
        called = self._roll_call.call(faces, size, frame.t_ns)
        seen = [
            None
            if each.face is None
            else Landmarks(faces[each.face], frame.t_ns, frame.i_frame, size, len(faces))
            for each in called
        ]
        return tuple(
            Sighting(landmarks, each.is_new)
            for landmarks, each in zip(self._read(frame, seen), called, strict=True)
        )

    def detect(self, frame: Frame) -> Landmarks | None:
        """The first performer's mesh."""
        return self.detect_all(frame)[0].landmarks

    def close(self) -> None:
        """Free the finder."""
        if self._pool is not None:
            self._pool.shutdown()
        self._finder.close()

    def _read(self, frame: Frame, seen: list[Landmarks | None]) -> list[Landmarks | None]:
        if not self._readers:
            return seen
        jobs = [
            partial(reader.read, frame, landmarks)
            for reader, landmarks in zip(self._readers, seen, strict=True)
            if landmarks is not None
        ]
        read = iter(side_by_side(jobs, self._pool))
        return [None if landmarks is None else next(read) for landmarks in seen]


def open_performers(
    finder: FaceFinder,
    n_performers: int,
    model: EstimatorModel,
    *,
    with_image: bool = True,
    by_place: bool = False,
    takes_over: bool = True,
    n_at_once: int = 1,
) -> Performers:
    """The landmarker of several performers.

    Parameters
    ----------
    finder : FaceFinder
        Opened for so many.
    with_image : bool
        Read image and blendshape net beside the mesh, too.
    by_place, takes_over
        As of ``RollCall``.
    """
    readers = [FaceReaders.open(model) for _ in range(n_performers if with_image else 0)]
    roll_call = RollCall(model, n_performers, by_place=by_place, takes_over=takes_over)
    return Performers(finder, roll_call, readers, n_at_once)
