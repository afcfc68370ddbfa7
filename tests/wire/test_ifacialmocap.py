"""iFacialMocap frames, read by a parser that was written from the protocol's description alone."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from livefacs.types import Health
from livefacs.vocab.arkit import ARKIT_52
from livefacs.wire.axes import AxisSigns
from livefacs.wire.ifacialmocap import (
    IFACIALMOCAP_52,
    IFacialMocapEncoder,
    values_from_ifacialmocap,
    version_from_handshake,
)
from tests.wire.making import ARKIT, make_frame, make_rig

PHONE_FRAME = (
    b"jawOpen-42|mouthSmile_L-10|mouthSmile_R-12|eyeBlink_L-0|"
    b"=head#-21.488958,-6.038993,-6.6019735,-0.030653415,-0.10287084,-0.6584072|"
    b"rightEye#6.0297494,2.4403017,0.25649446|leftEye#6.034903,-1.6660284,-0.17520553|"
)


class StrictParser:
    """Splits as receivers in the field do: on bars, the last token dropped, integer shapes."""

    def __init__(self, datagram: bytes, separator: str) -> None:
        text = datagram.decode("ascii")
        blends, _, bones = text.partition("=")
        tokens = blends.split("|")
        assert tokens.pop() == ""
        self.shapes: dict[str, int] = {}
        for token in tokens:
            name, value = token.split(separator)
            assert re.fullmatch(r"\d{1,3}", value), token
            self.shapes[name] = int(value)
        tokens = bones.split("|")
        assert tokens.pop() == ""
        self.bones = {
            token.split("#")[0]: [float(part) for part in token.split("#")[1].split(",")]
            for token in tokens
        }


@pytest.mark.parametrize(("version", "separator"), [(1, "-"), (2, "&")])
def test_every_shape_arrives_in_percent_under_the_apps_name(version: int, separator: str) -> None:
    (datagram,) = IFacialMocapEncoder("arkit52", version=version).encode(make_frame(rigs=(ARKIT,)))
    parsed = StrictParser(datagram, separator)
    assert list(parsed.shapes) == ["trackingStatus", *IFACIALMOCAP_52, "hapihapi"]
    for name, value in zip(IFACIALMOCAP_52, ARKIT.values, strict=True):
        assert abs(parsed.shapes[name] - 100 * value) <= 0.5001
    assert set(parsed.bones) == {"head", "rightEye", "leftEye"}


def test_angles_are_degrees_and_positions_metres_in_the_cameras_axes() -> None:
    (datagram,) = IFacialMocapEncoder("arkit52").encode(make_frame(rigs=(ARKIT,)))
    bones = StrictParser(datagram, "-").bones
    head = [math.degrees(0.2), math.degrees(0.1), math.degrees(-0.3), 0.01, 0.02, -0.6]
    assert bones["head"] == pytest.approx(head, abs=1e-5)
    assert bones["leftEye"] == pytest.approx([math.degrees(0.02), math.degrees(0.05), 0], abs=1e-5)
    assert bones["rightEye"] == pytest.approx(
        [math.degrees(-0.01), math.degrees(0.06), 0], abs=1e-5
    )
    (datagram,) = IFacialMocapEncoder("arkit52", signs=AxisSigns.flipping(["yaw", "gaze"])).encode(
        make_frame(rigs=(ARKIT,))
    )
    bones = StrictParser(datagram, "-").bones
    assert bones["head"][1] == pytest.approx(-math.degrees(0.1), abs=1e-5)
    assert bones["leftEye"][1] == pytest.approx(-math.degrees(0.05), abs=1e-5)


def test_values_beyond_the_range_or_unknown_stay_whole_percents() -> None:
    values = np.full(52, 1.7)
    values[0], values[1] = -0.2, np.nan
    (datagram,) = IFacialMocapEncoder("arkit52").encode(
        make_frame(rigs=(make_rig("arkit52", ARKIT_52, values),))
    )
    shapes = list(StrictParser(datagram, "-").shapes.values())
    assert shapes[1:4] == [0, 0, 100]


@pytest.mark.parametrize(("version", "separator"), [(1, "-"), (2, "&")])
def test_receivers_that_count_entries_lose_no_shape(version: int, separator: str) -> None:
    """One drops the first entry unseen, one expects 54 entries before the head's."""
    (datagram,) = IFacialMocapEncoder("arkit52", version=version).encode(make_frame(rigs=(ARKIT,)))
    before_head = datagram.decode("ascii").split("=head#")[0].removesuffix("|").split("|")
    assert len(before_head) == 54
    assert before_head[0] == f"trackingStatus{separator}1"
    assert before_head[-1] == f"hapihapi{separator}0"
    without_first = dict(entry.split(separator) for entry in before_head[1:])
    assert set(IFACIALMOCAP_52) <= set(without_first)


@pytest.mark.parametrize(
    ("health", "status"),
    [
        (Health.OK, b"1"),
        (Health.UNCALIBRATED, b"1"),
        (Health.NO_FACE, b"0"),
        (Health.NO_FACE | Health.HELD, b"0"),
    ],
)
def test_the_status_says_whether_there_is_a_face(health: Health, status: bytes) -> None:
    frame = make_frame(rigs=(ARKIT,), health=health)
    (datagram,) = IFacialMocapEncoder("arkit52").encode(frame)
    assert datagram.startswith(b"trackingStatus-" + status + b"|")


def test_names_follow_the_app() -> None:
    assert {"mouthSmile_R", "eyeLookOut_L", "jawLeft", "mouthRight", "browInnerUp"} <= set(
        IFACIALMOCAP_52
    )
    assert len(set(IFACIALMOCAP_52)) == 52


def test_a_frame_of_the_phone_is_read() -> None:
    values = values_from_ifacialmocap(PHONE_FRAME)
    assert values["jawOpen"] == 42
    assert values["head.0"] == pytest.approx(-21.488958)
    assert values["leftEye.2"] == pytest.approx(-0.17520553)
    assert values_from_ifacialmocap(b"jawOpen&-5|")["jawOpen"] == -5


@pytest.mark.parametrize(
    ("datagram", "error"),
    [
        (b"", "no name-value pairs"),
        (b"FMV3....", "v3"),
        (b"jawOpen|", "no value"),
        (b"jawOpen-x|", "no number"),
        (b"jawOpen-nan|", "not a number"),
        (b"\xff\xfe", "no name-value pairs"),
        (b"a-1|" * 4000, "at most"),
    ],
)
def test_what_is_no_frame_is_refused(datagram: bytes, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        values_from_ifacialmocap(datagram)


def test_handshakes() -> None:
    word = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
    assert version_from_handshake(word) == 1
    assert version_from_handshake(word + b"|sendDataVersion=v2") == 2
    assert version_from_handshake(word + b"!") is None
    assert version_from_handshake(b"\xff" * 2000) is None
