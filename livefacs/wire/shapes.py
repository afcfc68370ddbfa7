"""Faces that other trackers send, as ARKit's 52 shapes with head and eyes.

The other way round of this project's encoders, whose pages say which signs and units are confirmed.
A shape that a tracker does not have is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np

from livefacs.arrays import F32
from livefacs.types import Gaze, HeadPose, Shapes
from livefacs.vocab.arkit import ARKIT_52, LIVELINK_61
from livefacs.wire.axes import angles_from_unity
from livefacs.wire.facecap import FACE_CAP_52, WEIGHT
from livefacs.wire.ifacialmocap import IFACIALMOCAP_52, values_from_ifacialmocap
from livefacs.wire.livelink import packet_from_livelink
from livefacs.wire.openseeface import faces_from_openseeface, head_from_openseeface
from livefacs.wire.oscreading import messages_from_osc
from livefacs.wire.vmc import APPLY, BONE, VALUE
from livefacs.wire.vtsphone import values_from_vtsphone

N_SHAPES: Final = len(ARKIT_52)
_INDEX: Final = {name.casefold(): index for index, name in enumerate(ARKIT_52)}
_STRAIGHT: Final = HeadPose(z_cm=60.0)
_NO_FACE: Final = Shapes(np.zeros(N_SHAPES, np.float32), _STRAIGHT, Gaze(), has_face=False)


class ShapeReader(Protocol):
    """Reads the packets of one tracker; keeps what is spread over several."""

    def read(self, datagram: bytes) -> Shapes | None:
        """The face of a packet; None where it does not complete one.

        Raises
        ------
        ValueError
            Not a packet of this protocol.
        """


def shapes_from_livelink(values: Mapping[str, float]) -> Shapes:
    """The face of Live Link Face's 61 values by name; none of them: no face."""
    if not values:
        return _NO_FACE
    weights = np.array([values.get(name, math.nan) for name in LIVELINK_61[:N_SHAPES]], np.float32)
    yaw, pitch, roll, *eyes = (values.get(name, 0.0) for name in LIVELINK_61[N_SHAPES:])
    gaze = Gaze(-eyes[0], eyes[1], -eyes[3], eyes[4])
    return Shapes(weights, HeadPose(yaw, pitch, roll, z_cm=_STRAIGHT.z_cm), gaze)


class LiveLinkShapes:
    """Live Link Face, version 6."""

    def read(self, datagram: bytes) -> Shapes | None:
        """The face of a packet."""
        return shapes_from_livelink(packet_from_livelink(datagram).values)


class IFacialMocapShapes:
    """iFacialMocap's text, versions 1 and 2."""

    def read(self, datagram: bytes) -> Shapes | None:
        """The face of a frame."""
        values = values_from_ifacialmocap(datagram)
        if values.get("trackingStatus", 1.0) == 0.0:
            return _NO_FACE
        percents = [values.get(name, math.nan) for name in IFACIALMOCAP_52]
        pitch, yaw, roll, x, y, z = (values.get(f"head.{i}", 0.0) for i in range(6))
        yaw, pitch, roll = map(math.radians, (yaw, pitch, roll))
        head = HeadPose(yaw, pitch, roll, 100.0 * x, -100.0 * y, -100.0 * z)
        eyes = [math.radians(values.get(f"{eye}Eye.{i}", 0.0)) for eye in _EYES for i in (1, 0)]
        return Shapes(np.array(percents, np.float32) / np.float32(100.0), head, Gaze(*eyes))


_EYES: Final = ("left", "right")


class VtsPhoneShapes:
    """VTube Studio's phone data."""

    def read(self, datagram: bytes) -> Shapes | None:
        """The face of an answer."""
        values = values_from_vtsphone(datagram)
        if not values["FaceFound"]:
            return _NO_FACE
        weights = _by_name(values)
        pitch, yaw, roll = (math.radians(values.get(f"Rotation.{axis}", 0.0)) for axis in "xyz")
        x, y, z = (values.get(f"Position.{axis}", 0.0) for axis in "xyz")
        eyes = [
            math.radians(values.get(f"Eye{eye.title()}.{axis}", 0.0))
            for eye in _EYES
            for axis in "yx"
        ]
        return Shapes(weights, HeadPose(yaw, pitch, roll, x, -y, -z), Gaze(*eyes))


def _by_name(values: Mapping[str, float]) -> F32:
    weights = np.full(N_SHAPES, np.nan, np.float32)
    for name, value in values.items():
        index = _INDEX.get(name.casefold())
        if index is not None:
            weights[index] = value
    return weights


class OpenSeeFaceShapes:
    """OpenSeeFace: its features and lids, which are fewer than ARKit's shapes; of several faces
    the first."""

    def read(self, datagram: bytes) -> Shapes | None:
        """The face of a packet."""
        numbers = faces_from_openseeface(datagram)[0]
        if not all(map(math.isfinite, numbers.values())):
            raise ValueError("damaged OpenSeeFace packet: a value is not a number")
        shapes = {"jawOpen": numbers["mouth_open"]}
        for side, word in (("l", "Left"), ("r", "Right")):
            brow, corner = numbers[f"eyebrow_updown_{side}"], numbers[f"mouth_corner_updown_{side}"]
            shapes[f"eyeBlink{word}"] = 1.0 - numbers[f"eye open {word.lower()}"]
            shapes[f"eyeWide{word}"] = numbers[f"eye_{side}"]
            shapes[f"browOuterUp{word}"], shapes[f"browDown{word}"] = brow, -brow
            shapes[f"mouthSmile{word}"], shapes[f"mouthFrown{word}"] = corner, -corner
            shapes[f"mouthStretch{word}"] = numbers[f"mouth_corner_inout_{side}"]
        shapes["browInnerUp"] = 0.5 * (shapes["browOuterUpLeft"] + shapes["browOuterUpRight"])
        shapes["mouthPucker"] = -numbers["mouth_wide"]
        weights = np.clip(_by_name(shapes), 0.0, 1.0)
        return Shapes(weights, head_from_openseeface(numbers), Gaze())


class FaceCapShapes:
    """Face Cap's OSC: one packet may hold one message or all of them."""

    def __init__(self) -> None:
        self._weights = np.full(N_SHAPES, np.nan, np.float32)
        self._poses: dict[str, tuple[float, ...]] = {}
        self._order = [_INDEX[name.casefold()] for name in FACE_CAP_52]

    def read(self, datagram: bytes) -> Shapes | None:
        """The face as it is after a packet with weights; None after one without."""
        has_weights = False
        for address, arguments in messages_from_osc(datagram):
            match arguments:
                case [int(index), float(value)] if address == WEIGHT:
                    has_weights = True
                    if 0 <= index < N_SHAPES and math.isfinite(value):
                        self._weights[self._order[index]] = value
                case [*numbers] if address in _FACE_CAP_LENGTHS:
                    if len(numbers) == _FACE_CAP_LENGTHS[address] and all(map(_is_real, numbers)):
                        self._poses[address] = tuple(map(float, numbers))  # type: ignore[arg-type]  # numbers, see _is_real
        if not has_weights:
            return None
        return Shapes(self._weights.copy(), self._head(), self._gaze())

    def _head(self) -> HeadPose:
        pitch, yaw, roll = map(math.radians, self._poses.get("/HR", (0.0, 0.0, 0.0)))
        x, y, z = self._poses.get("/HT", (0.0, 0.0, -0.01 * _STRAIGHT.z_cm))
        return HeadPose(yaw, pitch, roll, 100.0 * x, -100.0 * y, -100.0 * z)

    def _gaze(self) -> Gaze:
        left_pitch, left_yaw = map(math.radians, self._poses.get("/ELR", (0.0, 0.0)))
        right_pitch, right_yaw = map(math.radians, self._poses.get("/ERR", (0.0, 0.0)))
        return Gaze(left_yaw, left_pitch, right_yaw, right_pitch)


_FACE_CAP_LENGTHS: Final[Mapping[str, int]] = {"/HT": 3, "/HR": 3, "/ELR": 2, "/ERR": 2}


class VmcShapes:
    """VMC: blends by ARKit's names in any case, head and eye bones; complete at ``Blend/Apply``."""

    def __init__(self) -> None:
        self._weights = np.full(N_SHAPES, np.nan, np.float32)
        self._turns: dict[str, tuple[float, float, float]] = {}

    def read(self, datagram: bytes) -> Shapes | None:
        """The face as it is at ``Blend/Apply``; None before."""
        is_complete = False
        for address, arguments in messages_from_osc(datagram):
            match arguments:
                case [str(name), float(value)] if address == VALUE:
                    index = _INDEX.get(name.casefold())
                    if index is not None and math.isfinite(value):
                        self._weights[index] = value
                case [str(name), *numbers] if address == BONE:
                    turn = numbers[3:7]
                    if len(turn) == 4 and all(map(_is_real, turn)):
                        self._turns[name] = angles_from_unity(*map(float, turn))  # type: ignore[arg-type]  # numbers, see _is_real
                case _:
                    is_complete |= address == APPLY
        if not is_complete or not np.isfinite(self._weights).any():
            return None
        head = HeadPose(*self._turns.get("Head", (0.0, 0.0, 0.0)), z_cm=_STRAIGHT.z_cm)
        left = self._turns.get("LeftEye", (0.0, 0.0, 0.0))
        right = self._turns.get("RightEye", (0.0, 0.0, 0.0))
        gaze = Gaze(left[0], left[1], right[0], right[1])
        return Shapes(self._weights.copy(), head, gaze)


def _is_real(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


SHAPE_READERS: Final[Mapping[str, Callable[[], ShapeReader]]] = MappingProxyType(
    {
        "livelink": LiveLinkShapes,
        "ifacialmocap": IFacialMocapShapes,
        "vtsphone": VtsPhoneShapes,
        "osf": OpenSeeFaceShapes,
        "facecap": FaceCapShapes,
        "vmc": VmcShapes,
    }
)
"""A reader for each tracker that can be a source."""
