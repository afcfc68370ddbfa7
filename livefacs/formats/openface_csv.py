"""OpenFace 2 CSV: the columns that scripts written for OpenFace, and Py-Feat's reader, look for.

Written: frame to success, gaze, head pose, 68 image points, the 17 ``_r`` intensities (0 to 5) and
18 ``_c`` presences. What was not measured is left empty: AU23, and rows without a face. Left out:
the eye landmarks, 3-D points and shape parameters of OpenFace's own face model. ``AU*_c`` is 1 from
the intensity on that OpenFace counts as level A, 1 of 5; OpenFace itself decides it separately.
``confidence`` says how well the face could be tracked, as OpenFace's does: scripts made for it drop
rows below .7 to .9.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.errors import ConfigError
from livefacs.formats import spaces
from livefacs.formats.curves import Curves, ExportOptions, curves_from_take
from livefacs.formats.text import CHUNK_ROWS, number_lines
from livefacs.mesh import DLIB_68
from livefacs.take.reader import Take
from livefacs.vocab.facs import action_of, channels_of

INTENSITIES: Final = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
PRESENCES: Final = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45)
TOP: Final = 5.0
PRESENT_FROM: Final = 1.0

CLEAR: Final = 0.98
"""Confidence of a clear frontal face: OpenFace writes this two-digit value for most of them."""
_DOUBTFUL: Final = 0.25
"""What is left of it at the far end of each of these."""
_TURNED_RAD: Final = (np.radians(20.0), np.radians(90.0))
_FACE_PX: Final = (80.0, 20.0)
_SHARE_INSIDE: Final = (1.0, 0.7)

HEADER: Final = (
    *("frame", "face_id", "timestamp", "confidence", "success"),
    *(f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz"),
    *("gaze_angle_x", "gaze_angle_y"),
    *(f"pose_T{axis}" for axis in "xyz"),
    *(f"pose_R{axis}" for axis in "xyz"),
    *(f"{axis}_{index}" for axis in "xy" for index in range(len(DLIB_68))),
    *(f"AU{number:02}_r" for number in INTENSITIES),
    *(f"AU{number:02}_c" for number in PRESENCES),
)
_CONFIDENCE: Final = HEADER.index("confidence")
_FORMATS: Final = (
    *("%d", "%d", "%.3f", "%.2f", "%d"),
    *["%.6f"] * 6,
    *["%.3f"] * 2,
    *["%.1f"] * 3,
    *["%.3f"] * 3,
    *["%.1f"] * (2 * len(DLIB_68)),
    *["%.2f"] * (len(INTENSITIES) + len(PRESENCES)),
)


def tracking_confidence(
    points_px: F32, yaw_rad: F64, pitch_rad: F64, width: F64, height: F64
) -> F64:
    """How far a face can be trusted to be tracked well, 0 to .98, from how it is seen.

    Full for a face that looks at the camera, is large and wholly in the picture; each of turning
    away, smallness and the picture's edge takes its share. In between it falls in straight lines:
    from 20 to 90 degrees off the camera, from 80 to 20 pixels of the face's longer side, from all
    points in the picture to 7 of 10.

    Parameters
    ----------
    points_px : (T, 478, 3) float32, pixels, NaN without a face
    yaw_rad, pitch_rad : (T,) float64
    width, height : (T,) float64
        Of the images, pixels.

    Returns
    -------
    (T,) float64
        0 without a face.
    """
    x, y = points_px[..., 0], points_px[..., 1]
    off_rad = np.arccos(np.clip(np.cos(yaw_rad) * np.cos(pitch_rad), -1.0, 1.0))
    side_px = np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1))
    inside = (x >= 0) & (x < width[:, None]) & (y >= 0) & (y < height[:, None])
    confidence = np.full(len(points_px), CLEAR)
    for value, (good, bad) in (
        (off_rad, _TURNED_RAD),
        (side_px, _FACE_PX),
        (inside.mean(axis=1), _SHARE_INSIDE),
    ):
        share = np.clip((value - bad) / (good - bad), 0.0, 1.0)
        confidence *= _DOUBTFUL + (1.0 - _DOUBTFUL) * share
    return np.where(np.isfinite(confidence), confidence, 0.0)


def check(options: ExportOptions) -> None:
    """Refuse what the format has no place for."""
    if options.rig or options.fps:
        raise ConfigError("an OpenFace file holds the recorded frames: leave out --rig and --fps")


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file, a row a frame.

    With ``header_blanks`` a blank follows each comma, as in files of OpenFace's own program, but
    for the cells that are empty: a blank there would be text to readers.
    """
    check(options)
    curves = curves_from_take(take, options)
    frames = take.frames
    has_face = frames["n_faces"] > 0
    columns = [
        np.arange(1, len(curves) + 1),
        np.zeros(len(curves)),
        curves.time_s,
        has_face,
    ]
    pose = np.hstack([_gaze(curves), _pose(curves)])
    units = _intensities(curves)
    presences = _presences(curves)
    for measured in (pose, units, presences):
        measured[~has_face] = np.nan
    comma = ", " if options.header_blanks else ","
    template = comma.join(_FORMATS) + "\n"
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(comma.join(HEADER) + "\n")
        for begin in range(0, len(curves), CHUNK_ROWS):
            rows = slice(begin, begin + CHUNK_ROWS)
            points = np.array(take.points_px[rows])
            drawn = points[:, DLIB_68, :2]
            seen = np.where(has_face[rows], _confidence(frames[rows], points), 0.0)
            parts = [
                np.stack([column[rows] for column in columns], axis=1),
                pose[rows],
                drawn[:, :, 0],
                drawn[:, :, 1],
                units[rows],
                presences[rows],
            ]
            numbers = np.insert(np.hstack(parts), _CONFIDENCE, seen, axis=1)
            file.writelines(number_lines(numbers, template, (f"{comma}nan", ",")))


def _confidence(frames: Any, points: F32) -> F64:
    """``tracking_confidence`` of recorded rows: the head as it was seen, not as it was smoothed."""
    head = frames["head"]
    width, height = (frames[side].astype(np.float64) for side in ("width", "height"))
    return tracking_confidence(points, head[:, 0], head[:, 1], width, height)


def _gaze(curves: Curves) -> F64:
    """Directions of both eyes in camera space, image-left eye first, and their mean angles."""
    head = spaces.head_rotation(curves)
    eyes = [
        spaces.camera_directions(head * spaces.eye_rotation(curves, side))
        for side in ("right", "left")
    ]
    mean = (eyes[0] + eyes[1]) / 2
    angles = np.arctan2(mean[:, :2], -mean[:, 2:])
    return np.hstack([*eyes, angles])


def _pose(curves: Curves) -> F64:
    millimetres = curves.head[:, 3:] * 10.0
    return np.hstack([millimetres, spaces.camera_euler_xyz(spaces.head_rotation(curves))])


def _action(curves: Curves, number: int) -> F64:
    """0..1 of an action, the mean of its sides; NaN where it is not measured."""
    action = f"AU{number}"
    channels = channels_of(action) or tuple(n for n in curves.names if action_of(n) == action)
    columns = [curves.names.index(name) for name in channels if name in curves.names]
    if not columns:
        return np.full(len(curves), np.nan)
    return np.asarray(curves.values[:, columns].mean(axis=1), np.float64)


def _intensities(curves: Curves) -> F64:
    columns = []
    for number in INTENSITIES:
        values = _action(curves, number)
        if number == 26:
            values = np.fmax(values, _action(curves, 27))
        columns.append(np.clip(values * TOP, 0.0, TOP))
    return np.stack(columns, axis=1)


def _presences(curves: Curves) -> F64:
    intensities = dict(zip(INTENSITIES, _intensities(curves).T, strict=True))
    intensities[28] = _action(curves, 28) * TOP
    columns = [
        np.where(np.isnan(intensities[n]), np.nan, intensities[n] >= PRESENT_FROM)
        for n in PRESENCES
    ]
    return np.stack(columns, axis=1)
