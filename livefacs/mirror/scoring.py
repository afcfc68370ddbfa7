"""What an attempt was worth: target, isolation, symmetry, steadiness, timing, and one advice.

Every part is 0..100. The scales are this tool's own choice (FACS has none); they are written
down in ``docs/mirror.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.mirror.drills import Drill
from livefacs.mirror.ladder import LETTERS, Ladder
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, letter_from_intensity

INTRUDER_FROM: Final = 0.15
"""Excess over rest (letter B) from which another action is named."""

_WEIGHTS: Final[dict[str, dict[str, float]]] = {
    "hold": {"target": 40, "isolation": 20, "symmetry": 15, "steadiness": 15, "timing": 10},
    "combine": {"target": 50, "isolation": 20, "symmetry": 10, "steadiness": 10, "timing": 10},
    "isolate": {"target": 25, "isolation": 50, "symmetry": 10, "steadiness": 10, "timing": 5},
    "one-side": {"target": 30, "isolation": 50, "steadiness": 15, "timing": 5},
    "symmetry": {"target": 25, "isolation": 10, "symmetry": 50, "steadiness": 10, "timing": 5},
    "ramp": {"target": 50, "isolation": 10, "symmetry": 10, "steadiness": 10, "timing": 20},
    "follow": {"target": 50, "isolation": 10, "symmetry": 10, "steadiness": 5, "timing": 25},
    "alternate": {"target": 50, "isolation": 10, "symmetry": 10, "timing": 30},
    "letters": {"target": 60, "isolation": 15, "symmetry": 5, "steadiness": 10, "timing": 10},
}
_GATES: Final[dict[str, tuple[str, float]]] = {
    "isolate": ("isolation", 60.0),
    "one-side": ("isolation", 60.0),
    "symmetry": ("symmetry", 70.0),
}
"""Parts that have to reach a mark of their own, beside the drill's pass score."""

_LAGS_S: Final = np.arange(-0.5, 1.01, 1 / 60)
_SMOOTH_S: Final = 0.3


@dataclass(frozen=True, slots=True)
class Trace:
    """Frames of an attempt: ``t_s`` (T,) seconds from the start, ``values`` (T, N_AU), rest."""

    t_s: F64
    values: F32
    baseline: F32


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence, as the key of a text and what goes into it."""

    key: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Result:
    """The score of an attempt.

    Attributes
    ----------
    parts : dict
        ``target``, ``isolation``, ``symmetry``, ``steadiness``, ``timing``; those that apply.
    intruders : list of (channel, excess over rest), strongest first
    peak : float
        Highest level of the weakest target.
    rule : (total to reach, part with a mark of its own or "", that mark)
        What passes, beside reaching the target.
    letters : tuple of dict
        Of a drill of letters: what was asked and what was given.
    """

    drill: str
    kind: str
    actions: tuple[str, ...]
    side: str
    passed: bool
    reached: bool
    total: float
    parts: dict[str, float]
    intruders: tuple[tuple[str, float], ...]
    peak: float
    lag_s: float | None
    advice: Advice
    rule: tuple[float, str, float]
    letters: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """Plain values for the page and the progress file."""
        return {
            "drill": self.drill,
            "kind": self.kind,
            "actions": list(self.actions),
            "side": self.side,
            "passed": self.passed,
            "reached": self.reached,
            "total": round(self.total, 1),
            "parts": {name: round(value, 1) for name, value in self.parts.items()},
            "intruders": [
                {"channel": name, "excess": round(value, 3), "letter": letter_from_intensity(value)}
                for name, value in self.intruders
            ],
            "peak": round(self.peak, 3),
            "letter": letter_from_intensity(self.peak),
            "lag_s": None if self.lag_s is None else round(self.lag_s, 3),
            "advice": {"key": self.advice.key, "values": self.advice.values},
            "rule": dict(zip(("total", "part", "mark"), self.rule, strict=True)),
            "letters": list(self.letters),
        }


def score_hold(drill: Drill, trace: Trace, best: tuple[float, int, int]) -> Result:
    """Score a position that had to be held; ``best`` is (seconds, first, end) of the best hold."""
    held_s, first, end = best
    reached = held_s >= drill.hold_s
    weakest = _weakest(drill, trace.values)
    if end <= first:  # never reached: judge the half second round the best moment
        middle = float(trace.t_s[int(weakest.argmax())])
        inside = np.flatnonzero(np.abs(trace.t_s - middle) <= 0.25)
        first, end = int(inside[0]), int(inside[-1]) + 1
    window = trace.values[first:end]
    parts = {
        "target": 100
        * min(1.0, float(_mean_level(drill, window).mean()) / drill.floor)
        * (1.0 if reached else min(0.95, 0.5 + 0.5 * held_s / drill.hold_s)),
        **_shared_parts(drill, window, trace.baseline),
        "steadiness": _falling(float(_mean_level(drill, window).std()), 0.02, 0.15),
    }
    if reached:
        waited_s = float(trace.t_s[first])
        parts["timing"] = 100 - 50 * float(np.clip((waited_s - 3) / drill.time_limit_s, 0, 1))
    else:
        parts["timing"] = 0.0
    return _finish(drill, trace, parts, window, float(weakest.max()), reached=reached)


def score_curve(drill: Drill, trace: Trace) -> Result:
    """Score how a target curve was followed; the lag is the shift at which it fits best."""
    points = np.array(drill.curve)
    measured = _mean_level(drill, trace.values).astype(np.float64)
    errors = [
        float(np.sqrt(np.mean((measured - np.interp(trace.t_s - lag, *points.T)) ** 2)))
        for lag in _LAGS_S
    ]
    best = int(np.argmin(np.array(errors) + 1e-3 * np.abs(_LAGS_S)))  # of equals the smallest lag
    lag_s, error = float(_LAGS_S[best]), errors[best]
    wanted_span = float(points[:, 1].max() - points[:, 1].min())
    reached = float(np.ptp(measured)) >= 0.5 * wanted_span
    parts = {
        "target": _falling(error, 0.04, 0.35),
        **_shared_parts(drill, trace.values[measured >= 0.5 * measured.max()], trace.baseline),
        "steadiness": _falling(_jitter(trace.t_s, measured), 0.01, 0.08),
        "timing": _falling(abs(lag_s), 0.15, 0.9),
    }
    peak = float(_weakest(drill, trace.values).max())
    return _finish(drill, trace, parts, trace.values, peak, reached=reached, lag_s=lag_s)


def score_alternation(drill: Drill, trace: Trace, onsets_s: list[float]) -> Result:
    """Score quick alternation: how many of the asked onsets came, and how evenly."""
    wanted = drill.cycles * len(drill.groups)
    gaps = np.diff(np.array(onsets_s))
    spread = float(gaps.std() / gaps.mean()) if len(gaps) > 1 else 1.0
    strong = _mean_level(drill, trace.values) >= 0.5 * drill.floor
    window = trace.values[strong] if strong.any() else trace.values
    parts = {
        "target": 100 * min(1.0, len(onsets_s) / wanted),
        **_shared_parts(drill, window, trace.baseline),
        "timing": _falling(spread, 0.1, 0.8),
    }
    peak = min(float(trace.values[:, list(group)].max()) for group in drill.groups)
    return _finish(drill, trace, parts, window, peak, reached=len(onsets_s) >= wanted)


def score_letters(drill: Drill, trace: Trace, ladder: Ladder) -> Result:
    """Score letters held in turn; the stronger side is the letter, as in FACS."""
    rungs = ladder.rungs
    held = [rung for rung in rungs if rung.is_held]
    frames = [i for rung in held or rungs for i in range(rung.first, rung.end)]
    window = trace.values[frames] if frames else trace.values
    spreads = [float(strongest_sides(drill, trace.values[r.first : r.end]).std()) for r in held]
    waits = [rung.waited_s for rung in held]
    parts = {
        "target": 100 * len(held) / len(LETTERS),
        **_shared_parts(drill, window, trace.baseline),
        "steadiness": _falling(float(np.mean(spreads)), 0.02, 0.15) if held else 0.0,
        "timing": _falling(float(np.mean(waits)), 1.5, ladder.each_s) if held else 0.0,
    }
    reached = len(held) == len(LETTERS)
    result = _finish(drill, trace, parts, window, ladder.maximum, reached=reached)
    letters = tuple(rung.document() for rung in rungs)
    missed = next((one for one in letters if not one["held"]), None)
    if missed is None:
        return replace(result, letters=letters)
    key = "letter_less" if missed["got"] > missed["asked"] else "letter_more"
    key = "letter_steady" if missed["got"] == missed["asked"] else key
    values = {"asked": missed["asked"], "got": missed["got"] or "–"}
    return replace(result, letters=letters, advice=Advice(key, values))


def strongest_sides(drill: Drill, values: F32) -> F32:
    """(T,) level of the weakest action, each by its stronger side."""
    levels = np.stack([values[:, list(group)].max(axis=1) for group in drill.groups])
    level: F32 = levels.min(axis=0)
    return level


def _weakest(drill: Drill, values: F32) -> F32:
    """(T,) lowest target channel of each frame."""
    lowest: F32 = values[:, drill.indices].min(axis=1)
    return lowest


def _mean_level(drill: Drill, values: F32) -> F32:
    """(T,) level of the weakest action (strongest where actions take turns), mean of its sides."""
    levels = np.stack([values[:, list(group)].mean(axis=1) for group in drill.groups])
    level: F32 = levels.max(axis=0) if drill.kind == "alternate" else levels.min(axis=0)
    return level


def _falling(value: float, good: float, bad: float) -> float:
    """100 up to ``good``, 0 from ``bad``, straight between."""
    return 100 * float(np.clip((bad - value) / (bad - good), 0, 1))


def _shared_parts(drill: Drill, window: F32, baseline: F32) -> dict[str, float]:
    intruders = _intruders(drill, window, baseline)
    worst = intruders[0][1] if intruders else 0.0
    parts = {"isolation": _falling(worst, 0.10, 0.60)}
    pairs = [group for group in drill.groups if len(group) == 2]
    if pairs:
        parts["symmetry"] = 100 * min(_balance(window, group) for group in pairs)
    return parts


def _balance(window: F32, pair: tuple[int, ...]) -> float:
    """1 where both sides are equally strong, 0 where one does not act."""
    left, right = (max(float(np.median(window[:, index])), 0.0) for index in pair)
    stronger = max(left, right)
    return 1.0 if stronger < 0.05 else min(left, right) / stronger


def _intruders(drill: Drill, window: F32, baseline: F32) -> list[tuple[str, float]]:
    """Channels beside the targets by their excess over rest (median: a blink does not count)."""
    excess = np.median(window, axis=0) - baseline
    found = [(AU_CHANNELS[i], float(excess[i])) for i in drill.watched]
    return sorted(found, key=lambda pair: -pair[1])


def _jitter(t_s: F64, level: F64) -> float:
    """Standard deviation of what a 0.3 s moving mean leaves over."""
    n = max(3, round(_SMOOTH_S / max(float(np.median(np.diff(t_s))), 1e-3))) if len(t_s) > 1 else 3
    if len(level) <= n:
        return 0.0
    smooth = np.convolve(level, np.ones(n) / n, mode="valid")
    return float((level[n // 2 : n // 2 + len(smooth)] - smooth).std())


def _finish(
    drill: Drill,
    trace: Trace,
    parts: dict[str, float],
    window: F32,
    peak: float,
    *,
    reached: bool,
    lag_s: float | None = None,
) -> Result:
    weights = {name: w for name, w in _WEIGHTS[drill.kind].items() if name in parts}
    total = sum(weights[name] * parts[name] for name in weights) / sum(weights.values())
    gate = _GATES.get(drill.kind)
    passed = reached and total >= drill.pass_score and (gate is None or parts[gate[0]] >= gate[1])
    intruders = [
        pair for pair in _intruders(drill, window, trace.baseline) if pair[1] >= INTRUDER_FROM
    ]
    advice = _advice(drill, parts, weights, window, intruders, peak, reached, lag_s)
    return Result(
        drill.name, drill.kind, drill.actions, drill.side, passed, reached, total, parts,
        tuple(intruders), peak, lag_s, advice, (float(drill.pass_score), *(gate or ("", 0.0))),
    )  # fmt: skip


def _advice(
    drill: Drill,
    parts: dict[str, float],
    weights: dict[str, float],
    window: F32,
    intruders: list[tuple[str, float]],
    peak: float,
    reached: bool,
    lag_s: float | None,
) -> Advice:
    """The part that costs the most, said in one sentence."""
    if not reached:
        return _advice_not_reached(drill, window, peak)
    cost = {name: weights[name] * (100 - parts[name]) for name in weights}
    worst = max(cost, key=lambda name: cost[name])
    if parts[worst] >= 85:
        return Advice("good", {"level": drill.level})
    if worst == "isolation" and intruders:
        name, excess = intruders[0]
        key = "other_side" if CHANNEL_INDEX[name] in drill.opposite else "intruder"
        return Advice(key, {"channel": name, "letter": letter_from_intensity(excess)})
    if worst == "symmetry":
        pair = min((g for g in drill.groups if len(g) == 2), key=lambda g: _balance(window, g))
        left, right = (float(np.median(window[:, index])) for index in pair)
        weaker = AU_CHANNELS[pair[0] if left < right else pair[1]]
        return Advice("uneven", {"channel": weaker})
    if worst == "timing" and lag_s is not None:
        return Advice("late" if lag_s > 0 else "early", {"seconds": f"{abs(lag_s):.2f}"})
    return Advice(
        {"target": "loose", "timing": "slow", "steadiness": "unsteady"}.get(worst, "good"), {}
    )


def _advice_not_reached(drill: Drill, window: F32, peak: float) -> Advice:
    lowest = min(drill.indices, key=lambda index: float(window[:, index].max()))
    values = {
        "channel": AU_CHANNELS[lowest],
        "letter": letter_from_intensity(float(window[:, lowest].max())) or "–",
        "level": drill.level,
        "peak": f"{peak:.2f}",
        "floor": f"{drill.floor:.2f}",
    }
    if drill.kind == "alternate":
        return Advice("too_few", values)
    if peak >= drill.floor:
        return Advice("not_held", values)
    return Advice("not_reached" if float(window[:, lowest].max()) >= 0.05 else "nothing", values)
