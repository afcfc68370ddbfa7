"""Counting and timing of a session: latency of every stage, frames, drops, faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from livefacs.types import Health, TrackedFrame

STAGES: Final = ("wait", "landmarks", "estimate", "retarget", "send", "total")
"""``wait`` is grab to start of work, ``total`` grab to the last datagram handed to the system."""

_CAPACITY: Final = 1 << 16  # 18 minutes at 60 fps; older frames leave the percentiles


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of one stage in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(slots=True)
class Summary:
    """What a session did, for people and for ``status``."""

    frames: int = 0
    faces: int = 0
    dropped: int = 0
    late: int = 0
    seconds: float = 0.0
    latency: dict[str, Latency] = field(default_factory=dict)

    @property
    def rate_hz(self) -> float:
        """Mean rate of tracked frames; 0 before there were two."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def latency_document(self) -> dict[str, dict[str, float]]:
        """Percentiles of every stage in milliseconds, as plain values."""
        return {
            stage: {"p50": value.p50_ms, "p95": value.p95_ms, "p99": value.p99_ms}
            for stage, value in self.latency.items()
        }


class Meter:
    """Keeps the last 65,536 frames' stage times in a ring; one writer, percentiles on demand."""

    def __init__(self) -> None:
        self._ring = np.zeros((_CAPACITY, len(STAGES)), np.int64)
        self._summary = Summary()
        self._first_ns: int | None = None

    def note(self, tracked: TrackedFrame, stage_ns: Mapping[str, int], dropped: int) -> None:
        """Count one frame.

        Parameters
        ----------
        tracked : TrackedFrame
        stage_ns : mapping of stage to nanoseconds, ``STAGES`` in any order
        dropped : int
            Frames dropped since the session began.
        """
        summary = self._summary
        self._ring[summary.frames % _CAPACITY] = [stage_ns.get(stage, 0) for stage in STAGES]
        summary.frames += 1
        summary.faces += tracked.n_faces > 0
        summary.late += bool(tracked.health & Health.LATE)
        summary.dropped = dropped
        if self._first_ns is None:
            self._first_ns = tracked.t_ns
        summary.seconds = (tracked.t_ns - self._first_ns) / 1e9

    def summary(self, n_recent: int = _CAPACITY) -> Summary:
        """Counts so far, and percentiles over the newest ``n_recent`` frames of the ring."""
        summary = self._summary
        n_known = min(summary.frames, n_recent, _CAPACITY)
        known = self._ring[np.arange(summary.frames - n_known, summary.frames) % _CAPACITY]
        latency = {}
        if len(known):
            percentiles = np.percentile(known, (50, 95, 99), axis=0) / 1e6
            latency = {
                stage: Latency(*map(float, percentiles[:, column]))
                for column, stage in enumerate(STAGES)
            }
        return Summary(
            summary.frames,
            summary.faces,
            summary.dropped,
            summary.late,
            summary.seconds,
            latency,
        )
