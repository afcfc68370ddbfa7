"""VRChat parameters, read by python-osc; combined shapes against formulas written out again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pythonosc.osc_packet import OscPacket

from livefacs.types import Health
from livefacs.vocab.facs import CHANNEL_INDEX, N_AU
from livefacs.wire.axes import AxisSigns
from livefacs.wire.osctemplate import OscMessage
from livefacs.wire.unified import UnifiedShapes
from livefacs.wire.vrcft import VrcftEncoder
from tests.wire.making import VRCFT_BASE, joined, make_frame, make_rig

NAMES = VRCFT_BASE
RIG = make_rig("vrcft2", NAMES, np.random.default_rng(2).random(len(NAMES)))
ROOT = "/avatar/parameters/"


def read(datagrams: object) -> dict[str, list[object]]:
    return {
        timed.message.address: list(timed.message.params)
        for datagram in joined(datagrams)
        for timed in OscPacket(datagram).messages
    }


def encode(intensity: np.ndarray | None = None, **options: object) -> dict[str, list[object]]:
    health = options.pop("health", Health.OK)
    rig = options.pop("rig", RIG)
    frame = make_frame(rigs=(rig,), intensity=intensity, health=health)  # type: ignore[arg-type]
    return read(VrcftEncoder("vrcft2", **options).encode(frame))  # type: ignore[arg-type]


def test_the_examples_of_the_specification() -> None:
    message = OscMessage("/avatar/parameters/FT/v2/JawOpen", "f", (0.5,))
    assert len(message.encoded()) == 44
    assert message.encoded()[-8:] == bytes.fromhex("2c660000 3f000000")
    flag = OscMessage("/avatar/parameters/EyeTrackingActive", "T", (True,))
    assert len(flag.encoded()) == 44
    assert flag.encoded()[-4:] == bytes.fromhex("2c540000")


def test_floats_under_the_avatars_prefix() -> None:
    got = encode()
    value = dict(zip(NAMES, RIG.values, strict=True))
    for name in NAMES:
        assert got[f"{ROOT}FT/v2/{name}"] == [value[name]]
    assert f"{ROOT}v2/JawOpen" in encode(prefix="")
    assert all(isinstance(args[0], float) for address, args in got.items() if "/v2/" in address)


def test_combined_shapes_follow_their_formulas() -> None:
    got = {a.removeprefix(f"{ROOT}FT/v2/"): args[0] for a, args in encode().items()}
    v = dict(zip(NAMES, map(float, RIG.values), strict=True))

    def mean(*names: str) -> float:
        return sum(v[name] for name in names) / len(names)

    sad_left = max(v["MouthFrownLeft"], v["MouthStretchLeft"])
    smile_left = 0.8 * v["MouthCornerPullLeft"] + 0.2 * v["MouthCornerSlantLeft"]
    down_right = 0.75 * v["BrowLowererRight"] + 0.25 * v["BrowPinchRight"]
    expected = {
        "JawX": v["JawRight"] - v["JawLeft"],
        "EyeX": mean("EyeLeftX", "EyeRightX"),
        "EyeClosedLeft": 1 - v["EyeOpenLeft"],
        "EyeClosed": 1 - mean("EyeOpenLeft", "EyeOpenRight"),
        "EyeLidLeft": 0.75 * v["EyeOpenLeft"] + 0.25 * v["EyeWideLeft"],
        "EyeWide": max(v["EyeWideLeft"], v["EyeWideRight"]),
        "EyesSquint": max(v["EyeSquintLeft"], v["EyeSquintRight"]),
        "SmileSadLeft": smile_left - sad_left,
        "BrowExpressionRight": mean("BrowInnerUpRight", "BrowOuterUpRight") - down_right,
        "LipPucker": mean(
            "LipPuckerUpperLeft", "LipPuckerUpperRight", "LipPuckerLowerLeft", "LipPuckerLowerRight"
        ),
        "MouthOpen": mean(
            "MouthUpperUpLeft", "MouthUpperUpRight", "MouthLowerDownLeft", "MouthLowerDownRight"
        ),
        "MouthCornerY": mean("MouthCornerSlantLeft", "MouthCornerSlantRight")
        - mean("MouthFrownLeft", "MouthFrownRight"),
        "TongueArchY": v["TongueCurlUp"] - v["TongueBendDown"],
    }
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, abs=1e-6), name
    assert "JawX" not in {a.split("/")[-1] for a in encode(combined=False)}


def test_shapes_whose_sources_are_missing_are_not_made_up() -> None:
    shapes = UnifiedShapes(("JawLeft", "JawRight", "TongueUp"))
    assert shapes.names == ("JawLeft", "JawRight", "TongueUp", "JawX")
    assert shapes.signed == (False, False, False, True)
    assert shapes.fill(np.array([0.25, 0.75, 0.5], np.float32))[-1] == 0.5


@pytest.mark.parametrize(
    ("value", "bits"),
    [(0.7, (1, 1, 0, 1)), (1.0, (1, 1, 1, 1)), (0.0, (0, 0, 0, 0)), (1 / 16, (1, 0, 0, 0))],
)
def test_binary_parameters(value: float, bits: tuple[int, ...]) -> None:
    rig = make_rig("vrcft2", ("JawOpen", "EyeLeftX"), np.array([value, -value]))
    got = encode(n_bits=4, combined=False, rig=rig)
    for index, bit in enumerate(bits):
        assert got[f"{ROOT}FT/v2/JawOpen{1 << index}"] == [bool(bit)]
        assert got[f"{ROOT}FT/v2/EyeLeftX{1 << index}"] == [bool(bit)]
    assert got[f"{ROOT}FT/v2/EyeLeftXNegative"] == [value > 0]
    assert f"{ROOT}FT/v2/JawOpenNegative" not in got
    assert f"{ROOT}FT/v2/JawOpen" not in got


def test_status_follows_the_face() -> None:
    names = ("EyeTrackingActive", "ExpressionTrackingActive", "LipTrackingActive")
    assert [encode()[ROOT + name] for name in names] == [[True]] * 3
    lost = encode(health=Health.NO_FACE | Health.HELD)
    assert [lost[ROOT + name] for name in names] == [[False]] * 3


def test_native_eye_tracking_takes_the_place_of_eye_parameters() -> None:
    intensity = np.zeros(N_AU)
    intensity[CHANNEL_INDEX["AU45_L"]] = 0.5
    intensity[CHANNEL_INDEX["AU43_R"]] = 1.5
    got = encode(intensity, eyes="native")
    pitch_yaw = got["/tracking/eye/LeftRightPitchYaw"]
    expected = [math.degrees(angle) for angle in (0.02, -0.05, -0.01, -0.06)]
    assert pitch_yaw == pytest.approx(expected, rel=1e-6)
    assert got["/tracking/eye/EyesClosedAmount"] == [1.0]
    assert not any("/v2/EyeLeftX" in address or "/v2/EyeLid" in address for address in got)
    assert any("/v2/EyeSquintLeft" in address for address in got)
    off = encode(eyes="off")
    assert not any("tracking/eye" in address or "EyeOpen" in address for address in off)


def test_flips_reach_gaze_and_head() -> None:
    plain = encode()
    flipped = encode(signs=AxisSigns.flipping(["gaze", "yaw"]))
    for name in ("EyeLeftX", "EyeX", "Head/Yaw"):
        address = f"{ROOT}FT/v2/{name}"
        assert flipped[address][0] == -plain[address][0]  # type: ignore[operator]
    assert flipped[f"{ROOT}FT/v2/EyeLeftY"] == plain[f"{ROOT}FT/v2/EyeLeftY"]


def test_datagrams_stay_small_and_values_finite() -> None:
    values = np.full(len(NAMES), np.nan)
    rig = make_rig("vrcft2", NAMES, values)
    datagrams = VrcftEncoder("vrcft2").encode(make_frame(rigs=(rig,)))
    assert all(len(datagram) <= 1400 for datagram in datagrams)
    assert all(
        math.isfinite(args[0])  # type: ignore[arg-type]
        for args in read(datagrams).values()
    )
