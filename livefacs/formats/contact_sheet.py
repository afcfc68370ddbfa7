"""A contact sheet of rig controls along a performance, as PNG, SVG or PDF."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from livefacs.arrays import F32, F64
from livefacs.errors import ConfigError
from livefacs.files.output import output

SUFFIXES: Final = (".png", ".svg", ".pdf")
_COLUMNS: Final = 6
_CELL_INCHES: Final = (2.4, 1.1)
_BLUE: Final = "#1f6fb4"
_GREY: Final = "#b9bec5"


def write_contact_sheet(
    path: Path, title: str, t_s: F64, controls: Sequence[str], values: F32, limits: F64
) -> None:
    """Draw one small plot a control, all on the same time axis, limits dashed.

    Parameters
    ----------
    path : Path
        Its suffix chooses the format.
    title : str
    t_s : (T,) float64, seconds
    controls : sequence of str
    values : (T, n_controls) float32
    limits : (n_controls, 2) float64

    Raises
    ------
    ConfigError
        Unknown suffix, no matplotlib, or the file cannot be written.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: expected a file name that ends in {', '.join(SUFFIXES)}")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError(
            "drawing needs matplotlib; install it with: pip install livefacs[plot]"
        ) from None
    n_columns = min(_COLUMNS, len(controls))
    n_rows = math.ceil(len(controls) / n_columns)
    size = (_CELL_INCHES[0] * n_columns, _CELL_INCHES[1] * n_rows + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=10)
    cells = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True).ravel()
    for index, cell in enumerate(cells):
        if index >= len(controls):
            cell.set_axis_off()
            continue
        low, high = limits[index]
        margin = 0.06 * (high - low)
        cell.axhline(low, color=_GREY, linewidth=0.5, linestyle="--")
        cell.axhline(high, color=_GREY, linewidth=0.5, linestyle="--")
        cell.plot(t_s, values[:, index], color=_BLUE, linewidth=0.9)
        cell.set_ylim(low - margin, high + margin)
        cell.set_title(controls[index], fontsize=6, pad=2)
        cell.tick_params(labelsize=5, length=2)
    try:
        with output(path) as unfinished:
            figure.savefig(unfinished, dpi=110)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from None
