"""FaceOSC's addresses, read by python-osc."""

from __future__ import annotations

import pytest
from pythonosc.osc_packet import OscPacket

from livefacs.types import Health
from livefacs.wire.faceosc import FaceOscEncoder
from livefacs.wire.osctemplate import OscMessage, OscTemplate
from tests.wire.making import joined, make_frame, make_landmarks


def read(datagrams: object) -> dict[str, list[object]]:
    (datagram,) = joined(datagrams)
    return {t.message.address: list(t.message.params) for t in OscPacket(datagram).messages}


def test_the_examples_of_the_specification() -> None:
    width = OscMessage("/gesture/mouth/width", "f", (14.5,))
    assert width.encoded() == bytes.fromhex(
        "2f676573747572652f6d6f7574682f776964746800000000 2c660000 41680000"
    )
    (bundle,) = OscTemplate([OscMessage("/found", "i", (1,)), width]).datagrams
    assert len(bundle) == 72
    assert bytes(bundle[:20]) == b"#bundle\0" + bytes(7) + b"\x01" + bytes.fromhex("00000010")


def test_gestures_are_distances_in_units_of_the_eye_corners() -> None:
    """100 px between the outer corners are 25 units: 4 px a unit."""
    got = read(FaceOscEncoder().encode(make_frame(landmarks=make_landmarks())))
    assert got["/found"] == [1]
    assert got["/pose/position"] == [320.0, 200.0]
    assert got["/pose/scale"] == [4.0]
    assert got["/pose/orientation"] == pytest.approx([0.2, 0.1, -0.3])
    expected = {
        "mouth/width": 14.0,
        "mouth/height": 2.0,
        "eyebrow/left": 7.0,
        "eyebrow/right": 7.75,
        "eye/left": 2.5,
        "eye/right": 3.0,
        "jaw": 24.0,
        "nostrils": 5.5,
    }
    for name, value in expected.items():
        assert got[f"/gesture/{name}"] == [value]


def test_mirrored_and_scaled() -> None:
    encoder = FaceOscEncoder(scale=2.0, mirrored=True)
    got = read(encoder.encode(make_frame(landmarks=make_landmarks())))
    assert got["/gesture/eye/left"] == [6.0]
    assert got["/gesture/eye/right"] == [5.0]
    assert got["/gesture/jaw"] == [48.0]


def test_without_a_face_only_found_goes_out() -> None:
    encoder = FaceOscEncoder()
    encoder.encode(make_frame(landmarks=make_landmarks()))
    assert read(encoder.encode(make_frame())) == {"/found": [0]}
    lost = make_frame(landmarks=make_landmarks(), health=Health.NO_FACE)
    assert read(encoder.encode(lost)) == {"/found": [0]}
