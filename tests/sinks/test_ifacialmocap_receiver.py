"""A receiver of iFacialMocap text written from its description alone, fed by a whole session.

It reads as plain receivers do: it cuts at bars, drops the empty end, wants whole percents, goes by
name. It shares nothing with the encoder or with ``livefacs listen``.
"""

from __future__ import annotations

import socket

import pytest

from livefacs.config import load_options
from livefacs.session.composition import open_session
from tests.support.waiting import PATIENCE_S

NAMES = """
browDown_L browDown_R browInnerUp browOuterUp_L browOuterUp_R cheekPuff cheekSquint_L
cheekSquint_R eyeBlink_L eyeBlink_R eyeLookDown_L eyeLookDown_R eyeLookIn_L eyeLookIn_R
eyeLookOut_L eyeLookOut_R eyeLookUp_L eyeLookUp_R eyeSquint_L eyeSquint_R eyeWide_L eyeWide_R
jawForward jawLeft jawOpen jawRight mouthClose mouthDimple_L mouthDimple_R mouthFrown_L
mouthFrown_R mouthFunnel mouthLeft mouthLowerDown_L mouthLowerDown_R mouthPress_L mouthPress_R
mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper
mouthSmile_L mouthSmile_R mouthStretch_L mouthStretch_R mouthUpperUp_L mouthUpperUp_R
noseSneer_L noseSneer_R tongueOut
"""
SHAPES, POSE = dict[str, int], dict[str, tuple[float, ...]]


def received(text: str, separator: str) -> tuple[SHAPES, POSE]:
    """Shapes and poses of one frame; raises where a plain receiver would stumble."""
    pieces = text.split("|")
    if pieces.pop() != "":
        raise ValueError("no bar at the end")
    shapes: SHAPES = {}
    poses: POSE = {}
    for piece in pieces:
        if "#" in piece:
            name, numbers = piece.split("#")
            poses[name] = tuple(float(number) for number in numbers.split(","))
        else:
            name, number = piece.split(separator, 1)
            shapes[name] = int(number)
    return shapes, poses


@pytest.mark.parametrize(("version", "separator"), [(1, "-"), (2, "&")])
def test_a_plain_receiver_follows_the_performer(version: int, separator: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE_S)
        url = f"ifacialmocap://127.0.0.1:{receiver.getsockname()[1]}?version={version}"
        options = load_options(
            None,
            {
                "source": {"spec": "demo", "realtime": False},
                "stream": {"to": (f"{url}&rate=10",)},
                "seconds": 9.2,
            },
        )
        with open_session(options) as session:
            session.run()
            (sent,) = session.status()["outputs"]
        frames = [
            received(receiver.recv(4096).decode("ascii"), separator) for _ in range(sent["packets"])
        ]
    assert len(frames) > 85
    assert frames[42][0]["trackingStatus"] == 1
    for shapes, poses in frames:
        assert set(shapes) == {*NAMES.split(), "trackingStatus", "hapihapi"}
        assert all(0 <= value <= 100 for value in shapes.values())
        assert {name: len(numbers) for name, numbers in poses.items()} == {
            "=head": 6,
            "rightEye": 3,
            "leftEye": 3,
        }
    smile, wink, jaw, last = (frames[i][0] for i in (42, 60, 87, -1))
    assert smile["mouthSmile_L"] > 40
    assert smile["mouthSmile_R"] > 40
    assert wink["eyeBlink_L"] > 3 * wink["eyeBlink_R"]
    assert jaw["jawOpen"] > 50
    assert not any(last.values()), "the last frame leaves the rig at rest"
