"""One self-contained HTML page of a take's curves: inline SVG and script, no network."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Any, Final

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.formats.plot_rows import SHOWN_FROM, Plot, PlotRow, limits
from livefacs.resources import data_path
from livefacs.vocab.facs import LETTER_FLOORS

WIDTH: Final = 1200
HEIGHT: Final = 90
_STEPS_S: Final = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
_MOST_TICKS: Final = 15
_WHAT: Final = {
    True: "Machine estimates of facial actions, 0 to 1, letters A to E.",
    False: "Controls of a rig, from machine estimates of facial actions.",
}
_NOTHING: Final = f"Nothing to show: no curve reaches {SHOWN_FROM:g}."


def write(plot: Plot, path: Path) -> None:
    """Write the page."""
    page = Template(data_path("plot.html").read_text(encoding="utf-8"))
    path.write_text(
        page.substitute(
            title=html.escape(plot.title),
            subtitle=html.escape(plot.subtitle),
            what=_WHAT[plot.has_letters] if plot.rows else _NOTHING,
            rows="\n".join(_row(plot, row) for row in plot.rows),
            axis=_axis(plot),
            data=json.dumps(_data(plot), separators=(",", ":")).replace("</", "<\\/"),
        ),
        encoding="utf-8",
    )


def _row(plot: Plot, row: PlotRow) -> str:
    low, high = limits(plot, row)
    end = max(float(plot.time_s[-1]), 1e-9)

    def x(time_s: float) -> float:
        return round(WIDTH * time_s / end, 1)

    def y(value: float) -> float:
        return round(HEIGHT * (1 - (value - low) / (high - low)), 1)

    parts = [f'<line class="zero" x1="0" x2="{WIDTH}" y1="{y(0)}" y2="{y(0)}"/>']
    if plot.has_letters:
        for index, (letter, floor) in enumerate(LETTER_FLOORS):
            parts.append(
                f'<line class="floor" x1="0" x2="{WIDTH}" y1="{y(floor)}" y2="{y(floor)}"/>'
                f'<text class="letter" x="{2 + 10 * (index % 2)}"'
                f' y="{y(floor) - 1}">{letter}</text>'
            )
    parts += _event_marks(plot, row, x)
    for seconds, label in plot.marks:
        parts.append(
            f'<line class="mark" x1="{x(seconds)}" x2="{x(seconds)}" y1="0" y2="{HEIGHT}">'
            f"<title>{html.escape(label)}</title></line>"
        )
    for side, column in zip(row.sides, row.values.T, strict=True):
        for run in _known_runs(column):
            points = " ".join(f"{x(plot.time_s[i])},{y(column[i])}" for i in run)
            parts.append(f'<polyline class="side{side}" points="{points}"/>')
    legend = "".join(f'<b class="side{side}">{side}</b> ' for side in row.sides if side)
    return (
        f"<section><h2>{html.escape(row.title)} {legend}<output></output></h2>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img"'
        f' aria-label="{html.escape(row.title)}">{"".join(parts)}</svg></section>'
    )


def _event_marks(plot: Plot, row: PlotRow, x: Callable[[float], float]) -> list[str]:
    """Each event as a span from onset to offset, its notation at the apex."""
    parts = []
    for event in row.events:
        times_ns = (event.onset_ns, event.apex_ns, event.offset_ns)
        begin, apex, stop = ((t_ns - plot.origin_ns) / NS_PER_S for t_ns in times_ns)
        words = html.escape(f"{event.notation}: peak {event.peak:.2f}")
        parts.append(
            f'<rect class="event" x="{x(begin)}" width="{max(1, x(stop) - x(begin))}" y="0"'
            f' height="{HEIGHT}"><title>{words}</title></rect>'
            f'<text class="note" x="{x(apex)}" y="10">{html.escape(event.notation)}</text>'
        )
    return parts


def _axis(plot: Plot) -> str:
    """Ticks below the last row, at round seconds."""
    end = max(float(plot.time_s[-1]), 1e-9)
    step = next((s for s in _STEPS_S if end / s <= _MOST_TICKS), end / _MOST_TICKS)
    ticks = np.arange(0.0, end + 1e-9, step)
    return "".join(
        f'<span style="left:{100 * tick / end:.3f}%">{tick:g} s</span>' for tick in ticks.tolist()
    )


def _known_runs(column: Any) -> list[list[int]]:
    """Indices of each stretch without unknown values."""
    runs: list[list[int]] = [[]]
    for index, value in enumerate(column):
        if np.isfinite(value):
            runs[-1].append(index)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _data(plot: Plot) -> dict[str, Any]:
    """What the page shows under the pointer."""
    return {
        "time": [round(float(time_s), 3) for time_s in plot.time_s],
        "label": plot.labels,
        "rows": [
            {
                "sides": row.sides,
                "values": [
                    [round(float(v), 3) if np.isfinite(v) else None for v in column]
                    for column in row.values.T
                ],
            }
            for row in plot.rows
        ],
        "letters": [[letter, floor] for letter, floor in LETTER_FLOORS] if plot.has_letters else [],
    }
