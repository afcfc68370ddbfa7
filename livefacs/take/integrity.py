"""What is wrong with a take that can be read: frames that are gone, times that do not rise."""

from __future__ import annotations

import numpy as np

from livefacs.take.model import VIDEO_STAMPS_FILE
from livefacs.take.reader import Take


def recorded_rows(take: Take) -> int | None:
    """Frames that were there when the take was closed; None where it never was."""
    summary = take.document["summary"] or {}
    counts = [summary.get(key) for key in ("rows", "rows_before_repair")]
    return max((count for count in counts if type(count) is int), default=None)


def faults_of(take: Take) -> tuple[str, ...]:
    """Every fault in a sentence; reads the time of every frame.

    A torn tail of a take that was never closed is no fault: nothing else can be expected of it.
    """
    faults = []
    recorded = recorded_rows(take)
    if recorded is not None and recorded > take.n_rows:
        faults.append(
            f"{recorded - take.n_rows} of {recorded} recorded frames cannot be read: a stream is"
            " damaged, cut off or from another take; take the folder from a copy"
        )
    if recorded is not None and recorded < take.n_rows:
        faults.append(
            f"{take.n_rows} frames where {recorded} were recorded: streams from another take?"
        )
    falls = np.flatnonzero(np.diff(take.t_ns) <= 0)
    if len(falls):
        faults.append(f"times do not rise at {len(falls)} frames, first at row {falls[0] + 1}")
    if take.document["video"] is not None:
        files = (str(take.document["video"]["file"]), VIDEO_STAMPS_FILE)
        faults += [f"{file} is missing" for file in files if not (take.folder / file).is_file()]
    return tuple(faults)
