"""Where parts of one signal lie in another: cross-correlation, and the line through what agrees.

Sound goes by the phase of the cross-spectrum alone (GCC-PHAT: Knapp and Carter 1976), which other
microphones, levels and steady noise hardly change; curves by the normalised correlation of their
slopes over all channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64

_BLOCK: Final = 1 << 18
_BAND_HZ: Final = (100.0, 3800.0)
_NEAR_S: Final = 0.05  # nearer than that to the peak is the peak
_SMOOTHED_S: Final = 0.04
_WORST_DRIFT: Final = 1e-3
_LEAST_SPAN_S: Final = 30.0
_FEWEST_FOR_DRIFT: Final = 4


@dataclass(frozen=True, slots=True)
class Peak:
    """Where a part was found.

    Attributes
    ----------
    at_s : float
        The part's middle on the clock of its own signal.
    lag_s : float
        That moment on the clock of the other one, less ``at_s``.
    height : float
        Of the peak, over the root mean square of all the correlation.
    ratio : float
        Of the peak to the highest one that is elsewhere.
    """

    at_s: float
    lag_s: float
    height: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Demands:
    """What a peak must have.

    Attributes
    ----------
    height, ratio : float
        Of a peak that counts.
    lone_height, lone_ratio : float
        Of the only one that there is.
    near_s : float
        As near to the line as a peak lies that agrees with it.
    """

    height: float
    ratio: float
    lone_height: float
    lone_ratio: float
    near_s: float


SOUND: Final = Demands(height=8.0, ratio=1.2, lone_height=12.0, lone_ratio=2.0, near_s=0.005)
CURVES: Final = Demands(height=4.0, ratio=1.15, lone_height=6.0, lone_ratio=1.5, near_s=0.025)


@dataclass(frozen=True, slots=True)
class Line:
    """``t_other = offset_s + t × (1 + drift)``, by the peaks that agree.

    Attributes
    ----------
    offset_s, drift : float
    is_drift_known : bool
        False: the parts lie too near to each other, and ``drift`` is 0.
    confidence : float
        Share of the clear peaks that agree × (1 - second peak / peak, their median).
    spread_s : float
        Median distance of those that agree from the line.
    n_agreeing, n_clear : int
    """

    offset_s: float
    drift: float
    is_drift_known: bool
    confidence: float
    spread_s: float
    n_agreeing: int
    n_clear: int

    def inverse(self) -> Line:
        """The same line with the clocks exchanged."""
        slope = 1.0 / (1.0 + self.drift)
        return replace(self, offset_s=-self.offset_s * slope, drift=slope - 1.0)


def parts_of(loudness: F64, n_part: int, n_parts: int) -> list[int]:
    """First sample of each part: the strongest stretch of each of equal shares of a signal.

    Parameters
    ----------
    loudness : (N,) float64
        Per sample; parts without any are left out.
    n_part : int
        Samples of a part; at most a share has so many.
    n_parts : int
    """
    total = np.concatenate([[0.0], np.cumsum(loudness)])
    edges = np.linspace(0, len(loudness), n_parts + 1).astype(int)
    begins = []
    for first, last in pairwise(edges.tolist()):
        within = total[first + n_part : last + 1] - total[first : last + 1 - n_part]
        if len(within) and within.max() > 0.0:
            begins.append(first + int(np.argmax(within)))
    return begins


def sound_peaks(whole: F32, part: F32, begins: Sequence[int], n_part: int, hz: float) -> list[Peak]:
    """Where parts of a sound lie in another one; times are seconds of either's own samples.

    Parameters
    ----------
    whole, part : (N,) and (M,) float32
    begins : sequence of int
        First sample of each part in ``part``.
    n_part : int
    hz : float
        Samples a second of both.
    """
    from scipy.fft import irfft

    n = _BLOCK
    frequencies = np.fft.rfftfreq(n, 1.0 / hz)
    band = (frequencies >= _BAND_HZ[0]) & (frequencies <= _BAND_HZ[1])
    spectra = [_phases(part[begin : begin + n_part], n, band).conj() for begin in begins]
    found = [_Best(round(_NEAR_S * hz)) for _ in begins]
    step = n - n_part
    for at in range(0, max(len(whole) - n_part, 0) + 1, step):
        spectrum = _phases(whole[at : at + n], n, band)
        n_lags = min(step, len(whole) - n_part - at + 1)
        for best, other in zip(found, spectra, strict=True):
            full = np.zeros(len(band), np.complex64)
            full[band] = spectrum * other
            best.look(irfft(full, n)[: max(n_lags, 0)], at)
    return [
        best.peak(begin, n_part, hz) for best, begin in zip(found, begins, strict=True) if best.n
    ]


def _phases(samples: F32, n: int, band: np.ndarray[Any, np.dtype[np.bool_]]) -> Any:
    """The band's spectrum with every size 1; 0 where there is nothing at all."""
    from scipy.fft import rfft  # single precision stays single

    spectrum = rfft(samples, n)[band]
    size = np.abs(spectrum)
    return (spectrum / np.maximum(size, 1e-9 + 1e-6 * float(size.max(initial=0.0)))).astype(
        np.complex64
    )


def curve_peaks(whole: F64, part: F64, begins: Sequence[int], n_part: int, hz: float) -> list[Peak]:
    """As ``sound_peaks``, for curves.

    Parameters
    ----------
    whole, part : (N, C) and (M, C) float64
        The same channels, each as large as it shall count; NaN counts as no movement.
    """
    from scipy.signal import fftconvolve

    a, b = (_slopes(curves, hz) for curves in (whole, part))
    power = np.concatenate([[0.0], np.cumsum((a * a).sum(axis=1))])
    peaks = []
    for begin in begins:
        some = b[begin : begin + n_part]
        score = fftconvolve(a, some[::-1], mode="valid", axes=0).sum(axis=1)
        size = np.sqrt(np.maximum(power[n_part:] - power[:-n_part], 0.0) * (some * some).sum())
        score /= np.maximum(size, 1e-3 * float(size.max(initial=0.0)) + 1e-12)
        best = _Best(round(6 * _NEAR_S * hz))
        best.look(score, 0)
        if best.n:
            peaks.append(best.peak(begin, n_part, hz))
    return peaks


def _slopes(curves: F64, hz: float) -> F64:
    """How fast each moves, without what is faster than a face; 0 where it is unknown."""
    from scipy.ndimage import gaussian_filter1d

    steps = np.nan_to_num(np.diff(curves, axis=0, prepend=curves[:1]))
    return np.asarray(gaussian_filter1d(steps, _SMOOTHED_S * hz, axis=0), np.float64)


class _Best:
    """The highest place of a correlation that comes in pieces, and the highest one elsewhere."""

    def __init__(self, n_near: int) -> None:
        self._near = n_near
        self._tops: list[tuple[float, float]] = []
        self._power = 0.0
        self.n = 0

    def look(self, score: F64, first: int) -> None:
        if not len(score):
            return
        self.n += len(score)
        self._power += float(score @ score)
        top = int(np.argmax(score))
        self._tops.append((float(score[top]), first + top + _between(score, top)))
        after = top + self._near + 1
        for begin, end in ((0, max(0, top - self._near)), (after, len(score))):
            if begin < end:
                other = begin + int(np.argmax(score[begin:end]))
                self._tops.append((float(score[other]), float(first + other)))

    def peak(self, begin: int, n_part: int, hz: float) -> Peak:
        height, at = max(self._tops)
        others = [value for value, place in self._tops if abs(place - at) > self._near]
        second = max(others, default=0.0)
        rms = (self._power / self.n) ** 0.5
        return Peak(
            at_s=(begin + n_part / 2) / hz,
            lag_s=(at - begin) / hz,
            height=height / rms if rms else 0.0,
            ratio=height / second if second > 0.0 else 10.0,
        )


def _between(score: F64, top: int) -> float:
    """How far from its highest sample the vertex of the parabola through three of them lies."""
    if not 0 < top < len(score) - 1:
        return 0.0
    left, middle, right = score[top - 1 : top + 2]
    bend = left - 2.0 * middle + right
    return float(0.5 * (left - right) / bend) if bend < 0.0 else 0.0


def agreed(peaks: Sequence[Peak], demands: Demands) -> Line | None:
    """The line that most clear peaks agree with; None where too few do.

    At least half of the clear ones must agree, and two of them, or one that stands out far.
    """
    clear = [p for p in peaks if p.height >= demands.height and p.ratio >= demands.ratio]
    if not clear:
        return None
    at = np.array([p.at_s for p in clear])
    lag = np.array([p.lag_s for p in clear])
    allowed = demands.near_s + _WORST_DRIFT * np.abs(at[:, None] - at)
    votes = np.abs(lag[:, None] - lag) <= allowed
    near = votes[int(np.argmax(votes.sum(axis=1)))]
    offset_s, drift, is_known = _fit(at[near], lag[near])
    keep = np.abs(lag - offset_s - drift * at) <= demands.near_s
    if keep.sum() >= 1:
        offset_s, drift, is_known = _fit(at[keep], lag[keep])
    agreeing = [peak for peak, kept in zip(clear, keep, strict=True) if kept]
    is_lone = len(agreeing) == 1
    if len(agreeing) * 2 < len(clear) or not agreeing:
        return None
    if is_lone and (
        agreeing[0].height < demands.lone_height or agreeing[0].ratio < demands.lone_ratio
    ):
        return None
    ratio = max(1.0, float(np.median([peak.ratio for peak in agreeing])))
    return Line(
        offset_s=offset_s,
        drift=drift,
        is_drift_known=is_known,
        confidence=len(agreeing) / len(clear) * (1.0 - 1.0 / ratio),
        spread_s=float(np.median(np.abs(lag - offset_s - drift * at)[keep])),
        n_agreeing=len(agreeing),
        n_clear=len(clear),
    )


def _fit(at: F64, lag: F64) -> tuple[float, float, bool]:
    """Offset, slope, and whether the parts lie far enough apart for a slope."""
    if len(at) >= _FEWEST_FOR_DRIFT and np.ptp(at) >= _LEAST_SPAN_S:
        pairs = np.triu_indices(len(at), 1)
        apart = at[pairs[1]] - at[pairs[0]]
        slopes = (lag[pairs[1]] - lag[pairs[0]])[apart != 0] / apart[apart != 0]
        drift = float(np.median(slopes))  # Theil and Sen: a stray part moves nothing
        return float(np.median(lag - drift * at)), drift, True
    return float(np.median(lag)), 0.0, False
