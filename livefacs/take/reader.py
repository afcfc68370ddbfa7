"""Reads a take: memory-mapped columns, one row a frame, whatever a crash left of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from livefacs.arrays import F32, Records
from livefacs.clock import NS_PER_S, ClockMap
from livefacs.errors import TakeError
from livefacs.take.checksums import damage_mask, picture_mask, read_sums
from livefacs.take.document import read_document, read_markers
from livefacs.take.layout import (
    STAGES,
    VIDEO_FILE,
    Marker,
    video_dtype,
)
from livefacs.take.streams import (
    check_layout,
    map_stream,
    mended_stamps,
    n_whole_rows,
    n_whole_stamps,
)
from livefacs.take.times import doubtful_times, mended_times
from livefacs.take.video_samples import n_video_samples
from livefacs.timecode import TimecodeRate, rate_of_take
from livefacs.types import (
    ActionUnits,
    Gaze,
    HeadPose,
    Health,
    Landmarks,
    Readings,
    RigFrame,
    TrackedFrame,
)


@dataclass(frozen=True, slots=True)
class RigSegment:
    """Rows of one rig over which its controls stayed the same.

    Attributes
    ----------
    rig : str
    controls : tuple of str
    first_row : int
    values : (N_ROWS, N_CONTROLS) float32, memory-mapped
    """

    rig: str
    controls: tuple[str, ...]
    first_row: int
    values: F32


class Take:
    """A take opened for reading.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    document : dict
        ``take.json``.
    n_rows : int
        Whole records; the shortest stream counts.
    n_torn_bytes : int
        Bytes after the last whole record of the streams, from a crash in the middle of a write.

    Raises
    ------
    TakeError
        Not a take, of an unknown version, or damaged; the message says which.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.document = read_document(self.folder)
        self._channels = tuple(self.document["channels"])
        self._entries: dict[str, dict[str, Any]] = {
            entry["name"]: entry
            for entry in self.document["streams"]
            if entry["name"] != "video" or (self.folder / entry["file"]).exists()
        }  # without its video, which is large and may be kept elsewhere, a take is a take
        check_layout(self.folder, self.document, self._entries)
        self._maps = {name: map_stream(self.folder, entry) for name, entry in self._entries.items()}
        self.n_rows = n_whole_rows(self._entries, self._maps)
        self.n_torn_bytes = self._count_torn_bytes()

    # What is known of the whole take.

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the Action Unit channels, in the order of ``intensity``'s columns."""
        return self._channels

    @property
    def state(self) -> str:
        """``closed``, ``recording`` (in progress, or it was killed), ``failed``, ``repaired``."""
        return str(self.document["state"])

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.resolve().name

    @property
    def slate(self) -> str:
        """Slate as the operator named it."""
        return str(self.document["slate"])

    @property
    def number(self) -> int:
        """Take number."""
        return int(self.document["take"])

    @property
    def rate(self) -> TimecodeRate:
        """Timecode rate."""
        timecode = self.document["timecode"]
        return rate_of_take(timecode["rate"], timecode["numerator"], timecode["denominator"])

    @property
    def clock(self) -> ClockMap:
        """Where the session clock stood against the wall clock."""
        clock = self.document["clock"]
        return ClockMap(int(clock["session_ns"]), int(clock["unix_ns"]))

    @property
    def duration_s(self) -> float:
        """From the first frame to the last, seconds."""
        return 0.0 if self.n_rows < 2 else int(self.t_ns[-1] - self.t_ns[0]) / NS_PER_S

    @property
    def frame_rate_hz(self) -> float:
        """Measured mean frame rate; the nominal one where there are too few frames."""
        if self.n_rows < 2 or self.duration_s <= 0:
            return float(self.document["source"]["rate_hz"])
        return (self.n_rows - 1) / self.duration_s

    # Columns: views into the files, read when they are touched.

    def records(self, stream: str) -> Records:
        """Every record of a stream by its name in ``take.json``, beyond the whole rows too."""
        if not self._maps:
            raise TakeError(f"{self.folder}: the take was closed")
        return self._maps[stream]

    @cached_property
    def sums(self) -> Records:
        """Records of ``checksums.rec``; raises ``TakeError`` where they cannot be read."""
        return read_sums(self.folder, self.document)

    @property
    def frames(self) -> Records:
        """All records of ``frames.rec``; fields as in ``take.layout.frames_dtype``."""
        return self.records("frames")[: self.n_rows]

    @cached_property
    def t_ns(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(N_ROWS,) int64, session nanoseconds or presentation time.

        Those of damaged records, and leaps that nothing confirms, are put between their neighbours;
        as they were recorded they stand in ``frames["t_ns"]``.
        """
        recorded = cast("np.ndarray[Any, np.dtype[np.int64]]", self.frames["t_ns"])
        return mended_times(recorded, damage_mask(self, "frames") | doubtful_times(recorded))

    @property
    def time_s(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(N_ROWS,) float64, seconds since the first frame."""
        t_ns = self.t_ns
        return (t_ns - t_ns[0]) / NS_PER_S if self.n_rows else np.zeros(0)

    @property
    def intensity(self) -> F32:
        """(N_ROWS, N_AU) float32, filtered."""
        return cast(F32, self.frames["intensity"])

    @property
    def raw(self) -> F32:
        """(N_ROWS, N_AU) float32, before the filter."""
        return cast(F32, self.frames["raw"])

    @property
    def confidence(self) -> F32:
        """(N_ROWS, N_AU) float32, 0..1."""
        return cast(F32, self.frames["confidence"])

    @property
    def points_px(self) -> F32:
        """(N_ROWS, 478, 3) float32 pixels; NaN where there was no face."""
        return cast(F32, self.records("landmarks")["points_px"][: self.n_rows])

    def readings(self, row: int) -> Readings | None:
        """What was read of the face in a row besides its mesh; None where nothing was."""
        first = int(self._entries["readings"]["first_row"]) if "readings" in self._entries else 0
        if "readings" not in self._entries or row < first or not self.frames["n_faces"][row]:
            return None
        record = self._maps["readings"][row - first]
        return Readings(
            np.array(record["patches"]),
            np.array(record["texture"]),
            np.array(record["blendshapes"]),
        )

    def timecode(self, row: int) -> str:
        """Timecode label of a row."""
        return self.rate.label_from_frame(int(self.frames["timecode"][row]))

    @cached_property
    def rig_names(self) -> tuple[str, ...]:
        """Rigs that were recorded."""
        return tuple(dict.fromkeys(segment.rig for segment in self.rig_segments))

    @cached_property
    def rig_segments(self) -> tuple[RigSegment, ...]:
        """Every stretch of every rig, in recorded order."""
        segments = []
        for name, entry in self._entries.items():
            if "rig" not in entry:
                continue
            first = int(entry["first_row"])
            values = self.records(name)["values"][: max(0, self.n_rows - first)]
            segments.append(RigSegment(entry["rig"], tuple(entry["controls"]), first, values))
        return tuple(segments)

    def rig(self, name: str) -> tuple[tuple[str, ...], F32]:
        """Controls and values of a rig through the whole take.

        Returns
        -------
        controls : tuple of str
        values : (N_ROWS, N_CONTROLS) float32
            NaN where a control was not there. Memory-mapped where the rig never changed.

        Raises
        ------
        TakeError
            The rig was not recorded; the message lists those that were.
        """
        segments = [segment for segment in self.rig_segments if segment.rig == name]
        if not segments:
            known = ", ".join(self.rig_names) or "none"
            raise TakeError(f"{self.folder}: rig {name!r} was not recorded; recorded: {known}")
        only = segments[0]
        if len(segments) == 1 and only.first_row == 0 and len(only.values) == self.n_rows:
            return only.controls, only.values
        controls = tuple(dict.fromkeys(c for segment in segments for c in segment.controls))
        values = np.full((self.n_rows, len(controls)), np.nan, np.float32)
        for segment in segments:
            rows = slice(segment.first_row, segment.first_row + len(segment.values))
            values[rows, [controls.index(c) for c in segment.controls]] = segment.values
        return controls, values

    @cached_property
    def markers(self) -> tuple[Marker, ...]:
        """Markers and recorded events by time; a torn last line is ignored."""
        return tuple(sorted(self._read_markers[0], key=lambda marker: marker.t_ns))

    @property
    def marker_errors(self) -> tuple[str, ...]:
        """A sentence for each line of ``markers.jsonl`` that is damaged."""
        return self._read_markers[1]

    @cached_property
    def _read_markers(self) -> tuple[tuple[Marker, ...], tuple[str, ...]]:
        return read_markers(self.folder)

    @property
    def has_sound_mesh(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(N_ROWS,) False for rows whose frame, landmarks or readings are damaged."""
        return ~damage_mask(self, "frames", "landmarks", "readings")

    def tracked(self, row: int) -> TrackedFrame:
        """Everything recorded of one frame, as it was when it was live."""
        record = self.frames[row]
        landmarks = None
        t_ns, i_frame = int(record["t_ns"]), int(record["i_frame"])
        size = (int(record["width"]), int(record["height"]))
        if record["n_faces"]:
            points = np.array(self.points_px[row])
            n_faces = int(record["n_faces"])
            if np.isfinite(points[0, 0]):  # another tracker's face has no mesh
                landmarks = Landmarks(points, t_ns, i_frame, size, n_faces, self.readings(row))
        rigs = self._rigs_of(row)
        return TrackedFrame(
            i_frame=i_frame,
            t_ns=t_ns,
            health=Health(int(record["health"])),
            image_size=size,
            landmarks=landmarks,
            head=HeadPose(*record["head"].tolist()),
            gaze=Gaze(*record["gaze"].tolist()),
            units=ActionUnits(
                np.array(record["intensity"]),
                np.array(record["raw"]),
                np.array(record["confidence"]),
                self.channels,
            ),
            rigs={name: rig for name, rig in rigs.items() if not name.endswith(" mirrored")},
            rigs_mirrored={
                name.removesuffix(" mirrored"): rig
                for name, rig in rigs.items()
                if name.endswith(" mirrored")
            },
            stage_ns={
                stage: value
                for stage, value in zip(STAGES, record["stage_ns"].tolist(), strict=True)
                if value >= 0
            },
        )

    def close(self) -> None:
        """Let the files go, as far as no column of them is kept; nothing can be read any more."""
        self._maps.clear()
        for name in ("rig_segments", "t_ns", "sums"):
            self.__dict__.pop(name, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[TrackedFrame]:
        return (self.tracked(row) for row in range(self.n_rows))

    def __len__(self) -> int:
        return self.n_rows

    def video_stamps(self) -> Records:
        """Records of ``video.rec`` (row, pts in µs) whose pictures are in the video.

        Empty where no video was recorded. A kill loses up to half a second of pictures that were
        named already. Damaged records are put between their neighbours.
        """
        stamps = self._maps.get("video")
        if stamps is None:
            return np.zeros(0, video_dtype())
        n_stamps = self._n_stamps(stamps)
        return mended_stamps(stamps[:n_stamps], picture_mask(self)[:n_stamps])

    def _n_stamps(self, stamps: Records) -> int:
        n_named = n_whole_stamps(stamps, self.n_rows)
        n_there = n_video_samples(self.folder / VIDEO_FILE)
        return n_named if n_there is None else min(n_named, n_there)

    def _rigs_of(self, row: int) -> dict[str, RigFrame]:
        rigs = {}
        for segment in self.rig_segments:
            index = row - segment.first_row
            if 0 <= index < len(segment.values) and not np.isnan(segment.values[index]).all():
                name = segment.rig.removesuffix(" mirrored")
                rigs[segment.rig] = RigFrame(
                    name, segment.controls, np.array(segment.values[index])
                )
        return rigs

    # What a crash left.

    def _count_torn_bytes(self) -> int:
        torn = 0
        for name, entry in self._entries.items():
            size = (self.folder / entry["file"]).stat().st_size
            torn += size - self.whole_bytes(name)
        return torn

    def whole_bytes(self, stream: str) -> int:
        """Bytes of a stream's file that belong to whole rows."""
        entry, records = self._entries[stream], self._maps[stream]
        if stream == "video" and self.state == "recording":
            n_records = self._n_stamps(records)
        elif stream == "video":
            n_records = n_whole_stamps(records, self.n_rows)
        else:
            n_records = min(len(records), max(0, self.n_rows - int(entry["first_row"])))
        return n_records * int(entry["record_bytes"])

    @property
    def stream_files(self) -> dict[str, str]:
        """File of every stream by the stream's name."""
        return {name: str(entry["file"]) for name, entry in self._entries.items()}
