"""Other trackers' packets as faces: what our encoders send comes back, and rubbish is refused."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from livefacs.protocols import Encoder
from livefacs.types import Gaze, HeadPose, Health, Shapes
from livefacs.vocab.arkit import ARKIT_52, LIVELINK_61
from livefacs.wire.axes import angles_from_quaternion, quaternion
from livefacs.wire.facecap import FaceCapEncoder
from livefacs.wire.ifacialmocap import IFacialMocapEncoder
from livefacs.wire.livelink import LiveLinkEncoder
from livefacs.wire.openseeface import OpenSeeFaceEncoder
from livefacs.wire.shapes import SHAPE_READERS
from livefacs.wire.vmc import VmcEncoder
from livefacs.wire.vtsphone import VtsPhoneEncoder
from tests.wire.making import ARKIT, CLOCK, make_frame, make_landmarks, make_rig

HEAD = HeadPose(0.3, -0.2, 0.1, 3.0, -2.0, 55.0)
GAZE = Gaze(0.05, 0.02, 0.06, -0.01)
ANGLES = (0.3, -0.2, 0.1, -0.05, 0.02, 0.0, -0.06, -0.01, 0.0)
LIVELINK = make_rig("livelink61", LIVELINK_61, np.r_[np.arange(52) / 52, ANGLES])
FRAME = replace(
    make_frame(rigs=(ARKIT, LIVELINK), landmarks=make_landmarks()), head=HEAD, gaze=GAZE
)
ENCODERS: dict[str, Encoder] = {
    "livelink": LiveLinkEncoder(CLOCK, "livelink61", device="D" * 36),
    "ifacialmocap": IFacialMocapEncoder("arkit52"),
    "vtsphone": VtsPhoneEncoder(CLOCK, "arkit52"),
    "facecap": FaceCapEncoder("arkit52"),
    "vmc": VmcEncoder(CLOCK, "arkit52"),
    "osf": OpenSeeFaceEncoder(CLOCK),
}
WHOLE = ("livelink", "ifacialmocap", "vtsphone", "facecap", "vmc")


def received(scheme: str) -> Shapes:
    reader = SHAPE_READERS[scheme]()
    (shapes,) = [
        shapes
        for datagram in ENCODERS[scheme].encode(FRAME)
        if (shapes := reader.read(bytes(datagram))) is not None
    ][-1:]
    return shapes


@pytest.mark.parametrize("scheme", WHOLE)
def test_what_is_sent_comes_back(scheme: str) -> None:
    shapes = received(scheme)
    np.testing.assert_allclose(shapes.weights, np.arange(52) / 52, atol=0.006)
    angles = (shapes.head.yaw_rad, shapes.head.pitch_rad, shapes.head.roll_rad)
    assert angles == pytest.approx((0.3, -0.2, 0.1), abs=1e-3)
    gaze = shapes.gaze
    assert (gaze.left_yaw_rad, gaze.left_pitch_rad) == pytest.approx((0.05, 0.02), abs=1e-3)
    assert (gaze.right_yaw_rad, gaze.right_pitch_rad) == pytest.approx((0.06, -0.01), abs=1e-3)
    if scheme not in ("livelink", "vmc"):  # which do not say where the head is
        place = (shapes.head.x_cm, shapes.head.y_cm, shapes.head.z_cm)
        assert place == pytest.approx((3.0, -2.0, 55.0), abs=1e-2)


def test_openseeface_has_fewer_shapes() -> None:
    shapes = received("osf")
    known = {name for name, value in zip(ARKIT_52, shapes.weights, strict=True) if value == value}
    assert {"jawOpen", "eyeBlinkLeft", "browInnerUp", "mouthSmileRight"} <= known
    assert "cheekPuff" not in known
    assert (shapes.head.yaw_rad, shapes.head.z_cm) == pytest.approx((0.3, 55.0), abs=1e-3)


def test_a_tracker_that_sees_no_face_says_so() -> None:
    lost = replace(FRAME, health=Health.NO_FACE, landmarks=None)
    for scheme in ("ifacialmocap", "vtsphone"):
        (datagram,) = ENCODERS[scheme].encode(lost)
        shapes = SHAPE_READERS[scheme]().read(bytes(datagram))
        assert shapes is not None
        assert not shapes.has_face
    header = bytes([6]) + struct.pack(">i", 1) + b"d" + struct.pack(">i", 1) + b"s"
    empty = SHAPE_READERS["livelink"]().read(header + struct.pack(">ifii", 1, 0.0, 60, 1) + b"\0")
    assert empty is None or not empty.has_face


@given(st.floats(-1.4, 1.4), st.floats(-1.4, 1.4), st.floats(-3, 3))
@settings(max_examples=100, deadline=None)
def test_angles_of_a_quaternion(yaw: float, pitch: float, roll: float) -> None:
    got = angles_from_quaternion(*quaternion(yaw, pitch, roll))
    assert got == pytest.approx((yaw, pitch, roll), abs=1e-6)
    expected = Rotation.from_euler("YXZ", [yaw, pitch, roll]).as_quat()
    ours = np.array(quaternion(yaw, pitch, roll))
    assert abs(float(expected @ ours)) == pytest.approx(1.0)


@pytest.mark.parametrize("scheme", list(SHAPE_READERS))
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_rubbish_is_refused_or_gives_finite_faces(scheme: str, data: st.DataObject) -> None:
    """Packets with bytes changed, cut short or made up."""
    (*_, datagram) = (bytes(each) for each in ENCODERS[scheme].encode(FRAME))
    kind = data.draw(st.sampled_from(("changed", "cut", "made up")))
    if kind == "changed":
        damaged = bytearray(datagram)
        for _ in range(data.draw(st.integers(1, 8))):
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        datagram = bytes(damaged)
    elif kind == "cut":
        datagram = datagram[: data.draw(st.integers(0, len(datagram)))]
    else:
        datagram = data.draw(st.binary(max_size=2000))
    try:
        shapes = SHAPE_READERS[scheme]().read(datagram)
    except ValueError:
        return
    if shapes is not None:
        assert shapes.weights.shape == (52,)
        assert not np.isinf(shapes.weights).any()
        assert np.isfinite((shapes.head.yaw_rad, shapes.head.x_cm, shapes.gaze.left_yaw_rad)).all()
