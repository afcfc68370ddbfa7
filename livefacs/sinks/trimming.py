"""A part of a take as a take of its own; the one that it comes from stays as it is."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from livefacs.arrays import U8
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError, TakeError
from livefacs.sinks.take_sound import SoundFiles
from livefacs.sinks.take_video import TakeVideo
from livefacs.take.checksums import damage_mask
from livefacs.take.layout import TakeInfo, TimecodeStart, make_take_folder, unwritable
from livefacs.take.reader import Take
from livefacs.take.sound import has_sound, sound_of
from livefacs.take.writer import TakeWriter

_ROWS_AT_ONCE: Final = 64

Pictures = Callable[[int], U8 | None]


def trim_take(
    take: Take,
    rows: range,
    parent: Path,
    pictures: Pictures = lambda _row: None,
    on_rows: Callable[[int], None] = lambda _n: None,
) -> Path:
    """Write some rows of a take, with readings, rigs, markers, pictures and sound, as a new take.

    Times, timecodes and numbers of frames stay what they were; rows count from 0 again.

    Parameters
    ----------
    take : Take
    rows : range
        One after the other.
    parent : Path
        Folder that gets a folder ``SLATE_NNN`` with the next free number.
    pictures : callable(row)
        RGB image of a row, None where it has none.
    on_rows : callable(n_rows)
        Told how many are written, now and then.

    Returns
    -------
    Path
        The new take's folder.

    Raises
    ------
    ConfigError
        There are no such rows.
    TakeError
        Some of them are damaged, or the new take cannot be written.
    """
    if not 0 <= rows.start < rows.stop <= take.n_rows or rows.step != 1:
        raise ConfigError(
            f"rows {rows.start} to {rows.stop - 1}: expected some of 0 to {take.n_rows - 1}"
        )
    damaged = damage_mask(take, *(each for each in take.stream_files if each != "video"))
    if damaged[rows.start : rows.stop].any():
        raise TakeError(f"{take.folder}: some of these rows are damaged, and no copy may hide it")
    folder, number = make_take_folder(parent, take.slate, take.number)
    writer = TakeWriter(folder, _info(take, rows, number), take.clock)
    try:
        _copy(take, rows, writer, pictures, on_rows)
    except BaseException as error:
        with contextlib.suppress(OSError):
            writer.close("failed")
        shutil.rmtree(folder, ignore_errors=True)  # half of a copy; the take itself is untouched
        if isinstance(error, OSError):
            raise unwritable(folder, error) from error
        raise
    return folder


def _copy(
    take: Take,
    rows: range,
    writer: TakeWriter,
    pictures: Pictures,
    on_rows: Callable[[int], None],
) -> None:
    video: TakeVideo | None = None
    try:
        for begin in range(rows.start, rows.stop, _ROWS_AT_ONCE):
            some = range(begin, min(begin + _ROWS_AT_ONCE, rows.stop))
            frames = [take.tracked(row) for row in some]
            writer.append(frames)
            images = []
            for row, frame in zip(some, frames, strict=True):
                if (image := pictures(row)) is not None:
                    images.append((row - rows.start, frame.t_ns, image))
            if images and video is None:
                height, width = images[0][2].shape[:2]
                video = TakeVideo(writer, (width, height), take.frame_rate_hz)
                writer.describe_video(*video.describe())
            if video is not None:
                writer.seal_pictures(video.append(images))
            on_rows(some.stop - rows.start)
        for marker in take.markers:
            if marker.row in rows:
                writer.mark(replace(marker, row=marker.row - rows.start))
    finally:
        if video is not None:
            video.close()
    _copy_sound(take, rows, writer)
    writer.close()


def _copy_sound(take: Take, rows: range, writer: TakeWriter) -> None:
    """From the first of the rows to the end of the last one, with the times of the samples."""
    sound = sound_of(take) if has_sound(take) else None
    if sound is None:
        return
    period_ns = round(NS_PER_S / take.frame_rate_hz) if take.frame_rate_hz else 0
    at = round(sound.clock.sample_at(int(take.t_ns[rows.start])))
    end = round(sound.clock.sample_at(int(take.t_ns[rows.stop - 1]) + period_ns))
    files = SoundFiles(writer, sound.info.n_channels)
    for block in sound.blocks(at, end):
        files.append(block, sound.clock.ns_at(at))
        at += len(block)
    writer.describe_sound({**take.document["sound"], **files.close()}, write=False)


def _info(take: Take, rows: range, number: int) -> TakeInfo:
    document = take.document
    timecode, source = document["timecode"], document["source"]
    start = TimecodeStart(take.rate, timecode["source"], timecode["start"], timecode["start_ns"])
    span = f"rows {rows.start} to {rows.stop - 1} of {take.name}"
    return TakeInfo(
        slate=take.slate,
        number=number,
        notes="; ".join(part for part in (document["notes"], span) if part),
        source=source["description"],
        rate_hz=source["rate_hz"],
        is_live=source["is_live"],
        start_ns=int(source.get("start_ns", 0)),
        landmarker=document["landmarker"],
        weights=document.get("weights") or {},
        profile=document["profile"],
        estimator=document.get("estimator") or {},
        config=document.get("config") or {},
        timecode=start,
        channels=take.channels,
    )
