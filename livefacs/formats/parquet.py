"""Apache Parquet: typed columns, the take's description in the file's metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.formats.curves import (
    ExportOptions,
    curves_from_take,
    faces_seen,
    nearest_rows,
    need,
    recorded_confidence,
)
from livefacs.take.layout import GAZE_FIELDS, HEAD_FIELDS
from livefacs.take.reader import Take

_ROWS_A_GROUP: Final = 65_536


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; needs pyarrow. Unknown values are null; without a face they are held."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise need("pyarrow", "parquet") from None
    curves = curves_from_take(take, options)
    nearest = nearest_rows(take, curves)
    has_face = faces_seen(take, curves, nearest)
    columns = {
        "frame": np.arange(len(curves)) if curves.is_even else np.array(take.frames["i_frame"]),
        "t_ns": curves.times_ns,
        "timecode_frame": curves.timecode_frames,
        "face": has_face,
    }
    if not curves.is_even:
        columns["health"] = np.array(take.frames["health"])
    columns |= {f"head_{name}": curves.head[:, i] for i, name in enumerate(HEAD_FIELDS)}
    columns |= {f"gaze_{name}": curves.gaze[:, i] for i, name in enumerate(GAZE_FIELDS)}
    columns |= {name: curves.values[:, i] for i, name in enumerate(curves.names)}
    if options.confidence and not options.rig:
        confidence = recorded_confidence(take, curves, nearest)
        columns |= {f"{n}_confidence": confidence[:, i] for i, n in enumerate(take.channels)}
    table = pyarrow.table(
        {
            name: pyarrow.array(np.ascontiguousarray(column), from_pandas=True)
            for name, column in columns.items()
        },
        metadata={"livefacs": json.dumps(take.document, default=str)},
    )
    parquet.write_table(table, path, row_group_size=_ROWS_A_GROUP)
