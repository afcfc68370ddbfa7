"""FACS event list as CSV: a row an event, in seconds and timecode."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.formats.curves import ExportOptions, nearest
from livefacs.formats.facs_events import events_from_take
from livefacs.take.reader import Take

HEADER: Final = (
    *("action", "side", "notation", "letter", "peak"),
    *("onset_s", "apex_s", "offset_s", "duration_s"),
    *("onset_timecode", "apex_timecode", "offset_timecode"),
)


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; times run from the first frame."""
    origin_ns = int(take.t_ns[0]) if take.n_rows else 0
    recorded_ns = np.array(take.t_ns)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for event in events_from_take(take):
            times_ns = [
                t_ns - origin_ns for t_ns in (event.onset_ns, event.apex_ns, event.offset_ns)
            ]
            seconds = [f"{t_ns / NS_PER_S:.3f}" for t_ns in times_ns]
            labels = [
                take.timecode(int(row))
                for row in nearest(recorded_ns, np.array(times_ns) + origin_ns)
            ]
            duration = f"{(times_ns[2] - times_ns[0]) / NS_PER_S:.3f}"
            start = (event.action, event.side, event.notation, event.letter, f"{event.peak:.3f}")
            writer.writerow([*start, *seconds, duration, *labels])
