"""Session time. One monotonic clock stamps every live frame; files bring their own times."""

from __future__ import annotations

import time
from dataclasses import dataclass

NS_PER_S = 1_000_000_000


def now_ns() -> int:
    """Nanoseconds of the session clock (monotonic, arbitrary origin)."""
    return time.perf_counter_ns()


def s_from_ns(t_ns: int) -> float:
    """Seconds from nanoseconds."""
    return t_ns / NS_PER_S


def ns_from_s(t_s: float) -> int:
    """Nanoseconds from seconds, rounded to the nearest."""
    return round(t_s * NS_PER_S)


@dataclass(frozen=True, slots=True)
class ClockMap:
    """Where the session clock stood against the wall clock, read at one moment.

    Attributes
    ----------
    session_ns : int
        Session clock, nanoseconds.
    unix_ns : int
        Wall clock at the same moment, nanoseconds since 1970-01-01 UTC.
    """

    session_ns: int
    unix_ns: int

    @classmethod
    def read(cls) -> ClockMap:
        """Read both clocks, the session clock before and after, and take its middle."""
        before = time.perf_counter_ns()
        unix = time.time_ns()
        return cls((before + time.perf_counter_ns()) // 2, unix)

    def unix_ns_from_session(self, t_ns: int) -> int:
        """Wall-clock nanoseconds at a session time."""
        return self.unix_ns + (t_ns - self.session_ns)
