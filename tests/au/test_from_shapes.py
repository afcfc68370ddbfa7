"""Other trackers' shapes to Action Units and, through ``arkit52``, back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefacs.au.from_shapes import ShapeEstimator
from livefacs.au.smoothing import OFF
from livefacs.errors import RigMapError
from livefacs.retarget.inverse import load_inverse
from livefacs.retarget.library import load_rig, rig_names
from livefacs.retarget.retargeter import Retargeter
from livefacs.types import Gaze, HeadPose, Health, Shapes, TrackedFrame
from livefacs.vocab.arkit import ARKIT_52
from livefacs.vocab.facs import CHANNEL_INDEX
from tests.retarget.making import by_name
from tests.wire.making import make_frame

FRAME_NS = 16_666_667
NO_INVERSE = {
    "mouthLeft": "no channel",
    "mouthRight": "no channel",
    "tongueOut": "no channel",
    "mouthShrugUpper": "rides on the chin and the funnel",
    "mouthClose": "has no meaning without the jaw",
    "mouthRollLower": "both lips roll together in AU28",
    "mouthRollUpper": "both lips roll together in AU28",
}


def face(head: HeadPose | None = None, **weights: float) -> Shapes:
    values = np.array([weights.get(name, 0.0) for name in ARKIT_52], np.float32)
    down = 28.0 * weights.get("eyeLookDownLeft", 0.0) - 25.0 * weights.get("eyeLookUpLeft", 0.0)
    right_down = 28.0 * weights.get("eyeLookDownRight", 0.0)
    right_down -= 25.0 * weights.get("eyeLookUpRight", 0.0)
    left = 30.0 * (weights.get("eyeLookOutLeft", 0.0) - weights.get("eyeLookInLeft", 0.0))
    right = 30.0 * (weights.get("eyeLookInRight", 0.0) - weights.get("eyeLookOutRight", 0.0))
    gaze = Gaze(*np.radians((left, down, right, right_down)).tolist())
    return Shapes(values, head or HeadPose(z_cm=60.0), gaze)


def estimator() -> ShapeEstimator:
    return ShapeEstimator(load_inverse(), smoothing=OFF)


def back(shapes: Shapes) -> dict[str, float]:
    estimate = estimator().estimate_shapes(shapes, 0)
    tracked: TrackedFrame = replace(
        make_frame(), units=estimate.units, head=estimate.head, gaze=estimate.gaze
    )
    return by_name(Retargeter(load_rig("arkit52")).retarget(tracked))


@pytest.mark.parametrize("shape", [name for name in ARKIT_52 if name not in NO_INVERSE])
def test_a_sweep_comes_back_within_a_twentieth(shape: str) -> None:
    """The eyes turn together, as they do; every other shape is swept alone."""
    pairs = {"eyeLookIn": "eyeLookOut", "eyeLookOut": "eyeLookIn"}
    partner = {
        name + side: pairs.get(name, name) + other
        for name in ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut")
        for side, other in (("Left", "Right"), ("Right", "Left"))
    }.get(shape)
    for value in np.linspace(0.0, 1.0, 11):
        moved = {shape: float(value)} | ({partner: float(value)} if partner else {})
        assert back(face(**moved))[shape] == pytest.approx(value, abs=0.05)


def test_closed_lips_over_an_open_jaw_stay_closed() -> None:
    controls = back(face(jawOpen=0.6, mouthClose=0.6))
    assert controls["mouthClose"] == pytest.approx(0.6, abs=0.06)
    assert back(face(jawOpen=0.6))["mouthClose"] < 0.05


def test_what_no_shape_tells_is_not_measured() -> None:
    units = estimator().estimate_shapes(face(mouthSmileLeft=1.0), 0).units
    assert units.intensity[CHANNEL_INDEX["AU12_L"]] == 1.0
    assert units.intensity[CHANNEL_INDEX["AU12_R"]] == 0.0
    assert np.isnan(units.intensity[CHANNEL_INDEX["AU27"]])
    assert units.confidence[CHANNEL_INDEX["AU27"]] == 0.0
    assert units.confidence[CHANNEL_INDEX["AU12_L"]] == pytest.approx(0.9)


def test_the_head_turns_the_head_codes() -> None:
    shapes = face(HeadPose(np.radians(45.0), np.radians(-17.5), 0.0))
    units = estimator().estimate_shapes(shapes, 0).units
    assert units.intensity[CHANNEL_INDEX["AU51"]] == pytest.approx(1.0)
    assert units.intensity[CHANNEL_INDEX["AU53"]] == pytest.approx(0.5)
    assert units.intensity[CHANNEL_INDEX["AU54"]] == 0.0


def test_a_captured_neutral_is_rest() -> None:
    made = estimator()
    made.capture_neutral(0.5)
    resting = face(mouthSmileLeft=0.2, mouthSmileRight=0.2)
    for i in range(40):
        made.estimate_shapes(resting, i * FRAME_NS)
    units = made.estimate_shapes(resting, 40 * FRAME_NS).units
    assert units.intensity[CHANNEL_INDEX["AU12_L"]] == pytest.approx(0.0, abs=1e-6)
    full = made.estimate_shapes(face(mouthSmileLeft=1.0), 41 * FRAME_NS).units
    assert full.intensity[CHANNEL_INDEX["AU12_L"]] == pytest.approx(1.0)


def test_loss_is_held_then_faded() -> None:
    made = estimator()
    made.estimate_shapes(face(jawOpen=0.8), 0)
    lost = replace(face(), has_face=False)
    held = made.estimate_shapes(lost, 400_000_000)
    assert held.units.intensity[CHANNEL_INDEX["AU26"]] == pytest.approx(0.8)
    assert Health.NO_FACE | Health.HELD in held.health
    gone = made.hold(2_000_000_000)
    assert gone.units.intensity[CHANNEL_INDEX["AU26"]] == 0.0


def test_the_map_is_no_rig() -> None:
    assert not [name for name in rig_names() if name.startswith("from_")]


def test_errors_of_a_map_come_together(tmp_path: Path) -> None:
    path = tmp_path / "from_mine.toml"
    path.write_text(
        '[map]\ntitle = "x"\ninputs = "arkit52"\n[units.AU99]\nterms = { jawOpen = 1.0 }\n'
        "[units.AU26]\nterms = { jawOpne = 1.0 }\n"
    )
    with pytest.raises(RigMapError) as caught:
        load_inverse(path)
    assert "units.AU99" in str(caught.value)
    assert "'jawOpne' is no shape of arkit52; did you mean 'jawOpen'?" in str(caught.value)
    assert f"{path}:7" in str(caught.value)
    path.write_text('[map]\ntitle = "x"\ninputs = "arkit52"\n[units.AU26]\nterms = { a = "b" }\n')
    with pytest.raises(RigMapError, match=r"units\.AU26\.terms\.a: expected a"):
        load_inverse(path)
    with pytest.raises(RigMapError, match="cannot be read"):
        load_inverse(tmp_path / "none.toml")
