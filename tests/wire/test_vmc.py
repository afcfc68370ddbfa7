"""VMC messages, read by python-osc and held against the specification's own example."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pythonosc.osc_packet import OscPacket

from livefacs.types import HeadPose, Health
from livefacs.vocab.vrm import VRM1_PRESETS
from livefacs.wire.axes import AxisSigns, unity_quaternion
from livefacs.wire.osctemplate import OscMessage, OscTemplate
from livefacs.wire.vmc import VmcEncoder, blend_name
from tests.wire.making import ARKIT, CLOCK, joined, make_frame, make_rig


def messages_of(datagrams: object) -> list[tuple[str, list[object]]]:
    return [
        (timed.message.address, list(timed.message.params))
        for datagram in joined(datagrams)
        for timed in OscPacket(datagram).messages
    ]


def test_the_examples_of_the_specification() -> None:
    value = OscMessage("/VMC/Ext/Blend/Val", "sf", ("JawOpen", 0.5))
    assert value.encoded() == bytes.fromhex(
        "2f564d432f4578742f426c656e642f56616c0000 2c736600 4a61774f70656e00 3f000000"
    )
    apply = OscMessage("/VMC/Ext/Blend/Apply")
    assert apply.encoded() == b"/VMC/Ext/Blend/Apply\0\0\0\0,\0\0\0"
    assert [len(part) for part in OscTemplate([value, apply]).datagrams] == [88]


def test_a_frame_has_every_blend_and_apply_at_its_very_end() -> None:
    datagrams = joined(VmcEncoder(CLOCK, "arkit52").encode(make_frame(rigs=(ARKIT,))))
    assert all(len(datagram) < 1500 for datagram in datagrams)
    messages = messages_of(datagrams)
    assert messages[-1] == ("/VMC/Ext/Blend/Apply", [])
    assert [address for address, _ in messages].count("/VMC/Ext/Blend/Apply") == 1
    blends = dict(arguments for address, arguments in messages if address.endswith("/Val"))
    assert blends["JawOpen"] == ARKIT.values[ARKIT.controls.index("jawOpen")]
    assert len(blends) == 52
    assert ("/VMC/Ext/OK", [1, 3, 0, 1]) in messages
    assert ("/VMC/Ext/T", [0.5]) in messages
    bones = {args[0]: args[1:] for address, args in messages if address.endswith("Bone/Pos")}
    assert set(bones) == {"Head", "LeftEye", "RightEye"}
    assert bones["Head"][3:] == pytest.approx(unity_quaternion(0.1, 0.2, -0.3), abs=1e-7)
    assert all(isinstance(value, float) for bone in bones.values() for value in bone)


def test_a_turn_to_the_own_right_is_positive_about_unitys_y() -> None:
    x, y, z, w = unity_quaternion(-math.radians(10), 0.0, 0.0)
    assert (x, y, z, w) == pytest.approx((0.0, 0.08716, 0.0, 0.99619), abs=1e-5)


@pytest.mark.parametrize(
    ("angles", "axis"),
    [((0.3, 0, 0), (0, -1, 0)), ((0, 0.3, 0), (1, 0, 0)), ((0, 0, 0.3), (0, 0, -1))],
)
def test_each_angle_turns_about_its_own_unity_axis(
    angles: tuple[float, float, float], axis: tuple[int, int, int]
) -> None:
    *vector, w = unity_quaternion(*angles)
    assert w == pytest.approx(math.cos(0.15))
    assert vector == pytest.approx([part * math.sin(0.15) for part in axis])


def test_the_three_angles_compose_as_the_pose_takes_them_apart() -> None:
    """Ry(yaw) Rx(pitch) Rz(roll) as matrices, in Unity's axes."""

    def rotation(axis: int, angle: float) -> np.ndarray:
        cos, sin = math.cos(angle), math.sin(angle)
        i, j = [(1, 2), (2, 0), (0, 1)][axis]
        matrix = np.eye(3)
        matrix[i, i] = matrix[j, j] = cos
        matrix[i, j], matrix[j, i] = -sin, sin
        return matrix

    yaw, pitch, roll = 0.4, -0.3, 0.2
    expected = rotation(1, -yaw) @ rotation(0, pitch) @ rotation(2, -roll)
    x, y, z, w = unity_quaternion(yaw, pitch, roll)
    got = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    assert got == pytest.approx(expected)


def test_flipped_axes() -> None:
    frame = make_frame(rigs=(ARKIT,))
    encoder = VmcEncoder(CLOCK, "arkit52", signs=AxisSigns.flipping(["yaw"]))
    head = next(args for _, args in messages_of(encoder.encode(frame)) if args[:1] == ["Head"])
    assert head[4:] == pytest.approx(unity_quaternion(-0.1, 0.2, -0.3), abs=1e-7)


def test_vrm1_presets_go_out_by_their_older_names_unless_asked_otherwise() -> None:
    rig = make_rig("vrm1", VRM1_PRESETS)
    frame = make_frame(rigs=(rig,))
    usual = {args[0] for _, args in messages_of(VmcEncoder(CLOCK, "vrm1").encode(frame)) if args}
    assert {"A", "Blink_L", "LookUp"} <= usual
    as_map = VmcEncoder(CLOCK, "vrm1", usual_names=False).encode(frame)
    assert {"aa", "blinkLeft", "lookUp"} <= {args[0] for _, args in messages_of(as_map) if args}
    assert blend_name("blinkRight") == "Blink_R"


def test_without_a_face_the_tracking_status_says_so_and_values_are_finite() -> None:
    values = np.full(52, 0.5)
    values[7] = np.nan
    rig = make_rig("arkit52", ARKIT.controls, values)
    messages = messages_of(
        VmcEncoder(CLOCK, "arkit52", bones=False).encode(
            make_frame(rigs=(rig,), health=Health.NO_FACE)
        )
    )
    assert ("/VMC/Ext/OK", [1, 3, 0, 0]) in messages
    assert not any(address.endswith("Bone/Pos") for address, _ in messages)
    blends = dict(args for address, args in messages if address.endswith("/Val"))
    assert blends["EyeBlinkRight"] == 0.0


def test_a_rig_that_is_missing_sends_pose_alone() -> None:
    frame = make_frame()
    assert frame.head != HeadPose()
    addresses = {address for address, _ in messages_of(VmcEncoder(CLOCK, "none").encode(frame))}
    assert "/VMC/Ext/Blend/Val" not in addresses
    assert "/VMC/Ext/Bone/Pos" in addresses
