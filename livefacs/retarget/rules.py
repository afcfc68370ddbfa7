"""A retargeting map in plain frozen data: what the schema makes and the compiler reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Low-pass of one control: exponential (``time_constant_ms``) or One Euro."""

    time_constant_ms: float | None = None
    min_cutoff_hz: float | None = None
    beta: float = 0.0
    speed_cutoff_hz: float = 1.0


@dataclass(frozen=True, slots=True)
class Combination:
    """``weight`` times the product, or times the largest, of weighted signals."""

    kind: str  # "product" or "largest"
    signals: tuple[str, ...]
    factors: tuple[float, ...]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ControlRule:
    """How one control is driven.

    Attributes
    ----------
    name : str
        As the rig calls it.
    side : str
        ``"L"``, ``"R"`` or empty.
    partner : str
        The control of the other side, written by the same rule; empty where there is none.
    terms, suppress : mapping of signal name to weight
    curve : points (drive, response), drive rising; empty for a straight line
    undriven : str
        Why nothing drives it; empty where something does.
    """

    name: str
    side: str = ""
    partner: str = ""
    terms: Mapping[str, float] = field(default_factory=dict)
    combine: tuple[Combination, ...] = ()
    suppress: Mapping[str, float] = field(default_factory=dict)
    gain: float = 1.0
    offset: float = 0.0
    limits: tuple[float, float] = (0.0, 1.0)
    curve: Curve = ()
    curve_name: str = ""
    dead_zone: float = 0.0
    asymmetry: float = 1.0
    smoothing: Smoothing | None = None
    undriven: str = ""
    note: str = ""

    def signals(self) -> tuple[str, ...]:
        """Every signal this rule reads, once."""
        combined = (signal for part in self.combine for signal in part.signals)
        return tuple(dict.fromkeys((*self.terms, *combined, *self.suppress)))


@dataclass(frozen=True, slots=True)
class RigMap:
    """A whole map, inheritance resolved.

    Attributes
    ----------
    rig : str
        Its name: the file's name without ``.toml``.
    title, audience, names_from : str
        What it is, for whom, and where the control names come from.
    approximations : tuple of str
        What the map only approximates, in plain sentences.
    scheme : str
        Coding scheme that the controls speak; ``facs`` unless the map says otherwise.
    vocabulary : str
        Known control set that the names were checked against; empty for a free set.
    files : tuple of Path
        The map's file, then every file it extends.
    """

    rig: str
    title: str
    audience: str
    names_from: str
    approximations: tuple[str, ...]
    scheme: str
    vocabulary: str
    files: tuple[Path, ...]
    rules: tuple[ControlRule, ...]

    @property
    def controls(self) -> tuple[str, ...]:
        """Control names in the map's order."""
        return tuple(rule.name for rule in self.rules)
