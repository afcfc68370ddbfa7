"""The neutral's prior: parts rest by themselves, held expressions are not learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import NO_REST, Neutral, canonical_neutral
from livefacs.au.profile import Profile
from livefacs.au.regions import BROWS, CHANNEL_REGION, LIDS, MOUTH, shares_of_points
from livefacs.au.resting import LiveRest, RestingFrames, neutral_from_parts
from livefacs.types import Landmarks, Readings
from livefacs.vocab.facs import CHANNEL_INDEX
from livefacs.vocab.readings import BLENDSHAPE_INDEX, N_TEXTURE, PATCH_INDEX

HEAD = np.zeros(6)


def read(lines: float = 0.0, **scores: float) -> Readings:
    """Usual skin, and scores of the net: ``mouthSmile=0.8`` means both sides."""
    model = load_model()
    patches = model.usual_patches.copy()
    patches[PATCH_INDEX["glabella"]] += lines
    shapes = np.zeros(len(BLENDSHAPE_INDEX), np.float32)
    for name, score in scores.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in BLENDSHAPE_INDEX:
                shapes[BLENDSHAPE_INDEX[full]] = score
    return Readings(patches, np.zeros(N_TEXTURE, np.uint8), shapes)


def gathered(*frames: Readings, shift: float = 0.1) -> RestingFrames:
    model = load_model()
    resting, shape = RestingFrames(model), canonical_neutral(model).shape + np.array((0, shift, 0))
    for i, readings in enumerate(frames):
        resting.add(shape, HEAD, 0.0, 0.0, readings, 2.0 + i / 30)
    return resting


def test_a_resting_face_is_taken_as_it_is():
    parts = gathered(*[read()] * 10).parts()
    assert [part.evidence for part in parts] == [1.0, 1.0, 1.0]
    model = load_model()
    neutral, mean = neutral_from_parts(model, parts), canonical_neutral(model).shape
    np.testing.assert_allclose(neutral.shape, mean + np.array((0, 0.1, 0)))


def test_a_held_smile_is_measured_against_the_mean_face_and_the_brows_against_their_own():
    parts = gathered(*[read(mouthSmile=0.9)] * 30).parts()
    assert parts[MOUTH].evidence == 0.0
    assert parts[BROWS].evidence == parts[LIDS].evidence == 1.0
    model = load_model()
    mean = canonical_neutral(model).shape
    moved = (neutral_from_parts(model, parts).shape - mean)[:, 1]
    assert moved[10] > 0.09  # forehead
    assert abs(moved[17]) < 1e-9  # lower lip


def test_a_short_calibration_counts_as_far_as_its_evidence_goes_and_found_rest_completes_it():
    model = load_model()
    mean = canonical_neutral(model)
    skin = np.zeros_like(mean.patches)
    own = Neutral(mean.shape + np.array((0, 0.3, 0)), HEAD[:3], patches=skin)

    def moved(evidence: float, *frames: Readings) -> float:
        prior = replace(own, evidence=np.full(3, evidence))
        found = neutral_from_parts(model, gathered(*frames, shift=0.1).parts(), prior)
        return float((found.shape - mean.shape)[10, 1])

    assert moved(1.0, *[read()] * 10) == 0.3
    np.testing.assert_allclose(moved(0.5, *[read()] * 10), 0.2)
    brows_act = [read(browInnerUp=0.9, browOuterUp=0.9)] * 10
    np.testing.assert_allclose(moved(0.5, *brows_act), 0.15)  # the mean face has the rest
    assert moved(1.0, *brows_act) == 0.3


def test_live_a_short_calibration_is_no_more_than_a_glimpse_until_rest_is_known():
    model = load_model()
    mean = canonical_neutral(model)
    shape = mean.shape + np.array((0, 0.2, 0))
    own = Neutral(shape, HEAD[:3], evidence=np.full(3, 0.5))
    live = LiveRest(model, own)
    np.testing.assert_allclose((live.neutral.shape - mean.shape)[:, 1], 0.1, atol=1e-9)
    np.testing.assert_array_equal(live.neutral.evidence, own.evidence)
    for _ in range(75):
        live.offer(shape, HEAD, 0.0, 0.0, read(), 1 / 30)
    assert live.is_final
    np.testing.assert_allclose(live.neutral.shape, shape, atol=1e-9)
    assert live.neutral.evidence.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("is_read", [True, False])
def test_live_the_first_frame_is_measured_against_what_is_known_so_far(is_read):
    model = load_model()
    mean = canonical_neutral(model)
    shape = mean.shape.copy()
    shape[:, 1] *= 1.05
    own = Neutral(shape, HEAD[:3], evidence=np.full(3, 0.5))
    estimator = Estimator(model, Profile("anna", "", own))
    points = (100.0 * shape + 300.0).astype(np.float32)
    estimator.estimate(Landmarks(points, 0, 0, (640, 640), 1, read() if is_read else None))
    share = 0.5 if is_read else 1.0  # a mesh alone finds no rest that could complete it
    away = estimator.neutral.shape - mean.shape
    np.testing.assert_allclose(away, share * (shape - mean.shape), atol=1e-9)


@pytest.mark.parametrize(
    ("part", "scores"),
    [
        (MOUTH, {"mouthFrown": 0.2}),
        (MOUTH, {"mouthSmileLeft": 0.5}),
        (MOUTH, {"mouthRollLower": 0.9, "mouthRollUpper": 0.9, "mouthPress": 0.5}),
        (MOUTH, {"mouthLeft": 0.5}),
        (BROWS, {"browDown": 0.1}),
    ],
)
def test_what_is_held_through_a_whole_clip_is_judged_more_strictly(part, scores):
    """A little of it may be rest where there is more to come: not where nothing changes."""
    calm = [read(**scores, lines=1.0 if part == BROWS else 0.0)] * 30
    more = read(jawOpen=0.9, browInnerUp=0.9)
    assert gathered(*calm).parts()[part].evidence > 0.5
    assert gathered(*calm).parts(is_whole=True)[part].evidence < NO_REST
    assert gathered(*calm, *[more] * 10).parts(is_whole=True)[part].evidence > 0.5
    resting = gathered(*[read()] * 30).parts(is_whole=True)
    assert [part.evidence for part in resting] == [1.0, 1.0, 1.0]


def test_lips_brought_together_through_a_whole_clip_are_seen_by_the_mesh():
    model = load_model()
    resting, mean = RestingFrames(model), canonical_neutral(model).shape
    for i in range(30):
        resting.add(mean, HEAD, 0.0, 0.0, read(), 2.0 + i / 30, pucker=0.8)
    assert resting.parts()[MOUTH].evidence == 1.0
    assert resting.parts(is_whole=True)[MOUTH].evidence < NO_REST


def test_brows_held_far_up_through_a_whole_clip_do_not_rest():
    model = load_model()
    for height, is_rest in ((0.5, True), (0.8, False)):
        early = RestingFrames(model)
        for i in range(10):
            readings = read(browInnerUp=height, browOuterUp=height)
            early.add(canonical_neutral(model).shape, HEAD, 0.0, 0.0, readings, i / 30)
        assert early.parts()[BROWS].evidence > 0.5
        assert (early.parts(is_whole=True)[BROWS].evidence > 0.5) == is_rest


def test_the_quiet_end_of_a_talker_is_rest():
    frames = [read(jawOpen=0.5 * (i % 10 > 1), browInnerUp=0.0) for i in range(100)]
    assert gathered(*frames).parts()[MOUTH].evidence == 1.0


def test_brows_that_stand_high_rest_where_lids_and_mouth_do_so_from_the_start():
    model = load_model()
    high = read(browInnerUp=0.6, browOuterUp=0.5)
    late, early = RestingFrames(model), RestingFrames(model)
    for i in range(20):
        late.add(canonical_neutral(model).shape, HEAD, 0.0, 0.0, high, 5.0 + i / 30)
        early.add(canonical_neutral(model).shape, HEAD, 0.0, 0.0, high, i / 30)
    assert late.parts()[BROWS].evidence < 0.1
    assert early.parts()[BROWS].evidence > 0.5


def test_a_calm_opening_draws_lids_and_mouth_to_it_though_later_frames_are_as_quiet():
    """Weak actions, which the net does not see, pass for rest among later frames."""
    model = load_model()
    mean = canonical_neutral(model)

    def moved(opening: Readings) -> np.ndarray:
        resting = RestingFrames(model)
        for i in range(300):
            is_later = i >= 15
            shape = mean.shape + is_later * np.array((0, 0.1, 0))
            resting.add(shape, HEAD, 0.0, 0.0, read() if is_later else opening, i / 30)
        return (neutral_from_parts(model, resting.parts()).shape - mean.shape)[:, 1]

    lower_lip, forehead = 17, 10
    np.testing.assert_allclose(moved(read())[lower_lip], 0.05, atol=1e-6)
    np.testing.assert_allclose(moved(read(mouthSmile=0.5))[lower_lip], 0.05, atol=1e-6)
    np.testing.assert_allclose(moved(read(mouthSmile=0.9))[[lower_lip, forehead]], 0.1, atol=1e-6)
    np.testing.assert_allclose(moved(read())[forehead], 0.0, atol=1e-9)


def test_live_nothing_drifts_once_parts_are_settled():
    model = load_model()
    live, mean = LiveRest(model), canonical_neutral(model).shape
    for _ in range(75):
        live.offer(mean, HEAD, 0.0, 0.0, read(), 1 / 30)
    assert live.is_known
    assert live.is_final
    before = live.neutral
    for _ in range(100):
        assert not live.offer(mean + 0.2, HEAD, 0.0, 0.0, read(browInnerUp=0.1), 1 / 30)
    assert live.neutral is before


def test_live_a_part_that_acts_is_waited_for():
    model = load_model()
    live, mean = LiveRest(model), canonical_neutral(model).shape
    for _ in range(90):
        live.offer(mean, HEAD, 0.0, 0.2, read(jawOpen=0.8), 1 / 30)
    assert not live.is_final
    assert live.neutral.evidence[MOUTH] == 0.0
    for _ in range(90):
        live.offer(mean, HEAD, 0.0, 0.0, read(), 1 / 30)
    assert live.is_final
    assert live.neutral.evidence[MOUTH] == 1.0


def test_parts_cover_the_face_and_know_their_channels():
    shares = shares_of_points(canonical_neutral(load_model()).shape)
    np.testing.assert_allclose(shares.sum(axis=0), 1.0)
    assert shares[BROWS, 10] == shares[MOUTH, 152] == shares[LIDS, 6] == 1.0
    assert CHANNEL_REGION[CHANNEL_INDEX["AU4_L"]] == BROWS
    assert CHANNEL_REGION[CHANNEL_INDEX["AU12_R"]] == MOUTH
