"""Plays clips and image folders at their own pace, as if they were live, or in a loop."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Final, Protocol

from livefacs.clock import NS_PER_S, now_ns
from livefacs.protocols import Source
from livefacs.types import Frame

_FINE_WAIT_NS: Final = 20_000_000
"""The last stretch is slept, not waited: a waiting lock wakes up to 16 ms late on Windows."""

_DEFAULT_RATE_HZ: Final = 30.0
_CATCH_UP_NS: Final = NS_PER_S // 4
"""So long frames are passed over to come up with the clock again after something held it up."""
_TOLD_NS: Final = NS_PER_S


class Clip(Source, Protocol):
    """A source from files that can begin again."""

    def rewind(self) -> None:
        """Begin again at the first frame."""


class Player:
    """A clip in real time, in a loop, or both.

    In real time, ``t_ns`` is the session clock at which a frame is due and the newest due frame
    wins: what is already overtaken when it is asked for is dropped, counted in ``n_dropped`` and
    seen as a gap in ``i_frame``. A clip that is read no faster than it plays is played slower, or
    no frame of it would ever be in time. Otherwise every frame comes at once, with presentation
    times.
    In a loop, times and numbers go on rising.
    """

    def __init__(self, clip: Clip, *, realtime: bool = True, loop: bool = False) -> None:
        self._clip = clip
        self._loop = loop
        self.is_live = realtime
        self.rate_hz = clip.rate_hz
        self.n_frames = None if loop else clip.n_frames
        self.timecode = clip.timecode
        self.start_ns = clip.start_ns
        self.notices = clip.notices
        how = [word for word, wanted in (("in real time", realtime), ("in a loop", loop)) if wanted]
        self.description = ", ".join((clip.description, *how))
        self.n_dropped = 0
        self._closing = threading.Event()
        self._period_ns = round(NS_PER_S / (clip.rate_hz or _DEFAULT_RATE_HZ))
        self._round_t_ns = 0
        self._round_i_frame = 0
        self._last: Frame | None = None
        self._start_ns: int | None = None
        self._ahead: Frame | None = None
        self._put_back_ns = 0

    def read(self) -> Frame | None:
        """The next frame, when it is due; None at the end or once closed."""
        following = self._next()
        if following is None or not self.is_live:
            return following
        if self._start_ns is None:
            self._start_ns = now_ns() - following.t_ns
        frame = self._newest_due(following)
        due_ns = frame.t_ns + self._start_ns
        return replace(frame, t_ns=due_ns) if self._wait_until(due_ns) else None

    def close(self) -> None:
        """Let the clip go; a waiting ``read`` returns None."""
        self._closing.set()
        self._clip.close()

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end."""
        if self._put_back_ns < _TOLD_NS:
            return self._clip.closing_notices()
        behind = (
            f"{self.description}: this machine reads it no faster than it plays, which took"
            f" {self._put_back_ns / NS_PER_S:.1f} s longer: a smaller clip, or --every-frame"
        )
        return (*self._clip.closing_notices(), behind)

    def _next(self) -> Frame | None:
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            return ahead
        frame = self._clip.read()
        if frame is None and self._loop and self._last is not None and not self._closing.is_set():
            self._round_t_ns = self._last.t_ns + self._period_ns
            self._round_i_frame = self._last.i_frame + 1
            self._clip.rewind()
            frame = self._clip.read()
        if frame is None:
            return None
        self._last = replace(
            frame,
            t_ns=frame.t_ns + self._round_t_ns,
            i_frame=frame.i_frame + self._round_i_frame,
        )
        return self._last

    def _newest_due(self, frame: Frame) -> Frame:
        """Pass over frames whose successor is due already, while that comes nearer to the clock."""
        began_ns, start_ns = now_ns(), self._start_ns or 0
        late_ns = began_ns - start_ns - frame.t_ns
        while late_ns > self._period_ns:
            successor = self._next()
            if successor is None:
                break
            before_ns, late_ns = late_ns, now_ns() - start_ns - successor.t_ns
            if late_ns < 0:
                self._ahead = successor
                break
            self.n_dropped += 1
            frame = successor
            if late_ns >= before_ns or now_ns() - began_ns > _CATCH_UP_NS:
                self._start_ns = start_ns + late_ns
                self._put_back_ns += late_ns
                break
        return frame

    def _wait_until(self, due_ns: int) -> bool:
        """False when it was closed meanwhile."""
        coarse_ns = due_ns - now_ns() - _FINE_WAIT_NS
        if coarse_ns > 0 and self._closing.wait(coarse_ns / NS_PER_S):
            return False
        fine_ns = due_ns - now_ns()
        if fine_ns > 0:
            time.sleep(fine_ns / NS_PER_S)
        return not self._closing.is_set()
