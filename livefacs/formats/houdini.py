"""Houdini channel files: ``.clip`` with names and rate (also for TouchDesigner), ``.chan`` bare.

Both need even frames: curves are resampled to the asked rate, or the take's own.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.formats.curves import Curves, ExportOptions, curves_from_take
from livefacs.formats.text import number_lines
from livefacs.take.reader import Take

_UNSAFE: Final = re.compile(r"\W", re.ASCII)


def clip(take: Take, path: Path, options: ExportOptions) -> None:
    """Write a ``.clip``: rate, start, named tracks; head and gaze after the curves."""
    curves = curves_from_take(take, options, even=True)
    names, values = _tracks(curves)
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(
            "{\n"
            f"   rate = {float(curves.rate.fraction):.10g}\n"
            f"   start = {options.first()}\n"
            f"   tracklength = {len(curves)}\n"
            f"   tracks = {len(names)}\n"
        )
        for name, column in zip(names, values.T.tolist(), strict=True):
            data = " ".join([f"{value:.6g}" for value in column])
            file.write(f"   {{\n      name = {name}\n      data = {data}\n   }}\n")
        file.write("}\n")


def chan(take: Take, path: Path, options: ExportOptions) -> None:
    """Write a ``.chan``: a row a frame, columns in the order of the ``.clip``, no names."""
    curves = curves_from_take(take, options, even=True)
    _, values = _tracks(curves)
    template = " ".join(["%.6g"] * values.shape[1]) + "\n"
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(number_lines(values, template))


def _tracks(curves: Curves) -> tuple[list[str], np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """The curves, then the head in degrees and centimetres, then the gaze in degrees."""
    head = np.hstack([np.degrees(curves.head[:, :3]), curves.head[:, 3:]])
    values = np.hstack([curves.filled(), head, np.degrees(curves.gaze)])
    names = [
        *(_UNSAFE.sub("_", name) for name in curves.names),
        *("head_yaw", "head_pitch", "head_roll", "head_x", "head_y", "head_z"),
        *("gaze_left_yaw", "gaze_left_pitch", "gaze_right_yaw", "gaze_right_pitch"),
    ]
    return names, values
