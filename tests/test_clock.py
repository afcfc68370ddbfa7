from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from livefacs.clock import ClockMap, now_ns, ns_from_s, s_from_ns


def test_session_clock_runs_forward() -> None:
    first = now_ns()
    assert now_ns() >= first


@given(st.integers(min_value=0, max_value=10**15))
def test_seconds_and_nanoseconds_round_trip(t_ns: int) -> None:
    assert abs(ns_from_s(s_from_ns(t_ns)) - t_ns) <= 1


def test_clock_map_carries_session_time_to_the_wall() -> None:
    clocks = ClockMap.read()
    drift_ns = abs(clocks.unix_ns_from_session(now_ns()) - time.time_ns())
    assert drift_ns < 50_000_000
    assert clocks.unix_ns_from_session(clocks.session_ns + 7) == clocks.unix_ns + 7
