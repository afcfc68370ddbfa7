"""Profiles: kept, found by name, refused with one clear line."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.neutral import Neutral, canonical_neutral
from livefacs.au.profile import Profile, load_profile, profile_names, profile_path, save_profile
from livefacs.au.profile_body import checksum
from livefacs.errors import ProfileError
from livefacs.types import Health
from livefacs.vocab.facs import CHANNEL_INDEX
from tests.au import faces


def made(name="anna", **maxima) -> Profile:
    shape = canonical_neutral(load_model()).shape
    return Profile(name, "facemesh", Neutral(shape, np.array((0.1, 0.0, 0.0))), maxima, "2026")


def test_a_profile_comes_back_by_name():
    save_profile(made(AU12_L=0.5), profile_path("anna"))
    assert load_profile("anna").digest == made(AU12_L=0.5).digest != made(AU12_L=0.6).digest
    back = load_profile("anna", "facemesh")
    assert back.maxima == {"AU12_L": 0.5}
    np.testing.assert_allclose(back.neutral.shape, made().neutral.shape, atol=1e-6)
    assert profile_names() == ["anna"]


def test_an_older_profile_is_kept_beside_the_new_one():
    save_profile(made(), profile_path("anna"))
    save_profile(made(AU1_L=0.4), profile_path("anna"))
    assert profile_path("anna").with_suffix(".json.bak").is_file()
    assert profile_names() == ["anna"]


def test_the_range_scales_its_channels():
    smile = faces.face(corner_left=(0.05, -0.04), corner_right=(-0.05, -0.04))
    plain = Profile("a", "facemesh", canonical_neutral(load_model()))
    known = Profile("b", "facemesh", plain.neutral, {"AU12_L": 0.5})
    values = [
        Estimator(profile=p).estimate(faces.landmarks(smile)).units.intensity
        for p in (plain, known)
    ]
    i = CHANNEL_INDEX["AU12_L"]
    assert values[1][i] == pytest.approx(2.0 * values[0][i], rel=1e-5)
    assert (
        Health.UNCALIBRATED not in Estimator(profile=known).estimate(faces.landmarks(smile)).health
    )


def test_absurd_maxima_are_bounded():
    gains = made(AU12_L=1e-9, AU12_R=9.0).gain_array()
    assert gains[CHANNEL_INDEX["AU12_L"]] == 3.0
    assert gains[CHANNEL_INDEX["AU12_R"]] == 0.5


@pytest.mark.parametrize("name", ["../anna", "", "a/b", "."])
def test_a_name_that_is_no_name(name):
    with pytest.raises(ProfileError, match="profile name"):
        profile_path(name)


def test_an_absent_profile_names_those_there_are():
    save_profile(made(), profile_path("anna"))
    with pytest.raises(ProfileError, match=r"profiles: anna.*livefacs calibrate bob"):
        load_profile("bob")


@pytest.mark.parametrize("backend", ["facemesh", "facemesh-litert"])
def test_whatever_runs_facemesh_its_profiles_are_taken(backend: str) -> None:
    save_profile(made(), profile_path("anna"))
    assert load_profile("anna", backend).name == "anna"


def test_another_backend_is_refused():
    save_profile(made(), profile_path("anna"))
    with pytest.raises(ProfileError, match="calibrated with the facemesh landmarks"):
        load_profile("anna", "tasks")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body.update(version=99), "has version 99"),
        (lambda body: body.update(format="other"), "not a livefacs profile"),
        (lambda body: body["neutral_shape"][0].__setitem__(0, 9.0), "checksum differs"),
        (lambda body: body.pop("sha256"), "checksum differs"),
    ],
    ids=["version", "format", "value", "no checksum"],
)
def test_a_changed_profile_is_refused(change, said):
    path = profile_path("anna")
    save_profile(made(), path)
    body = json.loads(path.read_text(encoding="utf-8"))
    change(body)
    path.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(ProfileError, match=said):
        load_profile("anna")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1, 2]"])
def test_a_damaged_file_is_refused_in_one_line(content):
    path = profile_path("anna")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(ProfileError) as raised:
        load_profile("anna")
    assert "\n" not in str(raised.value)


def test_what_was_read_of_the_resting_face_comes_back():
    blendshapes = np.linspace(0.0, 0.5, 52)
    blendshapes[3] = np.nan
    neutral = replace(made().neutral, blendshapes=blendshapes)
    save_profile(replace(made(), neutral=neutral), profile_path("anna"))
    back = load_profile("anna").neutral
    np.testing.assert_allclose(back.blendshapes, blendshapes, atol=1e-6)
    assert np.isnan(back.patches).all()


def test_how_much_a_neutral_is_worth_comes_back():
    short = replace(made().neutral, evidence=np.array((0.5, 0.5, 0.5)))
    save_profile(replace(made(), neutral=short), profile_path("anna"))
    back = load_profile("anna")
    assert back.neutral.evidence.tolist() == [0.5, 0.5, 0.5]
    assert back.is_open_to_rest
    assert not made().is_open_to_rest
    save_profile(made(), profile_path("anna"))
    assert "neutral_evidence" not in profile_path("anna").read_text(encoding="utf-8")  # as ever


@pytest.mark.parametrize("evidence", [[0.5, 0.5], [0.5, 0.5, 1.5], "half", None])
def test_an_evidence_that_is_none_is_told(evidence):
    path = profile_path("anna")
    save_profile(made(), path)
    body = {**json.loads(path.read_text(encoding="utf-8")), "neutral_evidence": evidence}
    body["sha256"] = checksum(body)
    path.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(ProfileError, match="neutral_evidence"):
        load_profile("anna")


@pytest.mark.parametrize(
    "field", ["neutral_shape", "neutral_angles_rad", "neutral_blendshapes", "neutral_patches"]
)
def test_a_number_beyond_every_float_is_told(field):
    path = profile_path("anna")
    save_profile(made(), path)
    body = json.loads(path.read_text())
    numbers = body[field]
    while isinstance(numbers[0], list):
        numbers = numbers[0]
    numbers[0] = 10**400
    body["sha256"] = checksum(body)
    path.write_text(json.dumps(body))
    with pytest.raises(ProfileError, match="cannot be used") as refusal:
        load_profile("anna")
    assert field in str(refusal.value)
