"""A recorded take through the chain again: its meshes, its times, its neutral captures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from livefacs.pipeline.tracker import Tracker
from livefacs.take.reader import Take
from livefacs.types import Health, TrackedFrame

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
