"""MIDI timecode (MTC): quarter frames and full frames, and the frames that they stand for.

A running machine sends a message each quarter of a frame; eight of them, two frames long, spell one
label, which names the moment of the first of the eight (MIDI 1.0 Detailed Specification, "MIDI
Time Code"). Where a machine is located, a full-frame message gives the label at once; it does
not run from there until quarter frames come. Messages that run backwards, or by more than a
twentieth faster or slower than their rate, are passed over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.timecode import RATES, TimecodeRate
from livefacs.wire.following import HeardFrame

_RATES: Final = tuple(RATES[name] for name in ("24", "25", "29.97df", "30"))
"""By the two bits of the rate. 24 and 30 may be 23.976 and 29.97: the messages do not say."""

_N_PIECES: Final = 8
_QUARTERS: Final = 4  # of a frame
_FRAMES: Final = 2  # that eight of them last
_WINDOW: Final = 96  # quarter frames whose times are taken together: many come late, none early
_WORST_SPEED: Final = 0.05
_JITTER_NS: Final = 8_000_000
_LONGEST_PAUSE_NS: Final = NS_PER_S // 5
_FULL_FRAME: Final = (0x7F, 0x01, 0x01)  # universal real time, timecode, full message


class MtcReader:
    """Finds frames of timecode in MIDI messages, by when they came.

    Two labels in a row that agree are taken, and from then on every one that follows.
    """

    def __init__(self) -> None:
        self._times: deque[tuple[int, int]] = deque(maxlen=_WINDOW)
        self._n_quarters = 0
        self._pieces: list[int] = []
        self._before: tuple[TimecodeRate, int] | None = None
        self._is_sure = False

    def quarter(self, piece: int, value: int, t_ns: int) -> list[HeardFrame]:
        """The frames that a quarter-frame message completes: two, four at the lock, mostly none.

        Parameters
        ----------
        piece : int
            Which of the eight, 0..7.
        value : int
            Four bits.
        t_ns : int
            When it came; also the ticks of the frames.
        """
        is_late = bool(self._times) and t_ns - self._times[-1][1] > _LONGEST_PAUSE_NS
        if piece != len(self._pieces) or is_late:
            self._forget()
            if piece != 0:
                return []
        self._pieces.append(value)
        self._times.append((self._n_quarters, t_ns))
        self._n_quarters += 1
        if len(self._pieces) < _N_PIECES:
            return []
        p, self._pieces = self._pieces, []
        hour, rate = p[6] | (p[7] & 1) << 4, _RATES[p[7] >> 1 & 3]
        second, minute = p[2] | (p[3] & 3) << 4, p[4] | (p[5] & 3) << 4
        i_frame = _frame_of_day(hour, minute, second, p[0] | (p[1] & 1) << 4, rate)
        return self._agreeing(rate, i_frame, self._start_ns(rate))

    def full(self, data: Sequence[int], t_ns: int) -> HeardFrame | None:
        """The frame that a full-frame message names; None for every other exclusive message.

        Parameters
        ----------
        data : sequence of int
            Between the first byte and the last.
        t_ns : int
        """
        if len(data) != 8 or (data[0], *data[2:4]) != _FULL_FRAME:
            return None
        rate = _RATES[data[4] >> 5 & 3]
        i_frame = _frame_of_day(data[4] & 31, data[5], data[6], data[7], rate)
        if i_frame is None:
            return None
        self._forget()
        return _frame(rate, i_frame, t_ns)

    def _forget(self) -> None:
        self._times.clear()
        self._pieces = []
        self._before, self._is_sure = None, False

    def _start_ns(self, rate: TimecodeRate) -> float | None:
        """When the first of the last eight was due, by the least late; None at a wrong speed."""
        quarter_ns = float(NS_PER_S / rate.fraction / _QUARTERS)
        begin, half = self._n_quarters - _N_PIECES, len(self._times) // 2
        starts_ns = [t_ns - (n - begin) * quarter_ns for n, t_ns in self._times]
        shift_ns = min(starts_ns[half:]) - min(starts_ns[:half])
        if abs(shift_ns) > _JITTER_NS + _WORST_SPEED * half * quarter_ns:
            return None
        return min(starts_ns)

    def _agreeing(
        self, rate: TimecodeRate, i_frame: int | None, start_ns: float | None
    ) -> list[HeardFrame]:
        """The two frames of a label, once it is the one after the label before."""
        before, was_sure = self._before, self._is_sure
        self._before, self._is_sure = None, False
        if i_frame is None or start_ns is None:
            return []
        self._before = rate, i_frame
        self._is_sure = before == (rate, (i_frame - _FRAMES) % rate.frames_a_day)
        if not self._is_sure:
            while len(self._times) > _N_PIECES:  # those of another count say nothing of this one
                self._times.popleft()
            return []
        length = float(NS_PER_S / rate.fraction)
        first = 0 if was_sure else -_FRAMES
        return [_frame(rate, i_frame + k, start_ns + k * length) for k in range(first, _FRAMES)]


def _frame_of_day(
    hour: int, minute: int, second: int, frame: int, rate: TimecodeRate
) -> int | None:
    mark = ";" if rate.drop else ":"
    try:
        return rate.frame_from_label(f"{hour:02}:{minute:02}:{second:02}{mark}{frame:02}")
    except ConfigError:
        return None


def _frame(rate: TimecodeRate, i_frame: int, start_ns: float) -> HeardFrame:
    label = rate.label_from_frame(i_frame)
    hour, minute, second, frame = (int(label[begin : begin + 2]) for begin in (0, 3, 6, 9))
    end_ns = start_ns + float(NS_PER_S / rate.fraction)
    return HeardFrame(
        hour, minute, second, frame, rate.drop, start_ns, end_ns, nominal=rate.nominal
    )
