"""The project's own messages as maps: msgpack for ZeroMQ and WebSocket, JSON for browsers.

Keys: ``face`` (the performer's number, where there are several); ``topic``;
``timestamp`` (capture, seconds of the session clock) and ``t_ns`` (the same in
nanoseconds); ``unix_ns`` (capture, UTC); ``frame``; ``health`` (flags of ``types.Health``);
``confidence`` (mean of the channels, 0..1); ``au`` and ``au_confidence`` (by channel); ``head``
and ``gaze`` (radians, centimetres; keys carry their unit); and, where a rig was asked for,
``rig`` (its name) and ``controls`` (by name). Measured values are float32. A value that is unknown
is nil (null).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgpack

from livefacs.arrays import F32
from livefacs.clock import ClockMap, s_from_ns
from livefacs.protocols import Encoder
from livefacs.types import RigFrame, TrackedFrame
from livefacs.wire.msgpack_template import (
    GAZE_KEYS,
    HEAD_KEYS,
    POSE_KEYS,
    MsgpackTemplate,
    all_finite,
)
from livefacs.wire.several import SeveralEncoder

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
    face : int or None
        Number of the performer, which stands first, as ``face``; None: no such key.
    """

    def __init__(
        self,
        clock: ClockMap,
        *,
        topic: str = DEFAULT_TOPIC,
        rig: str | None = None,
        form: Literal["msgpack", "json"] = "msgpack",
        face: int | None = None,
    ) -> None:
        self._clock = clock
        self._topic = topic
        self._rig = rig
        self._pack = msgpack.Packer().pack
        self._bytes = MsgpackTemplate(topic)
        self._text = _JsonText() if form == "json" else None
        self._face = face

    def encode(self, tracked: TrackedFrame) -> Sequence[bytes]:
        """One message."""
        (message,) = self._without_face(tracked)
        if self._face is None:
            return (message,)
        if self._text is not None:
            return (b'{"face":%d,' % self._face + message[1:],)
        # A msgpack map of fewer than 16 keys begins with one byte that counts them.
        return (bytes((message[0] + 1,)) + b"\xa4face" + self._pack(self._face) + message[1:],)

    def _without_face(self, tracked: TrackedFrame) -> Sequence[bytes]:
        rig = tracked.rigs.get(self._rig) if self._rig is not None else None
        if not all_finite(tracked, rig):
            return (self._plainly(tracked),)
        form = self._text or self._bytes
        return (form.from_values(self._head_values(tracked), tracked, rig),)

    def _plainly(self, tracked: TrackedFrame) -> bytes:
        """By way of a dict: a frame with unknown values has another shape."""
        message = self.message(tracked)
        if self._text is None:
            packed: bytes = self._pack(message)
            return packed
        return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()

    def _head_values(self, tracked: TrackedFrame) -> tuple[str, float, int, int, int, int]:
        return (
            self._topic,
            s_from_ns(tracked.t_ns),
            tracked.t_ns,
            self._clock.unix_ns_from_session(tracked.t_ns),
            tracked.i_frame,
            int(tracked.health),
        )

    def message(self, tracked: TrackedFrame) -> dict[str, Any]:
        """The map of one frame, in plain Python values."""
        units, head, gaze = tracked.units, tracked.head, tracked.gaze
        confidence = float(units.confidence.mean())
        message: dict[str, Any] = {
            **dict(zip(HEAD_KEYS, self._head_values(tracked), strict=True)),
            "confidence": confidence if math.isfinite(confidence) else None,
            "au": dict(zip(units.channels, _plain(units.intensity), strict=True)),
            "au_confidence": dict(zip(units.channels, _plain(units.confidence), strict=True)),
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


def packed_for_performers(
    n_performers: int,
    clock: ClockMap,
    *,
    topic: str = DEFAULT_TOPIC,
    rig: str | None = None,
    form: Literal["msgpack", "json"] = "msgpack",
) -> Encoder:
    """The encoder of one performer, or of several: a map for each, with its number."""
    if n_performers == 1:
        return PackedEncoder(clock, topic=topic, rig=rig, form=form)
    return SeveralEncoder(
        [
            (face, PackedEncoder(clock, topic=topic, rig=rig, form=form, face=face))
            for face in range(1, n_performers + 1)
        ]
    )


class _JsonText:
    """JSON by one format string: what ``json.dumps`` gives, in a third of the time."""

    def __init__(self) -> None:
        self._names: tuple[tuple[str, ...], tuple[str, ...]] | None = None
        self._format = ""

    def from_values(
        self, head_values: tuple[object, ...], tracked: TrackedFrame, rig: RigFrame | None
    ) -> bytes:
        """The message of a frame without unknown values."""
        intensity, confidence = tracked.units.intensity, tracked.units.confidence
        controls = () if rig is None else rig.controls
        values = [] if rig is None else rig.values.tolist()
        names = tracked.units.channels, controls
        if names != self._names:
            self._names = names
            self._format = _json_format(None if rig is None else rig.rig, *names)
        text = self._format % (
            json.dumps(head_values[0]),
            *head_values[1:],
            confidence.mean(),
            *intensity.tolist(),
            *confidence.tolist(),
            *tracked.pose_values(),
            *values,
        )
        return text.encode()


def _json_format(rig: str | None, channels: Sequence[str], controls: Sequence[str]) -> str:
    def block(names: Sequence[str]) -> str:
        keys = (json.dumps(name).replace("%", "%%") for name in names)
        return "{" + ",".join(f"{key}:%.5f" for key in keys) + "}"

    parts = [
        '"topic":%s,"timestamp":%.6f,"t_ns":%d,"unix_ns":%d,"frame":%d,"health":%d',
        '"confidence":%.5f',
        f'"au":{block(channels)}',
        f'"au_confidence":{block(channels)}',
        f'"head":{block(POSE_KEYS)}',
        f'"gaze":{block(GAZE_KEYS)}',
    ]
    if rig is not None:
        name = json.dumps(rig).replace("%", "%%")
        parts.append(f'"rig":{name},"controls":{block(controls)}')
    return "{" + ",".join(parts) + "}"


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
    except (ValueError, RecursionError, msgpack.UnpackException) as error:
        raise ValueError(f"neither msgpack nor JSON: {error}") from None
    if not isinstance(message, dict):
        raise ValueError(f"expected a map, got {type(message).__name__}")
    return message
