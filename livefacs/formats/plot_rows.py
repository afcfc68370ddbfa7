"""What a plot of a take shows: a row an action, its sides, letters, events and markers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from livefacs.arrays import F64
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError
from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.formats.facs_events import FacsEvent, events_from_take
from livefacs.take.reader import Take
from livefacs.vocab.facs import action_of, code_table

N_COLUMNS: Final = 1200
TOP: Final = 1.25
"""Upper end of a row's scale; an intensity may exceed the calibrated maximum."""
_HEADROOM: Final = 1.05
SHOWN_FROM: Final = 0.05
"""Actions that never reach this (the trace level A) are left out of a plot of "all"."""


@dataclass(frozen=True, slots=True)
class PlotRow:
    """One action of a plot.

    Attributes
    ----------
    name : str
        ``AU12``; a control's name for a rig.
    title : str
        With its words: ``AU12 lip corner puller``.
    sides : tuple of str
        ``("L", "R")``, or ``("",)`` where there are none.
    values : (S, n_sides) float64
    events : tuple of FacsEvent
    """

    name: str
    title: str
    sides: tuple[str, ...]
    values: F64
    events: tuple[FacsEvent, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A take, ready to be drawn.

    Attributes
    ----------
    origin_ns : int
        Session time of the first frame.
    time_s : (S,) float64, seconds from the first frame
    labels : tuple of str, timecode of each sample
    marks : tuple of (seconds, label)
    has_letters : bool
        The values are intensities on the A–E scale (not a rig's).
    """

    title: str
    subtitle: str
    origin_ns: int
    time_s: F64
    labels: tuple[str, ...]
    rows: tuple[PlotRow, ...]
    marks: tuple[tuple[float, str], ...]
    has_letters: bool


def plot_from_take(take: Take, actions: Sequence[str], options: ExportOptions) -> Plot:
    """Gather the rows of a plot.

    Parameters
    ----------
    actions : sequence of str
        ``AU12``, ``12`` or a control's name; empty: all that move.

    Raises
    ------
    ConfigError
        An action is not in the take.
    """
    curves = curves_from_take(take, options)
    values = np.asarray(curves.values, np.float64)
    if not options.rig:
        values[take.frames["n_faces"] == 0] = np.nan  # held values are no measurement
    keep, values = _thinned(values)
    origin_ns = int(curves.times_ns[0])
    return Plot(
        title=take.name,
        subtitle=f"{take.n_rows} frames, {take.duration_s:.2f} s, from {curves.label(0)}"
        f" at {curves.rate.name}" + (f", rig {options.rig}" if options.rig else ""),
        origin_ns=origin_ns,
        time_s=curves.time_s[keep],
        labels=tuple(curves.label(int(index)) for index in keep),
        rows=_rows(take, curves.names, values, actions, is_rig=bool(options.rig)),
        marks=tuple(
            ((marker.t_ns - origin_ns) / NS_PER_S, marker.label or marker.kind)
            for marker in take.markers
        ),
        has_letters=not options.rig,
    )


def limits(plot: Plot, row: PlotRow) -> tuple[float, float]:
    """The scale of a row: 0 to 1.25 or what it reaches; below 0 only for a rig's controls."""
    known = row.values[np.isfinite(row.values)]
    highest = float(known.max(initial=0.0))
    if plot.has_letters:
        return 0.0, max(TOP, _HEADROOM * highest)
    return min(0.0, float(known.min(initial=0.0))), max(1.0, _HEADROOM * highest)


def _rows(
    take: Take, names: Sequence[str], values: F64, actions: Sequence[str], *, is_rig: bool
) -> tuple[PlotRow, ...]:
    events = () if is_rig else events_from_take(take)
    groups: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        groups.setdefault(name if is_rig else action_of(name), []).append(column)
    return tuple(
        PlotRow(
            name,
            _title(name),
            tuple(_side(names[column]) for column in groups[name]),
            values[:, groups[name]],
            tuple(event for event in events if event.action == name),
        )
        for name in _wanted(actions, groups, values)
    )


def _thinned(values: F64) -> tuple[np.ndarray[Any, np.dtype[np.intp]], F64]:
    """Rows of a plot and the values there, a sample a pixel in long takes.

    Every two samples stand for a short span; each curve shows its own lowest and highest value of
    the span there, in the order in which they came, so that no curve loses a peak to another.
    """
    n_rows = len(values)
    if n_rows <= N_COLUMNS:
        return np.arange(n_rows), values
    edges = np.linspace(0, n_rows, N_COLUMNS // 2 + 1).astype(np.intp)
    shown = np.empty((2 * (len(edges) - 1), values.shape[1]))
    for index, (begin, end) in enumerate(itertools.pairwise(edges)):
        span = values[begin:end]
        known = np.isfinite(span)
        extremes = np.stack(
            [np.where(known, span, np.inf).argmin(0), np.where(known, span, -np.inf).argmax(0)]
        )
        shown[2 * index : 2 * index + 2] = np.take_along_axis(span, np.sort(extremes, axis=0), 0)
    keep = np.stack([edges[:-1], (edges[:-1] + edges[1:]) // 2], axis=1).reshape(-1)
    keep[-1] = n_rows - 1
    return keep, shown


def _wanted(actions: Sequence[str], groups: dict[str, list[int]], values: Any) -> list[str]:
    if not actions:
        peaks = np.nanmax(np.where(np.isnan(values), 0, values), axis=0)
        return [name for name, columns in groups.items() if peaks[columns].max() >= SHOWN_FROM]
    found = []
    for action in actions:
        name = f"AU{action}" if action.isdecimal() else action
        matches = [known for known in groups if known.lower() == name.lower()]
        if not matches:
            raise ConfigError(f"no action {action!r} in this take; there are {', '.join(groups)}")
        found += matches
    return found


def _title(name: str) -> str:
    code = code_table().get(name.removeprefix("AU").removeprefix("AD").split("_")[0])
    words = code.name if code is not None and name.startswith(("AU", "AD")) else ""
    return f"{name} {words}".strip()


def _side(channel: str) -> str:
    return channel[-1] if channel[-2:] in ("_L", "_R") else ""
