"""Why a control does what it should not, from its last seconds, and what would change that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.errors import ConfigError
from livefacs.retarget.inputs import INTENSITY_SIGNALS, SIGNAL_INDEX, SIGNALS
from livefacs.retarget.rules import ControlRule

COMPLAINTS: Final[dict[str, str]] = {
    "weak": "too weak",
    "open": "never closes",
    "jitters": "jitters",
    "leaks": "moves when it should not",
    "side": "wrong side",
}
"""What an animator may say of a control."""
_RESTING_DRIVE: Final = 0.05
_LEAST_PEAK: Final = 0.03
_MOST_GAIN: Final = 8.0
_CALM: Final = 0.35  # share of the jitter that a proposed filter leaves
_LONGEST_MS: Final = 250.0
_MOVES: Final = 0.05  # share of the range above which a control is said to move


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change that may be taken or left.

    Attributes
    ----------
    changes : for each control its keys and new values, as ``TunedMap.change`` takes them
    says : str
        What it does and what was measured, in a sentence.
    """

    changes: Mapping[str, Mapping[str, Any]]
    says: str


@dataclass(frozen=True, slots=True)
class Finding:
    """The cause of a complaint.

    Attributes
    ----------
    says : str
        The cause in a sentence.
    parts : tuple of (signal, weight, value now, contribution now)
        What feeds the control.
    proposals : tuple of Proposal
    """

    says: str
    parts: tuple[tuple[str, float, float, float], ...]
    proposals: tuple[Proposal, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """The last seconds of a performance, oldest first.

    Attributes
    ----------
    t_s : (T,) float64
    signals : (T, n_signals) float64
    drives, values : (T, n_controls) float64 and float32
    controls : tuple of str
    """

    t_s: F64
    signals: F64
    drives: F64
    values: F32
    controls: tuple[str, ...] = field(default=())

    def drive(self, control: str) -> F64:
        """(T,) what a control is driven with."""
        return self.drives[:, self.controls.index(control)]

    def value(self, control: str) -> F64:
        """(T,) a control's values."""
        return np.asarray(self.values[:, self.controls.index(control)], np.float64)


def diagnose(
    complaint: str, control: str, rules: Mapping[str, ControlRule], record: Record
) -> Finding:
    """The cause and the changes that would help.

    Raises
    ------
    ConfigError
        No such complaint or control, or less than a second of frames.
    """
    if complaint not in COMPLAINTS:
        raise ConfigError(f"{complaint!r}: expected one of {', '.join(COMPLAINTS)}")
    rule = rules.get(control)
    if rule is None:
        raise ConfigError(f"the map has no control {control!r}")
    if rule.undriven:
        return Finding(f"Nothing drives it: {rule.undriven}.", ())
    if len(record.t_s) < 10 or record.t_s[-1] - record.t_s[0] < 1.0:
        raise ConfigError("there is less than a second of frames: perform the action first")
    parts = _parts(rule, record.signals[-1])
    finders = {"weak": _weak, "open": _weak, "jitters": _jitters, "leaks": _leaks, "side": _side}
    says, proposals = finders[complaint](rule, record)
    return Finding(says, parts, tuple(proposals))


def _parts(rule: ControlRule, now: F64) -> tuple[tuple[str, float, float, float], ...]:
    weights = dict(rule.terms)
    for part in rule.combine:
        for name, factor in zip(part.signals, part.factors, strict=True):
            weights.setdefault(name, part.weight * factor)
    rows = [
        (name, weight, float(now[SIGNAL_INDEX[name]]))
        for name, weight in weights.items()
        if name in SIGNAL_INDEX  # a taught action is not among the kept signals
    ]
    return tuple((name, weight, value, weight * value) for name, weight, value in rows)


Said = tuple[str, list[Proposal]]


def _weak(rule: ControlRule, record: Record) -> Said:
    """Gain from the peak of the last seconds; a bent curve where the gain would be too much."""
    span = rule.limits[1] - rule.offset
    drive = float(np.max(record.drive(rule.name)))
    peak = float(np.max(record.value(rule.name))) - rule.offset
    if drive < _LEAST_PEAK:
        names = ", ".join(rule.signals())
        return (
            f"In the last {_seconds(record)} s nothing drove it ({names} at most {drive:.2f}):"
            " perform the action, calibrate, or give it another action.",
            [],
        )
    says = f"The highest of the last {_seconds(record)} s was {peak:.2f} of {span:.2f}."
    if peak >= 0.98 * span:
        return says + " It does reach its limit.", []
    if peak < _LEAST_PEAK * span:
        return says, [
            Proposal(
                {rule.name: {"dead_zone": None}},
                f"no dead zone: it swallows drives below {rule.dead_zone:.2f}",
            )
        ]
    gain = min(rule.gain * span / peak, _MOST_GAIN)
    bent = _reaching_curve(drive)
    return says, [
        Proposal({rule.name: {"gain": gain}}, f"gain {rule.gain:.2f} → {gain:.2f}"),
        Proposal(
            {rule.name: {"curve": bent}},
            f"a curve that is full at {drive:.2f}, the strongest seen, and gentle below",
        ),
    ]


def _reaching_curve(drive: float) -> list[list[float]]:
    return [[0.0, 0.0], [round(0.5 * drive, 3), 0.4], [round(drive, 3), 1.0]]


def _seconds(record: Record) -> int:
    return max(1, round(float(record.t_s[-1] - record.t_s[0])))


def jitter_of(values: F64) -> float:
    """Noise of a curve: from second differences, the quiet half of them (slow motion cancels).

    For white noise of standard deviation s the second difference has s times the square root of 6;
    0.6745 is the quartile of the normal distribution.
    """
    if len(values) < 3:
        return 0.0
    bends = np.abs(np.diff(values, n=2))
    return float(np.median(bends) / 0.6745 / math.sqrt(6.0))


def _jitters(rule: ControlRule, record: Record) -> Said:
    """An exponential filter that leaves a third of the jitter; its delay is its time constant."""
    noise = jitter_of(record.value(rule.name))
    span = rule.limits[1] - rule.limits[0]
    says = f"Measured jitter: {noise:.4f}, that is {noise / span:.2%} of the range."
    if noise < 1e-5:
        return says + " It is quiet.", []
    dt_s = float(np.median(np.diff(record.t_s)))
    proposals = []
    for share in (_CALM, 0.6):
        # White noise through y += a (x - y) keeps sqrt(a / (2 - a)) of its size.
        new = 2.0 * share**2 / (1.0 + share**2)
        time_ms = min(-dt_s / math.log(1.0 - new) * 1000.0, _LONGEST_MS)
        proposals.append(
            Proposal(
                {rule.name: {"smoothing": {"time_constant_ms": round(time_ms)}}},
                f"smoothed over {time_ms:.0f} ms: jitter {noise:.4f} → about {noise * share:.4f},"
                f" {time_ms:.0f} ms later",
            )
        )
    low_hz = 1.5
    delay_ms = 1000.0 / (2.0 * math.pi * low_hz)
    one_euro = {"min_cutoff_hz": low_hz, "beta": 0.5}
    says_euro = f"One Euro filter: calm at rest ({delay_ms:.0f} ms), quick in motion"
    return says, [*proposals, Proposal({rule.name: {"smoothing": one_euro}}, says_euro)]


def _leaks(rule: ControlRule, record: Record) -> Said:
    """The term that moves it, and the other action that is up at the same time."""
    drive = record.drive(rule.name)
    span = rule.limits[1] - rule.limits[0]
    moving = np.abs(record.value(rule.name) - rule.offset) > _MOVES * span
    if not moving.any():
        return f"In the last {_seconds(record)} s it stood still.", []
    proposals = []
    low = float(np.percentile(np.abs(drive[moving]), 90))
    if rule.dead_zone < low < 0.4:
        zone = round(min(low * 1.1, 0.4), 3)
        says = f"dead zone {zone:.2f}: drives below it count as none"
        proposals.append(Proposal({rule.name: {"dead_zone": zone}}, says))
    culprit = _companion(rule, record, moving)
    if culprit is not None:
        name, level, agreement = culprit
        share = round(min(1.0, float(np.median(drive[moving])) / max(level, 0.1) + 0.3), 2)
        held = {**rule.suppress, name: share}
        says = (
            f"held back by {name} ({share:.2f}): it was up at {level:.2f} meanwhile,"
            f" correlation {agreement:.2f}"
        )
        proposals.append(Proposal({rule.name: {"suppress": held}}, says))
    own = [part for part in _parts(rule, record.signals[moving].mean(axis=0)) if abs(part[3]) > 0]
    own.sort(key=lambda part: -abs(part[3]))
    feeding = ", ".join(f"{name} gives {amount:.2f}" for name, _, _, amount in own[:3])
    return f"While it moved: {feeding or 'nothing of its own'}.", proposals


def _companion(
    rule: ControlRule, record: Record, moving: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[str, float, float] | None:
    """The action outside the rule that goes along best: its name, level and correlation."""
    drive = record.drive(rule.name)
    stems = {name.removesuffix("_L").removesuffix("_R") for name in rule.signals()}
    own = {name for stem in stems for name in (stem, f"{stem}_L", f"{stem}_R")}
    best = None
    for name in SIGNALS:
        if name not in INTENSITY_SIGNALS or name in own:
            continue
        signal = record.signals[:, SIGNAL_INDEX[name]]
        level = float(np.median(signal[moving]))
        if level < 2.0 * _RESTING_DRIVE or signal.std() < 1e-6 or drive.std() < 1e-6:
            continue
        agreement = float(np.corrcoef(signal, drive)[0, 1])
        if agreement > 0.3 and (best is None or agreement > best[2]):
            best = (name, level, agreement)
    return best


def _side(rule: ControlRule, _record: Record) -> Said:
    """Both controls exchange their actions' sides."""
    if not rule.partner:
        return "It has no other side.", []
    own = _other_side(rule.terms)
    changes: dict[str, dict[str, Any]] = {rule.name: {"terms": own}}
    changes[rule.partner] = {"terms": dict(rule.terms)}
    if rule.combine or own == dict(rule.terms):
        return (
            "Its actions have no sides that could be exchanged; mirror the destination instead.",
            [],
        )
    says = f"{rule.name} takes {', '.join(own)}; {rule.partner} takes {', '.join(rule.terms)}"
    return (
        "If every control is on the wrong side, mirror the destination instead.",
        [Proposal(changes, says)],
    )


def _other_side(terms: Mapping[str, float]) -> dict[str, float]:
    return {_swapped(name): weight for name, weight in terms.items()}


def _swapped(name: str) -> str:
    for here, there in (("_L", "_R"), ("_R", "_L"), ("_L_deg", "_R_deg"), ("_R_deg", "_L_deg")):
        if name.endswith(here):
            return name.removesuffix(here) + there
    return name
