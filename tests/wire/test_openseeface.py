"""OpenSeeFace's packet: layout by the published format, pose by the solver that it uses."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from livefacs.types import ActionUnits, HeadPose, Health, Landmarks, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from livefacs.wire.openseeface import FEATURES, OpenSeeFaceEncoder, faces_from_openseeface
from tests.wire.making import CLOCK, joined, make_frame

LAYOUT = struct.Struct("<diffffBf4f3f3f68f136f210f14f")
"""As the format is published: one face, little-endian, unpadded."""
FOCAL, CENTRE = 640.0, (320.0, 240.0)
CLOUD = np.random.default_rng(3).uniform(-1, 1, (478, 3)) * (7.0, 10.0, 4.0)
"""478 points of a head in centimetres: x right in the image, y down, z away."""


def head_frame(
    yaw: float, pitch: float, roll: float, place: tuple[float, float, float]
) -> TrackedFrame:
    """A frame of that head, seen by a pinhole camera."""
    cloud = CLOUD.copy()
    cloud[[33, 263]] = (-4.5, -3.0, 2.0), (4.5, -3.0, 2.0)
    cloud[4] = 0.0
    flip = np.diag([1.0, -1.0, -1.0])
    turn = flip @ Rotation.from_euler("YXZ", [yaw, pitch, roll]).as_matrix() @ flip
    seen = cloud @ turn.T + place
    points = np.empty((478, 3), np.float32)
    points[:, :2] = seen[:, :2] / seen[:, 2:] * FOCAL + CENTRE
    points[:, 2] = (seen[:, 2] - place[2]) / place[2] * FOCAL
    landmarks = Landmarks(points, 0, 0, (640, 480))
    head = HeadPose(yaw, pitch, roll, *place)
    return replace(make_frame(landmarks=landmarks), head=head)


def fields(frame: TrackedFrame) -> list[float]:
    (datagram,) = joined(OpenSeeFaceEncoder(CLOCK, face_id=3).encode(frame))
    return list(LAYOUT.unpack(datagram))


def test_layout() -> None:
    got = fields(head_frame(0, 0, 0, (0, 0, 60)))
    assert LAYOUT.size == 1785
    assert got[:4] == [1_700_000_000.75, 3, 640.0, 480.0]
    assert got[6] == 1
    confidence, points = got[18:86], np.reshape(got[86:222], (68, 2))
    assert set(confidence) == {1.0}
    assert points[30].tolist() == pytest.approx([320.0, 240.0])  # the nose's tip, x before y
    assert len(got[222:432]) == 210


def solved(frame: TrackedFrame) -> tuple[np.ndarray, np.ndarray]:
    """Rotation and place as OpenSeeFace finds them: rows as x, on the side of negative depth."""
    assert frame.landmarks is not None
    model = CLOUD * (-1.0, -1.0, -1.0) / 13.7
    chosen = slice(300, 460)
    image = frame.landmarks.points_px[chosen, 1::-1].astype(np.float64) - CENTRE[::-1]
    camera = np.diag([FOCAL, FOCAL, 1.0])
    start = np.array([[0.0], [0.0], [-30.0]])
    _, turn, place = cv2.solvePnP(
        model[chosen], image, camera, np.zeros(4), np.zeros((3, 1)), start, True,
        flags=cv2.SOLVEPNP_ITERATIVE,
    )  # fmt: skip
    return cv2.Rodrigues(turn)[0], place.ravel()


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [(0, 0, 0), (25, 0, 0), (0, -15, 0), (0, 0, 20), (-20, 10, -15)]
)
def test_pose_is_what_openseefaces_solver_finds(yaw: float, pitch: float, roll: float) -> None:
    angles = [math.radians(angle) for angle in (yaw, pitch, roll)]
    frame = head_frame(*angles, (2.0, -1.0, 400.0))  # far away: perspective plays little part
    got = fields(frame)
    matrix, place = solved(frame)
    assert place[2] < 0
    euler = cv2.RQDecomp3x3(matrix)[0]
    turned = (np.array(got[12:15]) - euler + 180.0) % 360.0 - 180.0
    np.testing.assert_allclose(turned, 0.0, atol=1.5)
    np.testing.assert_allclose(got[15:18], place, rtol=0.03, atol=0.03)
    # The packet's quaternion is the conjugate of the matrix it was made from.
    ours = Rotation.from_quat(got[8:12]).inv().as_matrix()
    np.testing.assert_allclose(ours, matrix, atol=0.03)


def test_points_in_space_do_not_turn_with_the_head() -> None:
    straight = fields(head_frame(0, 0, 0, (0, 0, 400)))
    turned = fields(head_frame(0.3, 0.1, -0.2, (5, 5, 400)))
    places = np.reshape(straight[222:432], (70, 3))
    np.testing.assert_allclose(np.reshape(turned[222:432], (70, 3)), places, atol=0.02)
    assert places[30].tolist() == [0.0, 0.0, 0.0]
    right_corner, left_corner = places[36], places[45]
    assert right_corner[0] - left_corner[0] == pytest.approx(0.66, abs=1e-3)
    assert right_corner[1] < 0  # above the nose: y is written negated


def with_units(**units: float) -> list[float]:
    values = np.zeros(N_AU, np.float32)
    for channel, value in units.items():
        values[CHANNEL_INDEX[channel]] = value
    frame = replace(head_frame(0, 0, 0, (0, 0, 60)), units=ActionUnits(values, values, values))
    return fields(frame)


def test_features_and_openness() -> None:
    got = with_units(AU45_L=1.0, AU12_R=0.5, AU26=0.25)
    features = dict(zip(FEATURES, got[-14:], strict=True))
    assert features["eye_l"] == -1.0
    assert features["eye_r"] == 0.0
    assert features["mouth_corner_updown_r"] == 0.5
    assert features["mouth_corner_updown_l"] == 0.0
    assert features["mouth_open"] == 0.25
    assert got[4:6] == [1.0, 0.0]  # right before left


def test_mirrored_landmarks_change_sides() -> None:
    frame = head_frame(0, 0, 0, (6, 0, 60))
    assert frame.landmarks is not None
    (datagram,) = joined(OpenSeeFaceEncoder(CLOCK, mirrored=True).encode(frame))
    points = np.reshape(LAYOUT.unpack(datagram)[86:222], (68, 2))
    expected = frame.landmarks.points_px[263, :2]
    assert points[36].tolist() == pytest.approx([640.0 - expected[0], expected[1]], abs=1e-3)


def test_without_a_face_nothing_goes_out() -> None:
    encoder = OpenSeeFaceEncoder(CLOCK)
    assert encoder.encode(make_frame()) == ()
    lost = replace(head_frame(0, 0, 0, (0, 0, 60)), health=Health.NO_FACE)
    assert encoder.encode(lost) == ()


def test_reading() -> None:
    (datagram,) = joined(OpenSeeFaceEncoder(CLOCK).encode(head_frame(0.1, 0, 0, (0, 0, 60))))
    faces = faces_from_openseeface(datagram * 2)
    assert len(faces) == 2
    assert faces[0]["eye open left"] == faces[1]["eye open left"]
    with pytest.raises(ValueError, match="1784 bytes, expected a multiple of 1785"):
        faces_from_openseeface(datagram[:-1])
