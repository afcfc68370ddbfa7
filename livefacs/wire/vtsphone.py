"""VTube Studio's phone stream for "3rd party PC clients": a JSON request, JSON answers.

Source: the public README of DenchiSoft's receiver test, as described in ``docs/protocols.md``. A
receiver asks port 21412 of the phone for so many seconds of data on a list of its own ports, and
asks again before they are over. The README says .5 to 10 seconds and 1 to 16 ports, an older
example up to 32: both are taken. Angles in degrees, places in centimetres; their signs are not
stated: ``AxisSigns`` turns them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from livefacs.clock import ClockMap
from livefacs.types import Health, TrackedFrame
from livefacs.vocab.arkit import ARKIT_52
from livefacs.wire.axes import AxisSigns
from livefacs.wire.rigvalues import NamedOrder

PORT: Final = 21412
REQUEST: Final = "iOSTrackingDataRequest"
LONGEST_S: Final = 10.0
_SHORTEST_S: Final = 0.5
_MOST_PORTS: Final = 32
_MAX_BYTES: Final = 16384
_NS_PER_MS: Final = 1_000_000
_NO_HOTKEY: Final = -1
_NAMES: Final = tuple(name[0].upper() + name[1:] for name in ARKIT_52)


@dataclass(frozen=True, slots=True)
class PhoneRequest:
    """What a receiver asks for.

    Attributes
    ----------
    seconds : float
        How long the data are wanted.
    ports : tuple of int
        Ports at the asking address.
    asked_by : str
    """

    seconds: float
    ports: tuple[int, ...]
    asked_by: str


def request_bytes(seconds: float, ports: Sequence[int], asked_by: str) -> bytes:
    """The request as a receiver sends it."""
    request = {
        "messageType": REQUEST,
        "time": seconds,
        "sentBy": asked_by,
        "ports": list(ports),
    }
    return json.dumps(request, separators=(",", ":")).encode()


def request_from_datagram(datagram: bytes) -> PhoneRequest | None:
    """The request in a datagram; returns None if it is none, or asks for what is not allowed."""
    message = _json_map(datagram)
    if message is None or message.get("messageType") != REQUEST:
        return None
    seconds, ports = message.get("time"), message.get("ports")
    asked_by = message.get("sentBy", "")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    if not _SHORTEST_S <= seconds <= LONGEST_S or not isinstance(asked_by, str):
        return None
    if not isinstance(ports, list) or not 1 <= len(ports) <= _MOST_PORTS:
        return None
    if any(type(port) is not int or not 0 < port < 65536 for port in ports):
        return None
    return PhoneRequest(float(seconds), tuple(dict.fromkeys(ports)), asked_by[:64])


class VtsPhoneEncoder:
    """Encodes tracked frames as the phone's answers.

    Parameters
    ----------
    clock : ClockMap
        Session clock against wall clock, for the time stamp (Unix milliseconds).
    rig : str
        Rig with the 52 ARKit shapes.
    signs : AxisSigns
    """

    def __init__(self, clock: ClockMap, rig: str, *, signs: AxisSigns | None = None) -> None:
        self._clock = clock
        self._rig = rig
        self._signs = signs or AxisSigns()
        self._order = NamedOrder(ARKIT_52)
        vector = '{"x":%.4f,"y":%.4f,"z":%.4f}'
        shapes = ",".join(f'{{"k":"{name}","v":%.4f}}' for name in _NAMES)
        self._format = (
            f'{{"Timestamp":%d,"Hotkey":{_NO_HOTKEY},"FaceFound":%s,"Rotation":{vector},'
            f'"Position":{vector},"EyeLeft":{vector},"EyeRight":{vector},"BlendShapes":[{shapes}]}}'
        )

    def encode(self, tracked: TrackedFrame) -> Sequence[bytes]:
        """One datagram of JSON."""
        signs, head, gaze, degrees = self._signs, tracked.head, tracked.gaze, math.degrees
        values = self._order.pick(tracked.rigs.get(self._rig))
        text = self._format % (
            self._clock.unix_ns_from_session(tracked.t_ns) // _NS_PER_MS,
            "false" if Health.NO_FACE in tracked.health else "true",
            degrees(signs.pitch * head.pitch_rad),
            degrees(signs.yaw * head.yaw_rad),
            degrees(signs.roll * head.roll_rad),
            head.x_cm,
            -head.y_cm,
            -head.z_cm,
            degrees(gaze.left_pitch_rad),
            degrees(signs.gaze * gaze.left_yaw_rad),
            0.0,
            degrees(gaze.right_pitch_rad),
            degrees(signs.gaze * gaze.right_yaw_rad),
            0.0,
            *values.tolist(),
        )
        return (text.encode("ascii"),)


def values_from_vtsphone(datagram: bytes) -> dict[str, float]:
    """Shapes and angles of an answer, by name: ``JawOpen``, ``Rotation.x`` …, ``FaceFound``.

    Raises
    ------
    ValueError
        Not such an answer, or a value that is no finite number.
    """
    message = _json_map(datagram)
    shapes = message.get("BlendShapes") if message is not None else None
    if message is None or not isinstance(shapes, list):
        raise ValueError("not VTube Studio's phone data: expected JSON with BlendShapes")
    values = {"FaceFound": float(message.get("FaceFound") is True)}
    for shape in shapes[:512]:
        if not isinstance(shape, dict) or not isinstance(shape.get("k"), str):
            raise ValueError("not VTube Studio's phone data: a shape without a name")
        values[shape["k"][:64]] = _number(shape.get("v"), shape["k"])
    for group in ("Rotation", "Position", "EyeLeft", "EyeRight"):
        vector = message.get(group)
        for axis in "xyz" if isinstance(vector, dict) else "":
            values[f"{group}.{axis}"] = _number(vector.get(axis), group)  # type: ignore[union-attr]  # a map, see above
    return values


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e9:
        raise ValueError(f"not VTube Studio's phone data: no number for {name[:30]!r}")
    if not math.isfinite(value):
        raise ValueError(f"not VTube Studio's phone data: not a number for {name[:30]!r}")
    return float(value)


def _json_map(datagram: bytes) -> dict[str, Any] | None:
    if len(datagram) > _MAX_BYTES:
        return None
    try:
        message = json.loads(datagram)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None
