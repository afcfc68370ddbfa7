"""Taught actions: a channel of their own, told from everything else the profile has seen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.learning import Asked, Round, learn, profile_from_round
from livefacs.au.neutral import canonical_neutral
from livefacs.au.profile import load_profile, profile_path, save_profile
from livefacs.au.teaching import MOST_TAUGHT, sentences, taught_channel, teach, without
from livefacs.errors import ProfileError
from livefacs.types import TrackedFrame
from livefacs.vocab.facs import AU_CHANNELS, N_AU
from tests.au import faces
from tests.au.made_rounds import made_round
from tests.au.test_learning import readings, showing

MODEL = load_model()
NEUTRAL = canonical_neutral(MODEL)


def base_profile():
    learned = learn(MODEL, made_round(["AU14", "AU24", "AD34"]))
    return profile_from_round("anna", "facemesh", NEUTRAL, MODEL, learned)


def taught(profile, name="tongue-out", movement="tongue", side="", seed=3, **changes):
    """A profile that was taught a movement."""
    made = made_round(["AU12"], instead={"AU12": movement}, seed=seed, **changes)
    frames = dataclasses.replace(made.frames, values=np.zeros_like(made.frames.values))
    channel = taught_channel(profile, name, side=side)
    return teach(MODEL, profile, name, channel, frames, made.rest, made.asked[0].rows)


@pytest.fixture(scope="module")
def tongue():
    return taught(base_profile())


def units_of(profile, texture):
    landmarks = dataclasses.replace(faces.landmarks(faces.face()), readings=readings(texture))
    return Estimator(MODEL, profile).estimate(landmarks).units


def value_of(profile, channel, texture):
    units = units_of(profile, texture)
    return float(units.intensity[units.channels.index(channel)])


def test_a_taught_action_is_a_channel_of_every_estimate(tongue):
    profile, action = tongue
    assert action.channel == "X_tongue_out"
    units = units_of(profile, showing("tongue"))
    assert units.channels == (*AU_CHANNELS, "X_tongue_out")
    assert units.taught == ("X_tongue_out",)
    assert len(units.intensity) == len(units.raw) == len(units.confidence) == N_AU + 1
    assert units.intensity[-1] > 0.7
    assert units.confidence[-1] > 0.3
    assert action.reliability > 0.8


def test_it_does_not_fire_on_the_persons_other_prompts(tongue):
    profile, action = tongue
    assert action.intruders == {}
    for other in ("AU14", "AU24", "AD34"):
        assert value_of(profile, "X_tongue_out", showing(other)) < 0.15
    assert "fires on none of the 3 other prompts" in " ".join(sentences(profile, action))


def test_what_else_it_fires_on_is_told():
    profile, action = taught(base_profile(), "puff", movement="AD34")
    assert action.intruders.keys() == {"AD34_L+AD34_R"}
    assert "it also fires on: AD34_L+AD34_R" in " ".join(sentences(profile, action))
    assert value_of(profile, "X_puff", showing("AD34")) > 0.7


def test_the_learned_actions_stay_as_they_were(tongue):
    profile, _ = tongue
    before = value_of(base_profile(), "AU14_L", showing("AU14"))
    assert value_of(profile, "AU14_L", showing("AU14")) == pytest.approx(before, abs=1e-6)


def test_sides_are_exchanged_under_mirroring(tongue):
    left, _ = taught(tongue[0], "cheek", movement="left cheek", side="L")
    both, _ = taught(left, "cheek", movement="right cheek", side="R", seed=4)
    units = units_of(both, showing("left cheek"))
    at = {name: units.channels.index(name) for name in units.taught}
    mirrored = units.mirrored()
    assert units.intensity[at["X_cheek_L"]] > 0.6 > 0.2 > units.intensity[at["X_cheek_R"]]
    assert mirrored.intensity[at["X_cheek_R"]] == units.intensity[at["X_cheek_L"]]
    assert mirrored.intensity[at["X_tongue_out"]] == units.intensity[at["X_tongue_out"]]


def test_it_comes_back_from_the_file(tongue):
    profile, action = tongue
    save_profile(profile, profile_path("anna"))
    back = load_profile("anna")
    assert back.taught == (dataclasses.replace(action, reliability=back.taught[0].reliability),)
    assert value_of(back, "X_tongue_out", showing("tongue")) > 0.7


def test_a_round_that_is_added_later_keeps_it(tongue):
    profile, _ = tongue
    made = made_round(["AU15"], seed=5)
    later = learn(MODEL, made, profile.examples)
    again = profile_from_round("anna", "facemesh", NEUTRAL, MODEL, later, profile)
    assert again.channels == profile.channels
    assert value_of(again, "X_tongue_out", showing("tongue")) > 0.6
    assert value_of(again, "X_tongue_out", showing("AU15")) < 0.15


def test_it_can_be_forgotten_and_taught_anew(tongue):
    profile, _ = tongue
    bare = without(profile, "X_tongue_out")
    assert bare.channels == AU_CHANNELS
    assert units_of(bare, showing("tongue")).taught == ()
    assert taught(bare)[1].channel == "X_tongue_out"


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("AU12", {}, "AU12 is a channel of FACS"),
        ("smile", {"code": "12"}, "AU12 is a channel of FACS"),
        ("tongue-out", {}, "has X_tongue_out already"),
        ("tongue out", {}, "has X_tongue_out already"),
        ("../x", {}, "no name for an action"),
        ("", {}, "no name for an action"),
        ("puff", {"side": "U"}, "expected L, R or none"),
    ],
)
def test_names_that_cannot_be(tongue, name, more, said):
    with pytest.raises(ProfileError, match=said):
        taught_channel(tongue[0], name, **more)


def test_a_code_names_the_channel(tongue):
    assert taught_channel(tongue[0], "tongue-show", code="19") == "AD19"


def test_a_profile_holds_thirty_two(tongue):
    profile, action = tongue
    many = tuple(dataclasses.replace(action, channel=f"X_{i}") for i in range(MOST_TAUGHT))
    with pytest.raises(ProfileError, match="has 32 taught actions"):
        taught_channel(dataclasses.replace(profile, taught=many), "one-more")


def test_what_was_not_shown_is_not_taught():
    made = made_round(["AU12"], unperformed=("AU12",))
    with pytest.raises(ProfileError, match="not seen"):
        teach(MODEL, base_profile(), "wink", "X_wink", made.frames, made.rest, made.asked[0].rows)


def test_taught_without_the_image_it_works_on_the_mesh():
    made = made_round(["AU14", "AU24"], has_image=False)
    learned = learn(MODEL, Round(made.frames, made.rest, made.turns, list[Asked](made.asked)))
    blind = profile_from_round("anna", "facemesh", NEUTRAL, MODEL, learned)
    profile, action = taught(blind, has_image=False)
    assert action.reliability > 0.5
    assert profile.kernel_maps()[1].channels.tolist().count(N_AU) == 1


def tracked_frame(profile, texture) -> TrackedFrame:
    """A tracked frame of a performer with a profile, for the tests of protocols and files."""
    landmarks = dataclasses.replace(faces.landmarks(faces.face()), readings=readings(texture))
    found = Estimator(MODEL, profile).estimate(landmarks)
    size = landmarks.image_size
    return TrackedFrame(
        0, landmarks.t_ns, found.health, size, landmarks, found.head, found.gaze, found.units
    )
