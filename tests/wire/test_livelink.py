"""Live Link Face packets, read by PyLiveLinkFace and held against bytes made by hand."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylivelinkface.pylivelinkface import FaceBlendShape, PyLiveLinkFace

from livefacs.clock import NS_PER_S
from livefacs.vocab.arkit import LIVELINK_61
from livefacs.wire.axes import AxisSigns
from livefacs.wire.livelink import LiveLinkEncoder, packet_from_livelink
from tests.wire.making import ARKIT, CLOCK, LIVELINK, make_frame, make_rig

DEVICE = "8C4A2E1B-6E43-4D4B-8E6C-0C9B1B2D3E4F"


def encode(frame: object = None, **options: object) -> bytes:
    settings: dict[str, object] = {"device": DEVICE, "subject": "iPhone", "utc_offset_s": 0}
    encoder = LiveLinkEncoder(CLOCK, "livelink61", **{**settings, **options})  # type: ignore[arg-type]
    return bytes(encoder.encode(frame or make_frame(rigs=(LIVELINK,)))[0])  # type: ignore[arg-type]


def test_the_bytes_of_the_worked_example() -> None:
    values = np.zeros(61)
    values[17], values[52] = 0.5, -0.25
    packet = encode(make_frame(rigs=(make_rig("livelink61", LIVELINK_61, values),)))
    assert len(packet) == 312
    assert packet[0] == 6
    assert packet[1:5] == bytes.fromhex("00000024")
    assert packet[5:41] == DEVICE.encode()
    assert packet[41:45] == bytes.fromhex("00000006")
    assert packet[45:51] == b"iPhone"
    assert packet[59:67] == bytes.fromhex("0000003c00000001")
    assert packet[67] == 0x3D
    assert packet[136:140] == bytes.fromhex("3f000000")
    assert packet[276:280] == bytes.fromhex("be800000")


def test_frame_number_is_the_time_of_day_and_the_sub_frame_what_remains() -> None:
    """Unix 1700000000.75 is 22:13:20.75 UTC, a frame number that is exact at 60 frames/s."""
    frame, sub_frame = struct.unpack_from(">if", encode(), 51)
    assert frame == (22 * 3600 + 13 * 60 + 20) * 60 + 45
    assert sub_frame == 0.0
    later = make_frame(rigs=(LIVELINK,), t_ns=5_500_000_000 + NS_PER_S // 120)
    frame, sub_frame = struct.unpack_from(">if", encode(later), 51)
    assert frame == (22 * 3600 + 13 * 60 + 20) * 60 + 45
    assert sub_frame == pytest.approx(0.5, abs=1e-6)


def test_local_time_moves_the_frame_number_and_fractions_are_exact() -> None:
    packet = encode(utc_offset_s=3600, rate=Fraction(30000, 1001))
    frame, _, numerator, denominator = struct.unpack_from(">ifii", packet, 51)
    assert (numerator, denominator) == (30000, 1001)
    assert frame == math.floor((23 * 3600 + 13 * 60 + 20.75) * 30000 / 1001)


@settings(deadline=None)  # a busy machine is no error
@given(st.integers(0, 2 * 86_400 * NS_PER_S))
def test_sub_frames_stay_below_one(t_ns: int) -> None:
    packet = encode(make_frame(rigs=(LIVELINK,), t_ns=t_ns))
    frame, sub_frame = struct.unpack_from(">if", packet, 51)
    assert 0 <= frame < 86_400 * 60
    assert 0.0 <= sub_frame < 1.0


def test_pylivelinkface_reads_every_value() -> None:
    has_face, face = PyLiveLinkFace.decode(encode())
    assert has_face
    assert face.name == "iPhone"
    assert face.fps == 60
    for shape in FaceBlendShape:
        assert face.get_blendshape(shape) == LIVELINK.values[shape.value]
        assert shape.name.casefold() == LIVELINK_61[shape.value].casefold()


@pytest.mark.parametrize("device", ["x", "livefacs", "A" * 37, "caméra", "d" * 250])
def test_device_ids_of_any_length_are_read_back(device: str) -> None:
    packet = encode(device=device, subject="Señora")
    assert len(packet) == 270 + len(device.encode()) + len("Señora".encode())
    read = packet_from_livelink(packet)
    assert (read.device, read.subject, read.rate) == (device, "Señora", Fraction(60))
    assert list(read.values.values()) == LIVELINK.values.tolist()


def test_a_rig_of_52_shapes_takes_its_angles_from_the_frame() -> None:
    encoder = LiveLinkEncoder(CLOCK, "arkit52", device=DEVICE, utc_offset_s=0)
    values = packet_from_livelink(encoder.encode(make_frame(rigs=(ARKIT,)))[0]).values
    assert values["JawOpen"] == ARKIT.values[17]
    angles = [values[name] for name in LIVELINK_61[52:]]
    assert angles == pytest.approx([0.1, 0.2, -0.3, -0.05, 0.02, 0.0, -0.06, -0.01, 0.0])
    flipped = LiveLinkEncoder(
        CLOCK,
        "arkit52",
        device=DEVICE,
        utc_offset_s=0,
        signs=AxisSigns.flipping(["roll", "gaze"]),
    )
    values = packet_from_livelink(flipped.encode(make_frame(rigs=(ARKIT,)))[0]).values
    angles = [values[name] for name in LIVELINK_61[52:]]
    assert angles == pytest.approx([0.1, 0.2, 0.3, 0.05, 0.02, 0.0, 0.06, -0.01, 0.0])


def test_unknown_values_are_zero() -> None:
    values = np.full(61, 0.5)
    values[17] = np.nan
    packet = encode(make_frame(rigs=(make_rig("livelink61", LIVELINK_61, values),)))
    assert packet_from_livelink(packet).values["JawOpen"] == 0.0


@pytest.mark.parametrize("text", ["", "x" * 251])
def test_a_name_that_receivers_would_drop_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected 1 to 250 bytes"):
        encode(subject=text)


def test_a_packet_without_a_face_has_no_values() -> None:
    assert packet_from_livelink(encode()[:67]).values == {}


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x05" + bytes(311),
        encode()[:100],
        encode() + b"\0",
        b"\x06\x7f\xff\xff\xff" + bytes(300),
        b"\x06\xff\xff\xff\xff" + bytes(300),
        encode()[:-4] + struct.pack(">f", math.nan),
        bytes(584),
    ],
)
def test_what_is_no_packet_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match=r"Live Link Face packet"):
        packet_from_livelink(packet)
