"""Live Link Face packet, version 6 (Unreal, port 11111).

Source: Unreal's AppleARKit Live Link source, LLV and PyLiveLinkFace, as described in
``docs/protocols.md``. Big-endian; 61 float32: the 52 ARKit shapes, then head and eye angles in
radians. Eye yaw > 0 is to the subject's right, head yaw > 0 to the subject's left.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from livefacs.clock import NS_PER_S, ClockMap
from livefacs.types import TrackedFrame
from livefacs.vocab.arkit import LIVELINK_61
from livefacs.wire.axes import AxisSigns
from livefacs.wire.rigvalues import NamedOrder

VERSION: Final = 6
N_VALUES: Final = len(LIVELINK_61)
_VALUE_BYTES: Final = 4 * N_VALUES
_FRAME_TIME: Final = struct.Struct(">ifii")
_SECONDS_A_DAY: Final = 86_400
_N_SHAPES: Final = 52
_MAX_TEXT_BYTES: Final = 250  # receivers drop packets above 774 bytes
_ANGLE_SIGNS: Final = ("yaw", "pitch", "roll", "gaze", "", "", "gaze", "", "")


class LiveLinkEncoder:
    """Encodes tracked frames as Live Link Face packets.

    The frame number is the time of day (this machine's local time) in frames at the stated rate;
    what remains goes into the sub-frame. A frame without a face carries the held or neutral
    values, so that the subject stays alive and comes to rest.

    Parameters
    ----------
    clock : ClockMap
    rig : str
        Rig with the 61 curves (``livelink61``), or with the 52 ARKit shapes: then head and eye
        angles are taken from the frame.
    subject : str
        Name of the Live Link subject.
    device : str
        Device id, of any length up to 250 bytes of UTF-8. The phone's is a UUID in upper case;
        receivers that read at fixed offsets take no other length than its 36 characters.
    rate : Fraction
        Frame rate of the timecode.
    signs : AxisSigns
    utc_offset_s : int or None
        Local time minus UTC; None reads the machine's.

    Raises
    ------
    ValueError
        Subject or device are empty or too long.
    """

    def __init__(
        self,
        clock: ClockMap,
        rig: str,
        *,
        device: str,
        subject: str = "livefacs",
        rate: Fraction = Fraction(60),
        signs: AxisSigns | None = None,
        utc_offset_s: int | None = None,
    ) -> None:
        self._clock = clock
        self._rig = rig
        self._rate = rate
        if utc_offset_s is None:
            utc_offset_s = time.localtime(clock.unix_ns / NS_PER_S).tm_gmtoff
        self._offset_ns = utc_offset_s * NS_PER_S
        self._order = NamedOrder(LIVELINK_61)
        self._signs = _sign_vector(signs or AxisSigns())
        head = b"".join((bytes((VERSION,)), _text("device", device), _text("subject", subject)))
        self._buffer = bytearray(head + bytes(_FRAME_TIME.size + 1 + _VALUE_BYTES))
        self._time_at = len(head)
        self._buffer[-_VALUE_BYTES - 1] = N_VALUES
        self._values = np.frombuffer(self._buffer, ">f4", offset=len(self._buffer) - _VALUE_BYTES)
        self._view = (memoryview(self._buffer),)

    def encode(self, tracked: TrackedFrame) -> Sequence[memoryview]:
        """One datagram; a view of one buffer, valid until the next call."""
        values = self._order.pick(tracked.rigs.get(self._rig))
        if "HeadYaw" in self._order.missing:
            _fill_angles(values, tracked)
        np.multiply(values, self._signs, out=self._values)
        rate = self._rate
        numerator, denominator = rate.numerator, rate.denominator
        of_day_ns = (self._clock.unix_ns_from_session(tracked.t_ns) + self._offset_ns) % (
            _SECONDS_A_DAY * NS_PER_S
        )
        frame, rest = divmod(of_day_ns * numerator, NS_PER_S * denominator)
        sub_frame = min(rest / (NS_PER_S * denominator), 0.99999994)  # below 1 in float32 too
        _FRAME_TIME.pack_into(self._buffer, self._time_at, frame, sub_frame, numerator, denominator)
        return self._view


def _text(what: str, text: str) -> bytes:
    encoded = text.encode()
    if not 0 < len(encoded) <= _MAX_TEXT_BYTES:
        raise ValueError(f"{what}: expected 1 to {_MAX_TEXT_BYTES} bytes, got {len(encoded)}")
    return struct.pack(">i", len(encoded)) + encoded


def _sign_vector(signs: AxisSigns) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    vector = np.ones(N_VALUES, np.float32)
    for index, name in enumerate(_ANGLE_SIGNS):
        vector[_N_SHAPES + index] = getattr(signs, name, 1.0)
    return vector


def _fill_angles(values: np.ndarray[tuple[int], np.dtype[np.float32]], frame: TrackedFrame) -> None:
    head, gaze = frame.head, frame.gaze
    values[_N_SHAPES:] = (
        head.yaw_rad,
        head.pitch_rad,
        head.roll_rad,
        -gaze.left_yaw_rad,
        gaze.left_pitch_rad,
        0.0,
        -gaze.right_yaw_rad,
        gaze.right_pitch_rad,
        0.0,
    )


@dataclass(frozen=True, slots=True)
class LiveLinkPacket:
    """A decoded packet; ``values`` is empty where the sender saw no face."""

    device: str
    subject: str
    frame: int
    sub_frame: float
    rate: Fraction
    values: dict[str, float]


_NO_FACE: Final = (b"", b"\0")  # no values, or a count of none


def packet_from_livelink(datagram: bytes | memoryview) -> LiveLinkPacket:
    """Decode a version 6 packet.

    Raises
    ------
    ValueError
        Not a version 6 packet, or of the wrong length.
    """
    data = bytes(datagram)
    if not data or data[0] != VERSION:
        raise ValueError(f"not a Live Link Face packet of version {VERSION}")
    try:
        device, at = _read_text(data, 1)
        subject, at = _read_text(data, at)
        frame, sub_frame, numerator, denominator = _FRAME_TIME.unpack_from(data, at)
        rate = Fraction(numerator, denominator)
    except (struct.error, UnicodeDecodeError, ZeroDivisionError) as error:
        raise ValueError(f"damaged Live Link Face packet: {error}") from None
    rest = data[at + _FRAME_TIME.size :]
    if rest not in _NO_FACE and (rest[0] != N_VALUES or len(rest) != 1 + _VALUE_BYTES):
        raise ValueError(f"expected {N_VALUES} values at the end of a Live Link Face packet")
    values = struct.unpack(f">{N_VALUES}f", rest[1:]) if len(rest) > 1 else ()
    if not all(map(math.isfinite, values)):
        raise ValueError("damaged Live Link Face packet: a value is not a number")
    named = dict(zip(LIVELINK_61, values, strict=False))
    return LiveLinkPacket(device, subject, frame, sub_frame, rate, named)


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    (length,) = struct.unpack_from(">i", data, at)
    end = at + 4 + length
    if not 0 <= length <= len(data) - at - 4:
        raise ValueError("damaged Live Link Face packet: a text is longer than the packet")
    return data[at + 4 : end].decode(), end
