"""Unreal curve table (CSV): a row a curve, a column a key, for Unreal's Import as CurveTable.

The first row holds the keys' times in seconds, every further row a curve's name and its values
(Unreal's documentation of data driven gameplay elements). Interpolation is chosen at the import.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.take.reader import Take

_CORNER: Final = "---"


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file."""
    curves = curves_from_take(take, options)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([_CORNER, *(f"{time:.6f}" for time in curves.time_s.tolist())])
        for name, column in zip(curves.names, curves.filled().T.tolist(), strict=True):
            table.writerow([name, *(f"{value:.6g}" for value in column)])
