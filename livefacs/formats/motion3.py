"""Live2D Cubism motion (``.motion3.json``): one linear curve for each parameter of a model.

Source: Live2D's published file format description of motion3.json (version 3). A curve's segments
are a first point, then ``0, time, value`` for each further one: straight lines. Only parameters are
written; the model's parts and its own curves are left alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.take.reader import Take

DEFAULT_RIG: Final = "live2d"
_LINEAR: Final = 0


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; ``options.rig`` is ``live2d`` where none is named."""
    curves = curves_from_take(take, replace(options, rig=options.rig or DEFAULT_RIG))
    times = [round(time, 6) for time in curves.time_s.tolist()]
    columns = curves.filled().T.tolist()
    n_lines = len(times) - 1
    document = {
        "Version": 3,
        "Meta": {
            "Duration": times[-1],
            "Fps": round(float(curves.rate.fraction), 6),
            "Loop": False,
            "AreBeziersRestricted": True,
            "CurveCount": len(curves.names),
            "TotalSegmentCount": len(curves.names) * n_lines,
            "TotalPointCount": len(curves.names) * len(times),
            "UserDataCount": 0,
            "TotalUserDataSize": 0,
        },
        "Curves": [
            {"Target": "Parameter", "Id": name, "Segments": _segments(times, column)}
            for name, column in zip(curves.names, columns, strict=True)
        ],
    }
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")


def _segments(times: list[float], values: list[float]) -> list[Any]:
    flat: list[Any] = [times[0], round(values[0], 5)]
    for time, value in zip(times[1:], values[1:], strict=True):
        flat += (_LINEAR, time, round(value, 5))
    return flat
