"""A rule in words, for people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from livefacs.retarget.rules import Combination, ControlRule, RigMap, Smoothing

_SIDE_WORDS: Final = (("Left", "Right"), ("left", "right"), ("L", "R"), ("l", "r"))


@dataclass(frozen=True, slots=True)
class RuleWords:
    """One line of a readable map; both sides on one where they say the same."""

    control: str
    source: str
    shape: str
    limits: str
    note: str
    rules: tuple[ControlRule, ...]


def map_words(rig_map: RigMap) -> list[RuleWords]:
    """Lines of a map in its order, sided pairs written once: ``mouthSmileLeft|Right``."""
    rules = {rule.name: rule for rule in rig_map.rules}
    lines, written = [], set()
    for rule in rig_map.rules:
        if rule.name in written:
            continue
        other = rules.get(rule.partner) if rule.side == "L" else None
        pair = None if other is None else _pair_words(rule, other)
        if pair is None or other is None:
            lines.append(_rule_words(rule))
        else:
            written.add(other.name)
            lines.append(pair)
    return lines


def _rule_words(rule: ControlRule) -> RuleWords:
    limits = f"{rule.limits[0]:g} … {rule.limits[1]:g}"
    return RuleWords(rule.name, source_words(rule), shape_words(rule), limits, rule.note, (rule,))


def _pair_words(left: ControlRule, right: ControlRule) -> RuleWords | None:
    """Both on one line; None where they differ in more than their side."""
    ours, theirs = _rule_words(left), _rule_words(right)
    same = (ours.shape, ours.limits, ours.note) == (theirs.shape, theirs.limits, theirs.note)
    mirrored = ours.source.replace("_L", "_R") == theirs.source
    for word, other in _SIDE_WORDS:
        head, found, tail = left.name.rpartition(word)
        if found and same and mirrored and f"{head}{other}{tail}" == right.name:
            control = f"{head}{word}|{other}{tail}"
            source = ours.source.replace("_L", "_L|R")
            return replace(ours, control=control, source=source, rules=(left, right))
    return None


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
    if abs(weight) == 1.0:
        return name if weight > 0.0 else f"-{name}"
    return f"{weight:g} {name}"


def _combination_words(part: Combination) -> str:
    inside = [_weighted(w, name) for w, name in zip(part.factors, part.signals, strict=True)]
    if part.kind == "product":
        return _weighted(part.weight, " × ".join(inside))
    return _weighted(part.weight, f"largest of ({', '.join(inside)})")


def _smoothing_words(smoothing: Smoothing) -> str:
    if smoothing.time_constant_ms is not None:
        return f"smoothed over {smoothing.time_constant_ms:g} ms"
    return f"One Euro from {smoothing.min_cutoff_hz:g} Hz, beta {smoothing.beta:g}"
