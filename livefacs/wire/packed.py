"""The project's own messages as maps: msgpack for ZeroMQ and WebSocket, JSON for browsers.

Keys: ``topic``; ``timestamp`` (capture, seconds of the session clock) and ``t_ns`` (the same in
nanoseconds); ``unix_ns`` (capture, UTC); ``frame``; ``health`` (flags of ``types.Health``);
``confidence`` (mean of the channels, 0..1); ``au`` and ``au_confidence`` (by channel); ``head``
and ``gaze`` (radians, centimetres; keys carry their unit); and, where a rig was asked for,
``rig`` (its name) and ``controls`` (by name). A value that is unknown is nil (null).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgpack

from livefacs.arrays import F32
from livefacs.clock import ClockMap, s_from_ns
from livefacs.types import TrackedFrame
from livefacs.vocab.facs import AU_CHANNELS

DEFAULT_TOPIC: Final = "face.au"
_MAX_BYTES: Final = 1 << 20


class PackedEncoder:
    """Encodes tracked frames as one map each.

    Parameters
    ----------
    clock : ClockMap
        Turns capture times into Unix time.
    topic : str
        Value of the ``topic`` key.
    rig : str or None
        Rig whose controls are sent too.
    form : "msgpack" or "json"
        JSON is compact UTF-8, its values rounded to five decimals.
    """

    def __init__(
        self,
        clock: ClockMap,
        *,
        topic: str = DEFAULT_TOPIC,
        rig: str | None = None,
        form: Literal["msgpack", "json"] = "msgpack",
    ) -> None:
        self._clock = clock
        self._topic = topic
        self._rig = rig
        self._pack = msgpack.Packer().pack
        self._text = _JsonText() if form == "json" else None

    def encode(self, tracked: TrackedFrame) -> Sequence[bytes]:
        """One message."""
        message = self.message(tracked)
        if self._text is not None:
            return (self._text.from_message(message),)
        return (self._pack(message),)

    def message(self, tracked: TrackedFrame) -> dict[str, Any]:
        """The map of one frame, in plain Python values."""
        units, head, gaze = tracked.units, tracked.head, tracked.gaze
        confidence = float(units.confidence.mean())
        message: dict[str, Any] = {
            "topic": self._topic,
            "timestamp": s_from_ns(tracked.t_ns),
            "t_ns": tracked.t_ns,
            "unix_ns": self._clock.unix_ns_from_session(tracked.t_ns),
            "frame": tracked.i_frame,
            "health": int(tracked.health),
            "confidence": confidence if math.isfinite(confidence) else None,
            "au": dict(zip(AU_CHANNELS, _plain(units.intensity), strict=True)),
            "au_confidence": dict(zip(AU_CHANNELS, _plain(units.confidence), strict=True)),
            "head": {
                "yaw_rad": head.yaw_rad,
                "pitch_rad": head.pitch_rad,
                "roll_rad": head.roll_rad,
                "x_cm": head.x_cm,
                "y_cm": head.y_cm,
                "z_cm": head.z_cm,
            },
            "gaze": {
                "left_yaw_rad": gaze.left_yaw_rad,
                "left_pitch_rad": gaze.left_pitch_rad,
                "right_yaw_rad": gaze.right_yaw_rad,
                "right_pitch_rad": gaze.right_pitch_rad,
            },
        }
        rig = tracked.rigs.get(self._rig) if self._rig is not None else None
        if rig is not None:
            message["rig"] = rig.rig
            message["controls"] = dict(zip(rig.controls, _plain(rig.values), strict=True))
        return message


class _JsonText:
    """JSON by one format string: the same bytes as ``json.dumps`` in a third of the time."""

    def __init__(self) -> None:
        self._shape: tuple[object, ...] = ()
        self._format = ""

    def from_message(self, message: dict[str, Any]) -> bytes:
        """The message as JSON; null where a value is unknown."""
        controls: dict[str, float | None] = message.get("controls", {})
        values = (
            message["timestamp"],
            message["t_ns"],
            message["unix_ns"],
            message["frame"],
            message["health"],
            message["confidence"],
            *message["au"].values(),
            *message["au_confidence"].values(),
            *message["head"].values(),
            *message["gaze"].values(),
            *controls.values(),
        )
        if None in values:
            return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
        shape = (message.get("rig"), *controls)
        if shape != self._shape:
            self._shape, self._format = shape, _format_from_message(message)
        return (self._format % values).encode()


_MARK: Final = "\0"


def _format_from_message(message: dict[str, Any]) -> str:
    marked = {
        key: dict.fromkeys(value, _MARK)
        if isinstance(value, dict)
        else value
        if isinstance(value, str)
        else f"{_MARK}{key}"
        for key, value in message.items()
    }
    text = json.dumps(marked, separators=(",", ":")).replace("%", "%%")
    mark = json.dumps(_MARK)[1:-1]
    for key in ("t_ns", "unix_ns", "frame", "health"):
        text = text.replace(f'"{mark}{key}"', "%d")
    text = text.replace(f'"{mark}timestamp"', "%.6f").replace(f'"{mark}confidence"', "%.5f")
    return text.replace(f'"{mark}"', "%.5f")


def _plain(values: F32) -> list[float | None]:
    plain: list[float | None] = values.tolist()
    if math.isfinite(values.dot(values)):
        return plain
    return [value if value is not None and math.isfinite(value) else None for value in plain]


def message_from_packed(payload: bytes) -> dict[str, Any]:
    """The map of a msgpack or JSON message, whatever sent it.

    Raises
    ------
    ValueError
        It is neither, too large, or not a map.
    """
    if len(payload) > _MAX_BYTES:
        raise ValueError(f"message of {len(payload)} bytes: expected at most {_MAX_BYTES}")
    try:
        message = json.loads(payload) if payload[:1] == b"{" else msgpack.unpackb(payload)
    except (ValueError, RecursionError, msgpack.UnpackException) as fault:
        raise ValueError(f"neither msgpack nor JSON: {fault}") from None
    if not isinstance(message, dict):
        raise ValueError(f"expected a map, got {type(message).__name__}")
    return message
