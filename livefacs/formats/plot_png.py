"""A picture of a take's curves; needs Matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from livefacs.clock import NS_PER_S
from livefacs.formats.curves import need
from livefacs.formats.plot_rows import Plot, PlotRow, limits
from livefacs.vocab.facs import LETTER_FLOORS

_COLORS: Final = {"L": "#0a6fb8", "R": "#c2410c", "": "#2f7d4f"}
_WIDTH_IN: Final = 12.0
_ROW_IN: Final = 0.75
_HEAD_IN: Final = 1.0
_DPI: Final = 120
_STAGGER: Final = -0.012  # of the width of a row; the low letters stand too close for one column


def write(plot: Plot, path: Path) -> None:
    """Write the picture as PNG."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.lines import Line2D
    except ImportError:
        raise need("matplotlib", "plot") from None
    n_rows = max(1, len(plot.rows))
    figure = Figure(figsize=(_WIDTH_IN, _HEAD_IN + _ROW_IN * n_rows), dpi=_DPI)
    FigureCanvasAgg(figure)
    height = figure.get_figheight()
    figure.suptitle(f"{plot.title}: {plot.subtitle}", fontsize=10, y=1 - 0.2 / height)
    axes = figure.subplots(n_rows, 1, sharex=True, squeeze=False)[:, 0]
    for axis, row in zip(axes, plot.rows, strict=False):
        _draw(axis, plot, row)
    for seconds, label in plot.marks:
        axes[0].annotate(label, (seconds, 1.02), xycoords=("data", "axes fraction"), fontsize=6)
    axes[-1].set_xlabel("seconds")
    axes[-1].set_xlim(0, max(float(plot.time_s[-1]), 1e-3))
    if any("L" in row.sides for row in plot.rows):
        lines = [Line2D([], [], color=_COLORS[side]) for side in "LR"]
        figure.legend(lines, ["left", "right"], loc="upper right", fontsize=7, ncols=2)
    figure.subplots_adjust(
        left=0.2, right=0.98, top=1 - 0.45 / height, bottom=0.5 / height, hspace=0.15
    )
    figure.savefig(path, format="png")


def _draw(axis: Any, plot: Plot, row: PlotRow) -> None:
    for side, column in zip(row.sides, row.values.T, strict=True):
        axis.plot(plot.time_s, column, color=_COLORS[side], linewidth=1, label=side)
    for event in row.events:
        onset_s, apex_s, offset_s = (
            (t_ns - plot.origin_ns) / NS_PER_S
            for t_ns in (event.onset_ns, event.apex_ns, event.offset_ns)
        )
        axis.axvspan(onset_s, offset_s, color=_COLORS["L"], alpha=0.08, linewidth=0)
        axis.text(apex_s, 1.0, event.notation, fontsize=6, ha="center", va="bottom")
    for seconds, _ in plot.marks:
        axis.axvline(seconds, color="black", linestyle="--", linewidth=0.8)
    if plot.has_letters:
        axis.set_yticks([floor for _, floor in LETTER_FLOORS], [name for name, _ in LETTER_FLOORS])
        axis.tick_params(axis="y", labelsize=6)
        for tick in axis.get_yticklabels()[1::2]:
            tick.set_x(_STAGGER)
        axis.grid(axis="y", linewidth=0.3)
    axis.set_ylim(*limits(plot, row))
    axis.set_ylabel(row.title, rotation=0, ha="right", va="center", fontsize=7)
