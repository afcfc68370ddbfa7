"""The synchronous core for several performers: one frame in, everything known of each out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from livefacs.protocols import PerformerEstimator, PerformersLandmarker
from livefacs.session.tracker import Tracker
from livefacs.types import Frame, Health, Sighting, TrackedFrame, format_health


class PerformersTracker(Tracker):
    """A tracker whose frames carry the other performers in ``TrackedFrame.others``.

    Everything that a tracker is asked goes to the first performer; each has an estimator and
    retargeters of its own, so that neutral, profile, filter and health are its own, too.

    Parameters
    ----------
    landmarker : PerformersLandmarker
        Gives as many sightings as there are performers.
    performers : sequence of Tracker
        One for each performer but the first, with this landmarker.
    first : Tracker
        The first performer's.
    """

    def __init__(
        self, landmarker: PerformersLandmarker, first: Tracker, performers: Sequence[Tracker]
    ) -> None:
        super().__init__(
            landmarker,
            first.estimator,
            retargeters=first.straight_retargeters,
            mirrored_retargeters=first.mirrored_retargeters,
            stopwatch_ns=first.stopwatch_ns,
            keep_image=first.keep_image,
        )
        self._performers_landmarker = landmarker
        self._performers = tuple(performers)

    @property
    def performers(self) -> tuple[Tracker, ...]:
        """A tracker for each performer, this one first."""
        return (self, *self._performers)

    def step(self, frame: Frame) -> TrackedFrame:
        """Track one frame; see ``Tracker.step``."""
        began_ns = self.stopwatch_ns()
        sightings = self._performers_landmarker.detect_all(frame)
        found_ns = self.stopwatch_ns()
        first, *others = (
            _seen(performer, frame, sighting, began_ns, found_ns)
            for performer, sighting in zip(self.performers, sightings, strict=True)
        )
        return replace(first, others=tuple(others))

    def hold(self, i_frame: int, t_ns: int, image_size: tuple[int, int] = (0, 0)) -> TrackedFrame:
        """A moment without any image: the camera is gone."""
        others = tuple(each.hold(i_frame, t_ns, image_size) for each in self._performers)
        return replace(super().hold(i_frame, t_ns, image_size), others=others)

    def neutral(self, i_frame: int, t_ns: int) -> TrackedFrame:
        """The frame that leaves every rig at rest when a session ends."""
        others = tuple(each.neutral(i_frame, t_ns) for each in self._performers)
        return replace(super().neutral(i_frame, t_ns), others=others)


def _seen(
    performer: Tracker, frame: Frame, sighting: Sighting, began_ns: int, found_ns: int
) -> TrackedFrame:
    if sighting.is_new:
        assert isinstance(performer.estimator, PerformerEstimator)  # opened for several
        performer.estimator.reset()
    tracked = performer.step_found(frame, sighting.landmarks, began_ns, found_ns)
    if not sighting.is_new:
        return tracked
    return replace(tracked, health=tracked.health | Health.NEW_PERFORMER)


def health_by_performer(last: TrackedFrame | None) -> dict[str, list[str]]:
    """``performers``: the health of each in words; nothing where there is one."""
    if last is None or not last.others:
        return {}
    return {"performers": [format_health(each.health) for each in (last, *last.others)]}
