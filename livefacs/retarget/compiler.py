"""A map compiled to the arrays that the retargeting kernel reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from livefacs.arrays import F64, I64
from livefacs.kernels import retarget
from livefacs.retarget.inputs import N_SIGNALS, SIGNAL_INDEX
from livefacs.retarget.rules import ControlRule, RigMap, Smoothing


@dataclass(frozen=True, slots=True)
class RigProgram:
    """A map, ready to run; the arrays are described in ``kernels.retarget``.

    Attributes
    ----------
    rig : str
        Name of the map.
    controls : tuple of str
        Control names, in the order of every ``RigFrame.values``.
    files : tuple of Path
        Files it was made from.
    taught : tuple of str
        Signals that a performer may have taught, read behind all others.
    """

    rig: str
    controls: tuple[str, ...]
    files: tuple[Path, ...]
    numbers: F64
    spans: I64
    entry_signal: I64
    entry_weight: F64
    combinations: I64
    combination_weight: F64
    curves: F64
    taught: tuple[str, ...] = ()

    @property
    def limits(self) -> F64:
        """Lowest and highest value of each control, (n_controls, 2) float64."""
        return self.numbers[:, retarget.LOW : retarget.HIGH + 1]


class _Tables:
    """Rows gathered control by control."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, float]] = []
        self.combinations: list[tuple[int, int, int]] = []
        self.combination_weights: list[float] = []
        self.curves: list[tuple[float, float]] = []
        self.taught: list[str] = []

    def _index(self, signal: str) -> int:
        """Place of a signal; taught ones stand behind all others, in the order of their use."""
        if signal in SIGNAL_INDEX:
            return SIGNAL_INDEX[signal]
        if signal not in self.taught:
            self.taught.append(signal)
        return N_SIGNALS + self.taught.index(signal)

    def add_entries(self, weights: Iterable[tuple[str, float]]) -> tuple[int, int]:
        first = len(self.entries)
        self.entries.extend((self._index(name), weight) for name, weight in weights)
        return first, len(self.entries)

    def add_combinations(self, rule: ControlRule) -> tuple[int, int]:
        first = len(self.combinations)
        for part in rule.combine:
            operation = retarget.PRODUCT if part.kind == "product" else retarget.MAXIMUM
            span = self.add_entries(zip(part.signals, part.factors, strict=True))
            self.combinations.append((operation, *span))
            self.combination_weights.append(part.weight)
        return first, len(self.combinations)

    def add_curve(self, rule: ControlRule) -> tuple[int, int]:
        first = len(self.curves)
        self.curves.extend(rule.curve)
        return first, len(self.curves)


def program_from_map(rig_map: RigMap) -> RigProgram:
    """Compile a map.

    Parameters
    ----------
    rig_map : RigMap
        As ``retarget.library.load_map`` gives it; its names are known to be sound.
    """
    index = {rule.name: i for i, rule in enumerate(rig_map.rules)}
    tables = _Tables()
    spans = [_spans(rule, index, tables) for rule in rig_map.rules]
    numbers = [_numbers(rule) for rule in rig_map.rules]
    entries = tables.entries
    return RigProgram(
        rig=rig_map.rig,
        controls=_one_of(rig_map.rig, rig_map.controls),
        files=rig_map.files,
        numbers=np.array(numbers, np.float64),
        spans=np.array(spans, np.int64),
        entry_signal=np.array([signal for signal, _ in entries], np.int64),
        entry_weight=np.array([weight for _, weight in entries], np.float64),
        combinations=np.array(tables.combinations, np.int64).reshape(-1, 3),
        combination_weight=np.array(tables.combination_weights, np.float64),
        curves=np.array(tables.curves, np.float64).reshape(-1, 2),
        taught=tuple(tables.taught),
    )


@lru_cache(maxsize=64)
def _one_of(rig: str, controls: tuple[str, ...]) -> tuple[str, ...]:
    """The same object for the same names of a rig: a map tuned while it runs keeps its packets.

    Encoders prepare a layout for each; those of every change before would stay in memory.
    """
    return controls


def _spans(rule: ControlRule, index: Mapping[str, int], tables: _Tables) -> list[int]:
    return [
        *tables.add_entries(rule.terms.items()),
        *tables.add_combinations(rule),
        *tables.add_entries(rule.suppress.items()),
        *tables.add_curve(rule),
        index.get(rule.partner, -1),
    ]


def _numbers(rule: ControlRule) -> list[float]:
    return [
        rule.gain,
        rule.offset,
        *rule.limits,
        rule.dead_zone,
        rule.asymmetry,
        *_smoothing_numbers(rule.smoothing),
    ]


def _smoothing_numbers(smoothing: Smoothing | None) -> tuple[float, float, float, float]:
    if smoothing is None:
        return retarget.NO_SMOOTHING, 1.0, 0.0, 1.0
    if smoothing.time_constant_ms is not None:
        return retarget.EXPONENTIAL, smoothing.time_constant_ms / 1000.0, 0.0, 1.0
    cutoff_hz = smoothing.min_cutoff_hz or 1.0
    return retarget.ONE_EURO, cutoff_hz, smoothing.beta, smoothing.speed_cutoff_hz
