"""Who is who among several faces: each performer keeps a number through crossings and losses.

A face goes on where its motion leads. Where that cannot tell (faces crossed, one came back after a
while), the shape of the points that expressions leave in place decides a second later. Nobody is
known by name: a number means the same person for as long as the session lasts, no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from livefacs.arrays import F32, F64
from livefacs.au.estimator_model import EstimatorModel
from livefacs.clock import NS_PER_S
from livefacs.landmarkers.face_track import (
    CROWDED,
    Box,
    FaceTrack,
    ShapeMemory,
    ShapeReader,
    box_of,
)

_PATIENCE_NS: Final = NS_PER_S  # so long a lost face is looked for where it was going
_LOST_NS: Final = NS_PER_S * 15 // 100  # a face not seen for longer was lost
_REACH: Final = 1.5  # of ``FaceTrack.distance``: further away it is somebody else
_ENOUGH: Final = 12  # samples of a shape that may decide
_CLEAR: Final = 0.7
"""Another order must fit so much better, in squared distance, to be believed."""
SAME_SHAPE: Final = 0.003
"""Two shapes of one person mostly differ by less, eye distances. Chosen on half of 23 people, a
wrong number four times as bad as a new one; on the other half 15 in 100 shapes of one person
differed by more, 4 in 100 of two people by less (mean of twenty such halves). It can be wrong, so
it is asked only when somebody came after a while."""
_DOUBT_NS: Final = 6 * NS_PER_S  # where shapes cannot tell until then, it stays as it is
_SETTLING_NS: Final = NS_PER_S  # numbers go from left to right when all are there, or after this


@dataclass(slots=True)
class _Seat:
    """One performer's number: the face that has it now, and the shape of whom it belongs to."""

    track: FaceTrack | None = None
    memory: ShapeMemory | None = None
    x: float = 0.0
    y: float = 0.0
    lost_ns: int = 0
    doubt_ns: int = 0
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """A performer in one frame.

    Attributes
    ----------
    face : int or None
        Which of the frame's faces it is; None where it is not seen.
    is_new : bool
        From this frame on the number is another person's than before.
    """

    face: int | None
    is_new: bool


class RollCall:
    """Gives every performer's face, frame by frame.

    Parameters
    ----------
    model : EstimatorModel
    n_performers : int
    by_place : bool
        Numbers are places, left to right in the picture, whoever comes first.
    takes_over : bool
        A number whose performer left may become another's; otherwise whoever comes then has none.
    """

    def __init__(
        self,
        model: EstimatorModel,
        n_performers: int,
        *,
        by_place: bool = False,
        takes_over: bool = True,
    ) -> None:
        self._shapes = ShapeReader(model)
        self._seats = [_Seat() for _ in range(n_performers)]
        self._tracks: list[FaceTrack] = []
        self._by_place = by_place
        self._takes_over = takes_over
        self._strangers: list[FaceTrack] = []
        self._first_ns: int | None = None
        self._is_settled = by_place

    def call(
        self, faces: Sequence[F32], image_size: tuple[int, int], t_ns: int
    ) -> tuple[Called, ...]:
        """Who of the performers is which face.

        Parameters
        ----------
        faces : sequence of (478, 3) float32, pixels
        image_size : (width, height)
        t_ns : int
            Must rise; a jump over a second back or ahead is a loss of all.
        """
        for seat in self._seats:
            seat.is_new = False
        index = self._follow(faces, t_ns)
        self._note_crowds(t_ns)
        self._seat(image_size, t_ns)
        self._settle(t_ns)
        self._sample(faces, index, image_size, t_ns)
        self._end_doubts(t_ns)
        self._let_pictures_give_way(t_ns)
        return tuple(
            Called(None if seat.track is None else index.get(id(seat.track)), seat.is_new)
            for seat in self._seats
        )

    # Motion.

    def _follow(self, faces: Sequence[F32], t_ns: int) -> dict[int, int]:
        """Continue tracks by the faces; which face each is, by the track's ``id``."""
        for track in [t for t in self._tracks if not 0 <= t_ns - t.seen_ns < _PATIENCE_NS]:
            self._lose(track, t_ns)
        index = {}
        boxes = [box_of(face) for face in faces]
        taken = _assignment(self._tracks, boxes, t_ns)
        for track, face in taken:
            if t_ns - track.seen_ns > _LOST_NS:
                track.found_ns = t_ns
            track.follow(faces[face], boxes[face], t_ns)
            index[id(track)] = face
        others = set(range(len(faces))) - set(index.values())
        for face in sorted(others):
            track = FaceTrack(faces[face], boxes[face], t_ns)
            self._tracks.append(track)
            index[id(track)] = face
        return index

    def _lose(self, track: FaceTrack, t_ns: int) -> None:
        self._tracks.remove(track)
        self._strangers = [each for each in self._strangers if each is not track]
        for seat in self._seats:
            if seat.track is track:
                seat.track, seat.lost_ns = None, t_ns
                seat.x, seat.y = track.x, track.y

    def _note_crowds(self, t_ns: int) -> None:
        for track in self._tracks:
            track.is_crowded = False
        for one, other in combinations(self._tracks, 2):
            (x, y), (other_x, other_y) = one.predicted(t_ns), other.predicted(t_ns)
            reach = CROWDED * max(one.size, other.size)
            if _were_lost_together(one, other, t_ns):
                self._doubt(one, t_ns)
                self._doubt(other, t_ns)
            if (x - other_x) ** 2 + (y - other_y) ** 2 < reach**2:
                self._doubt(one, t_ns)
                self._doubt(other, t_ns)
                one.is_crowded = other.is_crowded = True

    def _doubt(self, track: FaceTrack, t_ns: int) -> None:
        """From now on its shape is not taken for that of whom it was."""
        seat = self._seat_of(track)
        if seat is None:
            return
        seat.doubt_ns = t_ns
        if not track.in_doubt or track.is_crowded:
            track.in_doubt = True
            track.fresh = ShapeMemory()

    # Numbers.

    def _seat_of(self, track: FaceTrack) -> _Seat | None:
        return next((seat for seat in self._seats if seat.track is track), None)

    def _seat(self, image_size: tuple[int, int], t_ns: int) -> None:
        """Give numbers that are free to faces that have none: the largest first, pictures last."""
        free = [seat for seat in self._seats if seat.track is None]
        if not free:
            return
        standing = [
            track
            for track in self._tracks
            if track.seen_ns == t_ns
            and self._seat_of(track) is None
            and not any(track is stranger for stranger in self._strangers)
        ]
        standing.sort(key=lambda track: (track.is_picture(t_ns), -track.size, track.x))
        if not self._is_settled:  # those who come together are numbered from the left
            standing[: len(free)] = sorted(standing[: len(free)], key=lambda track: track.x)
        for track in standing:
            seat = self._free_seat(track, image_size)
            if seat is None:
                return
            seat.track = track
            if seat.memory is None:
                seat.memory = ShapeMemory()
            else:
                track.is_back = True
                track.in_doubt = True
                seat.doubt_ns = t_ns

    def _free_seat(self, track: FaceTrack, image_size: tuple[int, int]) -> _Seat | None:
        """The number of who was lost nearest by, else one that nobody had."""
        if self._by_place:
            place = int(track.x / max(1, image_size[0]) * len(self._seats))
            seat = self._seats[min(max(place, 0), len(self._seats) - 1)]
            if seat.track is None:
                return seat
        unused = [seat for seat in self._seats if seat.track is None and seat.memory is None]
        left = [seat for seat in self._seats if seat.track is None and seat.memory is not None]
        left.sort(key=lambda seat: (seat.x - track.x) ** 2 + (seat.y - track.y) ** 2)
        near = [
            seat
            for seat in left[:1]
            if abs(seat.x - track.x) + abs(seat.y - track.y) < 3.0 * track.size
        ]
        return next(iter([*near, *unused, *left]), None)

    def _settle(self, t_ns: int) -> None:
        """Once: number from left to right those who are there."""
        if self._is_settled or not self._tracks:
            return
        if self._first_ns is None:
            self._first_ns = t_ns
        seats = [seat for seat in self._seats if seat.track is not None]
        if len(seats) < len(self._seats) and t_ns - self._first_ns < _SETTLING_NS:
            return
        self._is_settled = True
        ordered = sorted(((seat.track, seat.memory) for seat in seats), key=_place)
        for seat, (track, memory) in zip(self._seats, ordered, strict=False):
            if seat.track is not track:
                seat.track, seat.memory, seat.is_new = track, memory, True
        for seat in self._seats[len(ordered) :]:
            seat.track = seat.memory = None

    def _let_pictures_give_way(self, t_ns: int) -> None:
        """A number held by what never moves goes to a face that moves and has none."""
        for track in self._tracks:
            if self._seat_of(track) is not None or not track.has_moved(t_ns):
                continue
            for seat in self._seats:
                if seat.track is not None and seat.track.is_picture(t_ns):
                    seat.track = track
                    self._renew(seat)
                    self._strangers = [each for each in self._strangers if each is not track]
                    break

    def _renew(self, seat: _Seat) -> None:
        """The number is another person's from now on."""
        seat.memory, seat.is_new = ShapeMemory(), True
        if seat.track is not None:
            seat.memory.take_in(seat.track.fresh)
            seat.track.in_doubt = seat.track.is_back = False

    # Shapes.

    def _sample(
        self,
        faces: Sequence[F32],
        index: dict[int, int],
        image_size: tuple[int, int],
        t_ns: int,
    ) -> None:
        for track in self._tracks:
            face = index.get(id(track))
            if face is None or not track.is_due(t_ns):
                continue
            sample = self._shapes.read(faces[face], image_size)
            if sample is None:
                continue
            seat = self._seat_of(track)
            if seat is None or track.in_doubt or seat.memory is None:
                track.fresh.add(sample)
            else:
                seat.memory.add(sample)

    def _end_doubts(self, t_ns: int) -> None:
        doubtful = [seat for seat in self._seats if seat.track is not None and seat.track.in_doubt]
        if not doubtful:
            return
        late = all(t_ns - seat.doubt_ns > _DOUBT_NS for seat in doubtful)
        tracks = [seat.track for seat in doubtful if seat.track is not None]
        if not late and any(len(track.fresh) < _ENOUGH for track in tracks):
            return
        if all(len(track.fresh) >= _ENOUGH for track in tracks):
            doubtful = self._reordered(doubtful, tracks)
        for seat in doubtful:
            self._confirm(seat)

    def _reordered(self, doubtful: list[_Seat], tracks: list[FaceTrack]) -> list[_Seat]:
        """Exchange faces among the numbers in doubt, and those of who left, where shapes say so."""
        left = [seat for seat in self._seats if seat.track is None and _known_shape(seat)]
        seats = [*doubtful, *left]
        misfits = _misfits(seats, tracks)
        rows, best = linear_sum_assignment(misfits)
        if not misfits[rows, best].sum() < _CLEAR * np.trace(misfits):
            return doubtful
        for seat in doubtful:
            seat.track = None
        reordered = [seats[column] for column in best.tolist()]
        for seat, track in zip(reordered, tracks, strict=True):
            seat.track = track
        return reordered

    def _confirm(self, seat: _Seat) -> None:
        """The doubt is over: the face has this number, or is somebody who was not here before."""
        track = seat.track
        if track is None or seat.memory is None:
            return
        known = _known_shape(seat)
        is_other = (
            track.is_back
            and len(track.fresh) >= _ENOUGH
            and known is not None
            and track.fresh.distance(known) > SAME_SHAPE
        )
        track.in_doubt = track.is_back = False
        if not is_other:
            seat.memory.take_in(track.fresh)
            return
        unused = next((each for each in self._seats if each.memory is None), None)
        if unused is not None:
            seat.track, unused.track = None, track
            self._renew(unused)
        elif self._takes_over:
            self._renew(seat)
        else:
            seat.track = None
            self._strangers.append(track)


def _place(pair: tuple[FaceTrack | None, ShapeMemory | None]) -> float:
    return 0.0 if pair[0] is None else pair[0].x


def _were_lost_together(one: FaceTrack, other: FaceTrack, t_ns: int) -> bool:
    """True where one is found again just now that was lost while the other was."""
    found, before = (one, other) if one.found_ns == t_ns else (other, one)
    if found.found_ns != t_ns:
        return False
    is_lost = t_ns - before.seen_ns > _LOST_NS
    return is_lost or (before.found_ns is not None and t_ns - before.found_ns < _PATIENCE_NS)


def _known_shape(seat: _Seat) -> ShapeMemory | None:
    memory = seat.memory
    return memory if memory is not None and len(memory) >= _ENOUGH else None


def _misfits(seats: Sequence[_Seat], tracks: Sequence[FaceTrack]) -> F64:
    """(tracks, seats) squared distances of shapes; who is not known yet fits as one person does."""
    shapes = [_known_shape(seat) for seat in seats]
    distances = [
        [SAME_SHAPE if shape is None else track.fresh.distance(shape) for shape in shapes]
        for track in tracks
    ]
    return np.square(distances)


def _assignment(
    tracks: Sequence[FaceTrack], faces: Sequence[Box], t_ns: int
) -> list[tuple[FaceTrack, int]]:
    """Pairs of track and face, as many as are within reach, at the least sum of distances."""
    if not tracks or not faces:
        return []
    costs = np.array([[track.distance(face, t_ns) for face in faces] for track in tracks])
    rows, columns = linear_sum_assignment(np.minimum(costs, _REACH))
    return [
        (tracks[row], column)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if costs[row, column] < _REACH
    ]
