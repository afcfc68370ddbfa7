"""The estimator on synthetic meshes: invariances, neutral, holding, hidden sides, gaze."""

from __future__ import annotations

import numpy as np
import pytest

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import canonical_neutral
from livefacs.au.smoothing import OFF
from livefacs.kernels import step as k
from livefacs.types import Health
from livefacs.vocab.facs import CHANNEL_INDEX, MIRROR_ORDER
from tests.au import faces

SMILE = {"corner_left": (0.08, -0.07), "corner_right": (-0.08, -0.07)}
N_FACE = CHANNEL_INDEX["AU51"]


def known() -> Estimator:
    """Unfiltered, with the mean face as the neutral."""
    model = load_model()
    return Estimator(model, smoothing=OFF, neutral=canonical_neutral(model))


def units(landmarks, estimator=None):
    return (estimator or known()).estimate(landmarks).units.intensity


def value(intensity, channel):
    return float(intensity[CHANNEL_INDEX[channel]])


def test_the_neutral_face_has_no_action():
    assert units(faces.landmarks(faces.face())).max() < 0.01


def test_a_smile_is_au12_on_both_sides_and_not_au15():
    found = units(faces.landmarks(faces.face(**SMILE)))
    assert value(found, "AU12_L") > 0.3
    assert value(found, "AU12_R") > 0.3
    assert value(found, "AU15_L") < 0.1


def test_a_one_sided_smile_stays_on_its_side():
    found = units(faces.landmarks(faces.face(corner_right=(-0.08, -0.07))))
    assert value(found, "AU12_R") > 1.5 * value(found, "AU12_L")


@pytest.mark.parametrize(
    "change",
    [
        {"roll": 0.4},
        {"yaw": 0.3, "pitch": -0.1},
        {"eyes_px": 60.0},
        {"centre": (60.0, -40.0)},
        {"size": (1280, 960), "eyes_px": 280.0},
    ],
    ids=["roll", "yaw and pitch", "distance", "place", "image size"],
)
def test_geometry_is_free_of_rigid_motion(change):
    """Aligned meshes agree; intensities differ only by the fitted terms of head pose."""
    still, moved = known(), known()
    still.estimate(faces.landmarks(faces.face(**SMILE)))
    moved.estimate(faces.landmarks(faces.face(**SMILE), **change))
    np.testing.assert_allclose(moved.aligned[:, :2], still.aligned[:, :2], atol=2e-4)


@pytest.mark.parametrize(
    "change",
    [{"eyes_px": 60.0}, {"centre": (60.0, -40.0)}, {"size": (1280, 960), "eyes_px": 280.0}],
    ids=["distance", "place", "image size"],
)
def test_intensities_are_free_of_place_and_size(change):
    still = units(faces.landmarks(faces.face(**SMILE)))
    moved = units(faces.landmarks(faces.face(**SMILE), **change))
    np.testing.assert_allclose(moved[:N_FACE], still[:N_FACE], atol=0.01)


@pytest.mark.parametrize("pose", [{}, {"yaw": 0.3, "pitch": 0.1, "roll": -0.2}])
def test_mirroring_swaps_the_sides(pose):
    shape = faces.face(corner_left=(0.08, -0.07), brow_right=(0.0, -0.05), chin=(0.03, 0.1))
    straight = faces.landmarks(shape, **pose)
    found, swapped = units(straight), units(faces.mirrored(straight))
    np.testing.assert_allclose(swapped, found[list(MIRROR_ORDER)], atol=2e-3)


@pytest.mark.parametrize(
    ("angles", "channel"),
    [
        ({"yaw": 0.4}, "AU51"),
        ({"yaw": -0.4}, "AU52"),
        ({"pitch": -0.3}, "AU53"),
        ({"pitch": 0.3}, "AU54"),
        ({"roll": -0.3}, "AU55"),
        ({"roll": 0.3}, "AU56"),
    ],
)
def test_head_pose_and_its_codes(angles, channel):
    estimate = known().estimate(faces.landmarks(faces.face(), **angles))
    for name, angle in angles.items():
        assert getattr(estimate.head, f"{name}_rad") == pytest.approx(angle, abs=0.01)
    head = estimate.units.intensity[CHANNEL_INDEX["AU51"] : CHANNEL_INDEX["AU61"]]
    assert value(estimate.units.intensity, channel) == head.max() > 0.3


def test_the_head_is_placed_in_centimetres():
    head = known().estimate(faces.landmarks(faces.face(), centre=(70.0, 0.0))).head
    assert head.z_cm == pytest.approx(640.0 * 8.9 / faces.EYES_PX, rel=0.02)
    assert head.x_cm == pytest.approx(70.0 * 8.9 / faces.EYES_PX, rel=0.05)


@pytest.mark.parametrize(
    ("shift", "channel", "attribute", "sign"),
    [
        ((0.04, 0.0), "AU61", "left_yaw_rad", 1),
        ((-0.04, 0.0), "AU62", "left_yaw_rad", -1),
        ((0.0, -0.03), "AU63", "right_pitch_rad", -1),
    ],
)
def test_gaze(shift, channel, attribute, sign):
    estimate = known().estimate(faces.landmarks(faces.face(irises=shift)))
    assert sign * getattr(estimate.gaze, attribute) > 0.15
    assert value(estimate.units.intensity, channel) > 0.2


def test_gaze_is_frozen_behind_closed_lids():
    estimator = known()
    looking = estimator.estimate(faces.landmarks(faces.face(irises=(0.04, 0.0)), 0))
    shut = faces.closed(faces.closed(faces.face(irises=(-0.05, 0.05)), "L"), "R")
    blink = estimator.estimate(faces.landmarks(shut, 1))
    assert blink.gaze == looking.gaze
    assert value(blink.units.intensity, "AU61") == value(looking.units.intensity, "AU61")
    assert value(blink.units.intensity, "AU45_L") > 0.7


def test_a_wink_stays_on_its_side_and_does_not_pull_the_gaze():
    estimate = known().estimate(faces.landmarks(faces.closed(faces.face(), "L")))
    assert value(estimate.units.intensity, "AU45_L") > 0.7
    assert value(estimate.units.intensity, "AU45_R") < 0.1
    assert estimate.gaze.left_yaw_rad == estimate.gaze.right_yaw_rad


def test_a_long_closure_becomes_au43():
    estimator, shut = known(), faces.closed(faces.closed(faces.face(), "L"), "R")
    for i_frame in range(30):
        found = units(faces.landmarks(shut, i_frame), estimator)
        if i_frame == 10:
            assert value(found, "AU43_L") == 0.0
    assert value(found, "AU43_L") == value(found, "AU45_L") > 0.7


def test_monotone_along_a_movement():
    steps = [
        value(units(faces.landmarks(faces.face(chin=(0.0, 0.3 * s)))), "AU26")
        for s in np.linspace(0, 1, 8)
    ]
    assert np.all(np.diff(steps) >= 0)
    assert steps[-1] > steps[0] + 0.3


def test_a_side_turned_away_is_held_then_faded():
    estimator = known()
    seen = units(faces.landmarks(faces.face(**SMILE), 0, yaw=0.4), estimator)
    wanted = value(seen, "AU12_L")
    for i_frame in range(1, 60):
        estimate = estimator.estimate(faces.landmarks(faces.face(), i_frame, yaw=0.85))
        if i_frame == 10:
            assert Health.SIDE_HIDDEN in estimate.health
            assert value(estimate.units.intensity, "AU12_L") == pytest.approx(wanted)
            confidence = estimate.units.confidence
            assert confidence[CHANNEL_INDEX["AU12_L"]] < confidence[CHANNEL_INDEX["AU12_R"]]
    assert value(estimate.units.intensity, "AU12_L") == 0.0


def test_confidence_falls_with_distance_border_and_turn():
    def seen(**where):
        estimate = known().estimate(faces.landmarks(faces.face(), **where))
        return float(estimate.units.confidence[CHANNEL_INDEX["AU12_L"]]), estimate.health

    best, health = seen()
    assert Health.OUT_OF_RANGE not in health
    for where in ({"eyes_px": 28.0}, {"centre": (260.0, 0.0)}, {"yaw": 0.5}, {"pitch": 0.5}):
        assert seen(**where)[0] < 0.8 * best
    assert Health.OUT_OF_RANGE in seen(eyes_px=20.0)[1]


def test_hold_then_fade():
    estimator = known()
    seen = value(units(faces.landmarks(faces.face(**SMILE), 0), estimator), "AU12_L")
    held = estimator.hold(round(0.3e9))
    assert held.health & Health.NO_FACE
    assert held.health & Health.HELD
    assert value(held.units.intensity, "AU12_L") == pytest.approx(seen)
    fading = value(estimator.hold(round(1.0e9)).units.intensity, "AU12_L")
    assert 0.0 < fading < seen
    gone = estimator.hold(round(1.6e9)).units
    assert gone.intensity.max() == 0.0
    assert gone.confidence.max() == 0.0


def test_hold_before_any_face():
    estimate = Estimator().hold(0)
    assert estimate.health == Health.NO_FACE | Health.UNCALIBRATED
    assert estimate.units.intensity.max() == 0.0


def test_automatic_neutral_fits_the_person():
    """An odd resting face reads as nothing within two seconds, and says UNCALIBRATED."""
    odd = faces.face(brow_left=(0, -0.05), brow_right=(0, -0.05), corner_left=(0.02, 0.02))
    estimator = Estimator(smoothing=OFF)
    for i_frame in range(60):
        estimate = estimator.estimate(faces.landmarks(odd, i_frame))
    assert estimate.units.intensity[:N_FACE].max() < 0.02
    assert estimate.health == Health.UNCALIBRATED


def test_automatic_neutral_does_not_learn_a_held_smile():
    estimator = Estimator(smoothing=OFF)
    smile = faces.face(corner_left=(0.1, -0.1), corner_right=(-0.1, -0.1))
    for i_frame in range(75):
        held = units(faces.landmarks(smile, i_frame), estimator)
    assert value(held, "AU12_L") > 0.3
    for i_frame in range(75, 135):
        rest = units(faces.landmarks(faces.face(), i_frame), estimator)
    assert rest[:N_FACE].max() < 0.02


def test_the_automatic_neutral_does_not_drift():
    estimator = Estimator(smoothing=OFF)
    for i_frame in range(90):
        estimator.estimate(faces.landmarks(faces.face(), i_frame))
    before = estimator.neutral.shape.copy()
    for i_frame in range(90, 300):
        estimator.estimate(faces.landmarks(faces.face(brow_left=(0, -0.01)), i_frame))
    np.testing.assert_array_equal(estimator.neutral.shape, before)


def test_explicit_capture_takes_the_next_second():
    estimator, raised = known(), faces.face(brow_left=(0, -0.06), brow_right=(0, -0.06))
    assert value(units(faces.landmarks(raised, 0), estimator), "AU1_L") > 0.2
    estimator.capture_neutral()
    for i_frame in range(1, 40):
        estimate = estimator.estimate(faces.landmarks(raised, i_frame))
    assert estimate.units.intensity[:N_FACE].max() < 0.02
    assert Health.UNCALIBRATED not in estimate.health


def test_reset_forgets_and_repeats_bit_for_bit():
    estimator = Estimator()
    frames = [faces.landmarks(faces.face(chin=(0, 0.01 * i)), i) for i in range(40)]
    first = [estimator.estimate(frame).units.intensity for frame in frames]
    estimator.reset()
    again = [estimator.estimate(frame).units.intensity for frame in frames]
    np.testing.assert_array_equal(first, again)


def test_one_signature_whatever_the_flags_of_the_input():
    estimator = Estimator()
    estimator.warm_up()
    frame = faces.landmarks(faces.face())
    frame.points_px.setflags(write=False)
    estimator.estimate(frame)
    assert len(k.step.signatures) == 1


def test_results_do_not_change_under_the_receiver():
    estimator = known()
    first = estimator.estimate(faces.landmarks(faces.face(**SMILE), 0))
    kept = first.units.intensity.copy()
    estimator.estimate(faces.landmarks(faces.face(), 1))
    np.testing.assert_array_equal(first.units.intensity, kept)
    with pytest.raises(ValueError, match="read-only"):
        first.units.intensity[0] = 1.0


def test_a_step_back_in_time_restarts_the_filter():
    estimator = Estimator(neutral=canonical_neutral(load_model()))
    for i_frame in range(30, 40):
        estimator.estimate(faces.landmarks(faces.face(), i_frame))
    estimate = estimator.estimate(faces.landmarks(faces.face(**SMILE), 0))
    np.testing.assert_array_equal(estimate.units.intensity, estimate.units.raw)
