"""What stands between the session and a sink: mirror switch, rate limit, no NaN on the wire."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from livefacs.clock import NS_PER_S
from livefacs.protocols import Sink
from livefacs.types import Gaze, HeadPose, SinkCounters, TrackedFrame

_TOLERANCE: Final = 0.25  # of a period: a frame that jitter brings early still counts as due


class RateLimit:
    """At most so many frames a second, by capture time, evenly spaced.

    Parameters
    ----------
    rate_hz : float
    """

    def __init__(self, rate_hz: float) -> None:
        self._period_ns = NS_PER_S / rate_hz
        self._due_ns = -math.inf

    def admits(self, t_ns: int) -> bool:
        """Whether a frame captured at ``t_ns`` is due. Times that jump back start anew."""
        early_ns = self._due_ns - t_ns
        if _TOLERANCE * self._period_ns < early_ns <= self._period_ns:
            return False
        on_beat = abs(early_ns) < self._period_ns
        self._due_ns = (self._due_ns if on_beat else t_ns) + self._period_ns
        return True


class Prepared:
    """The frame as outlets want it, made once however many of them ask.

    One object is shared by all outlets of a session, which are served by one thread.
    """

    def __init__(self) -> None:
        self._source: TrackedFrame | None = None
        self._straight: TrackedFrame | None = None
        self._mirrored: TrackedFrame | None = None

    def frame(self, tracked: TrackedFrame, mirror: bool) -> TrackedFrame:
        """The frame with finite pose and gaze, mirrored where asked."""
        if tracked is not self._source or self._straight is None:
            self._source = tracked
            self._straight = _with_finite_pose(tracked)
            self._mirrored = None
        if not mirror:
            return self._straight
        if self._mirrored is None:
            self._mirrored = self._straight.mirrored()
        return self._mirrored


class Outlet:
    """A sink behind its mirror switch and rate limit; itself a ``Sink``.

    A frame that returns to rest (all intensities zero) always passes the limit, and ``close``
    sends the newest frame if the limit held it back: no rig is left with a half smile.

    Parameters
    ----------
    sink : Sink
    prepared : Prepared
        Shared by the outlets of a session.
    mirror : bool
    rate_hz : float or None
    """

    def __init__(
        self, sink: Sink, prepared: Prepared, *, mirror: bool = False, rate_hz: float | None = None
    ) -> None:
        self.sink = sink
        self.url = sink.url
        self._prepared = prepared
        self._mirror = mirror
        self._limit = RateLimit(rate_hz) if rate_hz is not None else None
        self._was_at_rest = False
        self._held_back: TrackedFrame | None = None

    @property
    def counters(self) -> SinkCounters:
        """The sink's counters."""
        return self.sink.counters

    def send(self, tracked: TrackedFrame) -> None:
        """Send, or hold back what is not due."""
        if self._limit is not None and not self._is_due(self._limit, tracked):
            self._held_back = tracked
            return
        self._held_back = None
        self.sink.send(self._prepared.frame(tracked, self._mirror))

    def close(self) -> None:
        """Send a frame that was held back and close the sink."""
        if self._held_back is not None:
            self.sink.send(self._prepared.frame(self._held_back, self._mirror))
        self.sink.close()

    def _is_due(self, limit: RateLimit, tracked: TrackedFrame) -> bool:
        at_rest = not tracked.units.intensity.any()
        came_to_rest = at_rest and not self._was_at_rest
        self._was_at_rest = at_rest
        return limit.admits(tracked.t_ns) or came_to_rest


def _with_finite_pose(tracked: TrackedFrame) -> TrackedFrame:
    """A pose or gaze that is not finite becomes straight ahead."""
    head, gaze = tracked.head, tracked.gaze
    if not math.isfinite(
        head.yaw_rad + head.pitch_rad + head.roll_rad + head.x_cm + head.y_cm + head.z_cm
    ):
        tracked = replace(tracked, head=HeadPose())
    if not math.isfinite(
        gaze.left_yaw_rad + gaze.left_pitch_rad + gaze.right_yaw_rad + gaze.right_pitch_rad
    ):
        tracked = replace(tracked, gaze=Gaze())
    return tracked
