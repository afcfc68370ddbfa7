"""How two recordings of one performance lie to each other, by their sound or by their curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError, TakeError
from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.formats.resampling import resample
from livefacs.offline.correlation import (
    CURVES,
    SOUND,
    Demands,
    Line,
    Peak,
    agreed,
    curve_peaks,
    parts_of,
    sound_peaks,
)
from livefacs.offline.recordings import Recording
from livefacs.take.layout import Marker
from livefacs.take.wave import SAMPLE_RATE_HZ
from livefacs.vocab.facs import N_AU

_SOUND_HZ: Final = 8000
_CURVES_HZ: Final = 100
_MOST_PARTS: Final = 24
_FEWEST_PARTS_OF: Final = 4  # shares of a short recording
_RADIANS: Final = 3.0  # a head's turn of a third of a radian counts as a whole action


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where B lies on A's clock: ``t_A = offset_s + t_B × (1 + drift)``.

    Attributes
    ----------
    by : str
        ``sound`` or ``curves``.
    offset_s : float
        A's time, since its first frame, of B's first frame.
    drift_ppm : float or None
        How much slower B's clock counts than A's, millionths; None: too short to tell.
    confidence : float
        0 to 1: share of the clear parts that agree, × (1 - second peak / peak).
    n_agreeing, n_clear : int
        Parts of the shorter recording that agree, of those that were found clearly.
    spread_s : float
        Median distance of those parts from the line.
    overlap_s : float
        What both recorded.
    """

    by: str
    offset_s: float
    drift_ppm: float | None
    confidence: float
    n_agreeing: int
    n_clear: int
    spread_s: float
    overlap_s: float

    def time_in_b(self, time_in_a: float) -> float:
        """B's time at a time of A."""
        return (time_in_a - self.offset_s) / (1.0 + (self.drift_ppm or 0.0) * 1e-6)

    @property
    def first_common_s(self) -> float:
        """A's time at which both have begun."""
        return max(0.0, self.offset_s)


@dataclass(frozen=True, slots=True)
class _Signal:
    """One of the two, ready to be compared: (N,) sound or (N, C) curves at one rate."""

    values: Any
    start_s: float
    rate_hz: float

    @property
    def seconds(self) -> float:
        return len(self.values) / self.rate_hz


@dataclass(frozen=True, slots=True)
class _Way:
    """How two recordings are compared."""

    signal_of: Callable[[Recording], _Signal]
    hz: float
    longest_part_s: float
    shortest_part_s: float
    peaks_of: Callable[[Any, Any, Sequence[int], int, float], list[Peak]]
    demands: Demands


def align(a: Recording, b: Recording, by: str = "") -> Alignment:
    """Find where B lies on A's clock.

    Parameters
    ----------
    a, b : Recording
    by : str
        ``sound`` or ``curves``; empty: by sound where both have it.

    Raises
    ------
    ConfigError
        It cannot be done that way.
    TakeError
        Nothing in one is found in the other.
    """
    name = by or ("sound" if a.has_sound and b.has_sound else "curves")
    if name not in _WAYS:
        raise ConfigError(f"--by {by!r}: expected {' or '.join(_WAYS)}")
    _refuse(a, b, name)
    way = _WAYS[name]
    whole, part = way.signal_of(a), way.signal_of(b)
    is_turned = part.seconds > whole.seconds  # the shorter one is cut into parts
    if is_turned:
        whole, part = part, whole
    line = _found(whole, part, way)
    if line is None:
        raise TakeError(_nothing_found(a, b, name))
    if is_turned:
        line, whole, part = line.inverse(), part, whole
    return _alignment(line, whole, part, name)


def sync_markers(
    found: Alignment, a: Recording, b: Recording
) -> list[tuple[Recording, list[Marker]]]:
    """For each of the two that is a take: a marker at the first moment that both have.

    Editors bring clips together by such markers.

    Raises
    ------
    ConfigError
        Neither is a take.
    TakeError
        They have no moment in common.
    """
    if a.take is None and b.take is None:
        raise ConfigError("--mark: neither is a take, and clips have no place for a marker")
    if found.overlap_s <= 0.0:
        raise TakeError("--mark: the two have no moment in common")
    at_a = found.first_common_s
    places = ((a, at_a, b), (b, found.time_in_b(at_a), a))
    return [
        (recording, [recording.marker_at(time_s, "sync", f"sync with {other.name}")])
        for recording, time_s, other in places
        if recording.take is not None
    ]


def _refuse(a: Recording, b: Recording, way: str) -> None:
    if way == "sound" and (silent := [r for r in (a, b) if not r.has_sound]):
        raise ConfigError(f"{silent[0].path} has no sound; with takes, try --by curves")
    if way == "curves" and (clips := [r for r in (a, b) if r.take is None]):
        raise ConfigError(
            f"{clips[0].path} is a clip, and by curves takes are compared (the other has no sound,"
            " or --by curves was asked for): `livefacs solve CLIP --to take -o DIR` makes one"
        )


def _nothing_found(a: Recording, b: Recording, way: str) -> str:
    other = " or by curves (--by curves)" if way == "sound" and a.take and b.take else ""
    return (
        f"{a.name} and {b.name}: no part of one is found in the other by {way}; expected two"
        f" recordings of one moment. Look whether they overlap, try another channel (--channel)"
        f"{other}, or set the marks by hand"
    )


def _found(whole: _Signal, part: _Signal, way: _Way) -> Line | None:
    seconds = min(way.longest_part_s, part.seconds / _FEWEST_PARTS_OF)
    seconds = min(max(seconds, way.shortest_part_s), part.seconds)
    n_part = int(seconds * part.rate_hz)
    if not n_part or len(whole.values) < n_part:
        return None
    n_parts = int(np.clip(part.seconds / seconds, 1, _MOST_PARTS))
    values = part.values.reshape(len(part.values), -1)
    strength = np.nan_to_num(np.diff(values, axis=0, prepend=values[:1])) ** 2
    begins = parts_of(strength.sum(axis=1, dtype=np.float64), n_part, n_parts)
    peaks = way.peaks_of(whole.values, part.values, begins, n_part, way.hz)
    line = agreed(peaks, way.demands)
    return None if line is None else _on_clocks(line, whole, part, way.hz)


def _on_clocks(line: Line, whole: _Signal, part: _Signal, hz: float) -> Line:
    """The line between the recordings' own times, of that between counted samples."""
    slope = (1.0 + line.drift) * part.rate_hz / whole.rate_hz
    offset_s = whole.start_s + line.offset_s * hz / whole.rate_hz - slope * part.start_s
    return replace(line, offset_s=offset_s, drift=slope - 1.0)


def _alignment(line: Line, whole: _Signal, part: _Signal, way: str) -> Alignment:
    begin = line.offset_s + part.start_s * (1.0 + line.drift)
    end = begin + part.seconds * (1.0 + line.drift)
    return Alignment(
        by=way,
        offset_s=line.offset_s,
        drift_ppm=line.drift * 1e6 if line.is_drift_known else None,
        confidence=line.confidence,
        n_agreeing=line.n_agreeing,
        n_clear=line.n_clear,
        spread_s=line.spread_s,
        overlap_s=min(end, whole.start_s + whole.seconds) - max(begin, whole.start_s),
    )


def _sound_of(recording: Recording) -> _Signal:
    """Its sound at 8 kHz, filtered without delay."""
    from scipy.signal import firwin, oaconvolve

    step = SAMPLE_RATE_HZ // _SOUND_HZ
    n_taps = 20 * step + 1
    taps = firwin(n_taps, 0.9 * _SOUND_HZ / 2, fs=SAMPLE_RATE_HZ).astype(np.float32)
    kept: list[F32] = []
    rest = np.zeros(n_taps // 2, np.float32)
    for block in _large(recording):
        rest = np.concatenate([rest, block])
        n_out = max(0, (len(rest) - n_taps) // step + 1)
        if n_out:
            kept.append(oaconvolve(rest, taps, mode="valid")[: n_out * step : step])
            rest = rest[n_out * step :]
    values = np.concatenate(kept) if kept else np.zeros(0, np.float32)
    return _Signal(values, recording.start_s, recording.rate_hz / step)


def _large(recording: Recording) -> Iterator[F32]:
    """Blocks of about a second and more: a clip's come by the thousand samples."""
    waiting: list[F32] = []
    for block in recording.blocks():
        waiting.append(block)
        if sum(map(len, waiting)) >= SAMPLE_RATE_HZ:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _curves_of(recording: Recording) -> _Signal:
    """Action Units and the head's turn on an even grid."""
    take = recording.take
    assert take is not None
    curves = curves_from_take(take, ExportOptions())
    turns = _RADIANS * curves.head[:, :3]
    values = np.concatenate([curves.values[:, :N_AU], turns], axis=1, dtype=np.float64)
    values[take.frames["n_faces"] == 0] = np.nan
    first, last = int(curves.times_ns[0]), int(curves.times_ns[-1])
    grid = np.arange(first, last + 1, NS_PER_S // _CURVES_HZ)
    return _Signal(resample(curves.times_ns, values, grid), 0.0, float(_CURVES_HZ))


_WAYS: Final = {
    "sound": _Way(_sound_of, _SOUND_HZ, 8.0, 1.0, sound_peaks, SOUND),
    "curves": _Way(_curves_of, _CURVES_HZ, 20.0, 3.0, curve_peaks, CURVES),
}
