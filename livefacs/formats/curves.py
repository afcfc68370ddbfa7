"""Named curves taken out of a take: what every animation format writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError, TakeError
from livefacs.formats.resampling import (
    in_hole,
    resample,
    smooth_zero_phase,
    uniform_times_ns,
)
from livefacs.retarget.inputs import Performance, signal_rows
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.take.checksums import damage_mask
from livefacs.take.layout import GAZE_FIELDS, HEAD_FIELDS
from livefacs.take.reader import Take
from livefacs.timecode import TimecodeRate, find_rate
from livefacs.vocab.facs import N_AU

I64 = np.ndarray[Any, np.dtype[np.int64]]

_ANGLES_OF_HEAD: Final = slice(0, 3)
_WHOLE_FRAME: Final = 1e-3  # frames
_MOST_FRAMES_A_ROW: Final = 100  # resampled: a slow time lapse brought to 60 Hz has less
_LEAST_LIMIT: Final = 60 * 60 * 60  # an hour at 60 Hz, however few rows there are


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the user may choose of an export.

    Attributes
    ----------
    rig : str
        Write this rig's controls instead of Action Units; a rig that was not recorded is
        retargeted from the recorded units.
    fps : str
        Resample to this timecode rate; empty keeps the frames (formats that need even frames use
        the take's own rate).
    smooth_hz : float
        Zero-phase low-pass; 0 for none.
    raw : bool
        Units before the live filter.
    confidence : bool
        Also the confidences, where the format has a place for them.
    timecode : bool
        Also the timecode, where the format has a place for it and does not carry it anyway.
    header_blanks : bool
        A blank after each comma, as OpenFace's own program writes it; for ``openface`` alone.
    node : str
        Name of the mesh or blend shape node, in formats that address one.
    first_frame : int or None
        Number of the first frame in formats with a frame count of their own; None: 0 where the
        format counts from there, else 1.
    """

    rig: str = ""
    fps: str = ""
    smooth_hz: float = 0.0
    raw: bool = False
    confidence: bool = False
    timecode: bool = False
    node: str = "face"
    first_frame: int | None = None
    header_blanks: bool = False

    def first(self, usual: int = 1) -> int:
        """Number of the first frame."""
        return usual if self.first_frame is None else self.first_frame


@dataclass(frozen=True, slots=True)
class Curves:
    """Curves on one time grid.

    Attributes
    ----------
    names : tuple of str
    values : (T, C) float32, NaN unknown
    times_ns : (T,) int64
    timecode_frames : (T,) int64, frames of the day at ``rate``
    head : (T, 6) float64, as ``take.layout.HEAD_FIELDS``
    gaze : (T, 4) float64, as ``take.layout.GAZE_FIELDS``
    rate : TimecodeRate
    is_even : bool
        The grid is exactly that of ``rate``.
    """

    names: tuple[str, ...]
    values: F32
    times_ns: I64
    timecode_frames: I64
    head: F64
    gaze: F64
    rate: TimecodeRate
    is_even: bool = False

    def __len__(self) -> int:
        return len(self.times_ns)

    def rows(self, some: slice) -> Curves:
        """Some samples; their times stay what they are."""
        return replace(
            self,
            values=self.values[some],
            times_ns=self.times_ns[some],
            timecode_frames=self.timecode_frames[some],
            head=self.head[some],
            gaze=self.gaze[some],
        )

    @property
    def time_s(self) -> F64:
        """(T,) seconds since the first frame."""
        return np.asarray((self.times_ns - self.times_ns[0]) / NS_PER_S, np.float64)

    def frame_positions(self, first_frame: int) -> F64:
        """(T,) place of each sample on a frame count at ``rate`` that begins at ``first_frame``.

        Within a thousandth of a frame of a whole one it is whole: time stamps are rounded, and a
        shot of 60 frames must not end at 59.99999999.
        """
        if self.is_even:
            return np.arange(len(self), dtype=np.float64) + first_frame
        places = self.time_s * float(self.rate.fraction)
        whole = np.round(places)
        snapped = np.where(np.abs(places - whole) < _WHOLE_FRAME, whole, places)
        return np.asarray(snapped + first_frame, np.float64)

    def label(self, index: int) -> str:
        """Timecode of a sample."""
        return self.rate.label_from_frame(int(self.timecode_frames[index]))

    def filled(self) -> F32:
        """Values for formats without "unknown": the last known one is held, 0 before the first."""
        return _fill(self.values)


def curves_from_take(take: Take, options: ExportOptions, *, even: bool = False) -> Curves:
    """Take the chosen curves out of a take, smoothed and resampled as asked.

    Parameters
    ----------
    even : bool
        The format needs even frames: resample to the take's rate where no other is asked for.

    Raises
    ------
    TakeError
        The take has no frames.
    ConfigError
        Unknown rig or rate, smoothing out of range.
    """
    if not take.n_rows:
        raise TakeError(f"{take.folder}: the take has no frames, nothing can be exported")
    names, values = values_from_take(take, options)
    values = _without_damage(take, values, options)
    times_ns = _rising(np.array(take.t_ns))
    head, gaze = (_bridged(take, field) for field in ("head", "gaze"))
    head[:, _ANGLES_OF_HEAD] = np.unwrap(head[:, _ANGLES_OF_HEAD], axis=0)
    if options.smooth_hz:
        values = np.asarray(smooth_zero_phase(times_ns, values, options.smooth_hz), np.float32)
        head, gaze = (smooth_zero_phase(times_ns, p, options.smooth_hz) for p in (head, gaze))
    curves = Curves(
        names,
        values,
        times_ns,
        np.array(take.frames["timecode"], np.int64),
        head,
        gaze,
        take.rate,
    )
    if not options.fps and not even:
        return curves
    rate = find_rate(options.fps) if options.fps else take.rate
    return resampled(curves, rate)


def _without_damage(take: Take, values: F32, options: ExportOptions) -> F32:
    """Values with the rows unknown that are not what was recorded."""
    is_recorded = options.rig in take.rig_names and not options.raw
    rigs = [name for name in take.stream_files if name.startswith("rig ")]
    damaged = damage_mask(take, *(rigs if is_recorded else ["frames"]))
    if not damaged.any():
        return values
    sound = np.array(values)
    sound[damaged] = np.nan
    return sound


def _bridged(take: Take, field: str) -> F64:
    """A field of the frames; where its rows are damaged, between those that are not."""
    found = np.array(take.frames[field])
    damaged = damage_mask(take, "frames")
    if damaged.any() and not damaged.all():
        rows, good = np.flatnonzero(damaged), np.flatnonzero(~damaged)
        for column in found.T:
            column[rows] = np.interp(rows, good, column[good])
    return found


def _check_length(curves: Curves, rate: TimecodeRate) -> None:
    """A single wrong time must not make years of frames."""
    n_frames = rate.frames_from_ns(int(curves.times_ns[-1] - curves.times_ns[0])) + 1
    if n_frames > max(_MOST_FRAMES_A_ROW * len(curves), _LEAST_LIMIT):
        leap = int(np.argmax(np.diff(curves.times_ns)))
        raise TakeError(
            f"{len(curves)} recorded frames would become {n_frames:,} at {rate.name}: their times"
            f" leap by {np.diff(curves.times_ns)[leap] / NS_PER_S:,.0f} s after row {leap};"
            " `livefacs takes show` tells what is damaged, csv and jsonl keep the rows as they are"
        )


def resampled(curves: Curves, rate: TimecodeRate) -> Curves:
    """The same curves on whole frames of a rate, from the first frame on."""
    _check_length(curves, rate)
    new_ns = uniform_times_ns(int(curves.times_ns[0]), int(curves.times_ns[-1]), rate)
    head = resample(curves.times_ns, curves.head, new_ns)
    gaze = resample(curves.times_ns, curves.gaze, new_ns)
    first = rate.frame_from_label(_label_at_rate(curves, rate))
    return replace(
        curves,
        values=np.asarray(resample(curves.times_ns, curves.values, new_ns), np.float32),
        times_ns=new_ns,
        timecode_frames=(first + np.arange(len(new_ns))) % rate.frames_a_day,
        head=np.asarray(_fill(head)),
        gaze=np.asarray(_fill(gaze)),
        rate=rate,
        is_even=True,
    )


def nearest_rows(take: Take, curves: Curves) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The recorded row nearest to each sample."""
    if not curves.is_even:
        return np.arange(take.n_rows)
    return nearest(np.array(take.t_ns), curves.times_ns)


def nearest(recorded_ns: I64, times_ns: I64) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The recorded row nearest to each moment."""
    after = np.searchsorted(recorded_ns, times_ns).clip(0, len(recorded_ns) - 1)
    before = (after - 1).clip(0)
    is_before = times_ns - recorded_ns[before] < recorded_ns[after] - times_ns
    return np.where(is_before, before, after)


def faces_seen(
    take: Take, curves: Curves, nearest: np.ndarray[Any, np.dtype[np.intp]]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(T,) True where a face was seen: at the nearest row, and in no hole of the recording."""
    is_seen: np.ndarray[Any, np.dtype[np.bool_]] = take.frames["n_faces"][nearest] > 0
    return is_seen & ~_is_between(take, curves)


def recorded_confidence(
    take: Take, curves: Curves, nearest: np.ndarray[Any, np.dtype[np.intp]]
) -> F32:
    """(T, C) confidence of each channel at the nearest row, 0 in a hole of the recording."""
    confidence: F32 = np.array(take.confidence)[nearest]
    confidence[_is_between(take, curves)] = 0.0
    return confidence


def _is_between(take: Take, curves: Curves) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(T,) True in a hole of the recording; rows as they were recorded lie in none."""
    if not curves.is_even:
        return np.zeros(len(curves), np.bool_)
    return in_hole(np.array(take.t_ns), curves.times_ns)


def values_from_take(take: Take, options: ExportOptions) -> tuple[tuple[str, ...], F32]:
    """Names and (N_ROWS, C) values of the units, or of the chosen rig."""
    if not options.rig:
        return take.channels, take.raw if options.raw else take.intensity
    if options.rig in take.rig_names and not options.raw:
        return take.rig(options.rig)
    return _retargeted(take, options.rig, raw=options.raw)


def _retargeted(take: Take, rig: str, *, raw: bool) -> tuple[tuple[str, ...], F32]:
    """Controls of a rig from the recorded units; ``raw``: from those before the live filter."""
    retargeter = Retargeter(load_rig(rig))
    return retargeter.program.controls, retargeter.run(performance_from_take(take, raw=raw))


def performance_from_take(take: Take, *, raw: bool = False) -> Performance:
    """What maps read, of every row of a take; ``raw``: before the live filter."""
    frames = take.frames
    units = np.array(take.raw if raw else take.intensity)
    signals = signal_rows(units, np.array(frames["head"]), np.array(frames["gaze"]))
    taught = take.channels[N_AU:]
    return Performance(np.array(frames["i_frame"]), np.array(take.t_ns), signals, taught)


def _label_at_rate(curves: Curves, rate: TimecodeRate) -> str:
    """The first frame's timecode in the count of another rate: same second, same part of it."""
    label = curves.label(0)
    hours_to_seconds, i_frame = label[:8], int(label[9:])
    frame = min(i_frame * rate.nominal // curves.rate.nominal, rate.nominal - 1)
    starts_minute = hours_to_seconds.endswith(":00") and int(hours_to_seconds[3:5]) % 10
    if starts_minute:
        frame = max(frame, rate.n_dropped_a_minute)
    return f"{hours_to_seconds}{';' if rate.drop else ':'}{frame:02}"


def _rising(times_ns: I64) -> I64:
    """Times that rise strictly: a repeated stamp moves on by one nanosecond."""
    steps = np.arange(len(times_ns), dtype=np.int64)
    rising: I64 = np.maximum.accumulate(times_ns - steps) + steps
    return rising


def _fill(values: Any) -> F32:
    known = np.isfinite(values)
    if known.all():
        return np.asarray(values)
    rows = np.where(known, np.arange(len(values))[:, None], -1)
    last = np.maximum.accumulate(rows, axis=0)
    held = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where(last >= 0, held, np.zeros((), values.dtype))


def head_column(curves: Curves, name: str) -> F64:
    """One column of the head pose by its field name."""
    return curves.head[:, HEAD_FIELDS.index(name)]


def gaze_column(curves: Curves, name: str) -> F64:
    """One column of the gaze by its field name."""
    return curves.gaze[:, GAZE_FIELDS.index(name)]


Exporter = Callable[[Take, Path, ExportOptions], None]


def need(package: str, extra: str) -> ConfigError:
    """The error for a format whose library is not installed."""
    return ConfigError(
        f"this format needs {package}, which is not installed: pip install 'livefacs[{extra}]'"
    )
