"""What a map covers: controls that nothing drives, actions that drive nothing, limits hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from livefacs.arrays import F64
from livefacs.clock import NS_PER_S
from livefacs.kernels import retarget
from livefacs.retarget.compiler import RigProgram, program_from_map
from livefacs.retarget.inputs import (
    INTENSITY_SIGNALS,
    N_SIGNALS,
    SIGNAL_INDEX,
    Performance,
    sides_of,
)
from livefacs.retarget.retargeter import Retargeter
from livefacs.retarget.rules import ControlRule, RigMap
from livefacs.vocab.controls import control_names
from livefacs.vocab.facs import ACTIONS, channels_of

_ANGLE_SWEEP: Final = (-30.0, -15.0, 15.0, 30.0)
_INTENSITY_SWEEP: Final = (0.25, 0.5, 0.75, 1.0)
_ACTIONS_OF_ANGLE: Final[dict[str, tuple[str, ...]]] = {
    "head_yaw": ("AU51", "AU52"),
    "head_pitch": ("AU53", "AU54"),
    "head_roll": ("AU55", "AU56"),
    "gaze_yaw": ("AU61", "AU62"),
    "gaze_out": ("AU61", "AU62"),
    "gaze_pitch": ("AU63", "AU64"),
}
"""An angle says what its two codes say, so that reading it uses them."""


@dataclass(frozen=True, slots=True)
class LimitHit:
    """A control that wants beyond its limits."""

    control: str
    limit: float
    wanted: float
    share: float  # of the frames


@dataclass(frozen=True, slots=True)
class Coverage:
    """Findings about a map.

    Attributes
    ----------
    undriven : tuple of (control, reason)
        Said so by the map.
    dead : tuple of str
        Driven by the map's word, but no signal moves them.
    absent : tuple of str
        Known controls of the vocabulary that the map leaves out.
    unused_actions : tuple of str
        Measured actions that no control reads.
    limits : tuple of LimitHit
    taught : tuple of str
        Signals that are 0 unless the performer's profile teaches them.
    """

    undriven: tuple[tuple[str, str], ...]
    dead: tuple[str, ...]
    absent: tuple[str, ...]
    unused_actions: tuple[str, ...]
    limits: tuple[LimitHit, ...]
    taught: tuple[str, ...] = ()


def coverage_from_map(rig_map: RigMap, performance: Performance | None = None) -> Coverage:
    """Check a map against a synthetic sweep of its signals, or limits along a performance.

    Parameters
    ----------
    rig_map : RigMap
    performance : Performance, optional
        Where limits are looked for; the sweep otherwise.
    """
    program = program_from_map(rig_map)
    sweep = sweep_of(rig_map)
    moved = np.ptp(Retargeter(_bare(program)).run(sweep), axis=0) > 1e-6
    driven = [not rule.undriven for rule in rig_map.rules]
    used = {channel for rule in rig_map.rules for channel in _channels_read(rule)}
    known = control_names(rig_map.vocabulary) if rig_map.vocabulary else ()
    return Coverage(
        undriven=tuple((rule.name, rule.undriven) for rule in rig_map.rules if rule.undriven),
        dead=tuple(
            name
            for name, is_driven, is_moved in zip(rig_map.controls, driven, moved, strict=True)
            if is_driven and not is_moved
        ),
        absent=tuple(name for name in known if name not in rig_map.controls),
        unused_actions=tuple(
            action for action in ACTIONS if not used.intersection(channels_of(action))
        ),
        limits=_limit_hits(program, sweep if performance is None else performance),
        taught=program.taught,
    )


def _channels_read(rule: ControlRule) -> Iterator[str]:
    for name in rule.signals():
        yield from sides_of(name)
        for angle, actions in _ACTIONS_OF_ANGLE.items():
            if name.startswith(angle):
                yield from actions


def sweep_of(rig_map: RigMap) -> Performance:
    """Every signal of a map by itself, and the signals of each control together."""
    taught = program_from_map(rig_map).taught
    rows = [_row((), 0.0, taught)]
    for rule in rig_map.rules:
        for names in _signal_groups(rule):
            intense = all(name in INTENSITY_SIGNALS or name in taught for name in names)
            levels = _INTENSITY_SWEEP if intense else _ANGLE_SWEEP
            rows.extend(_row(names, level, taught) for level in levels)
    signals = np.unique(np.stack(rows), axis=0)
    count = len(signals)
    return Performance(np.arange(count), np.arange(count) * NS_PER_S, signals, taught)


def _signal_groups(rule: ControlRule) -> list[tuple[str, ...]]:
    groups: list[tuple[str, ...]] = [(name,) for name in rule.signals()]
    groups += [part.signals for part in rule.combine]
    if len(rule.terms) > 1:
        groups.append(tuple(rule.terms))
    return groups


def _row(names: tuple[str, ...], level: float, taught: tuple[str, ...]) -> F64:
    row = np.zeros(N_SIGNALS + len(taught))
    for name in names:
        if name in taught:
            row[N_SIGNALS + taught.index(name)] = level
            continue
        for side in sides_of(name):
            row[SIGNAL_INDEX[side]] = level
    return row


def _bare(program: RigProgram) -> RigProgram:
    """The same without smoothing, so that neighbouring rows stay apart."""
    numbers = program.numbers.copy()
    numbers[:, retarget.SMOOTHING] = retarget.NO_SMOOTHING
    return replace(program, numbers=numbers)


def _limit_hits(program: RigProgram, performance: Performance) -> tuple[LimitHit, ...]:
    """Upper limits always; lower ones where the control rests above its lowest value."""
    numbers = _bare(program).numbers
    numbers[:, retarget.LOW], numbers[:, retarget.HIGH] = -np.inf, np.inf
    free = replace(program, numbers=numbers)
    wanted = Retargeter(free).run(performance)
    resting = Performance(np.zeros(1, int), np.zeros(1, int), np.zeros((1, N_SIGNALS)))
    rest = Retargeter(free).run(resting)[0]
    hits = []
    for index, name in enumerate(program.controls):
        low, high = program.limits[index]
        column = wanted[:, index]
        slack = 1e-3 * (high - low)
        if column.max() > high + slack:
            share = float(np.mean(column > high + slack))
            hits.append(LimitHit(name, float(high), float(column.max()), share))
        if rest[index] > low + slack and column.min() < low - slack:
            share = float(np.mean(column < low - slack))
            hits.append(LimitHit(name, float(low), float(column.min()), share))
    return tuple(hits)
