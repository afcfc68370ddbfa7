"""Records of frames: what a take keeps of each, packed as its streams have it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from livefacs.arrays import Records
from livefacs.take.layout import (
    GAZE_FIELDS,
    HEAD_FIELDS,
    STAGES,
    frames_dtype,
    landmarks_dtype,
    readings_dtype,
    rig_dtype,
)
from livefacs.types import Estimate, RigFrame, TrackedFrame

_HEAD = attrgetter(*HEAD_FIELDS)
_GAZE = attrgetter(*GAZE_FIELDS)


def frame_records(
    frames: Sequence[TrackedFrame],
    rows: np.ndarray[Any, Any],
    n_channels: int,
    timecode_frame: Callable[[int], int],
) -> Records:
    """Of the stream ``frames``; ``timecode_frame`` numbers a session time."""
    records = np.zeros(len(frames), frames_dtype(n_channels))
    records["row"] = rows
    records["i_frame"] = [frame.i_frame for frame in frames]
    records["t_ns"] = [frame.t_ns for frame in frames]
    records["timecode"] = [timecode_frame(frame.t_ns) for frame in frames]
    records["health"] = [int(frame.health) for frame in frames]
    records["width"], records["height"] = zip(*(f.image_size for f in frames), strict=True)
    records["n_faces"] = [frame.n_faces for frame in frames]
    records["stage_ns"] = [[frame.stage_ns.get(stage, -1) for stage in STAGES] for frame in frames]
    put_estimates(records, frames)
    return records


def put_estimates(records: Records, found: Sequence[TrackedFrame | Estimate]) -> None:
    """Write an estimate into each record of the stream ``frames``."""
    records["head"] = [_HEAD(each.head) for each in found]
    records["gaze"] = [_GAZE(each.gaze) for each in found]
    for name, unknown in (("intensity", np.nan), ("raw", np.nan), ("confidence", 0.0)):
        values = records[name]
        for row, each in zip(values, found, strict=True):
            known = getattr(each.units, name)
            row[: len(known)] = known
            row[len(known) :] = unknown  # taught, and not known now


def named_rigs(frame: TrackedFrame) -> list[tuple[str, RigFrame]]:
    """The rigs of a frame; those of the mirrored performance as ``NAME mirrored``."""
    mirrored = [(f"{name} mirrored", rig) for name, rig in frame.rigs_mirrored.items()]
    return [*frame.rigs.items(), *mirrored]


def landmark_records(frames: Sequence[TrackedFrame], rows: np.ndarray[Any, Any]) -> Records:
    """Of the stream ``landmarks``: NaN where there was no face."""
    records = np.empty(len(frames), landmarks_dtype())
    records["row"] = rows
    points = records["points_px"]
    for index, frame in enumerate(frames):
        points[index] = np.nan if frame.landmarks is None else frame.landmarks.points_px
    return records


def reading_records(frames: Sequence[TrackedFrame], rows: np.ndarray[Any, Any]) -> Records:
    """Of the stream ``readings``: NaN where nothing was read besides the mesh."""
    records = np.zeros(len(frames), readings_dtype())
    records["row"] = rows
    for record, frame in zip(records, frames, strict=True):
        readings = None if frame.landmarks is None else frame.landmarks.readings
        if readings is None:
            record["patches"], record["blendshapes"] = np.nan, np.nan
        else:
            record["patches"] = readings.patches
            record["texture"] = readings.texture
            record["blendshapes"] = readings.blendshapes
    return records


def rig_records(
    name: str, n_controls: int, frames: Sequence[TrackedFrame], rows: np.ndarray[Any, Any]
) -> Records:
    """Of one rig's stream: NaN where a frame has no such rig."""
    records = np.empty(len(frames), rig_dtype(n_controls))
    records["row"] = rows
    values = records["values"]
    for index, frame in enumerate(frames):
        found = dict(named_rigs(frame)).get(name)
        values[index] = np.nan if found is None else found.values
    return records
