"""Nuke .chan of the head: ``frame tx ty tz rx ry rz`` in centimetres and degrees, order ZXY.

Axes as in Nuke: y up, x to the performer's left (right in the image), z towards the camera, which
stands at the origin and looks along -z.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from livefacs.errors import ConfigError
from livefacs.formats import spaces
from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.formats.text import number_lines
from livefacs.take.reader import Take


def check(options: ExportOptions) -> None:
    """Refuse what the format has no place for."""
    if options.rig:
        raise ConfigError("a Nuke .chan file holds the head alone: leave out --rig")


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file. Head pose only: the format has no place for other curves."""
    check(options)
    curves = curves_from_take(take, options, even=True)
    # Nuke's ZXY turns about z first: matrix Ry Rx Rz, our own order from the outside in.
    yaw, pitch, roll = np.degrees(curves.head[:, :3]).T
    frames = np.arange(len(curves)) + options.first()
    place = spaces.head_position_cm(curves)
    rows = np.column_stack([frames, place, pitch, yaw, roll])
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(number_lines(rows, "%d %.6f %.6f %.6f %.6f %.6f %.6f\n"))
