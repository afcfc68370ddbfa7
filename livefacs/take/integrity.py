"""What is wrong with a take that can be read: frames that are gone, times that do not rise."""

from __future__ import annotations

from typing import Final

import numpy as np

from livefacs.errors import TakeError
from livefacs.take.checksums import (
    CHECKSUMS_FILE,
    FILES,
    damage_of,
    damage_of_file,
    format_rows,
)
from livefacs.take.document import document_errors
from livefacs.take.layout import SOUND_BLOCKS_FILE, SOUND_FILE, VIDEO_FILE, VIDEO_STAMPS_FILE
from livefacs.take.reader import Take
from livefacs.take.sound import blocks_of_bytes, sound_errors
from livefacs.take.streams import n_whole_stamps
from livefacs.take.times import doubtful_times

_STREAMS: Final = {SOUND_BLOCKS_FILE: "sound", SOUND_FILE: "sound", VIDEO_FILE: "video"}
"""By what name a file is asked for beside the streams."""


def _damage(take: Take, streams: tuple[str, ...] | None) -> list[str]:
    """What the checksums say, in sentences."""
    files = {
        file: damage_of_file(take.folder, take.document, file, take.sums)
        for file, stream in _STREAMS.items()
        if (streams is None or stream in streams) and (take.folder / file).is_file()
    }
    found = damage_of(take, streams)
    told = []
    for name, damage in found.items():
        if damage.rows:
            what = "pictures" if name == "video" else "rows"
            told.append(
                f"{take.stream_files[name]} is damaged in {format_rows(damage.rows, what=what)}"
                f" (checksum): take it from a copy; the other {what} are sound"
            )
    told += [_damage_of_file(file, damage.rows) for file, damage in files.items() if damage.rows]
    unsummed = {take.stream_files[name]: damage.unsummed for name, damage in found.items()}
    unsummed |= {file: damage.unsummed for file, damage in files.items()}
    if places := [
        f"{format_rows(rows, what='bytes' if file in FILES else 'rows')} of {file}"
        for file, rows in unsummed.items()
        if rows
    ]:
        told.append(f"{CHECKSUMS_FILE} is damaged: it says nothing of {'; '.join(places)}")
    return told


def _damage_of_file(file: str, rows: list[range]) -> str:
    if file == SOUND_BLOCKS_FILE:
        blocks = format_rows([blocks_of_bytes(each) for each in rows], what="blocks")
        return f"{file} is damaged in {blocks} (checksum): their times are left out"
    return (
        f"{file} is damaged in {format_rows(rows, what='bytes')} (checksum): what is heard or seen"
        " there may be wrong; take it from a copy"
    )


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
        Names of those whose checksums are looked at; ``sound`` and ``video`` stand for the files
        of those, too. None: all.
    """
    errors = [*document_errors(take.document)]
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
    try:
        errors += _damage(take, streams)
    except TakeError as error:
        errors.append(str(error))
    except OSError as error:
        errors.append(f"{take.folder}: a file cannot be read: {error.strerror or error}")
    errors += take.marker_errors
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
