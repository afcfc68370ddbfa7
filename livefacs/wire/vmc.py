"""VMC protocol (VSeeFace, Warudo, VNyan, Blender add-ons, EVMC4U): blends, bones, root.

Source: sh-akira/VirtualMotionCaptureProtocol (specification). A frame is OK, T, root, the bones
Head, LeftEye and RightEye, every Blend/Val and, last, Blend/Apply, in bundles of at most 1400
bytes. Head and eye rotations are local to their parent bone; their local positions are sent as 0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

from livefacs.clock import ClockMap, s_from_ns
from livefacs.types import Health, RigFrame, TrackedFrame
from livefacs.vocab.vrm import VRM1_FROM_VRM0
from livefacs.wire.axes import AxisSigns, unity_quaternion
from livefacs.wire.osctemplate import OscMessage, OscTemplate
from livefacs.wire.rigvalues import pascal_if_arkit, zeros_for_unknown

VALUE: Final = "/VMC/Ext/Blend/Val"
APPLY: Final = "/VMC/Ext/Blend/Apply"
BONE: Final = "/VMC/Ext/Bone/Pos"
_BONES: Final = ("Head", "LeftEye", "RightEye")
_pack_quaternion: Final = struct.Struct(">4f").pack_into
_pack_float: Final = struct.Struct(">f").pack_into
_pack_int: Final = struct.Struct(">i").pack_into
_VRM0_FROM_VRM1: Final = {new: old for old, new in VRM1_FROM_VRM0.items()}


def blend_name(control: str) -> str:
    """The name that models use: ARKit shapes in PascalCase, VRM 1.0 presets by their 0.x names."""
    return _VRM0_FROM_VRM1.get(control) or pascal_if_arkit(control)


class VmcEncoder:
    """Encodes tracked frames as VMC performer messages.

    Parameters
    ----------
    clock : ClockMap
        Origin of ``/VMC/Ext/T``: seconds since the session's clock was read.
    rig : str
        Rig whose controls become blends.
    usual_names : bool
        Names as models spell them (``blend_name``); False: as the rig map spells them.
    bones : bool
        Send head and eye rotations.
    signs : AxisSigns
    """

    def __init__(
        self,
        clock: ClockMap,
        rig: str,
        *,
        usual_names: bool = True,
        bones: bool = True,
        signs: AxisSigns | None = None,
    ) -> None:
        self._origin_ns = clock.session_ns
        self._rig = rig
        self._usual_names = usual_names
        self._bones = bones
        self._signs = signs or AxisSigns()
        self._controls: tuple[str, ...] | None = None
        self._learn(())

    def encode(self, tracked: TrackedFrame) -> Sequence[memoryview]:
        """The datagrams of one frame; views of one buffer, valid until the next call."""
        rig = tracked.rigs.get(self._rig)
        if rig is not None:
            self._fill_values(rig)
        buffer = self._template.buffer
        _pack_int(buffer, self._status_at, 0 if Health.NO_FACE in tracked.health else 1)
        _pack_float(buffer, self._time_at, s_from_ns(tracked.t_ns - self._origin_ns))
        if self._bones:
            self._fill_bones(tracked)
        return self._template.datagrams

    def _fill_values(self, rig: RigFrame) -> None:
        if rig.controls is not self._controls:
            self._learn(rig.controls)
        self._template.floats[self._words] = zeros_for_unknown(rig.values)

    def _fill_bones(self, tracked: TrackedFrame) -> None:
        buffer, signs = self._template.buffer, self._signs
        head, gaze = tracked.head, tracked.gaze
        head_at, left_at, right_at = self._bones_at
        _pack_quaternion(
            buffer,
            head_at,
            *unity_quaternion(
                signs.yaw * head.yaw_rad, signs.pitch * head.pitch_rad, signs.roll * head.roll_rad
            ),
        )
        left = unity_quaternion(signs.gaze * gaze.left_yaw_rad, gaze.left_pitch_rad, 0.0)
        right = unity_quaternion(signs.gaze * gaze.right_yaw_rad, gaze.right_pitch_rad, 0.0)
        _pack_quaternion(buffer, left_at, *left)
        _pack_quaternion(buffer, right_at, *right)

    def _learn(self, controls: tuple[str, ...]) -> None:
        names = [blend_name(name) if self._usual_names else name for name in controls]
        self._template = OscTemplate(
            [
                OscMessage("/VMC/Ext/OK", "iiii", (1, 3, 0, 1)),
                OscMessage("/VMC/Ext/T", "f", (0.0,)),
                _transform("/VMC/Ext/Root/Pos", "root"),
                *(_transform(BONE, bone) for bone in _BONES if self._bones),
                *(OscMessage(VALUE, "sf", (name, 0.0)) for name in names),
                OscMessage(APPLY),
            ]
        )
        self._words = np.array(self._template.offsets(VALUE, 1), np.intp) // 4
        self._status_at = self._template.offsets("/VMC/Ext/OK", 3)[0]
        self._time_at = self._template.offsets("/VMC/Ext/T")[0]
        self._bones_at = self._template.offsets(BONE, 4)
        self._controls = controls


def _transform(address: str, name: str) -> OscMessage:
    return OscMessage(address, "sfffffff", (name, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0))
