"""What a take is: its names, its records, its ``take.json``.

A take is a folder. ``take.json`` says everything that is needed to read the rest: names, dtypes,
units, versions, clock, timecode. Each stream is a file of fixed-size little-endian records; row
``n`` of every stream is the same frame, and each record begins with its own row number, so that a
torn or zero-filled tail shows. ``frames.rec`` is written last: a row that stands there is whole.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from livefacs import __version__
from livefacs.clock import NS_PER_S, ClockMap
from livefacs.errors import TakeError
from livefacs.files.atomic import make_folder, sync_folder
from livefacs.timecode import RATES, TimecodeRate, clip_rate_and_label, frame_of_day
from livefacs.types import N_LANDMARKS
from livefacs.vocab.facs import AU_CHANNELS
from livefacs.vocab.readings import N_BLENDSHAPES, N_PATCH_READINGS, N_PATCHES, N_TEXTURE

FORMAT: Final = "livefacs-take"
VERSION: Final = 1
DOCUMENT_NAME: Final = "take.json"
FRAMES_FILE: Final = "frames.rec"
LANDMARKS_FILE: Final = "landmarks.rec"
READINGS_FILE: Final = "readings.rec"
MARKERS_FILE: Final = "markers.jsonl"
VIDEO_FILE: Final = "video.mp4"
VIDEO_STAMPS_FILE: Final = "video.rec"
SOUND_FILE: Final = "sound.wav"
SOUND_BLOCKS_FILE: Final = "sound.rec"
LOCK_FILE: Final = ".recording.lock"

HEAD_FIELDS: Final = ("yaw_rad", "pitch_rad", "roll_rad", "x_cm", "y_cm", "z_cm")
GAZE_FIELDS: Final = ("left_yaw_rad", "left_pitch_rad", "right_yaw_rad", "right_pitch_rad")
STAGES: Final = ("wait", "landmarks", "estimate", "retarget", "send", "total")

UNITS: Final[dict[str, str]] = {
    "row": "number of the record, from 0",
    "i_frame": "number of the frame in its source, from 0; a gap means dropped frames",
    "t_ns": "nanoseconds of the session clock at the grab, presentation time for a file",
    "timecode": "frame of the day at the timecode rate",
    "health": "bits of livefacs.types.Health",
    "width": "pixels of the image",
    "height": "pixels of the image",
    "n_faces": "faces seen; 0 where there was none, and the landmarks are NaN",
    "head": "yaw, pitch, roll in radians; x, y, z in centimetres, camera space",
    "gaze": "left yaw, left pitch, right yaw, right pitch in radians, in the head",
    "stage_ns": "nanoseconds that each stage took; -1 where it was not measured",
    "intensity": "filtered, 0 neutral, 1 the calibrated maximum; NaN unknown",
    "raw": "the same before the temporal filter",
    "confidence": "0 to 1",
    "points_px": "x, y, z of each landmark in image pixels, float32",
    "patches": "log line energies over brightness, log brightness; NaN where not seen",
    "texture": "oriented gradients of the upright face, 0 to 255",
    "blendshapes": "of MediaPipe's blendshape net, 0 to 1; NaN where it did not run",
    "values": "in each control's own range; NaN where the control was not there",
    "pts": "presentation stamp of the video frame, microseconds from its first frame",
}

TimecodeSource = Literal["time of day", "clip", "free run", "ltc", "mtc"]

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_PACKAGES: Final = ("numpy", "ai-edge-litert", "mediapipe", "numba", "av")


@cache
def frames_dtype(n_channels: int = len(AU_CHANNELS)) -> np.dtype[Any]:
    """Record of ``frames.rec`` for a number of Action Unit channels."""
    return np.dtype(
        [
            ("row", "<i8"),
            ("i_frame", "<i8"),
            ("t_ns", "<i8"),
            ("timecode", "<i4"),
            ("health", "<u4"),
            ("width", "<i4"),
            ("height", "<i4"),
            ("n_faces", "<i4"),
            ("spare", "<i4"),
            ("head", "<f8", (len(HEAD_FIELDS),)),
            ("gaze", "<f8", (len(GAZE_FIELDS),)),
            ("stage_ns", "<i8", (len(STAGES),)),
            ("intensity", "<f4", (n_channels,)),
            ("raw", "<f4", (n_channels,)),
            ("confidence", "<f4", (n_channels,)),
        ]
    )


def landmarks_dtype() -> np.dtype[Any]:
    """Record of ``landmarks.rec``."""
    return np.dtype([("row", "<i8"), ("points_px", "<f4", (N_LANDMARKS, 3))])


def readings_dtype() -> np.dtype[Any]:
    """Record of ``readings.rec``."""
    return np.dtype(
        [
            ("row", "<i8"),
            ("patches", "<f4", (N_PATCHES, N_PATCH_READINGS)),
            ("texture", "u1", (N_TEXTURE,)),
            ("blendshapes", "<f4", (N_BLENDSHAPES,)),
        ]
    )


def rig_dtype(n_controls: int) -> np.dtype[Any]:
    """Record of one rig's stream."""
    return np.dtype([("row", "<i8"), ("values", "<f4", (n_controls,))])


def video_dtype() -> np.dtype[Any]:
    """Record of ``video.rec``: which row each encoded image belongs to."""
    return np.dtype([("row", "<i8"), ("pts", "<i8")])


@dataclass(frozen=True, slots=True)
class TimecodeStart:
    """Where a take's timecode comes from.

    Attributes
    ----------
    rate : TimecodeRate
    source : ``"time of day"``, ``"clip"``, ``"free run"``, ``"ltc"``, ``"mtc"``
    start : str
        Label at presentation time 0 of a clip (``ltc``: heard in its sound), or at the first frame
        of a free run.
    start_ns : int or None
        Session time that ``start`` names, whatever the source, where another take has settled it.
    """

    rate: TimecodeRate = RATES["30"]
    source: TimecodeSource = "time of day"
    start: str = "00:00:00:00"
    start_ns: int | None = None

    @classmethod
    def of_clip(cls, rate_hz: float, label: str | None) -> TimecodeStart:
        """A clip's own start label, counted as it is written; from 0 where it has none of use."""
        rate, usable = clip_rate_and_label(rate_hz, label)
        return cls(rate, "clip") if usable is None else cls(rate, "clip", usable)

    def anchor(self, clock: ClockMap, is_live: bool = True) -> tuple[int, int | None]:
        """Frame of the day and the session time it stands for; None: the first frame's time.

        The times of a file (``is_live`` False) are not the session clock's: its first frame gets
        the time of day.
        """
        if self.start_ns is not None:
            return self.rate.frame_from_label(self.start), self.start_ns
        if self.source == "time of day":
            moment = datetime.fromtimestamp(clock.unix_ns / NS_PER_S)
            return frame_of_day(moment, self.rate), clock.session_ns if is_live else None
        frame = self.rate.frame_from_label(first_label(self.start, self.rate))
        return frame, 0 if self.source in ("clip", "ltc") else None


def first_label(label: str, rate: TimecodeRate) -> str:
    """A first label as the rate writes it: ``:`` before the frames serves drop-frame, too."""
    return label[:8] + ";" + label[9:] if rate.drop and len(label) > 8 else label


@dataclass(frozen=True, slots=True)
class TakeInfo:
    """What is known of a take before its first frame; goes into ``take.json``.

    Attributes
    ----------
    slate, number, notes
        As the operator named them.
    source, rate_hz, is_live, start_ns
        Of the frame source; ``start_ns`` as of ``protocols.Source``.
    landmarker, weights, profile, estimator, config
        Plain JSON values that name or hold what made the numbers, so that they can be made again.
    timecode : TimecodeStart
    channels : names of the Action Unit channels
    performer, n_performers : int
        Number of the performer whose take it is, from 1, and how many there are.
    """

    slate: str = "take"
    number: int = 1
    notes: str = ""
    source: str = ""
    rate_hz: float = 0.0
    is_live: bool = True
    start_ns: int = 0
    landmarker: str = ""
    weights: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Any] | None = None
    estimator: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    timecode: TimecodeStart = field(default_factory=TimecodeStart)
    channels: tuple[str, ...] = AU_CHANNELS
    performer: int = 1
    n_performers: int = 1


@dataclass(frozen=True, slots=True)
class Marker:
    """A mark in a take.

    Attributes
    ----------
    row, i_frame, t_ns, timecode
        Of the frame that was newest when it was set; row -1: before the first.
    kind : str
        ``mark`` for the operator's, ``neutral`` where a neutral capture was asked for.
    """

    row: int
    i_frame: int
    t_ns: int
    timecode: int
    kind: str
    label: str


def stream_entry(
    name: str, file: str, dtype: np.dtype[Any], *, first_row: int = 0, **more: Any
) -> dict[str, Any]:
    """How ``take.json`` describes a stream."""
    assert dtype.names is not None
    fields = []
    for column in dtype.names:
        base, shape = _base_and_shape(dtype[column])
        fields.append(
            {"name": column, "dtype": base, "shape": shape, "unit": UNITS.get(column, "")}
        )
    return {
        "name": name,
        "file": file,
        "record_bytes": dtype.itemsize,
        "first_row": first_row,
        "fields": fields,
        **more,
    }


def dtype_from_entry(entry: Mapping[str, Any]) -> np.dtype[Any]:
    """The dtype that ``take.json`` describes."""
    return np.dtype(
        [(item["name"], item["dtype"], tuple(item["shape"])) for item in entry["fields"]]
    )


def _base_and_shape(dtype: np.dtype[Any]) -> tuple[str, list[int]]:
    if dtype.subdtype is None:
        return dtype.str, []
    base, shape = dtype.subdtype
    return base.str, list(shape)


def document_from_info(info: TakeInfo, clock: ClockMap) -> dict[str, Any]:
    """``take.json`` of a take that begins now."""
    moment = datetime.fromtimestamp(clock.unix_ns / NS_PER_S, UTC)
    local = moment.astimezone().utcoffset()
    several = {"performer": info.performer, "performers": info.n_performers}
    return {
        "format": FORMAT,
        "version": VERSION,
        "state": "recording",
        "slate": info.slate,
        "take": info.number,
        "notes": info.notes,
        "created_utc": moment.isoformat(timespec="milliseconds"),
        "software": software_versions(),
        "source": {
            "description": info.source,
            "rate_hz": info.rate_hz,
            "is_live": info.is_live,
            "start_ns": info.start_ns,
        },
        "landmarker": info.landmarker,
        "weights": dict(info.weights),
        "profile": None if info.profile is None else dict(info.profile),
        "estimator": dict(info.estimator),
        "config": dict(info.config),
        "clock": {
            "session_ns": clock.session_ns,
            "unix_ns": clock.unix_ns,
            "utc_offset_s": 0 if local is None else round(local.total_seconds()),
        },
        "timecode": _timecode_entry(info.timecode, clock, info.is_live),
        "channels": list(info.channels),
        "head": list(HEAD_FIELDS),
        "gaze": list(GAZE_FIELDS),
        "stages": list(STAGES),
        "streams": [],
        "video": None,
        "summary": None,
        **(several if info.n_performers > 1 else {}),
    }


def _timecode_entry(start: TimecodeStart, clock: ClockMap, is_live: bool) -> dict[str, Any]:
    rate = start.rate
    frame, start_ns = start.anchor(clock, is_live)
    return {
        "rate": rate.name,
        "numerator": rate.fraction.numerator,
        "denominator": rate.fraction.denominator,
        "drop_frame": rate.drop,
        "source": start.source,
        "start": rate.label_from_frame(frame),
        "start_frame": frame,
        "start_ns": start_ns,
    }


@cache
def _package_versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def software_versions() -> dict[str, str]:
    """Versions of what makes the numbers."""
    return {
        "livefacs": __version__,
        "python": platform.python_version(),
        **_package_versions(),
    }


def unwritable(folder: Path, error: OSError) -> TakeError:
    """Why no take can be written in a folder, and what to do."""
    in_the_way = isinstance(error, (FileExistsError, NotADirectoryError))
    reason = "a file is in the way" if in_the_way else error.strerror or error
    return TakeError(
        f"cannot write a take in {folder}: {reason}; name a new folder where you may write"
    )


def safe_name(text: str) -> str:
    """A part of a file name that every system takes: letters, digits, dot, dash, underscore."""
    return _UNSAFE.sub("-", text).strip("-.")[:80] or "take"


def make_take_folder(parent: Path, slate: str, number: int | None) -> tuple[Path, int]:
    """A new folder ``SLATE_NNN`` under ``parent``; never one that exists.

    A number that is taken moves on to the next free one; None starts after the highest.

    Raises
    ------
    TakeError
        The folder cannot be made.
    """
    stem = safe_name(slate)
    try:
        make_folder(parent)
        for candidate in _numbers(parent, stem, number):
            folder = parent / f"{stem}_{candidate:03d}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            sync_folder(parent)
            return folder, candidate
    except OSError as error:
        raise unwritable(parent, error) from error
    raise AssertionError("unreachable: the numbers do not end")


def _numbers(parent: Path, stem: str, number: int | None) -> Iterator[int]:
    candidate = _highest_number(parent, stem) + 1 if number is None else max(number, 0)
    while True:
        yield candidate
        candidate += 1


def _highest_number(parent: Path, stem: str) -> int:
    suffixes: Sequence[str] = [path.name[len(stem) + 1 :] for path in parent.glob(f"{stem}_*")]
    return max((int(suffix) for suffix in suffixes if suffix.isdecimal()), default=0)
