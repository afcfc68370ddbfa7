"""What a receiver understands of a packet: named numbers and texts, whatever the protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from livefacs.clock import NS_PER_S
from livefacs.wire.facecap import FACE_CAP_52, WEIGHT
from livefacs.wire.ifacialmocap import values_from_ifacialmocap
from livefacs.wire.livelink import packet_from_livelink
from livefacs.wire.openseeface import faces_from_openseeface
from livefacs.wire.oscreading import messages_from_osc
from livefacs.wire.packed import message_from_packed
from livefacs.wire.vtsphone import values_from_vtsphone

MAX_NAMES: Final = 2000
_MAX_TEXT: Final = 120
_LATEST_S: Final = 1e10  # Unix seconds


@dataclass(slots=True)
class Reading:
    """One packet, decoded.

    Attributes
    ----------
    values : dict of name to float
        Finite numbers only, at most 2000.
    texts : dict of name to str
        Strings, at most 120 characters each.
    unix_ns : int or None
        Capture time, where the protocol carries it.
    frame : int or None
        Number that counts frames, where the protocol carries one.
    """

    values: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    unix_ns: int | None = None
    frame: int | None = None

    def note(self, name: str, value: object) -> None:
        """Take a value over if it is a finite number, a boolean or a text, and there is room."""
        if len(self.values) + len(self.texts) >= MAX_NAMES:
            return
        name = "".join(char for char in name[:_MAX_TEXT] if char.isprintable())
        if isinstance(value, (bool, int, float)):
            number = _finite(value)
            if number is not None:
                self.values[name] = number
        elif isinstance(value, str):
            self.texts[name] = "".join(char for char in value[:_MAX_TEXT] if char.isprintable())


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def reading_from_osc(datagram: bytes) -> Reading:
    """Any OSC packet: names are addresses, with the argument's index where there are several.

    VMC blends and bones, and Face Cap's weights, appear under their own names.

    Raises
    ------
    ValueError
        Not OSC.
    """
    reading = Reading()
    for address, arguments in messages_from_osc(datagram):
        if address in _VMC and arguments and isinstance(arguments[0], str):
            labels = _VMC[address]
            for label, value in zip(labels, arguments[1:], strict=False):
                reading.note(arguments[0] + label, value)
            continue
        match address.rsplit("/", 1)[-1], arguments:
            case _, [int(index), float(value)] if address == WEIGHT:
                is_known = 0 <= index < len(FACE_CAP_52)
                reading.note(FACE_CAP_52[index] if is_known else f"{WEIGHT}[{index}]", value)
                continue
            case "time", [int(seconds), int(rest_ns)]:
                reading.unix_ns = seconds % (1 << 32) * NS_PER_S + rest_ns
                continue
            case "frame", [int(frame)]:
                reading.frame = frame
                continue
        for index, value in enumerate(arguments):
            reading.note(address if len(arguments) == 1 else f"{address}[{index}]", value)
    return reading


_TRANSFORM: Final = (" x", " y", " z", " qx", " qy", " qz", " qw")
_VMC: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "/VMC/Ext/Blend/Val": ("",),
        "/VMC/Ext/Bone/Pos": _TRANSFORM,
        "/VMC/Ext/Root/Pos": _TRANSFORM,
    }
)


def reading_from_livelink(datagram: bytes) -> Reading:
    """A Live Link Face packet.

    Raises
    ------
    ValueError
        Not a version 6 packet.
    """
    packet = packet_from_livelink(datagram)
    reading = (
        Reading()
    )  # the frame number is a timecode: it skips where its rate is not the camera's
    reading.note("timecode frame", str(packet.frame))
    reading.note("subject", packet.subject)
    reading.note("device", packet.device)
    reading.note("frame rate", str(packet.rate))
    for name, value in packet.values.items():
        reading.note(name, value)
    return reading


def reading_from_ifacialmocap(datagram: bytes) -> Reading:
    """An iFacialMocap text frame.

    Raises
    ------
    ValueError
        Not such a frame.
    """
    reading = Reading()
    for name, value in islice(values_from_ifacialmocap(datagram).items(), MAX_NAMES):
        reading.note(name, value)
    return reading


def reading_from_openseeface(datagram: bytes) -> Reading:
    """The first face of an OpenSeeFace packet.

    Raises
    ------
    ValueError
        Not such a packet.
    """
    numbers = faces_from_openseeface(datagram)[0]
    reading = Reading()
    seconds = numbers.pop("time")
    if math.isfinite(seconds) and abs(seconds) < _LATEST_S:
        reading.unix_ns = round(seconds * NS_PER_S)
    for name, value in numbers.items():
        reading.note(name, value)
    return reading


def reading_from_vtsphone(datagram: bytes) -> Reading:
    """VTube Studio's phone data.

    Raises
    ------
    ValueError
        Not such data.
    """
    reading = Reading()
    for name, value in values_from_vtsphone(datagram).items():
        reading.note(name, value)
    return reading


def reading_from_packed(payload: bytes) -> Reading:
    """A map as msgpack or JSON, one level of nesting unfolded: ``au/AU12_L``.

    Raises
    ------
    ValueError
        Neither msgpack nor JSON, or not a map.
    """
    message = message_from_packed(payload)
    reading = Reading(
        unix_ns=_whole(message.pop("unix_ns", None)), frame=_whole(message.pop("frame", None))
    )
    for key, value in islice(message.items(), MAX_NAMES):
        if isinstance(value, dict):
            for inner, number in islice(value.items(), MAX_NAMES):
                reading.note(f"{key}/{inner}", number)
        else:
            reading.note(str(key), value)
    return reading


def reading_from_injection(data: dict[str, Any]) -> Reading:
    """Parameters of a VTube Studio InjectParameterDataRequest.

    Raises
    ------
    ValueError
        The data hold no parameters.
    """
    parameters = data.get("parameterValues")
    if not isinstance(parameters, list):
        raise ValueError("no parameterValues in the request")
    reading = Reading()
    for parameter in parameters[:MAX_NAMES]:
        if isinstance(parameter, dict) and isinstance(parameter.get("id"), str):
            reading.note(parameter["id"], parameter.get("value"))
    reading.note("face found", str(data.get("faceFound")))
    return reading


def _whole(value: Any) -> int | None:
    """A whole number of at most 64 bits: JSON knows those of any length."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and abs(value) < 1 << 63 else None


READERS: Final[Mapping[str, Callable[[bytes], Reading]]] = MappingProxyType(
    {
        "osc": reading_from_osc,
        "vmc": reading_from_osc,
        "vrcft": reading_from_osc,
        "faceosc": reading_from_osc,
        "facecap": reading_from_osc,
        "osf": reading_from_openseeface,
        "vtsphone": reading_from_vtsphone,
        "livelink": reading_from_livelink,
        "ifacialmocap": reading_from_ifacialmocap,
        "zmq": reading_from_packed,
        "ws": reading_from_packed,
    }
)
"""Decoder of each scheme that sends packets."""
