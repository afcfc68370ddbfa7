"""iFacialMocap text frames, v1 and v2 (port 49983), and the handshake that asks for them.

Source: vendor pages, VRC_iFacialMocap and ExpressionAppBridge, as described in
``docs/protocols.md``. Angles in degrees and positions in metres, in ARKit's axes (right-handed,
X to the subject's left, Y up, Z out of the face; position in the camera's). Their signs are
inferred from receivers, not stated by the vendor: ``AxisSigns`` turns them.

Recordings of the app begin with ``trackingStatus-1`` and end the shapes with ``hapihapi-0``, and
receivers count on both places: one drops the first entry, another expects 54 before the head. What
a status of 0 means to receivers is inferred: no face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from livefacs.types import Health, TrackedFrame
from livefacs.vocab.arkit import ARKIT_52
from livefacs.wire.axes import AxisSigns
from livefacs.wire.rigvalues import NamedOrder

PORT: Final = 49983
HANDSHAKE: Final = "iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
V2_SUFFIX: Final = "|sendDataVersion=v2"
_DEGREES: Final = 180.0 / math.pi
_NO_SIDE_SUFFIX: Final = frozenset({"jawLeft", "jawRight", "mouthLeft", "mouthRight"})
_MAX_BYTES: Final = 8192


def ifacialmocap_name(arkit: str) -> str:
    """``mouthSmileLeft`` → ``mouthSmile_L``; jaw and mouth directions keep their names."""
    if arkit in _NO_SIDE_SUFFIX:
        return arkit
    for side in ("Left", "Right"):
        if arkit.endswith(side):
            return f"{arkit.removesuffix(side)}_{side[0]}"
    return arkit


IFACIALMOCAP_52: Final = tuple(ifacialmocap_name(name) for name in ARKIT_52)
STATUS: Final = "trackingStatus"
"""Name of the first entry: 1 with a face."""
LAST: Final = "hapihapi"
"""Name of the entry after the last shape; always 0."""


def version_from_handshake(datagram: bytes) -> int | None:
    """1 or 2 where the datagram asks for that version of the stream, else None."""
    text = datagram[:200].decode("ascii", "replace").strip("\0\r\n ")
    if text == HANDSHAKE + V2_SUFFIX:
        return 2
    return 1 if text == HANDSHAKE else None


class IFacialMocapEncoder:
    """Encodes tracked frames as iFacialMocap text.

    Parameters
    ----------
    rig : str
        Rig with the 52 ARKit shapes.
    version : 1 or 2
        1 separates name and value by ``-``, 2 by ``&``.
    signs : AxisSigns
    """

    def __init__(self, rig: str, *, version: int = 1, signs: AxisSigns | None = None) -> None:
        self._rig = rig
        self._signs = signs or AxisSigns()
        self._order = NamedOrder(ARKIT_52)
        separator = "&" if version == 2 else "-"
        names = (STATUS, *IFACIALMOCAP_52)
        shapes = "".join(f"{name}{separator}%d|" for name in names) + f"{LAST}{separator}0|"
        triple = ",".join(("%.6f",) * 3)
        self._format = f"{shapes}=head#{triple},{triple}|rightEye#{triple}|leftEye#{triple}|"

    def encode(self, tracked: TrackedFrame) -> Sequence[bytes]:
        """One datagram; shapes are whole percents from 0 to 100, the status is 0 without a face."""
        values = self._order.pick(tracked.rigs.get(self._rig))
        percents = np.clip(values * 100.0 + 0.5, 0.0, 100.0).astype(np.int32).tolist()
        signs, head, gaze = self._signs, tracked.head, tracked.gaze
        text = self._format % (
            0 if tracked.health & Health.NO_FACE else 1,
            *percents,
            signs.pitch * head.pitch_rad * _DEGREES,
            signs.yaw * head.yaw_rad * _DEGREES,
            signs.roll * head.roll_rad * _DEGREES,
            head.x_cm / 100.0,
            -head.y_cm / 100.0,
            -head.z_cm / 100.0,
            gaze.right_pitch_rad * _DEGREES,
            signs.gaze * gaze.right_yaw_rad * _DEGREES,
            0.0,
            gaze.left_pitch_rad * _DEGREES,
            signs.gaze * gaze.left_yaw_rad * _DEGREES,
            0.0,
        )
        return (text.encode("ascii"),)


def values_from_ifacialmocap(datagram: bytes) -> dict[str, float]:
    """Shapes (percent) and angles of a v1 or v2 frame, by name: ``jawOpen``, ``head.0`` ….

    Raises
    ------
    ValueError
        Not such a frame; a v3 frame is recognised and refused.
    """
    if datagram.startswith(b"FMV3"):
        raise ValueError("iFacialMocap v3 (binary) is not supported; choose v1 or v2 in the app")
    if len(datagram) > _MAX_BYTES:
        raise ValueError(f"frame of {len(datagram)} bytes: expected at most {_MAX_BYTES}")
    text = datagram.decode("ascii", "strict") if datagram.isascii() else ""
    values: dict[str, float] = {}
    for token in text.split("|"):
        if not token:
            continue
        name, numbers = _split_token(token)
        if len(numbers) == 1:
            values[name] = numbers[0]
        else:
            values.update({f"{name}.{index}": number for index, number in enumerate(numbers)})
    if not values:
        raise ValueError("not an iFacialMocap frame: no name-value pairs")
    return values


def _split_token(token: str) -> tuple[str, list[float]]:
    for separator in "#&-":
        name, found, rest = token.partition(separator)
        if found:
            break
    else:
        raise ValueError(f"not an iFacialMocap frame: no value in {token[:30]!r}")
    try:
        numbers = [float(part) for part in rest.split(",")]
    except ValueError:
        raise ValueError(f"not an iFacialMocap frame: no number in {token[:30]!r}") from None
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"not an iFacialMocap frame: not a number in {token[:30]!r}")
    return name.removeprefix("="), numbers
