"""A recorded range of motion as a profile: what it gives, and every way it may not be."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import load_model
from livefacs.au.profile import load_profile, profile_path, save_profile
from livefacs.errors import ConfigError, LivefacsError, ProfileError, SourceError
from livefacs.offline import Lesson, SolveOptions, calibrate_clip, teach_from_clip
from livefacs.take.layout import TakeInfo
from livefacs.take.writer import TakeWriter
from livefacs.types import Health, TrackedFrame
from tests.au.scripted import OTHER, Script, at_rest, turning, twice

MODEL = load_model()
OPTIONS = SolveOptions(as_live=False)


def shown_twice(*names: str):
    """Three seconds of rest, five of turns, then movements of 80 frames, ten of rest between."""
    shown = at_rest(90) + turning(150)
    for name in names:
        shown += twice(name) + at_rest(10)
    return shown


def recorded(folder: Path, shown, *, without: range = range(0), crowd: bool = False) -> str:
    """A take of it; frames of ``without`` show nobody, a crowd has a second face in each."""
    script, estimator = Script(shown), Estimator(MODEL)
    frames = []
    for i in range(len(shown)):
        script.read()
        face = script.detect(None)  # type: ignore[arg-type]  # a script looks at no frame
        assert face is not None
        face = dataclasses.replace(face, n_faces=2 if crowd else 1)
        estimate = estimator.estimate(face)
        health = Health.NO_FACE if i in without else estimate.health
        frames.append(
            TrackedFrame(
                face.i_frame, face.t_ns, health, face.image_size,
                None if i in without else face, estimate.head, estimate.gaze, estimate.units,
            )
        )  # fmt: skip
    folder.mkdir()
    writer = TakeWriter(folder, TakeInfo(rate_hz=30.0))
    writer.append(frames)
    writer.close()
    return str(folder)


def asked(path: Path, *names: str) -> Path:
    prompts = [
        {"actions": [name], "start_s": 8 + 3 * i, "end_s": 8 + 3 * i + 2.9}
        for i, name in enumerate(names)
    ]
    path.write_text(json.dumps({"neutral": [0, 3], "head": [3, 8], "prompts": prompts}))
    return path


def test_a_take_makes_a_profile_and_another_adds_to_it(tmp_path: Path) -> None:
    take = recorded(tmp_path / "a", shown_twice("AU14"))
    first = calibrate_clip("anna", take, asked(tmp_path / "a.json", "AU14"), OPTIONS).profile
    assert first.personal is not None
    assert first.personal.learned == ("AU14_L", "AU14_R")
    assert first.personal.has_image
    take = recorded(tmp_path / "b", shown_twice("AU24"))
    prompts = asked(tmp_path / "b.json", "AU24")
    both = calibrate_clip("anna", take, prompts, OPTIONS, earlier=first).profile
    assert both.personal is not None
    assert set(both.personal.learned) == {"AU14_L", "AU14_R", "AU24_L", "AU24_R"}


def test_no_face_in_half_of_the_prompts_names_them_all(tmp_path: Path) -> None:
    take = recorded(tmp_path / "a", shown_twice("AU14", "AU24"), without=range(250, 400))
    with pytest.raises(ConfigError) as told:
        calibrate_clip("anna", take, asked(tmp_path / "a.json", "AU14", "AU24"), OPTIONS)
    assert "prompts[1] AU14: no face in" in str(told.value)
    assert "prompts[2] AU24: no face in" in str(told.value)


@pytest.mark.parametrize(
    ("shown", "more", "kind", "said"),
    [
        (shown_twice("AU14"), {"crowd": True}, SourceError, "two people in 100 % of its frames"),
        (shown_twice("AU14")[:300], {}, ConfigError, "lies outside the clip, the clip 0 to 10.00"),
        (shown_twice("AU14"), {"without": range(90)}, SourceError, "neutral: a face in 0 frames"),
    ],
    ids=["two people", "prompts outside", "nobody rests"],
)
def test_clips_that_cannot_be_learned_from(
    tmp_path: Path, shown, more, kind: type[LivefacsError], said: str
) -> None:
    take = recorded(tmp_path / "a", shown, **more)
    with pytest.raises(kind, match=said):
        calibrate_clip("anna", take, asked(tmp_path / "a.json", "AU14"), OPTIONS)


def test_another_person_and_other_weights_are_not_added_to(tmp_path: Path) -> None:
    take = recorded(tmp_path / "a", shown_twice("AU14"))
    prompts = asked(tmp_path / "a.json", "AU14")
    profile = calibrate_clip("anna", take, prompts, OPTIONS).profile
    stranger = [(OTHER, *rest) for _, *rest in shown_twice("AU14")]
    with pytest.raises(ProfileError, match="the neutrals differ by"):
        calibrate_clip(
            "anna", recorded(tmp_path / "b", stranger), prompts, OPTIONS, earlier=profile
        )
    older = dataclasses.replace(profile, weights="0123456789ab")
    with pytest.raises(ProfileError, match="other estimator weights"):
        calibrate_clip("anna", take, prompts, OPTIONS, earlier=older)


def test_a_damaged_profile_tells_all_that_is_wrong(tmp_path: Path) -> None:
    from livefacs.au.profile_body import checksum

    take = recorded(tmp_path / "a", shown_twice("AU14"))
    made = calibrate_clip("anna", take, asked(tmp_path / "a.json", "AU14"), OPTIONS).profile
    path = profile_path("anna")
    save_profile(made, path)
    body = json.loads(path.read_text(encoding="utf-8"))
    body.pop("sha256")
    body["neutral_shape"] = body["neutral_shape"][:5]
    body["personal"]["with_image"]["bias"] = "no numbers"
    body["maxima"] = {"AU99": 1.0}
    body["setting"] = 5
    body["sha256"] = checksum(body)
    path.write_text(json.dumps(body), encoding="utf-8")
    with pytest.raises(ProfileError) as told:
        load_profile("anna")
    for part in ("neutral_shape", "personal", "maxima", "setting"):
        assert part in str(told.value)


def test_a_lesson_from_a_take_and_its_errors(tmp_path: Path) -> None:
    take = recorded(tmp_path / "a", shown_twice("AU14", "tongue"))
    profile = calibrate_clip("anna", take, asked(tmp_path / "a.json", "AU14"), OPTIONS).profile
    lesson = Lesson("tongue-out", ((0.0, 3.0),), ((11.0, 13.6),))
    made, action = teach_from_clip(profile, lesson, take, OPTIONS)
    assert action.channel == "X_tongue_out"
    assert action.intruders == {}
    for wrong, kind, said in (
        (dataclasses.replace(lesson, name="AU12"), ProfileError, "channel of FACS"),
        (dataclasses.replace(lesson, action=((12.0, 99.0),)), ConfigError, "outside the clip"),
        (dataclasses.replace(lesson, action=((2.0, 5.0),)), ConfigError, "begins before rest ends"),
    ):
        with pytest.raises(kind, match=said):
            teach_from_clip(profile, wrong, take, OPTIONS)
    with pytest.raises(ProfileError, match="already"):
        teach_from_clip(made, lesson, take, OPTIONS)
    assert np.isfinite(action.reliability)
