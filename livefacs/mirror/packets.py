"""One frame as bytes for the page: a fixed header, float arrays, the JPEG. Little-endian.

=======  ======  =========================================================
offset   type    what
=======  ======  =========================================================
0        4s      ``LFM1``
4        u32     frame number
8        u32     health flags (``types.Health``)
12       u32     hints (``Hint``)
16       u16 x2  width and height of the image the points refer to
20       u32     number of channels, N
24       u32     number of mesh points, P: 478 or 0
28       u32     number of rig controls, C (all rigs, in the order of the ``rigs`` message)
32       f64     time of the frame, session clock, milliseconds
40       f64     server clock when the mirror got the frame, milliseconds
48       f32     milliseconds from image to mirror; NaN unknown
52       f32     frame rate, Hz
56       f32 x5  head yaw, pitch, roll, mean gaze yaw, pitch; degrees
76       u32     bytes of the JPEG, 0 without an image
80       f32     N intensities, N confidences, 2P point coordinates (pixels), C controls
then     bytes   JPEG
=======  ======  =========================================================
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

import cv2
import numpy as np

from livefacs.arrays import U8
from livefacs.types import Health, Landmarks, RigFrame, TrackedFrame

MAGIC: Final = b"LFM1"
_HEADER: Final = struct.Struct("<4sIIIHHIIIdd7fI")
HEADER_BYTES: Final = 80
JPEG_QUALITY: Final = 80
_WIDEST: Final = 960
_DARK_LUMA: Final = 45.0
_FAR_SHARE: Final = 0.11
_BORDER_SHARE: Final = 0.01


class Hint(IntFlag):
    """What the person could mend."""

    DARK = 1
    FAR = 2
    TURNED = 4
    AT_BORDER = 8
    SEVERAL_FACES = 16


@dataclass(frozen=True, slots=True)
class Timing:
    """Server clock at arrival, age of the image then (NaN unknown), and frame rate."""

    arrived_ns: int
    age_ms: float
    rate_hz: float


def packet_from_tracked(
    tracked: TrackedFrame, timing: Timing, rigs: Sequence[RigFrame] = ()
) -> bytes:
    """The bytes of one frame; see the module's table.

    Parameters
    ----------
    tracked : TrackedFrame
        Its image, where there is one, is sent as JPEG, at most 960 pixels wide.
    timing : Timing
    rigs : controls that are sent along
    """
    jpeg = b"" if tracked.image is None else jpeg_from_image(tracked.image)
    points = b""
    n_points = 0
    if tracked.landmarks is not None:
        xy = np.ascontiguousarray(tracked.landmarks.points_px[:, :2], np.float32)
        points, n_points = xy.tobytes(), len(xy)
    controls = [rig.values for rig in rigs]
    head, gaze = tracked.head, tracked.gaze
    header = _HEADER.pack(
        MAGIC,
        tracked.i_frame & 0xFFFFFFFF,
        int(tracked.health),
        int(hints_from_tracked(tracked)),
        tracked.image_size[0],
        tracked.image_size[1],
        len(tracked.units.intensity),
        n_points,
        sum(len(values) for values in controls),
        tracked.t_ns / 1e6,
        timing.arrived_ns / 1e6,
        timing.age_ms,
        timing.rate_hz,
        math.degrees(head.yaw_rad),
        math.degrees(head.pitch_rad),
        math.degrees(head.roll_rad),
        math.degrees((gaze.left_yaw_rad + gaze.right_yaw_rad) / 2),
        math.degrees((gaze.left_pitch_rad + gaze.right_pitch_rad) / 2),
        len(jpeg),
    )
    units = tracked.units
    return b"".join(
        (
            header,
            np.asarray(units.intensity, np.float32).tobytes(),
            np.asarray(units.confidence, np.float32).tobytes(),
            points,
            *(np.asarray(values, np.float32).tobytes() for values in controls),
            jpeg,
        )
    )


def jpeg_from_image(image: U8) -> bytes:
    """JPEG of an RGB image, reduced to at most 960 pixels width."""
    height, width = image.shape[:2]
    if width > _WIDEST:
        size = (_WIDEST, round(height * _WIDEST / width))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    return encoded.tobytes() if done else b""


def hints_from_tracked(tracked: TrackedFrame) -> Hint:
    """What hinders a good measurement and the person can mend: light, distance, turn, border."""
    hints = Hint(0)
    if tracked.image is not None and float(tracked.image[::16, ::16].mean()) < _DARK_LUMA:
        hints |= Hint.DARK
    landmarks = tracked.landmarks
    if landmarks is None:
        return hints
    hints |= _hints_from_mesh(landmarks)
    turned = abs(tracked.head.yaw_rad) > 0.45 or abs(tracked.head.pitch_rad) > 0.40
    if turned or tracked.health & Health.SIDE_HIDDEN:
        hints |= Hint.TURNED
    return hints


def _hints_from_mesh(landmarks: Landmarks) -> Hint:
    hints = Hint(0)
    width, height = landmarks.image_size
    points = landmarks.points_px
    if float(np.hypot(*(points[33, :2] - points[263, :2]))) < _FAR_SHARE * width:
        hints |= Hint.FAR
    margin = np.array([width, height], np.float32) * _BORDER_SHARE
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    if bool((low < margin).any() or (high > np.array([width, height]) - margin).any()):
        hints |= Hint.AT_BORDER
    if landmarks.n_faces > 1:
        hints |= Hint.SEVERAL_FACES
    return hints
