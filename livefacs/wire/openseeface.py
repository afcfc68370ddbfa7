"""OpenSeeFace's packet (port 11573): 68 landmarks, their places in space, head pose, features.

Source: OpenSeeFace's facetracker.py and Unity/OpenSee.cs, as described in ``docs/protocols.md``.
1785 bytes a face, little-endian, unpadded. VSeeFace, VTube Studio and Godot clients read it.

OpenSeeFace solves for its pose with rows as x and columns as y, and finds it at a negative depth. A
face that looks into the camera is therefore turned by 180° about x and 90° about z, and every
receiver undoes that; ``_packed_turn`` repeats it. Its model has x to the performer's right, y up, z
out of the face, the nose's tip at the origin and .66 between the outer corners of the eyes.

What OpenSeeFace's features mean is known, their scale is its own calibration's: here they are
sums of Action Units, a choice that is not confirmed.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32
from livefacs.clock import NS_PER_S, ClockMap
from livefacs.mesh import DLIB_68, MIRROR_POINTS, OUTER_CORNERS
from livefacs.types import HeadPose, Health, Landmarks, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from livefacs.wire.axes import angles_from_quaternion, quaternion
from livefacs.wire.rigvalues import zeros_for_unknown

PORT: Final = 11573
N_BYTES: Final = 1785
FEATURES: Final = (
    *("eye_l", "eye_r"),
    *(f"eyebrow_{part}_l" for part in ("steepness", "updown", "quirk")),
    *(f"eyebrow_{part}_r" for part in ("steepness", "updown", "quirk")),
    *("mouth_corner_updown_l", "mouth_corner_inout_l"),
    *("mouth_corner_updown_r", "mouth_corner_inout_r"),
    *("mouth_open", "mouth_wide"),
)
_INNER_MOUTH_CORNERS: Final = (60, 64)
_PUPILS: Final = (468, 473)  # the performer's right, left
_MESH: Final = np.array(
    [*(p for i, p in enumerate(DLIB_68) if i not in _INNER_MOUTH_CORNERS), *_PUPILS], np.intp
)
"""Mesh points of the 66 landmarks (the inner corners of the mouth are left out) and two pupils."""
_EYES: Final = ((36, 39), (42, 45))
_EYEBALL_DEPTH: Final = 0.385  # of the distance between an eye's corners
_BETWEEN_EYE_CORNERS: Final = 0.66
_CM_A_UNIT: Final = 13.7  # outer eye corners stand about 9 cm apart
_NOSE_TIP: Final = 30
_DECIMALS: Final = 4  # the same bytes, whichever way a machine adds up
_OUTER: Final = list(OUTER_CORNERS)
_TO_MODEL: Final = np.array([-1.0, 1.0, 1.0], np.float32)
_HELD_CONFIDENCE: Final = 0.5
_FACE: Final = np.dtype(
    [
        ("time", "<f8"),
        ("id", "<i4"),
        ("size", "<f4", 2),
        ("open", "<f4", 2),
        ("success", "u1"),
        ("error", "<f4"),
        ("quaternion", "<f4", 4),
        ("euler", "<f4", 3),
        ("place", "<f4", 3),
        ("confidence", "<f4", 68),
        ("points", "<f4", (68, 2)),
        ("points_3d", "<f4", (70, 3)),
        ("features", "<f4", len(FEATURES)),
    ]
)
_pack_head: Final = struct.Struct("<diffffBf4f3f3f").pack_into
"""Everything before the landmarks' confidence, field by field as in ``_FACE``."""
_SIDED_FEATURES: Final = {
    "eye_{}": {"AU5": 1.0, "AU45": -1.0, "AU43": -1.0},
    "eyebrow_steepness_{}": {"AU2": 0.5, "AU1": -0.5},
    "eyebrow_updown_{}": {"AU1": 0.5, "AU2": 0.5, "AU4": -1.0},
    "eyebrow_quirk_{}": {"AU2": 1.0, "AU1": -1.0},
    "mouth_corner_updown_{}": {"AU12": 1.0, "AU15": -1.0},
    "mouth_corner_inout_{}": {"AU20": 1.0, "AU18": -1.0},
}
_MIDDLE_FEATURES: Final = {
    "mouth_open": {"AU26": 1.0, "AU27": 1.0},
    "mouth_wide": {"AU20": 0.5, "AU12": 0.5, "AU18": -1.0},
}


def _weights() -> F32:
    """(N_FEATURES, N_AU): each feature as a sum of channels."""
    weights = np.zeros((len(FEATURES), N_AU), np.float32)
    for template, terms in _SIDED_FEATURES.items():
        for side in "lr":
            _add(weights[FEATURES.index(template.format(side))], terms, side.upper())
    for name, terms in _MIDDLE_FEATURES.items():
        _add(weights[FEATURES.index(name)], terms, "")
    return weights


def _add(row: F32, terms: dict[str, float], side: str) -> None:
    for action, weight in terms.items():
        named = [name for name in (f"{action}_{side}", action) if name in CHANNEL_INDEX][:1]
        channels = named or [f"{action}_L", f"{action}_R"]
        for channel in channels:
            row[CHANNEL_INDEX[channel]] += weight / len(channels)


class OpenSeeFaceEncoder:
    """Encodes tracked frames as OpenSeeFace's packet; nothing goes out without a face.

    Parameters
    ----------
    clock : ClockMap
        Session clock against wall clock, for the time stamp (Unix seconds).
    face_id : int
    mirrored : bool
        The frames are mirrored: landmarks, which stay as seen, are turned over.
    """

    def __init__(self, clock: ClockMap, *, face_id: int = 0, mirrored: bool = False) -> None:
        self._clock = clock
        self._face_id = face_id
        self._mirrored = mirrored
        self._weights = _weights()
        self._buffer = bytearray(N_BYTES)
        self._datagrams = (memoryview(self._buffer),)
        face = np.frombuffer(self._buffer, _FACE)
        self._confidence: F32 = face["confidence"][0]
        self._points: F32 = face["points"][0]
        self._points_3d: F32 = face["points_3d"][0]
        self._features: F32 = face["features"][0]

    def encode(self, tracked: TrackedFrame) -> Sequence[memoryview]:
        """One datagram, a view of one buffer, valid until the next call; none without a face."""
        landmarks = tracked.landmarks
        if landmarks is None or Health.NO_FACE in tracked.health:
            return ()
        head = tracked.head
        turn = quaternion(head.yaw_rad, head.pitch_rad, head.roll_rad)
        packed = _packed_turn(turn)
        units = zeros_for_unknown(tracked.units.intensity)
        features = (self._weights @ units).clip(-1.0, 1.0).round(_DECIMALS)
        self._features[:] = features
        self._confidence.fill(_HELD_CONFIDENCE if Health.HELD in tracked.health else 1.0)
        eye_left, eye_right = features[:2].tolist()
        _pack_head(
            self._buffer,
            0,
            self._clock.unix_ns_from_session(tracked.t_ns) / NS_PER_S,
            self._face_id,
            *landmarks.image_size,
            min(1.0 + eye_right, 1.0),
            min(1.0 + eye_left, 1.0),
            self._fill_points(landmarks, _image_rotation(turn)),
            0.0,
            *packed,
            *_euler_deg(packed),
            -head.y_cm / _CM_A_UNIT,
            -head.x_cm / _CM_A_UNIT,
            -head.z_cm / _CM_A_UNIT,
        )
        return self._datagrams

    def _fill_points(self, landmarks: Landmarks, turn: F32) -> bool:
        """Landmarks in the image and in the head; False where the face has no size."""
        points = landmarks.points_px
        if self._mirrored:
            points = points[MIRROR_POINTS]
            points[:, 0] = landmarks.image_size[0] - points[:, 0]
        chosen = points[_MESH]
        self._points[:] = chosen[:, :2]
        unit_px = math.dist(*points[_OUTER]) / _BETWEEN_EYE_CORNERS
        if not unit_px > 0.0:
            return False
        # Image to head: turned back, then x right, y down, z away to the model's x, y and z, all
        # three of which point the other way; y and z are written negated.
        out = self._points_3d
        turned = (chosen - chosen[_NOSE_TIP]) @ (turn * _TO_MODEL * (1.0 / unit_px))
        out[:68] = turned.round(_DECIMALS)
        for index, (first, second) in enumerate(_EYES, 68):
            (ax, ay, az), (bx, by, bz) = out[first].tolist(), out[second].tolist()
            depth = _EYEBALL_DEPTH * math.dist((ax, ay, az), (bx, by, bz))
            out[index] = 0.5 * (ax + bx), 0.5 * (ay + by), 0.5 * (az + bz) + depth
        return True


def _packed_turn(
    head: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    """The head's rotation as the packet has it, x, y, z, w.

    Half a turn about (1, 1, 0) stands before the head's own; x is reflected; the packet
    holds the conjugate.
    """
    x, y, z, w = head
    a = math.sqrt(0.5)
    return a * (z - w), -a * (z + w), a * (x + y), a * (y - x)


def _image_rotation(head: tuple[float, float, float, float]) -> F32:
    """(3, 3): the head's turn in the image's axes, x right, y down, z away."""
    x, y, z, w = head[0], -head[1], -head[2], head[3]
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ],
        np.float32,
    )


def _euler_deg(packed: tuple[float, float, float, float]) -> tuple[float, float, float]:
    """The packet's angles about x, y and z (R = Rz Ry Rx), degrees: 180, 0, 90 at rest."""
    x, y, z, w = -packed[0], -packed[1], -packed[2], packed[3]
    m20, m21 = 2.0 * (x * z - y * w), 2.0 * (y * z + x * w)
    m22 = 1.0 - 2.0 * (x * x + y * y)
    m00, m10 = 1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + z * w)
    return (
        math.degrees(math.atan2(m21, m22)),
        math.degrees(math.atan2(-m20, math.hypot(m21, m22))),
        math.degrees(math.atan2(m10, m00)),
    )


def head_from_openseeface(numbers: dict[str, float]) -> HeadPose:
    """The head of a face of ``faces_from_openseeface``: the packet's turn and place undone."""
    p, q, r, s = (numbers[f"quaternion.{i}"] for i in range(4))
    a = math.sqrt(0.5)
    turn = angles_from_quaternion(a * (r - s), a * (r + s), a * (p - q), -a * (p + q))
    down, right, away = (-_CM_A_UNIT * numbers[f"place.{i}"] for i in range(3))
    return HeadPose(*turn, right, down, away)


def faces_from_openseeface(datagram: bytes) -> list[dict[str, float]]:
    """Numbers of every face of a packet, by name: features, openness, angles, place, landmarks.

    Raises
    ------
    ValueError
        The size is no multiple of 1785 bytes.
    """
    if not datagram or len(datagram) % N_BYTES:
        raise ValueError(
            f"not an OpenSeeFace packet: {len(datagram)} bytes, expected a multiple of {N_BYTES}"
        )
    faces = np.frombuffer(datagram, _FACE)
    return [_numbers(face) for face in faces]


def _numbers(face: Any) -> dict[str, float]:
    numbers = {
        "time": float(face["time"]),
        "face id": float(face["id"]),
        "success": float(face["success"]),
        "eye open right": float(face["open"][0]),
        "eye open left": float(face["open"][1]),
    }
    for name in ("quaternion", "euler", "place"):
        numbers |= {f"{name}.{i}": float(value) for i, value in enumerate(face[name])}
    numbers |= dict(zip(FEATURES, face["features"].tolist(), strict=True))
    return numbers
