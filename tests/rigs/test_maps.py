from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pytest

from livefacs.resources import rigs_folder
from livefacs.retarget.coverage import coverage_from_map
from livefacs.retarget.inverse import PREFIX
from livefacs.retarget.library import load_map, load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.types import Gaze, HeadPose, TrackedFrame
from livefacs.vocab.arkit import ARKIT_52, LIVELINK_61
from livefacs.vocab.controls import CONTROL_SETS, control_names, control_set
from livefacs.vocab.facs import ACTIONS, AU_CHANNELS, EYE_CHANNELS, HEAD_CHANNELS
from livefacs.vocab.schemes import load_scheme
from tests.conftest import SHARED
from tests.retarget.making import by_name, frame

MIRROR_NEGATED = {name for name in LIVELINK_61 if name.endswith(("Yaw", "Roll"))}
MAPS = sorted(
    path.stem for path in rigs_folder().glob("*.toml") if not path.stem.startswith(PREFIX)
)
COMPLETE = ("arkit52", "livelink61", "vrm0", "vrm1", "ict_facekit", "openface")
"""Maps that name every control of their set, driven or not."""


def retargeted(rig: str, tracked: TrackedFrame) -> dict[str, float]:
    return by_name(Retargeter(load_rig(rig)).retarget(tracked))


def mirror_partner(name: str) -> str:
    """The control that a control becomes in a mirrored performance: ``jawLeft`` → ``jawRight``."""
    others = {"Left": "Right", "Right": "Left"}
    return re.sub("(Left|Right)$|^(Left|Right)(?=Eye)", lambda side: others[side[0]], name)


def reference(name: str) -> Any:
    path = SHARED / "reference" / name
    if not path.is_file():
        pytest.skip("the protocol tables (../shared/reference) are not beside this checkout")
    return json.loads(path.read_text())


def test_all_maps_are_there() -> None:
    assert set(MAPS) == {*CONTROL_SETS, "generic_maya", "marmoset"}


@pytest.mark.parametrize("rig", MAPS)
def test_map_says_for_whom_whence_and_what_it_approximates(rig: str) -> None:
    made = load_map(rig)
    assert min(map(len, (made.title, made.audience, made.names_from))) > 10
    assert made.approximations
    for rule in made.rules:
        assert rule.terms or rule.combine or rule.undriven


@pytest.mark.parametrize("rig", MAPS)
def test_no_control_is_dead_and_limits_are_those_of_the_set(rig: str) -> None:
    made = load_map(rig)
    assert not coverage_from_map(made).dead
    if not made.vocabulary:
        return
    known = control_set(made.vocabulary)
    assert set(made.controls) <= set(known.names)
    for rule in made.rules:
        low, high = known.range_of(rule.name)
        if made.vocabulary != "livelink61":  # its angles have no stated range
            assert rule.limits == (low, high), rule.name


@pytest.mark.parametrize("rig", COMPLETE)
def test_complete_maps_name_every_control(rig: str) -> None:
    assert set(load_map(rig).controls) == set(control_names(rig))


@pytest.mark.parametrize("rig", MAPS)
def test_rest_is_rest(rig: str) -> None:
    """A neutral face leaves every control where the rig rests: 0, or open lids, or the middle."""
    made = load_map(rig)
    values = retargeted(rig, frame())
    for rule in made.rules:
        expected = min(max(rule.offset, rule.limits[0]), rule.limits[1])
        assert values[rule.name] == pytest.approx(expected, abs=1e-6)


def test_names_are_those_of_the_protocol_tables() -> None:
    entries = reference("proto_arkit_livelink_61.json")["entries"]
    assert tuple(entry["livelink"] for entry in entries) == LIVELINK_61
    assert tuple(entry["apple"] for entry in entries[:52]) == ARKIT_52
    assert [mirror_partner(name) for name in LIVELINK_61] == [e["mirror_of"] for e in entries]
    assert {e["livelink"] for e in entries if e["mirror_negates"]} == MIRROR_NEGATED


def test_other_names_are_those_of_the_protocol_tables() -> None:
    metahuman = reference("proto_metahuman_controls.json")["ue5_controls_sorted"]
    assert set(control_names("metahuman")) == set(metahuman)
    vrm = reference("proto_vrm_live2d.json")
    assert set(control_names("vrm0")) == set(vrm["vrm0"]["unity_names"])
    assert set(control_names("vrm1")) == set(vrm["vrm1"]["presets"])
    assert set(control_names("live2d")) == {entry["id"] for entry in vrm["live2d"]["params"]}
    studio = reference("proto_vtubestudio.json")["default_parameters"]
    assert set(control_names("vtubestudio")) == {entry["id"] for entry in studio}
    unified = reference("proto_vrcft_v2.json")
    assert set(unified["base_shapes"]) <= set(load_map("vrcft2").controls)
    columns = reference("proto_openface_pyfeat_columns.json")["openface"]["columns"]
    assert set(control_names("openface")) <= set(columns)


@pytest.mark.parametrize("rig", ["arkit52", "ict_facekit", "metahuman", "vrcft2", "livelink61"])
def test_every_facial_action_reaches_some_control(rig: str) -> None:
    unused = set(coverage_from_map(load_map(rig)).unused_actions)
    face = {action for action in ACTIONS if action not in (*HEAD_CHANNELS, *EYE_CHANNELS)}
    assert not unused & face


def strange_frame() -> TrackedFrame:
    """Everything lopsided."""
    random = np.random.default_rng(8)
    units = dict(zip(AU_CHANNELS, random.uniform(0, 0.6, len(AU_CHANNELS)), strict=True))
    head = HeadPose(0.3, -0.2, 0.1, 4.0, -2.0, 55.0)
    return frame(units, head=head, gaze=Gaze(0.2, 0.1, 0.15, 0.12))


def test_a_mirrored_performance_swaps_every_sided_control_and_negates_yaw_and_roll() -> None:
    tracked = strange_frame()
    plain = retargeted("livelink61", tracked)
    mirrored = retargeted("livelink61", tracked.mirrored())
    for name, value in plain.items():
        sign = -1.0 if name in MIRROR_NEGATED else 1.0
        assert mirrored[mirror_partner(name)] == pytest.approx(sign * value, abs=1e-6), name
    assert plain["JawLeft"] != plain["JawRight"]
    assert plain["EyeLookInLeft"] != plain["EyeLookInRight"]


@pytest.mark.parametrize("rig", MAPS)
def test_rules_for_both_sides_mirror_each_other(rig: str) -> None:
    tracked = strange_frame()
    plain, mirrored = retargeted(rig, tracked), retargeted(rig, tracked.mirrored())
    for rule in load_map(rig).rules:
        if rule.partner:
            value = plain[rule.name]
            other = mirrored[rule.partner]
            signed = any(name.startswith("gaze_yaw") for name in rule.signals())
            if signed and rule.limits[0] == 0.0:
                continue  # half of a direction: eyeLookLeft of one eye mirrors eyeLookRight
            assert other == pytest.approx(-value if signed else value, abs=1e-6), rule.name


def test_livelink_is_arkit_in_capitals_with_angles_in_radians() -> None:
    tracked = strange_frame()
    arkit, live = retargeted("arkit52", tracked), retargeted("livelink61", tracked)
    for name, value in arkit.items():
        assert live[name[0].upper() + name[1:]] == value
    assert live["HeadYaw"] == pytest.approx(0.3, abs=1e-5)
    assert live["HeadPitch"] == pytest.approx(-0.2, abs=1e-5)
    assert live["LeftEyeYaw"] == pytest.approx(-0.2, abs=1e-5)
    assert live["RightEyePitch"] == pytest.approx(0.12, abs=1e-5)


def test_sides_stay_on_their_side() -> None:
    values = retargeted("arkit52", frame({"AU12_L": 0.8, "AU45_R": 1.0}))
    assert values["mouthSmileLeft"] == pytest.approx(0.8)
    assert values["mouthSmileRight"] == 0.0
    assert values["eyeBlinkRight"] == 1.0
    assert values["eyeBlinkLeft"] == 0.0


def test_gaze_goes_out_and_in() -> None:
    left = math.radians(20)
    values = retargeted("arkit52", frame({"AU61": 0.66}, gaze=Gaze(left, 0.0, left, 0.0)))
    assert values["eyeLookOutLeft"] == pytest.approx(0.66, abs=0.01)
    assert values["eyeLookInRight"] == pytest.approx(0.66, abs=0.01)
    assert values["eyeLookInLeft"] == values["eyeLookOutRight"] == 0.0


def test_lips_kept_together_on_an_open_jaw_close_the_mouth() -> None:
    apart = retargeted("arkit52", frame({"AU26": 0.6, "AU25": 1.0}))
    together = retargeted("arkit52", frame({"AU26": 0.6, "AU25": 0.0}))
    assert apart["mouthClose"] == 0.0
    assert together["mouthClose"] > 0.5
    assert apart["jawOpen"] == together["jawOpen"] == pytest.approx(0.6)


def test_a_smile_holds_the_frown_back_and_looking_down_the_blink() -> None:
    frown = retargeted("arkit52", frame({"AU15_L": 0.8}))
    both = retargeted("arkit52", frame({"AU15_L": 0.8, "AU12_L": 1.0}))
    assert both["mouthFrownLeft"] < 0.5 * frown["mouthFrownLeft"]
    blink = retargeted("arkit52", frame({"AU45_L": 0.5}))
    down = retargeted("arkit52", frame({"AU45_L": 0.5, "AU64": 1.0}))
    assert down["eyeBlinkLeft"] < blink["eyeBlinkLeft"]
    assert retargeted("arkit52", frame({"AU7_L": 0.5, "AU45_L": 1.0}))["eyeSquintLeft"] < 0.3


def test_openface_speaks_0_to_5() -> None:
    values = retargeted("openface", frame({"AU12_L": 1.0, "AU12_R": 0.6, "AU26": 2.0}))
    assert values["AU12_r"] == pytest.approx(4.0)
    assert values["AU26_r"] == 5.0


def test_plain_action_units_pass_as_they_are() -> None:
    tracked = strange_frame()
    values = retargeted("generic_maya", tracked)
    for name, value in zip(AU_CHANNELS, tracked.units.intensity, strict=True):
        assert values[name] == pytest.approx(float(value))


def test_marmoset_is_honest() -> None:
    made = load_map("marmoset")
    scheme = load_scheme("callifacs")
    assert made.scheme == "callifacs"
    assert not any(row.code for row in scheme.movements)
    said = " ".join(made.approximations)
    assert "No control carries a CalliFACS code" in said
    assert "ear muscles are driven by chosen human actions" in said
    stems = {rule.name.removesuffix("_left").removesuffix("_right") for rule in made.rules}
    for row in scheme.movements:
        assert set(row.controls) <= stems, row.name


def test_marmoset_ears_move_with_the_brows_and_lids() -> None:
    values = retargeted("marmoset", frame({"AU2_L": 1.0, "AU5_R": 1.0}))
    assert values["superior_auricularis_left"] > 0.5
    assert values["superior_auricularis_right"] == 0.0
    assert values["anterior_auricularis_right"] > 0.5
