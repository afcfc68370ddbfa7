"""A rule in words, for people."""

from __future__ import annotations

from livefacs.retarget.rules import Combination, ControlRule, Smoothing


def source_words(rule: ControlRule) -> str:
    """What drives a control: ``AU26 + 0.5 AU27, held back by AU25``."""
    if rule.undriven:
        return f"nothing: {rule.undriven}"
    parts = [_weighted(weight, name) for name, weight in rule.terms.items()]
    parts += [_combination_words(part) for part in rule.combine]
    words = " + ".join(parts).replace("+ -", "- ")
    if rule.suppress:
        held = ", ".join(_weighted(weight, name) for name, weight in rule.suppress.items())
        words += f", held back by {held}"
    return words


def shape_words(rule: ControlRule) -> str:
    """What happens to the drive: gain, rest value, dead zone, curve, asymmetry, smoothing."""
    parts = []
    if rule.gain != 1.0:
        parts.append(f"gain {rule.gain:g}")
    if rule.offset != 0.0:
        parts.append(f"rests at {rule.offset:g}")
    if rule.dead_zone:
        parts.append(f"dead zone {rule.dead_zone:g}")
    if rule.curve:
        parts.append(rule.curve_name.replace("_", " ") or f"curve of {len(rule.curve)} points")
    if rule.asymmetry != 1.0:
        parts.append(f"asymmetry × {rule.asymmetry:g}")
    if rule.smoothing:
        parts.append(_smoothing_words(rule.smoothing))
    return ", ".join(parts)


def _weighted(weight: float, name: str) -> str:
    return name if weight == 1.0 else f"{weight:g} {name}"


def _combination_words(part: Combination) -> str:
    inside = [_weighted(w, name) for w, name in zip(part.factors, part.signals, strict=True)]
    if part.kind == "product":
        return _weighted(part.weight, " × ".join(inside))
    return _weighted(part.weight, f"largest of ({', '.join(inside)})")


def _smoothing_words(smoothing: Smoothing) -> str:
    if smoothing.time_constant_ms is not None:
        return f"smoothed over {smoothing.time_constant_ms:g} ms"
    return f"One Euro from {smoothing.min_cutoff_hz:g} Hz, beta {smoothing.beta:g}"
