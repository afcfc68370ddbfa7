"""SMPTE timecode: exact rates, labels, and the frame that a moment falls on.

A label such as ``10:00:00:00`` names a frame of the day. Drop-frame numbering (``;`` before the
frames) skips labels, never frames, so that 29.97 and 59.94 stay with the clock: 2 (or 4) numbers
at each minute but every tenth. Rates are exact fractions, 30000/1001 and not 29.97. High rates are
counted through, as FFmpeg does: ``01:00:00:75`` at 120, ``01:00:00:119``. A clip of 30/1 that is
labelled drop-frame is 29.97 by its labels, of which each frame gets one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Final

from livefacs.errors import ConfigError

_LABEL: Final = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)([:;.,])(\d{2,3})(?:\.(\d+))?")
_TEN_MINUTES: Final = 10
_MOST_LISTED: Final = 60
_DROP_MARKS: Final = ";,"
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class TimecodeRate:
    """One frame rate and the way its frames are counted.

    Attributes
    ----------
    name : str
        As users write it: ``"29.97df"``.
    fraction : Fraction
        Frames a second, exact: what time is counted by. That of a clip whose labels say
        29.97 drop-frame may be 30.
    drop : bool
        Drop-frame numbering.
    """

    name: str
    fraction: Fraction
    drop: bool = False

    @property
    def nominal(self) -> int:
        """Frame numbers in one labelled second: 30 for 29.97."""
        return -(-self.fraction.numerator // self.fraction.denominator)

    @property
    def n_dropped_a_minute(self) -> int:
        """Labels skipped at each minute but every tenth; 0 without drop-frame."""
        return self.nominal // 15 if self.drop else 0

    @property
    def frames_a_day(self) -> int:
        """Labels from 00:00:00:00 to the next midnight."""
        kept = 24 * 60 - 24 * 6
        return 24 * 3600 * self.nominal - self.n_dropped_a_minute * kept

    def label_from_frame(self, frame: int) -> str:
        """The label of a frame of the day; wraps at midnight."""
        number = self._numbered(frame % self.frames_a_day)
        seconds, i_frame = divmod(number, self.nominal)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        mark = ";" if self.drop else ":"
        return f"{hour:02}:{minute:02}:{second:02}{mark}{i_frame:02}"

    def frame_from_label(self, label: str) -> int:
        """The frame of the day that a label names.

        Raises
        ------
        ConfigError
            Not ``HH:MM:SS:FF``, out of range, or a label that drop-frame skips.
        """
        found = _LABEL.fullmatch(label.strip())
        if found is None:
            raise ConfigError(f"timecode {label!r}: expected HH:MM:SS:FF, as in 10:00:00:00")
        hour, minute, second, i_frame = (int(found[group]) for group in (1, 2, 3, 5))
        if hour > 23 or i_frame >= self.nominal:
            raise ConfigError(
                f"timecode {label!r}: expected hours 00-23 and frames 00-{self.nominal - 1:02}"
                f" at {self.name}"
            )
        if found[4] in _DROP_MARKS and not self.drop:
            raise ConfigError(f"timecode {label!r} is drop-frame, but the rate {self.name} is not")
        dropped = self.n_dropped_a_minute
        if second == 0 and i_frame < dropped and minute % _TEN_MINUTES:
            raise ConfigError(f"timecode {label!r} does not exist: drop-frame skips it")
        minutes = 60 * hour + minute
        number = (60 * minutes + second) * self.nominal + i_frame
        return number - dropped * (minutes - minutes // _TEN_MINUTES)

    def frames_from_ns(self, t_ns: int) -> int:
        """Frames that begin up to a duration, rounded to the nearest frame."""
        numerator, denominator = self.fraction.numerator, self.fraction.denominator
        return (2 * t_ns * numerator + _NS_PER_S * denominator) // (2 * _NS_PER_S * denominator)

    def ns_from_frames(self, n_frames: int) -> int:
        """Nanoseconds that frames last, rounded to the nearest."""
        return round(Fraction(n_frames * _NS_PER_S) / self.fraction)

    def _numbered(self, frame: int) -> int:
        """The number that a frame carries once skipped labels are counted in."""
        dropped = self.n_dropped_a_minute
        if not dropped:
            return frame
        short_minute = 60 * self.nominal - dropped
        tens, rest = divmod(frame, _TEN_MINUTES * short_minute + dropped)
        minutes = max(0, (rest - dropped) // short_minute)
        return frame + dropped * ((_TEN_MINUTES - 1) * tens + minutes)


def _ntsc(nominal: int) -> Fraction:
    return Fraction(nominal * 1000, 1001)


RATES: Final[dict[str, TimecodeRate]] = {
    rate.name: rate
    for rate in (
        TimecodeRate("23.976", _ntsc(24)),
        TimecodeRate("24", Fraction(24)),
        TimecodeRate("25", Fraction(25)),
        TimecodeRate("29.97df", _ntsc(30), drop=True),
        TimecodeRate("29.97ndf", _ntsc(30)),
        TimecodeRate("30", Fraction(30)),
        TimecodeRate("47.952", _ntsc(48)),
        TimecodeRate("48", Fraction(48)),
        TimecodeRate("50", Fraction(50)),
        TimecodeRate("59.94df", _ntsc(60), drop=True),
        TimecodeRate("59.94ndf", _ntsc(60)),
        TimecodeRate("60", Fraction(60)),
        TimecodeRate("100", Fraction(100)),
        TimecodeRate("119.88df", _ntsc(120), drop=True),
        TimecodeRate("119.88ndf", _ntsc(120)),
        TimecodeRate("120", Fraction(120)),
        TimecodeRate("239.76df", _ntsc(240), drop=True),
        TimecodeRate("239.76ndf", _ntsc(240)),
        TimecodeRate("240", Fraction(240)),
    )
}
"""Every rate by its name. 23.976 is never drop-frame; 29.97 and 59.94 are when they say so."""

_ALIASES: Final = {
    **{name.removesuffix("df"): name for name, rate in RATES.items() if rate.drop},
    "23.98": "23.976",
}
_HIGH_HZ: Final = 61.0


def find_rate(text: str) -> TimecodeRate:
    """A rate as people write it: ``24``, ``29.97``, ``29.97 DF``, ``30000/1001``, ``59.94ndf``.

    ``29.97`` and ``59.94`` alone mean drop-frame, which keeps to the clock.

    Raises
    ------
    ConfigError
        Not one of the rates; the message lists them.
    """
    wanted = text.strip().lower().replace(" ", "").replace("fps", "")
    if "/" in wanted:
        wanted = _name_from_fraction(wanted)
    wanted = _ALIASES.get(wanted, wanted)
    if wanted in RATES:
        return RATES[wanted]
    raise ConfigError(f"no timecode rate {text!r}: expected one of {', '.join(RATES)}")


def _name_from_fraction(text: str) -> str:
    """``30000/1001`` → ``29.97df``; whatever is no rate comes back as it was."""
    try:
        fraction = Fraction(text)
    except (ValueError, ZeroDivisionError):
        return text
    return next((name for name, rate in RATES.items() if rate.fraction == fraction), text)


def nearest_rate(rate_hz: float) -> TimecodeRate:
    """The timecode rate nearest to a measured one; drop-frame where there is a choice.

    A rate that is unknown (0) or far from all gives 30; above 60 it is the highest that is not
    above it, so that formats of whole frames keep as many as there are labels for.
    """
    best = min(RATES.values(), key=lambda rate: abs(float(rate.fraction) - rate_hz))
    if abs(float(best.fraction) - rate_hz) <= 1.0:
        return best
    if rate_hz > _HIGH_HZ:
        whole = [rate for rate in RATES.values() if rate.fraction == rate.nominal]
        return max(
            (rate for rate in whole if rate.nominal <= rate_hz), key=lambda rate: rate.nominal
        )
    return RATES["30"]


def rate_for_label(rate: TimecodeRate, label: str) -> TimecodeRate:
    """The rate that counts as a label is written: drop-frame with ``;``.

    Files say 30 where they mean 29.97: a drop-frame label tells, as 30 has no such count.
    """
    found = _LABEL.fullmatch(label.strip())
    return rate if found is None else _counted(rate, found[4] in _DROP_MARKS) or rate


def with_frames_of(rate: TimecodeRate, clip: TimecodeRate) -> TimecodeRate:
    """A rate for a clip whose frames come faster than it by the 1001st part: one label a frame.

    Counted by its own clock, 29.97 would give two of a thousand frames at 30/1 the same label.
    """
    if rate.nominal == clip.nominal and rate.fraction < clip.fraction:
        return replace(rate, fraction=clip.fraction)
    return rate


def rate_of_take(name: str, numerator: int, denominator: int) -> TimecodeRate:
    """A rate as ``take.json`` has it.

    Raises
    ------
    KeyError, ValueError
        There is no such rate.
    """
    rate = RATES[name]
    if type(numerator) is not int or type(denominator) is not int or denominator < 1:
        raise ValueError(f"timecode rate {str(numerator)[:40]}/{str(denominator)[:40]}")
    fraction = Fraction(numerator, denominator)
    if fraction not in (rate.fraction, rate.nominal):
        raise ValueError(f"timecode rate {name} of {str(fraction)[:40]} frames a second")
    return replace(rate, fraction=fraction)


def _counted(rate: TimecodeRate, drop: bool, n_slower: int = 1) -> TimecodeRate | None:
    """The rate whose labels are drop-frame, or are not, where there is one."""
    alike = [
        each
        for each in RATES.values()
        if each.nominal * n_slower == rate.nominal and each.drop == drop
    ]
    same = [each for each in alike if each.fraction * n_slower == rate.fraction]
    return next(iter(same or (alike if drop else [])), None)


def clip_rate_and_label(rate_hz: float, label: str | None) -> tuple[TimecodeRate, str | None]:
    """How the frames of a clip are counted, and its start label as that rate writes it.

    Parameters
    ----------
    rate_hz : float
        As the clip was measured; 0 unknown.
    label : str or None
        As the clip's file has it.

    Returns
    -------
    rate : TimecodeRate
    label : str or None
        None where there is none, or it names no frame at that rate.
    """
    nearest = nearest_rate(rate_hz)
    if label is None:
        return nearest, None
    rate = with_frames_of(rate_for_label(nearest, label), nearest)
    if not rate.drop:  # a rate without a drop-frame count is often written with ; all the same
        label = re.sub("[;,]", ":", label)
    try:
        return rate, rate.label_from_frame(rate.frame_from_label(label))
    except ConfigError:
        return nearest, None


def edit_list_rate(rate: TimecodeRate) -> tuple[TimecodeRate, int]:
    """The rate with two-digit frames that edit lists count a faster one by, and how many of the
    faster rate's frames one of its frames is: 60 and 2 for 120."""
    n_frames = -(-rate.nominal // _MOST_LISTED)
    listed = _counted(rate, rate.drop, n_frames)
    assert listed is not None  # 60, or 50, for each that is faster
    return replace(listed, fraction=rate.fraction / n_frames), n_frames


def frame_of_day(moment: datetime, rate: TimecodeRate) -> int:
    """The frame whose label reads as a wall clock does at ``moment``.

    Labels of non-drop 29.97 or 23.976 name the moment at which counting starts and then run slow,
    as they do on every device.
    """
    i_frame = moment.microsecond * rate.nominal // 1_000_000
    minute_starts = moment.second == 0 and moment.minute % _TEN_MINUTES != 0
    if minute_starts:
        i_frame = max(i_frame, rate.n_dropped_a_minute)
    mark = ";" if rate.drop else ":"
    return rate.frame_from_label(f"{moment:%H:%M:%S}{mark}{i_frame:02}")
