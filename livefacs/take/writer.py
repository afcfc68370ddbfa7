"""Writes a take: packs frames into records and appends them. No thread, no queue."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import numpy as np

from livefacs.arrays import Records
from livefacs.clock import ClockMap
from livefacs.files.atomic import write_all
from livefacs.files.locks import Lock
from livefacs.take.checksums import CHECKSUMS_FILE, DESCRIPTION, FileSums, checksums_of, reseal
from livefacs.take.document import line_from_marker, write_document
from livefacs.take.layout import (
    FRAMES_FILE,
    LANDMARKS_FILE,
    LOCK_FILE,
    MARKERS_FILE,
    READINGS_FILE,
    Marker,
    TakeInfo,
    document_from_info,
    frames_dtype,
    landmarks_dtype,
    readings_dtype,
    rig_dtype,
    safe_name,
    stream_entry,
    unwritable,
)
from livefacs.take.reader import Take
from livefacs.take.rows import (
    frame_records,
    landmark_records,
    named_rigs,
    put_estimates,
    reading_records,
    rig_records,
)
from livefacs.take.sound import seconds_of_day
from livefacs.types import Estimate, Health, TrackedFrame

CountFrames: TypeAlias = Callable[[int], int]
"""Frame of the day at a session time."""

RESERVE_FILE: Final = ".reserve"
_ROWS_A_REWRITE: Final = 128
_RESERVE_BYTES: Final = 256 * 1024  # room for the last take.json when the disk is full


class _Stream:
    """One append-only file of records."""

    def __init__(self, path: Path, dtype: np.dtype[Any], first_row: int = 0) -> None:
        self.name = path.name
        self.dtype = dtype
        self.first_row = first_row
        self.sums: list[Records] = []
        self.n_rows = 0
        # Unbuffered: what a write call took, the system has, whatever becomes of this process.
        self._file: BinaryIO = path.open("xb", buffering=0)

    def append(self, records: np.ndarray[Any, Any]) -> int:
        """Append whole records; a part that got through before a failure is cut off again."""
        content = records.tobytes()
        try:
            write_all(self._file, content)
        except OSError:
            self.cut(self.n_rows)
            raise
        self.sums.append(checksums_of(0, records, self.first_row + self.n_rows))
        self.n_rows += len(records)
        return len(content)

    def cut(self, n_rows: int) -> None:
        """Keep the first rows only."""
        self._file.seek(n_rows * self.dtype.itemsize)
        self._file.truncate()
        self.n_rows = n_rows

    def sync(self) -> None:
        """Let the disk have it."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let the file go, once the disk has it."""
        try:
            self.sync()
        finally:
            self._file.close()


class _RigStream:
    """The stream of one rig, for as long as its controls stay the same."""

    def __init__(self, controls: tuple[str, ...], stream: _Stream) -> None:
        self.controls = controls
        self.stream = stream


class TakeWriter:
    """An open take. Not thread-safe: one thread writes.

    Parameters
    ----------
    folder : Path
        An existing folder without a take in it.
    info : TakeInfo
    clock : ClockMap, read by default
    count : CountFrames or None
        Numbers the frames in place of the session clock.

    Attributes
    ----------
    info : TakeInfo
    clock : ClockMap

    Raises
    ------
    TakeError
        The folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        info: TakeInfo,
        clock: ClockMap | None = None,
        count: CountFrames | None = None,
    ) -> None:
        self.folder = folder
        self.n_rows = 0
        self.n_bytes = 0
        self._n_pictures = 0
        self.info = info
        self.clock = clock or ClockMap.read()
        self._rate = info.timecode.rate
        self._count = count
        self._document = document_from_info(info, self.clock)
        self._readings: _Stream | None = None
        self._rigs: dict[str, _RigStream] = {}
        self._old_streams: list[_Stream] = []
        try:
            self._begin()
        except OSError as error:
            raise unwritable(folder, error) from error

    def _begin(self) -> None:
        self._lock = Lock(self.folder / LOCK_FILE)
        (self.folder / RESERVE_FILE).write_bytes(bytes(_RESERVE_BYTES))
        self._frames = _Stream(self.folder / FRAMES_FILE, frames_dtype(len(self.info.channels)))
        self._landmarks = _Stream(self.folder / LANDMARKS_FILE, landmarks_dtype())
        self._markers = (self.folder / MARKERS_FILE).open("xb", buffering=0)
        self._checksums = (self.folder / CHECKSUMS_FILE).open("xb", buffering=0)
        self._document["checksums"] = DESCRIPTION
        self._document["streams"] = [
            stream_entry("frames", FRAMES_FILE, self._frames.dtype),
            stream_entry("landmarks", LANDMARKS_FILE, self._landmarks.dtype),
        ]
        write_document(self.folder, self._document)

    @property
    def start_label(self) -> str:
        """Timecode at which the take starts."""
        return str(self._document["timecode"]["start"])

    def timecode_frame(self, t_ns: int) -> int:
        """Frame of the day at a session time."""
        if self._count is not None:
            return self._count(t_ns)
        timecode = self._document["timecode"]
        if timecode["start_ns"] is None:
            return int(timecode["start_frame"])
        elapsed = self._rate.frames_from_ns(t_ns - timecode["start_ns"])
        return int(timecode["start_frame"] + elapsed) % self._rate.frames_a_day

    def timecode_label(self, t_ns: int) -> str:
        """Timecode at a session time."""
        return self._rate.label_from_frame(self.timecode_frame(t_ns))

    def timecode_seconds(self, t_ns: int) -> float | None:
        """Seconds since 00:00:00:00 at a session time; None while the first frame is to come."""
        return seconds_of_day(self._document["timecode"], t_ns)

    def append(self, frames: Sequence[TrackedFrame]) -> None:
        """Append frames; on return the system has every byte of them.

        Raises
        ------
        OSError
            The disk did not take them; what was appended before is whole.
        """
        if not frames:
            return
        if self._document["timecode"]["start_ns"] is None:
            self._document["timecode"]["start_ns"] = frames[0].t_ns
            write_document(self.folder, self._document)
        begun = 0
        for end in self._ends_of_equal_rigs(frames):
            self._append_equal(frames[begun:end])
            begun = end

    def mark(self, marker: Marker) -> None:
        """Append a marker.

        Raises
        ------
        OSError
        """
        self.n_bytes += self._markers.write(line_from_marker(marker)) or 0

    def describe_video(self, description: dict[str, Any], stamps: dict[str, Any]) -> None:
        """Put the video and its stream of stamps into ``take.json``."""
        self._document["video"] = description
        self._document["streams"].append(stamps)
        write_document(self.folder, self._document)

    def describe_sound(self, entry: dict[str, Any], *, write: bool = True) -> None:
        """Put what is known of the sound into ``take.json``, which ``close`` writes, too."""
        self._document["sound"] = entry
        if write:
            write_document(self.folder, self._document)

    def seal_pictures(self, stamps: Records) -> None:
        """Append the checksums of stamps that were appended to ``video.rec``, once described.

        Raises
        ------
        OSError
        """
        number = [entry["name"] for entry in self._document["streams"]].index("video")
        sums = checksums_of(number, stamps, self._n_pictures)
        self._n_pictures += len(stamps)
        self.n_bytes += self._checksums.write(sums.tobytes()) or 0

    def sums_of(self, file: str, begin: int = 0, **more: int) -> FileSums:
        """What sums up a file of the take that another writes, as of ``checksums.FileSums``."""
        return FileSums(file, self._checksums.write, begin, **more)

    def sync(self) -> None:
        """Ask the system to bring everything to the disk. May run beside ``append``.

        Raises
        ------
        OSError
        """
        for stream in (self._landmarks, *self._side_streams(), self._frames):
            stream.sync()
        os.fsync(self._checksums.fileno())

    def close(self, state: str = "closed", summary: dict[str, Any] | None = None) -> None:
        """End the take: all streams cut to the rows that are whole, ``take.json`` written."""
        for stream in (self._landmarks, *self._side_streams()):
            if stream.first_row + stream.n_rows > self.n_rows:
                stream.cut(max(0, self.n_rows - stream.first_row))
        streams = (*self._old_streams, *self._side_streams())
        for open_stream in (self._frames, self._landmarks, *streams):
            open_stream.close()
        for file in (self._markers, self._checksums):
            os.fsync(file.fileno())
            file.close()
        (self.folder / RESERVE_FILE).unlink(missing_ok=True)
        self._document["state"] = state
        self._document["summary"] = {"rows": self.n_rows, **(summary or {})}
        write_document(self.folder, self._document)
        self._lock.close(remove=True)

    def _side_streams(self) -> list[_Stream]:
        """The streams that are open and need not begin with the take."""
        rigs = [rig.stream for rig in tuple(self._rigs.values())]
        return rigs if self._readings is None else [self._readings, *rigs]

    def _ends_of_equal_rigs(self, frames: Sequence[TrackedFrame]) -> list[int]:
        """Where runs of frames end whose rigs have the same controls (maps reload while live)."""
        shapes = [
            tuple((name, rig.controls) for name, rig in named_rigs(frame)) for frame in frames
        ]
        changes = [index for index in range(1, len(shapes)) if shapes[index] != shapes[index - 1]]
        return [*changes, len(frames)]

    def _append_equal(self, frames: Sequence[TrackedFrame]) -> None:
        rows = np.arange(self.n_rows, self.n_rows + len(frames))
        self._open_rigs(frames[0])
        written = self._landmarks.append(landmark_records(frames, rows))
        if self._has_readings(frames):
            assert self._readings is not None
            written += self._readings.append(reading_records(frames, rows))
        for name, rig in self._rigs.items():
            written += rig.stream.append(rig_records(name, len(rig.controls), frames, rows))
        n_channels = len(self.info.channels)
        records = frame_records(frames, rows, n_channels, self.timecode_frame)
        written += self._frames.append(records)
        self._seal()
        self.n_rows += len(frames)
        self.n_bytes += written

    def _seal(self) -> None:
        """Write the checksums of what has just been appended, once every stream has it."""
        numbers = {entry["file"]: i for i, entry in enumerate(self._document["streams"])}
        found = []
        for stream in (self._landmarks, *self._side_streams(), self._frames):
            for sums in stream.sums:
                sums["stream"] = numbers[stream.name]
                found.append(sums.tobytes())
            stream.sums.clear()
        self.n_bytes += self._checksums.write(b"".join(found)) or 0

    def _has_readings(self, frames: Sequence[TrackedFrame]) -> bool:
        """Open the stream of readings with the first frames that have some."""
        if self._readings is None and any(f.landmarks and f.landmarks.readings for f in frames):
            stream = _Stream(self.folder / READINGS_FILE, readings_dtype(), self.n_rows)
            self._readings = stream
            self._document["streams"].append(
                stream_entry("readings", READINGS_FILE, stream.dtype, first_row=self.n_rows)
            )
            write_document(self.folder, self._document)
        return self._readings is not None

    def _open_rigs(self, frame: TrackedFrame) -> None:
        new = [
            (name, rig.controls)
            for name, rig in named_rigs(frame)
            if name not in self._rigs or self._rigs[name].controls != rig.controls
        ]
        if not new:
            return
        for name, controls in new:
            old = self._rigs.pop(name, None)
            if old is not None:
                self._old_streams.append(old.stream)
            n_before = sum(entry.get("rig") == name for entry in self._document["streams"])
            revision = f"_{n_before + 1}" if n_before else ""
            file = f"rig_{safe_name(name)}{revision}.rec"
            stream = _Stream(self.folder / file, rig_dtype(len(controls)), self.n_rows)
            self._rigs[name] = _RigStream(controls, stream)
            self._document["streams"].append(
                stream_entry(
                    f"rig {name}{revision}",
                    file,
                    stream.dtype,
                    first_row=self.n_rows,
                    rig=name,
                    controls=list(controls),
                )
            )
        write_document(self.folder, self._document)


def rewrite_estimates(take: Take, estimates: Iterable[Estimate], kept: Health) -> None:
    """Put an estimate into every row of a closed take, in place and a few rows at a time.

    For a take whose meshes were written first. The take may stay open: it shows the new values.

    Parameters
    ----------
    take : Take
    estimates : iterable of Estimate
        One for each row.
    kept : Health
        Flags of the rows that stay.

    Raises
    ------
    OSError
    """
    coming = iter(estimates)
    with (take.folder / FRAMES_FILE).open("r+b", buffering=0) as file:
        for begin in range(0, take.n_rows, _ROWS_A_REWRITE):
            records = np.array(take.frames[begin : begin + _ROWS_A_REWRITE])
            some = list(islice(coming, len(records)))
            records["health"] &= int(kept)
            records["health"] |= np.array([int(each.health) for each in some], np.uint32)
            put_estimates(records, some)
            write_all(file, records.tobytes())
    reseal(take, "frames")
