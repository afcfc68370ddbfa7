"""The slow twin of the retargeting kernel: what a rule says, in plain Python."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

from livefacs.retarget.inputs import MEAN_SIGNALS, SIGNALS, sides_of
from livefacs.retarget.rules import ControlRule, RigMap


def completed(measured: Mapping[str, float]) -> dict[str, float]:
    """Every signal: means of what is known of both sides; what is unknown is 0."""
    signals = {name: measured.get(name, 0.0) for name in SIGNALS}
    for mean in MEAN_SIGNALS:
        known = [signals[side] for side in sides_of(mean) if math.isfinite(signals[side])]
        signals[mean] = sum(known) / len(known) if known else 0.0
    return {name: value if math.isfinite(value) else 0.0 for name, value in signals.items()}


def drive(rule: ControlRule, signals: Mapping[str, float]) -> float:
    """Weighted sum and combinations, held back by suppressions."""
    total = sum(weight * signals[name] for name, weight in rule.terms.items())
    for part in rule.combine:
        weighted = [f * signals[name] for name, f in zip(part.signals, part.factors, strict=True)]
        total += part.weight * (math.prod(weighted) if part.kind == "product" else max(weighted))
    for name, weight in rule.suppress.items():
        total *= max(1.0 - weight * min(max(signals[name], 0.0), 1.0), 0.0)
    return total


def response(rule: ControlRule, x: float) -> float:
    """Dead zone and curve."""
    size = max(abs(x) - rule.dead_zone, 0.0) / (1.0 - rule.dead_zone)
    signed = math.copysign(size, x)
    if not rule.curve:
        return signed
    if rule.curve[0] == (0.0, 0.0):
        return math.copysign(1.0, x) * interpolated(rule, size)  # a curve may turn the sign
    return interpolated(rule, signed)


def interpolated(rule: ControlRule, x: float) -> float:
    """Between the points of a curve, held beyond its ends."""
    points = rule.curve
    if x <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x <= x1:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return points[-1][1]


def retargeted(rig_map: RigMap, measured: Mapping[str, float]) -> dict[str, float]:
    """Control values without smoothing."""
    signals = completed(measured)
    drives = {rule.name: drive(rule, signals) for rule in rig_map.rules}
    values = {}
    for rule in rig_map.rules:
        own = drives[rule.name]
        if rule.partner in drives:
            other = drives[rule.partner]
            own = (own + other) / 2 + rule.asymmetry * (own - other) / 2
        value = rule.offset + rule.gain * response(rule, own)
        values[rule.name] = min(max(value, rule.limits[0]), rule.limits[1])
    return values
