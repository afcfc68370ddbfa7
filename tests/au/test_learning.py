"""Learning a performer: what was shown is learned, what was not keeps the shipped map."""

from __future__ import annotations

import base64
import dataclasses
import json

import numpy as np
import pytest

from livefacs.au.checkup import misfit_of_clip
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.examples import joined
from livefacs.au.learning import learn, profile_from_round
from livefacs.au.likeness import misfit
from livefacs.au.neutral import canonical_neutral
from livefacs.au.personal import KEPT, LEARNED, NOT_SEEN
from livefacs.au.profile import load_profile, profile_path, save_profile
from livefacs.take.layout import TakeInfo
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.types import Readings, TrackedFrame
from livefacs.vocab.facs import CHANNEL_INDEX
from livefacs.vocab.readings import N_BLENDSHAPES, N_PATCH_READINGS, N_PATCHES, N_TEXTURE
from tests.au import faces
from tests.au.made_rounds import BASE, direction, made_round

MODEL = load_model()
ACTIONS = ["AU14", "AU24", "AU12", "AD34"]


def lessons_of(learned):
    return {lesson.action: lesson for lesson in learned.personal.lessons}


@pytest.fixture(scope="module")
def learned():
    return learn(MODEL, made_round(ACTIONS))


def profile_of(learned, earlier=None):
    neutral = dataclasses.replace(canonical_neutral(MODEL), evidence=np.ones(3))
    return profile_from_round("anna", "facemesh", neutral, MODEL, learned, earlier)


def readings(texture):
    return Readings(
        np.full((N_PATCHES, N_PATCH_READINGS), np.nan, np.float32),
        np.rint(255 * np.clip(texture, 0, 1)).astype(np.uint8),
        np.full(N_BLENDSHAPES, np.nan, np.float32),
    )


def value_of(profile, channel, texture=None):
    landmarks = faces.landmarks(faces.face())
    if texture is not None:
        landmarks = dataclasses.replace(landmarks, readings=readings(texture))
    units = Estimator(MODEL, profile).estimate(landmarks).units
    return float(units.raw[CHANNEL_INDEX[channel]])


def showing(action, strength=1.0):
    return BASE + 1.2 * strength * direction(action, N_TEXTURE)


def test_what_was_shown_twice_is_learned(learned):
    lessons = lessons_of(learned)
    assert {lessons[action].outcome for action in ACTIONS} == {LEARNED}
    assert all(lessons[action].clearer > 1.5 for action in ACTIONS)
    assert all(lessons[action].reliability > 0.8 for action in ACTIONS)
    assert lessons["AU14"].sentence.startswith("AU14: learned, ")
    assert lessons["AU14"].sentence.endswith(" × clearer than before")


def test_a_learned_action_shows_and_the_others_keep_still(learned):
    profile = profile_of(learned)
    assert value_of(profile, "AU14_L", showing("AU14")) > 0.7
    assert value_of(profile, "AU14_L", showing("AU24")) < 0.1
    assert value_of(profile, "AU14_L", np.full(N_TEXTURE, BASE)) == 0.0
    assert 0.3 < value_of(profile, "AU14_L", showing("AU14", 0.5)) < 0.7


def test_a_turning_head_at_rest_stays_at_rest(learned):
    turned = BASE + 0.3 * direction("turn", N_TEXTURE)
    profile = profile_of(learned)
    assert max(value_of(profile, f"{action}_L", turned) for action in ACTIONS) < 0.05


def test_without_the_image_the_shipped_map_or_the_meshs_serves(learned):
    profile = profile_of(learned)
    assert value_of(profile, "AU14_L") == pytest.approx(value_of(None, "AU14_L"), abs=0.05)
    blind = learn(MODEL, made_round(ACTIONS, has_image=False))
    assert not blind.personal.has_image
    assert value_of(profile_of(blind), "AU14_L", showing("AU14")) < 0.2


def test_a_texture_unlike_any_that_was_learned_from_is_not_believed(learned):
    profile = profile_of(learned)
    covered = np.where(np.arange(N_TEXTURE) % 2, 1.0, 0.0)
    assert value_of(profile, "AU14_L", covered) == pytest.approx(value_of(None, "AU14_L"))


def test_a_prompt_that_was_not_performed_keeps_the_shipped_map():
    learned = learn(MODEL, made_round(ACTIONS, unperformed=("AU24",)))
    lesson = lessons_of(learned)["AU24"]
    assert lesson.outcome == NOT_SEEN
    assert lesson.sentence == "AU24: not seen, kept as shipped"
    assert "AU24_L" not in learned.personal.learned
    assert "AU14_L" in learned.personal.learned


def test_another_movement_than_the_asked_one_is_told():
    round_ = made_round(["AU2", "AU14"], instead={"AU2": "AU12"}, seen_by_mesh={"AU12": 0.9})
    lesson = lessons_of(learn(MODEL, round_))["AU2"]
    assert lesson.outcome == KEPT
    assert lesson.reason == "performed as AU12"


def test_another_movement_is_told_of_an_action_that_is_hardly_measured_too():
    """The shipped estimate of AU24 is weak, of AU12 it is not."""
    round_ = made_round(["AU24", "AU14"], instead={"AU24": "AU12"}, seen_by_mesh={"AU12": 0.4})
    learned = learn(MODEL, round_)
    assert lessons_of(learned)["AU24"].reason == "performed as AU12"
    assert "AU24_L" not in learned.personal.learned


def test_nothing_performed_leaves_everything_as_shipped():
    learned = learn(MODEL, made_round(ACTIONS, unperformed=tuple(ACTIONS)))
    assert learned.personal.learned == ()
    assert {each.outcome for each in learned.personal.lessons} == {NOT_SEEN}
    assert value_of(profile_of(learned), "AU14_L", showing("AU14")) == value_of(None, "AU14_L")


def test_a_map_that_the_other_repetition_does_not_bear_out_is_not_used():
    round_ = made_round(["AU12", "AU14"], seen_by_mesh={"AU12": 1.0}, noise=0.008)
    lesson = lessons_of(learn(MODEL, round_))["AU12"]
    assert lesson.outcome == KEPT


def test_the_same_frames_give_the_same_model(learned):
    again = learn(MODEL, made_round(ACTIONS))
    np.testing.assert_array_equal(
        again.personal.with_image.geometry, learned.personal.with_image.geometry
    )


def test_an_action_can_be_taught_again_against_the_earlier_ones(learned):
    first = profile_of(learned)
    round_ = made_round(["AU14"], instead={"AU14": "AU15"}, seed=1)
    again = profile_of(learn(MODEL, round_, first.examples), first)
    assert again.examples is not None
    assert sorted(again.examples.channels) == sorted(first.examples.channels)
    assert value_of(again, "AU14_L", showing("AU15")) > 0.4
    assert value_of(again, "AU14_L", showing("AU14")) < 0.1
    assert value_of(again, "AU14_L", showing("AU24")) < 0.1
    assert value_of(again, "AU24_L", showing("AU24")) > 0.6
    assert {lesson.action for lesson in again.personal.lessons} == set(ACTIONS)


def test_another_light_is_no_movement(learned):
    later = learn(MODEL, made_round(["AU20"], seed=2)).examples
    assert later.texture is not None
    brighter = dataclasses.replace(later, texture=later.texture + np.float32(0.1))
    both = joined(learned.examples, brighter)
    rest = both.texture[both.at_rest]
    assert np.ptp(rest.mean(axis=1)) < 0.01


def test_a_profile_of_version_2_comes_back(learned):
    profile = profile_of(learned)
    save_profile(profile, profile_path("anna"))
    back = load_profile("anna", "facemesh")
    assert back.digest == profile.digest
    assert back.weights == MODEL.digest
    sentences = [lesson.sentence for lesson in profile.personal.lessons]
    assert [lesson.sentence for lesson in back.personal.lessons] == sentences
    np.testing.assert_array_equal(
        back.personal.with_image.texture, profile.personal.with_image.texture
    )
    assert value_of(back, "AU14_L", showing("AU14")) == pytest.approx(
        value_of(profile, "AU14_L", showing("AU14")), abs=1e-4
    )
    assert profile_path("anna").stat().st_mode & 0o777 == 0o600


def test_what_a_profile_keeps_of_the_image_is_weights_and_means(learned):
    """Every stored array of the image is a map's weights, or a mean of several frames."""
    save_profile(profile_of(learned), profile_path("anna"))
    body = json.loads(profile_path("anna").read_text(encoding="utf-8"))
    assert set(body) == {
        "format", "version", "name", "backend", "created", "weights", "maxima",
        "neutral_angles_rad", "neutral_shape", "personal", "taught", "taught_maps", "examples",
        "setting", "sha256", "neutral_blendshapes", "neutral_patches",
    }  # fmt: skip
    examples = learned.examples
    n_frames = round(30 * (2.7 + 5.0 + 2.6 * len(ACTIONS)))
    assert examples.weight.sum() == pytest.approx(n_frames, abs=3)
    assert len(examples) < 0.2 * n_frames
    assert examples.weight.min() >= 2
    stored = [len(base64.b64decode(text)) for text in _texts(body) if len(text) > 300]
    n_numbers = len(examples) * N_TEXTURE
    assert max(stored) <= max(n_numbers, 4 * N_TEXTURE * len(learned.personal.learned))
    for magic in (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"ftyp"):
        assert not any(magic in base64.b64decode(t)[:16] for t in _texts(body) if len(t) > 300)


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def test_a_replayed_take_gives_the_same_bytes(learned, tmp_path):
    """What a take holds of a frame, mesh and texture, is all that a personal model reads."""
    profile = profile_of(learned)
    rng = np.random.default_rng(8)
    shown = [showing("AU14", 0.5 + 0.5 * np.sin(i / 5)) + 0.01 * rng.normal() for i in range(40)]
    faces_ = [
        dataclasses.replace(faces.landmarks(faces.face(), i), readings=readings(texture))
        for i, texture in enumerate(shown)
    ]
    folder = tmp_path / "take_001"
    folder.mkdir()
    writer = TakeWriter(folder, TakeInfo(rate_hz=30.0))
    live = Estimator(MODEL, profile)
    written = [
        TrackedFrame(
            f.i_frame, f.t_ns, e.health, f.image_size, f, e.head, e.gaze, e.units
        )
        for f, e in ((face, live.estimate(face)) for face in faces_)
    ]  # fmt: skip
    writer.append(written)
    writer.close()
    take, again = Take(folder), Estimator(MODEL, profile)
    for row, frame in enumerate(written):
        units = again.estimate(take.tracked(row).landmarks).units
        assert units.intensity.tobytes() == frame.units.intensity.tobytes()
        assert units.raw.tobytes() == frame.units.raw.tobytes()
    assert max(frame.units.intensity[CHANNEL_INDEX["AU14_L"]] for frame in written) > 0.5


def test_a_profile_of_another_person_is_told_by_how_much(learned):
    profile = profile_of(learned)
    assert misfit(MODEL, profile, profile.neutral) == ""
    wide = profile.neutral.shape * (1.0, 1.15, 1.0)
    said = misfit(MODEL, profile, dataclasses.replace(profile.neutral, shape=wide))
    assert "profile 'anna' hardly fits this face: the neutrals differ by" in said
    assert "% of the eye distance" in said


def test_a_clip_of_another_skin_is_told_though_its_neutral_fits(learned):
    profile = profile_of(learned)
    rng = np.random.default_rng(9)

    def clip(resting):
        return [
            dataclasses.replace(
                faces.landmarks(faces.face(), i),
                readings=readings(resting + 0.01 * rng.normal(size=N_TEXTURE)),
            )
            for i in range(700)
        ]

    assert misfit_of_clip(MODEL, profile, clip(BASE)) == ""
    said = misfit_of_clip(MODEL, profile, clip(BASE + direction("another skin", N_TEXTURE)))
    assert "profile 'anna' hardly fits this face: its skin at rest is" in said
    assert "the neutrals differ by" in said
    unread = [faces.landmarks(faces.face(), i) for i in range(60)]
    assert misfit_of_clip(MODEL, profile, unread) == ""
