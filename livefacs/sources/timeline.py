"""Presentation times of a clip's frames from their time stamps, wrong stamps put right.

A stamp that leaps away and that the following frames do not confirm is wrong: its frame stands
between its neighbours. A leap that they confirm is a hole in the recording while it is short, and
a cut when it is long or leads back: recordings that were joined, a clock that started again. Time
runs on across a cut.
"""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Final, Generic, TypeVar

from livefacs.clock import NS_PER_S

Item = TypeVar("Item")

LONGEST_HOLE_NS: Final = 10 * NS_PER_S
"""A longer confirmed leap is a cut, unless the clip has a frame now and then only."""

_PERIODS: Final = 4  # a longer step is looked at
_LOOK_AHEAD: Final = 8  # frames
_CONFIRMING: Final = 4  # frames that go on from a leap


class Timeline(Generic[Item]):
    """Gives frames their times, in nanoseconds from the first one, strictly rising.

    Only where a stamp leaps are a few frames held back, to see what those after it say.

    Parameters
    ----------
    period_ns : int
        Nominal time from one frame to the next.

    Attributes
    ----------
    n_wrong : int
        Frames whose stamps were wrong.
    n_cuts : int
        Leaps that the following frames confirmed.
    """

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._leap_ns = _PERIODS * period_ns
        self._hole_ns = max(LONGEST_HOLE_NS, self._leap_ns)
        self._ahead: deque[tuple[int | None, Item]] = deque()
        self._stamp = 0  # of the last frame whose stamp was right
        self._time_ns = 0  # given to the last frame
        self._i_frame = -1
        self._has_stamp = False
        self.n_wrong = 0
        self.n_cuts = 0
        self._first_wrong = ""
        self._first_cut = ""

    def timed(self, stamped: Iterator[tuple[int | None, Item]]) -> Iterator[tuple[int, Item]]:
        """Frames with their times.

        Parameters
        ----------
        stamped : iterator of (stamp in nanoseconds or None, frame)
            In presentation order.
        """
        while (stamp_and_item := self._next(stamped)) is not None:
            stamp, item = stamp_and_item
            self._i_frame += 1
            if not self._has_stamp:
                self._begin(stamp)
            elif stamp is not None and 0 < stamp - self._stamp <= self._leap_ns:
                self._go_to(stamp)
            else:
                self._decide(stamp, stamped)
            yield self._time_ns, item

    def notices(self) -> tuple[str, ...]:
        """What a user should be told of the stamps; each kind once, with its first frame."""
        told = []
        if self.n_wrong:
            told.append(f"{self.n_wrong} frame(s) have wrong time stamps, {self._first_wrong}")
        if self.n_cuts:
            more = f", and {self.n_cuts - 1} more" if self.n_cuts > 1 else ""
            told.append(f"time stamps leap {self._first_cut}{more}: a cut, time runs on there")
        return tuple(told)

    def _next(self, stamped: Iterator[tuple[int | None, Item]]) -> tuple[int | None, Item] | None:
        return self._ahead.popleft() if self._ahead else next(stamped, None)

    def _begin(self, stamp: int | None) -> None:
        """Frames before the first stamp: raw streams have none at all, Matroska none below 0."""
        if self._i_frame:
            self._time_ns += self._period_ns
        if stamp is not None:
            self._stamp, self._has_stamp = stamp, True

    def _go_to(self, stamp: int) -> None:
        self._time_ns += stamp - self._stamp
        self._stamp = stamp

    def _decide(self, stamp: int | None, stamped: Iterator[tuple[int | None, Item]]) -> None:
        """Give a time to a frame whose stamp does not follow from the last one."""
        self._ahead.extend(islice(stamped, _LOOK_AHEAD - len(self._ahead)))
        following = [stamp for stamp, _ in self._ahead]
        n_until_back = self._frames_until_back(stamp, following)
        if n_until_back is not None and n_until_back <= _CONFIRMING:
            self._put_between(stamp, following[n_until_back - 1], n_until_back)
        elif stamp is None or not self._is_confirmed(stamp, following):
            self._put_after(stamp)
        elif 0 < stamp - self._stamp <= self._hole_ns:
            self._go_to(stamp)
        else:
            self._cut_to(stamp)

    def _frames_until_back(self, stamp: int | None, following: list[int | None]) -> int | None:
        """After how many frames the stamps go on from the last right one; None: they do not."""
        for n_frames, later in enumerate(following, start=1):
            if later is None or later <= self._stamp:
                continue
            if stamp is None or stamp <= self._stamp or later < stamp:
                is_near = later - self._stamp <= self._leap_ns + n_frames * self._period_ns
                return n_frames if is_near else None
        return None

    def _is_confirmed(self, stamp: int, following: list[int | None]) -> bool:
        """Whether the next frames go on from a leap; at the end of a clip a short one is believed,
        where nothing speaks against it."""
        n_good, before = 0, stamp
        for later in following:
            if later is None or not 0 < later - before <= self._hole_ns:
                break
            n_good, before = n_good + 1, later
        if n_good >= _CONFIRMING:
            return True
        return n_good == len(following) and 0 < stamp - self._stamp <= self._hole_ns

    def _put_between(self, stamp: int | None, right: int | None, n_frames: int) -> None:
        """Share the time up to the next right stamp, which comes after ``n_frames``."""
        assert right is not None  # it was found to be near
        self._note_wrong(stamp)
        step_ns = max(1, (right - self._stamp) // (n_frames + 1))
        self._time_ns += step_ns
        self._stamp += step_ns

    def _put_after(self, stamp: int | None) -> None:
        self._note_wrong(stamp)
        self._time_ns += self._period_ns
        self._stamp += self._period_ns

    def _cut_to(self, stamp: int) -> None:
        self.n_cuts += 1
        if self.n_cuts == 1:
            self._first_cut = (
                f"at frame {self._i_frame} from {self._stamp / NS_PER_S:.2f} to"
                f" {stamp / NS_PER_S:.2f} s"
            )
        self._time_ns += self._period_ns
        self._stamp = stamp

    def _note_wrong(self, stamp: int | None) -> None:
        if stamp is None:  # raw streams have none at all
            return
        self.n_wrong += 1
        if self.n_wrong == 1:
            self._first_wrong = (
                f"the first is frame {self._i_frame} ({stamp / NS_PER_S:.2f} s): they stand between"
                " their neighbours"
            )


def rate_from_stamps(stamps_s: list[float]) -> float:
    """Frames a second of a clip from the times of some of its frames; 0 where they do not tell.

    The mean step among those near the median: a dropped frame, or a wrong stamp, says nothing of
    the rate.

    Parameters
    ----------
    stamps_s : list of float
        Seconds, in any order.
    """
    ordered = sorted(stamps_s)
    steps = [after - before for before, after in pairwise(ordered)]
    steps = [step for step in steps if step > 0.0]
    if not steps:
        return 0.0
    median = statistics.median(steps)
    near = [step for step in steps if 0.5 * median <= step <= 1.5 * median]
    return 1.0 / (statistics.fmean(near) if near else median)
