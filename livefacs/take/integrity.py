"""What is wrong with a take that can be read: frames that are gone, times that do not rise."""

from __future__ import annotations

import numpy as np

from livefacs.errors import TakeError
from livefacs.take.checksums import damaged_rows, format_rows
from livefacs.take.model import VIDEO_FILE, VIDEO_STAMPS_FILE
from livefacs.take.reader import Take
from livefacs.take.sound import sound_errors
from livefacs.take.streams import n_whole_stamps
from livefacs.take.times import doubtful_times


def _damage(take: Take, streams: tuple[str, ...] | None) -> list[str]:
    try:
        found = damaged_rows(take, streams)
    except TakeError as error:
        return [str(error)]
    told = []
    for name, rows in found.items():
        what = "pictures" if name == "video" else "rows"
        told.append(
            f"{take.stream_files[name]} is damaged in {format_rows(rows, what=what)} (checksum):"
            f" take it from a copy; the other {what} are sound"
        )
    return told


def recorded_rows(take: Take) -> int | None:
    """Frames that were there when the take was closed; None where it never was."""
    summary = take.document["summary"] or {}
    counts = [summary.get(key) for key in ("rows", "rows_before_repair")]
    return max((count for count in counts if type(count) is int), default=None)


def missing_pictures(take: Take) -> tuple[str, ...]:
    """A sentence where ``video.rec`` names pictures that the video does not hold; else none."""
    if "video" not in take.stream_files:
        return ()
    n_named = n_whole_stamps(take.records("video"), take.n_rows)
    n_missing = n_named - len(take.video_stamps())
    if not n_missing:
        return ()
    return (
        f"{n_missing} of {n_named} pictures did not reach {VIDEO_FILE}: those of the last moments"
        " before it was cut off; their frames are whole",
    )


def errors_of(take: Take, streams: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """Every error in a sentence; reads every record of the streams.

    A torn tail of a take that was never closed is no error: nothing else can be expected of it.

    Parameters
    ----------
    streams : tuple of str or None
        Names of those whose checksums are looked at; None: all.
    """
    errors = []
    recorded = recorded_rows(take)
    if recorded is not None and recorded > take.n_rows:
        errors.append(
            f"{recorded - take.n_rows} of {recorded} recorded frames cannot be read: a stream is"
            " damaged, cut off or from another take; take the folder from a copy"
        )
    if recorded is not None and recorded < take.n_rows:
        errors.append(
            f"{take.n_rows} frames where {recorded} were recorded: streams from another take?"
        )
    errors += [*_damage(take, streams), *take.marker_errors]
    recorded_ns = take.frames["t_ns"]
    falls = np.flatnonzero(np.diff(recorded_ns) <= 0)
    if len(falls):
        errors.append(f"times do not rise at {len(falls)} frames, first at row {falls[0] + 1}")
    elif len(leaps := np.flatnonzero(doubtful_times(recorded_ns))):
        errors.append(f"the time of row {leaps[0]} stands far off the others'")
    if take.n_rows and not np.array_equal(take.t_ns, recorded_ns):
        errors.append("times that cannot be right are put between their neighbours'")
    if take.document["video"] is not None:
        files = (str(take.document["video"]["file"]), VIDEO_STAMPS_FILE)
        errors += [f"{file} is missing" for file in files if not (take.folder / file).is_file()]
        if take.state != "recording":  # of one that was never closed nothing else can be expected
            errors += missing_pictures(take)
    return (*errors, *sound_errors(take.document, take.folder))
