"""One tracked frame to all destinations: mirror switch, rate limits, no NaN on the wire."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from livefacs.clock import NS_PER_S
from livefacs.protocols import Sink
from livefacs.types import Gaze, HeadPose, SinkCounters, TrackedFrame
from livefacs.workers import close_all

_TOLERANCE: Final = 0.25  # of a period: a frame that jitter brings early still counts as due
_JUMP: Final = 1.5  # periods: no frame in order comes earlier than this before it is due


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
        if _TOLERANCE * self._period_ns < early_ns < _JUMP * self._period_ns:
            return False
        on_beat = abs(early_ns) < self._period_ns
        self._due_ns = (self._due_ns if on_beat else t_ns) + self._period_ns
        return True


@dataclass(frozen=True, slots=True)
class Outlet:
    """A sink with its mirror switch, rate limit (None: every frame) and face (None: all)."""

    sink: Sink
    mirror: bool = False
    limit: RateLimit | None = None
    face: int | None = None


class Hub:
    """Hands each frame to every outlet (``protocols.Outputs``).

    The mirrored frame is made once, however many outlets ask for it, and a pose that is not
    finite becomes straight ahead, so that no NaN reaches the wire.

    Attributes
    ----------
    outlets : tuple of Outlet
    """

    def __init__(self, outlets: Sequence[Outlet]) -> None:
        self.outlets = tuple(outlets)

    @property
    def counters(self) -> dict[str, SinkCounters]:
        """Counters of every destination by its URL."""
        return {outlet.sink.url: outlet.sink.counters for outlet in self.outlets}

    def send(self, tracked: TrackedFrame, *, force: bool = False) -> None:
        """Send one frame everywhere; ``force`` passes the rate limits."""
        tracked = _with_finite_pose(tracked)
        mirrored: TrackedFrame | None = None
        for outlet in self.outlets:
            limit = outlet.limit
            if limit is not None and not limit.admits(tracked.t_ns) and not force:
                continue
            if not outlet.mirror:
                outlet.sink.send(_of_face(tracked, outlet.face))
                continue
            if mirrored is None:
                mirrored = tracked.mirrored()
            outlet.sink.send(_of_face(mirrored, outlet.face))

    def close(self) -> None:
        """Close every destination; one that fails or hangs keeps no other from being closed."""
        close_all((outlet.sink.url, outlet.sink.close) for outlet in self.outlets)


def _of_face(tracked: TrackedFrame, face: int | None) -> TrackedFrame:
    return tracked if face is None or not tracked.others else tracked.of_face(face)


def _with_finite_pose(tracked: TrackedFrame) -> TrackedFrame:
    """A pose or gaze that is not finite becomes straight ahead."""
    if tracked.others:
        others = tuple(_with_finite_pose(other) for other in tracked.others)
        tracked = replace(tracked, others=others)
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
