"""Face Cap's OSC addresses, for rigs that were routed for that app.

Source: Face Cap's own page: ``/HT fff`` place of the head, ``/HR fff`` its turn in degrees, ``/ELR
ff`` and ``/ERR ff`` the left and right eye's, ``/W i f`` the weight of the shape with this index.
The first ten indexes are confirmed by public receivers, the rest presumed to follow the same list.
Not confirmed: the signs of the angles, which ``AxisSigns`` turns, the unit of ``/HT`` (here
metres), and the usual port.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from livefacs.types import TrackedFrame
from livefacs.wire.axes import AxisSigns
from livefacs.wire.osctemplate import OscMessage, OscTemplate
from livefacs.wire.rigvalues import NamedOrder

PORT: Final = 8080
WEIGHT: Final = "/W"
_SIDES: Final = ("Left", "Right")


def _pairs(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{side}" for name in names for side in _SIDES)


FACE_CAP_52: Final = (
    *("browInnerUp", *_pairs("browDown", "browOuterUp")),
    *_pairs("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut"),
    *_pairs("eyeBlink", "eyeSquint", "eyeWide"),
    *("cheekPuff", *_pairs("cheekSquint", "noseSneer")),
    *("mouthFunnel", "mouthPucker", "mouthRollUpper", "mouthRollLower"),
    *("mouthShrugUpper", "mouthShrugLower", "mouthClose"),
    *_pairs("mouthSmile", "mouthFrown", "mouthDimple", "mouthUpperUp", "mouthLowerDown"),
    *_pairs("mouthPress", "mouthStretch", "mouth"),
    *("jawOpen", "jawForward", "jawLeft", "jawRight", "tongueOut"),
)
"""ARKit's shapes in the order of Face Cap's indexes."""

_pack_pair: Final = struct.Struct(">2f").pack_into
_pack_triple: Final = struct.Struct(">3f").pack_into


class FaceCapEncoder:
    """Encodes tracked frames with Face Cap's addresses.

    Parameters
    ----------
    rig : str
        Rig with the 52 ARKit shapes.
    signs : AxisSigns
    """

    def __init__(self, rig: str, *, signs: AxisSigns | None = None) -> None:
        self._rig = rig
        self._signs = signs or AxisSigns()
        self._order = NamedOrder(FACE_CAP_52)
        self._template = OscTemplate(
            [
                OscMessage("/HT", "fff", (0.0, 0.0, 0.0)),
                OscMessage("/HR", "fff", (0.0, 0.0, 0.0)),
                OscMessage("/ELR", "ff", (0.0, 0.0)),
                OscMessage("/ERR", "ff", (0.0, 0.0)),
                *(OscMessage(WEIGHT, "if", (index, 0.0)) for index in range(len(FACE_CAP_52))),
            ]
        )
        self._words = np.array(self._template.offsets(WEIGHT, 1), np.intp) // 4
        self._at = {
            name: self._template.offsets(name)[0] for name in ("/HT", "/HR", "/ELR", "/ERR")
        }

    def encode(self, tracked: TrackedFrame) -> Sequence[memoryview]:
        """The datagrams of one frame; views of one buffer, valid until the next call."""
        self._template.floats[self._words] = self._order.pick(tracked.rigs.get(self._rig))
        buffer, at, signs = self._template.buffer, self._at, self._signs
        head, gaze, degrees = tracked.head, tracked.gaze, math.degrees
        _pack_triple(buffer, at["/HT"], head.x_cm / 100.0, -head.y_cm / 100.0, -head.z_cm / 100.0)
        _pack_triple(
            buffer,
            at["/HR"],
            degrees(signs.pitch * head.pitch_rad),
            degrees(signs.yaw * head.yaw_rad),
            degrees(signs.roll * head.roll_rad),
        )
        left, right = gaze.left_yaw_rad, gaze.right_yaw_rad
        _pack_pair(buffer, at["/ELR"], degrees(gaze.left_pitch_rad), degrees(signs.gaze * left))
        _pack_pair(buffer, at["/ERR"], degrees(gaze.right_pitch_rad), degrees(signs.gaze * right))
        return self._template.datagrams
