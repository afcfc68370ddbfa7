"""Times of a session rise strictly, however late pictures come, held frames included."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.clock import NS_PER_S
from livefacs.session.runner import Session
from livefacs.types import Frame, Health
from tests.session.doubles import frame
from tests.session.test_runner import MemoryRecording, make_tracker
from tests.support.clock import SteppedClock
from tests.support.keeping import Keeper


class ScriptedSource:
    """A live source in the session's time: pictures with a stamp each, there when it says so.

    Parameters
    ----------
    script : list of (stamp, delay) in nanoseconds
        When each picture was taken, and how long afterwards it is at hand.
    clock : SteppedClock
        Moves to the moment at which something happens: no test waits.
    """

    description = "scripted"
    is_live = True
    rate_hz = 30.0
    n_frames: int | None = None
    notices: tuple[str, ...] = ()
    timecode: str | None = None
    start_ns = 0

    def __init__(self, script: list[tuple[int, int]], clock: SteppedClock) -> None:
        self._script = [(stamp + delay, stamp, i) for i, (stamp, delay) in enumerate(script)]
        self._clock = clock

    @property
    def ended(self) -> bool:
        """True when every picture was given."""
        return not self._script

    def newest(self, timeout_s: float | None = None) -> Frame | None:
        """The next picture, if it is at hand before the time-out."""
        assert timeout_s is not None
        gives_up_ns = self._clock() + round(timeout_s * NS_PER_S)
        if not self._script or self._script[0][0] > gives_up_ns:
            self._clock.now_ns = max(self._clock.now_ns, gives_up_ns)
            return None
        there_ns, stamp, i_frame = self._script.pop(0)
        self._clock.now_ns = max(self._clock.now_ns, there_ns)
        return frame(i_frame + 1, stamp)

    def read(self) -> Frame | None:
        """Not called: the source reads by itself."""
        raise AssertionError

    def closing_notices(self) -> tuple[str, ...]:
        """Nothing to tell."""
        return ()

    def close(self) -> None:
        """Nothing to let go."""


PICTURES = st.lists(
    st.tuples(st.integers(1, 60_000_000), st.integers(0, 400_000_000)), min_size=1, max_size=60
)


@given(pictures=PICTURES)
@settings(max_examples=300)
def test_times_rise_strictly_whatever_the_delays(pictures: list[tuple[int, int]]) -> None:
    clock = SteppedClock()
    script, stamp = [], 0
    for period, delay in pictures:
        stamp += period
        script.append((stamp, delay))
    watcher, recording = Keeper(), MemoryRecording(None, None)
    session = Session(
        ScriptedSource(script, clock),
        make_tracker(),
        watchers=[watcher],
        recording_factory=lambda _request: recording,
        clock=clock,
    )
    session.record_start()
    session.run()
    for seen in (watcher.frames, recording.frames):
        assert all(a.t_ns < b.t_ns for a, b in pairwise(seen))
        assert all(a.i_frame < b.i_frame for a, b in pairwise(seen))
        assert sum(each.landmarks is not None for each in seen) == len(pictures)
    for each in watcher.frames:
        if each.landmarks is not None:
            assert each.landmarks.t_ns == each.t_ns


def test_only_a_picture_that_comes_after_held_frames_changes_its_time() -> None:
    clock = SteppedClock()
    # The third picture takes .2 s to decode: held frames go out before it, later than its stamp.
    script = [(10_000_000, 0), (40_000_000, 0), (70_000_000, 200_000_000), (290_000_000, 0)]
    watcher = Keeper()
    Session(ScriptedSource(script, clock), make_tracker(), watchers=[watcher], clock=clock).run()
    pictures = [each for each in watcher.frames if each.landmarks is not None]
    assert [each.t_ns for each in (*pictures[:2], pictures[3])] == [
        10_000_000,
        40_000_000,
        290_000_000,
    ]
    late, before = pictures[2], watcher.frames[watcher.frames.index(pictures[2]) - 1]
    assert before.health & Health.HELD
    assert 0 < late.t_ns - before.t_ns <= 1_000_000
    assert late.health & Health.LATE
