"""Fit a map to examples: control values that an animator set for frames of a performance.

Each control is fitted by itself: signals are chosen by a non-negative lasso (Tibshirani 1996, by
coordinate descent as Friedman, Hastie and Tibshirani 2010), their weights then solved without the
penalty (the relaxed lasso of Meinshausen 2007); leaving one example out chooses how many. Angles
may pull both ways, so each has a rising and a falling column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import tomlkit
from tomlkit.items import Table

from livefacs.arrays import F64, I64
from livefacs.errors import ConfigError
from livefacs.files.table import read_table
from livefacs.files.toml import near
from livefacs.retarget.inputs import (
    INTENSITY_SIGNALS,
    MEAN_SIGNALS,
    SIGNAL_INDEX,
    SIGNALS,
    Performance,
)
from livefacs.retarget.rules import ControlRule, RigMap
from livefacs.retarget.sparse_fit import SMALLEST_WEIGHT, solve_weights
from livefacs.vocab.facs import DIRECTIONAL, EYE_CHANNELS, HEAD_CHANNELS

_ANGLE_UNIT_DEG: Final = 30.0
"""Angles are fitted in units of this, so that their weights are of the size of the others'."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What an animator set.

    Attributes
    ----------
    rows : (n,) int64
        Row of the performance for each example; -1 nowhere.
    labels : tuple of str
        How the file names each moment.
    values : mapping of control to (n,) float64
        NaN where the control was not set.
    """

    rows: I64
    labels: tuple[str, ...]
    values: Mapping[str, F64]


@dataclass(frozen=True, slots=True)
class Fit:
    """One control after fitting.

    Attributes
    ----------
    weights : mapping of signal to weight
    offset : float
        Value at neutral.
    n_examples : int
    residual_rms, left_out_rms : float
        Against the examples, with all of them and with each left out in its turn.
    worst : str
        Label of the example with the largest residual, and that residual.
    """

    control: str
    weights: Mapping[str, float]
    offset: float
    limits: tuple[float, float]
    n_examples: int
    residual_rms: float
    left_out_rms: float
    worst: str
    worst_residual: float


def examples_from_csv(path: Path, performance: Performance, known: Sequence[str]) -> Examples:
    """Read pairs: a ``frame`` or ``seconds`` column, then one column a control.

    Empty cells were not set. ``known`` are control names of the rig; none accepts any.

    Raises
    ------
    ConfigError
        Holds every error of the file with its line.
    """
    header, table = read_table(path)
    key = next((name for name in ("frame", "seconds") if name in header), None)
    if key is None:
        raise ConfigError(
            f"{path}: expected a column 'frame' or 'seconds', got {', '.join(header)}"
        )
    controls = [name for name in header if name and name not in ("frame", "seconds")]
    errors = [
        f"{path}:1: no control {name!r} in the rig{near(name, known)}"
        for name in controls
        if known and name not in known
    ]
    rows, values = [], np.full((len(table), len(controls)), np.nan)
    for index, line in enumerate(table):
        place = f"{path}:{index + 2}"
        rows.append(_row_of(line[key], key, performance, place, errors))
        for column, name in enumerate(controls):
            values[index, column] = _cell(line[name], f"{place}: {name}", errors)
    if not table or not controls:
        errors.append(f"{path}: expected at least one row and one control column")
    if errors:
        raise ConfigError(f"the pairs in {path} have {len(errors)} error(s):", errors)
    columns = {name: values[:, i] for i, name in enumerate(controls)}
    labels = tuple(f"{key} {line[key]}" for line in table)
    return Examples(np.array(rows, np.int64), labels, columns)


def _cell(text: str, place: str, errors: list[str]) -> float:
    try:
        value = float(text) if text else np.nan
    except ValueError:
        value = np.inf
    if np.isinf(value):
        errors.append(f"{place}: expected a number or nothing, got {text!r}")
    return value


def _row_of(text: str, key: str, performance: Performance, place: str, errors: list[str]) -> int:
    """Row of a frame number, or the row nearest to a time; -1 and an error where there is none."""
    value = _cell(text, f"{place}: {key}", errors)
    if np.isnan(value):
        errors.append(f"{place}: {key}: is missing")
    if not np.isfinite(value):
        return -1
    moments = performance.i_frame if key == "frame" else performance.t_s
    row = int(np.argmin(np.abs(moments - value)))
    slack = 0.5 if key == "frame" else 0.1
    if abs(float(moments[row]) - value) > slack:
        first, last = moments.min(), moments.max()
        errors.append(f"{place}: {key} {text} is not in the performance ({first:g} to {last:g})")
        return -1
    return row


def fit_controls(
    performance: Performance, examples: Examples, base: RigMap | None = None
) -> tuple[Fit, ...]:
    """Fit the controls of the examples; one that never leaves its rest stays as in the base.

    Parameters
    ----------
    performance : Performance
    examples : Examples
    base : RigMap, optional
        Gives sides, limits, rest values, and the signals that are tried first.

    Raises
    ------
    ConfigError
        A control has no example.
    """
    rules = {rule.name: rule for rule in base.rules} if base else {}
    signals = performance.completed()
    fits = []
    for control, values in examples.values.items():
        used = np.flatnonzero(np.isfinite(values))
        if not used.size:
            raise ConfigError(f"no value for {control!r} in the pairs; fill some or take it out")
        rule = rules.get(control) or _rule_from_name(control, values[used])
        if control in rules and np.allclose(values[used], rule.offset):
            continue
        fits.append(_fit_control(signals, examples, rule, used))
    return tuple(fits)


def _rule_from_name(control: str, values: F64) -> ControlRule:
    """Side and limits of a control that no base map knows."""
    ends = {"Left": "L", "Right": "R", "_L": "L", "_R": "R", "_l": "L", "_r": "R"}
    side = next((side for end, side in ends.items() if control.endswith(end)), "")
    low, high = min(0.0, float(values.min())), max(1.0, float(values.max()))
    return ControlRule(control, side=side, limits=(low, high))


def _known_directions(rule: ControlRule) -> dict[str, float]:
    """Signals that drive a control in the base map, and whether they raise or lower it."""
    weights = dict(rule.terms)
    for part in rule.combine:
        for name, factor in zip(part.signals, part.factors, strict=True):
            weights.setdefault(name, part.weight * factor)
    return {name: float(np.sign(rule.gain * weight)) for name, weight in weights.items() if weight}


def _candidates(rule: ControlRule, known: Mapping[str, float]) -> list[tuple[str, float]]:
    """Signals that may drive a control, with the scale and direction of their column."""
    columns = []
    for name in SIGNALS:
        fits = _fits_side(name, rule.side) and name not in (*HEAD_CHANNELS, *EYE_CHANNELS)
        if not (fits or name in known):
            continue
        if name in INTENSITY_SIGNALS:
            columns.append((name, known.get(name, 1.0)))
        elif name.endswith("_deg"):
            columns += [(name, 1.0 / _ANGLE_UNIT_DEG), (name, -1.0 / _ANGLE_UNIT_DEG)]
    return columns


def _fits_side(signal: str, side: str) -> bool:
    """A sided control reads its own side and the midline; a midline one both sides as one."""
    if signal in DIRECTIONAL:
        return True
    own = f"_{side}" if side else None
    has_side = signal.endswith(("_L", "_R")) or "_L_" in signal or "_R_" in signal
    if own is None:
        return not has_side
    if has_side:
        return signal.endswith(own) or f"{own}_" in signal
    return signal not in MEAN_SIGNALS


def _fit_control(
    signals: F64,
    examples: Examples,
    rule: ControlRule,
    used: npt.NDArray[np.intp],
) -> Fit:
    directions = _known_directions(rule)
    candidates = _candidates(rule, directions)
    index = [SIGNAL_INDEX[name] for name, _ in candidates]
    scale = np.array([factor for _, factor in candidates])
    columns = signals[examples.rows[used]][:, index] * scale
    target = examples.values[rule.name][used]
    span = rule.limits[1] - rule.limits[0]
    wanted = (target - rule.offset) / span
    known = np.array([name in directions for name, _ in candidates])
    solved, left_out = solve_weights(columns, wanted, known)
    residual = target - np.clip(rule.offset + span * (columns @ solved), *rule.limits)
    worst = int(np.argmax(np.abs(residual)))
    weights: dict[str, float] = {}
    for (name, factor), weight in zip(candidates, solved, strict=True):
        weights[name] = weights.get(name, 0.0) + float(weight * factor * span)
    smallest = {name: SMALLEST_WEIGHT * span * abs(factor) for name, factor in candidates}
    weights = {name: weight for name, weight in weights.items() if abs(weight) >= smallest[name]}
    return Fit(
        control=rule.name,
        weights=weights,
        offset=rule.offset,
        limits=rule.limits,
        n_examples=len(used),
        residual_rms=float(np.sqrt(np.mean(residual**2))),
        left_out_rms=left_out * span,
        worst=examples.labels[used[worst]],
        worst_residual=float(residual[worst]),
    )


def toml_from_fits(fits: Sequence[Fit], name: str, base: RigMap | None, n_examples: int) -> str:
    """The fitted map as TOML: it extends the base where there is one.

    Parameters
    ----------
    fits : sequence of Fit
    name : str
        Title of the new map.
    base : RigMap or None
    n_examples : int
        Rows of the pairs, for the header.
    """
    said = f"Weights of {len(fits)} controls fitted to {n_examples} examples; linear."
    header = tomlkit.table()
    header["title"] = name
    header["audience"] = base.audience if base else "the rig whose controls were set"
    header["names_from"] = base.names_from if base else "the examples"
    header["approximations"] = [*(base.approximations if base else ()), said]
    if base is not None:
        header["extends"] = base.rig
        header["scheme"] = base.scheme
        header["vocabulary"] = base.vocabulary
    controls = tomlkit.table(is_super_table=True)
    for fit in fits:
        controls[fit.control] = _control_table(fit)
    document = tomlkit.document()
    document["rig"], document["controls"] = header, controls
    return tomlkit.dumps(document)


def _control_table(fit: Fit) -> Table:
    table = tomlkit.table()
    if fit.weights:
        terms = tomlkit.inline_table()
        terms.update({signal: _rounded(weight) for signal, weight in fit.weights.items()})
        table["terms"] = terms
    else:
        table["undriven"] = "no signal explains the examples"
    table["combine"] = []
    table["suppress"] = tomlkit.inline_table()
    table["gain"] = 1.0
    table["offset"] = _rounded(fit.offset)
    table["limits"] = [_rounded(limit) for limit in fit.limits]
    table["curve"] = "linear"
    table["dead_zone"] = 0.0
    table["asymmetry"] = 1.0
    table["note"] = f"Fitted: rms {fit.residual_rms:.3f} on {fit.n_examples} examples."
    return table


def _rounded(value: float) -> float:
    return round(float(value), 4) + 0.0
