"""Times from time stamps: what is wrong, what is a hole, what is a cut."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.sources.timeline import Timeline, rate_from_stamps

MS = 1_000_000
PERIOD_MS = 40


def times_of(
    stamps_ms: Sequence[int | None], period_ms: int = PERIOD_MS
) -> tuple[list[int], Timeline[int]]:
    timeline: Timeline[int] = Timeline(period_ms * MS)
    stamped = ((None if ms is None else ms * MS, i) for i, ms in enumerate(stamps_ms))
    timed = list(timeline.timed(stamped))
    assert [i_frame for _, i_frame in timed] == list(range(len(stamps_ms)))
    return [t_ns // MS for t_ns, _ in timed], timeline


def even(n_frames: int, first_ms: int = 0) -> list[int]:
    return [first_ms + PERIOD_MS * i for i in range(n_frames)]


@pytest.mark.parametrize("wrong_ms", [319_000, 2_500, 900, -5_000, 0, 440])
@pytest.mark.parametrize("wrong_frames", [(30,), (30, 31), (30, 32), (1,), (98,), (99,), (97, 98)])
def test_stamps_that_others_do_not_confirm_stand_between_their_neighbours(
    wrong_ms: int, wrong_frames: tuple[int, ...]
) -> None:
    stamps = even(100)
    for i_frame in wrong_frames:
        stamps[i_frame] += wrong_ms
    times, timeline = times_of(stamps)
    assert timeline.n_cuts == 0
    is_at_end = wrong_frames[-1] >= 98
    for i_frame, (time, true) in enumerate(zip(times, even(100), strict=True)):
        may_be_held = is_at_end and 0 < wrong_ms < 10_000 and i_frame in wrong_frames
        assert may_be_held or time == pytest.approx(true, abs=1)
    if wrong_ms == 319_000:
        assert timeline.n_wrong == len(wrong_frames)
        (told,) = timeline.notices()
        seconds = stamps[wrong_frames[0]] / 1000
        assert f"{len(wrong_frames)} frame(s) have wrong time stamps" in told
        assert f"the first is frame {wrong_frames[0]} ({seconds:.2f} s)" in told


@pytest.mark.parametrize("hole_ms", [100, 1_000, 1_500, 5_000, 9_000])
@pytest.mark.parametrize("n_after", [1, 2, 40])
def test_a_hole_in_a_recording_keeps_its_length(hole_ms: int, n_after: int) -> None:
    stamps = even(30) + even(n_after, 29 * PERIOD_MS + hole_ms)
    times, timeline = times_of(stamps)
    assert times == stamps
    assert timeline.notices() == ()


@pytest.mark.parametrize("second_ms", [0, 40, 600, 41_000, 3_600_000])
def test_joined_recordings_run_on(second_ms: int) -> None:
    times, timeline = times_of(even(30) + even(30, second_ms))
    assert times == even(60)
    (told,) = timeline.notices()
    assert f"leap at frame 30 from 1.16 to {second_ms / 1000:.2f} s" in told


def test_cuts_are_told_once() -> None:
    times, timeline = times_of([stamp for _ in range(4) for stamp in even(10)])
    assert times == even(40)
    assert timeline.n_cuts == 3
    (told,) = timeline.notices()
    assert "at frame 10" in told
    assert "and 2 more" in told


def test_clips_with_few_frames_a_minute_keep_their_times() -> None:
    stamps = [20_000 * i for i in range(12)]
    times, timeline = times_of(stamps, period_ms=20_000)
    assert times == stamps
    assert timeline.notices() == ()
    varying = [0, 5_000, 5_040, 5_080, 9_000, 14_000, 14_040]
    assert times_of(varying)[0] == varying


def test_frames_without_any_stamp_are_a_period_apart() -> None:
    times, timeline = times_of([None] * 20)
    assert times == even(20)
    assert timeline.notices() == ()
    assert times_of([0, None, 80, None, None, 200])[0] == even(6)


@settings(deadline=None)  # a busy machine is no error
@given(st.lists(st.one_of(st.none(), st.integers(-(10**9), 10**9)), max_size=60))
def test_times_rise_whatever_the_stamps(stamps_ms: list[int | None]) -> None:
    times, _ = times_of(stamps_ms)
    assert times[:1] in ([], [0])
    timeline: Timeline[None] = Timeline(PERIOD_MS * MS)
    exact = [t for t, _ in timeline.timed((None if s is None else s, None) for s in stamps_ms)]
    assert all(before < after for before, after in itertools.pairwise(exact))


def test_rate_from_uneven_times() -> None:
    chance = random.Random(5)
    stamps, now = [], 0
    for _ in range(120):
        stamps.append(now / 1000)
        now += chance.choice([33, 33, 34]) * chance.choice([1] * 9 + [2])  # a dropped frame in ten
    assert rate_from_stamps(stamps) == pytest.approx(30, abs=0.1)
    stamps[7] = 319.0
    assert rate_from_stamps(stamps[::-1]) == pytest.approx(30, abs=0.1)
    assert rate_from_stamps([]) == rate_from_stamps([4.0]) == rate_from_stamps([1.0, 1.0]) == 0.0
    assert rate_from_stamps([0.0, 1.0, 10.0]) == pytest.approx(0.2)
