"""A recorded take through the chain again: its meshes, its times, its neutral captures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, overload

import numpy as np

from livefacs.au.solving import Mesh
from livefacs.session.tracker import Tracker
from livefacs.take.reader import Take
from livefacs.types import Health, Landmarks, TrackedFrame

SESSION_FLAGS: Final = Health.FRAMES_SKIPPED | Health.LATE | Health.RECORDER_LATE
"""What the running session adds to a frame's health; kept as recorded."""


def replay_take(take: Take, tracker: Tracker) -> Iterator[TrackedFrame]:
    """Track every recorded frame anew, without images and without a landmark model.

    With the estimator options of the recording and a take that began with its session, every
    number comes out as it was, to the byte. A take that was started later finds its neutral and
    its filter state anew, so its first seconds differ.

    Parameters
    ----------
    take : Take
    tracker : Tracker
        With a fresh estimator; its landmarker is not used.
    """
    captures = {marker.row + 1 for marker in take.markers if marker.kind == "neutral"}
    for row in range(take.n_rows):
        if row in captures:
            tracker.estimator.capture_neutral()
        recorded = take.tracked(row)
        if recorded.landmarks is None:
            tracked = tracker.hold(recorded.i_frame, recorded.t_ns, recorded.image_size)
        else:
            tracked = tracker.step_landmarks(recorded.landmarks)
        health = tracked.health | (recorded.health & SESSION_FLAGS)
        yield replace(tracked, health=health)


class TakeMeshes(Sequence[Mesh]):
    """The meshes of a take, read from the disk as they are asked for."""

    def __init__(self, take: Take) -> None:
        self._points: Any = np.asarray(take.points_px)
        self._frames = take.frames

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, row: int) -> Mesh: ...

    @overload
    def __getitem__(self, row: slice) -> list[Mesh]: ...

    def __getitem__(self, row: int | slice) -> Mesh | list[Mesh]:
        if isinstance(row, slice):
            return [self[index] for index in range(*row.indices(len(self)))]
        record = self._frames[row]
        i_frame, t_ns = int(record["i_frame"]), int(record["t_ns"])
        landmarks = None
        if record["n_faces"]:
            size = (int(record["width"]), int(record["height"]))
            points = self._points[row]
            landmarks = Landmarks(points, t_ns, i_frame, size, int(record["n_faces"]))
        return Mesh(i_frame, t_ns, landmarks)
