"""solve, train, evaluate and calibrate as a user runs them."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from livefacs.au.estimator import Estimator
from livefacs.au.profile import load_profile
from livefacs.kernels import _jit
from livefacs.resources import data_path
from livefacs.sources.turned import turned
from livefacs.sources.video import VideoSource
from livefacs.types import Health
from tests.support.commands import run

PERFORMER = str(data_path("performer.mp4"))
LAUGHING = 112  # a frame of it


def curves(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    path = tmp_path_factory.mktemp("solve") / "performer.csv"
    assert run("solve", PERFORMER, "-o", str(path)) == 0
    return curves(path)


def test_the_first_run_on_a_machine_says_why_it_takes_long(tmp_path, capsys, monkeypatch):
    def said() -> str:
        assert run("solve", "absent.mp4", "-o", str(tmp_path / "out.csv")) == 3
        return capsys.readouterr().err

    Estimator().warm_up()
    assert "compiling" not in said()
    monkeypatch.setattr(_jit, "CACHE_FOLDER", tmp_path)
    assert said().startswith("compiling for this machine")


def test_every_frame_is_there_in_order(solved):
    assert solved["frame"].tolist() == list(range(420))
    assert np.all(np.diff(solved["timestamp_s"]) > 0)
    assert solved["face"].all()


def upside_down(folder, n_frames=24):
    """The performer's first pictures, turned by 180 degrees, as a pattern."""
    source = VideoSource(data_path("performer.mp4"))
    for i_frame in range(n_frames):
        image = turned(source.read().image, 180)
        encoded = cv2.imencode(".png", image[..., ::-1])[1]
        (folder / f"p.{i_frame:04}.png").write_bytes(encoded.tobytes())
    source.close()
    return str(folder / "p.%04d.png")


def test_a_camera_that_hung_upside_down_is_told_and_turned(tmp_path, capsys, solved):
    pictures, out = upside_down(tmp_path), tmp_path / "out.csv"
    assert run("solve", pictures, "-o", str(out)) == 0
    assert "the face is upside down in the picture" in capsys.readouterr().err
    assert run("solve", pictures, "--rotate", "180", "-o", str(out)) == 0
    assert "upside down" not in capsys.readouterr().err
    found = curves(out)
    for angle in ("head_yaw_deg", "head_pitch_deg", "head_roll_deg"):
        np.testing.assert_allclose(found[angle], solved[angle][:24], atol=1.5)
    assert run("solve", pictures, "--rotate", "45", "-o", str(out)) == 2
    assert "--rotate 45: expected 90, 180 or 270" in capsys.readouterr().err


def test_a_profile_is_made_from_pictures_that_are_turned(tmp_path, capsys):
    pictures, upright, turned_ = upside_down(tmp_path), tmp_path / "a.json", tmp_path / "b.json"
    neutral = ("--neutral-only", "--neutral", "0:0.8")
    assert run("calibrate", str(upright), "--source", PERFORMER, *neutral) == 0
    assert run("calibrate", str(turned_), "--source", pictures, "--rotate", "180", *neutral) == 0
    assert "upside down" not in capsys.readouterr().out
    one, other = (load_profile(str(path)).neutral.shape for path in (upright, turned_))
    np.testing.assert_allclose(one, other, atol=0.02 * np.ptp(one[:, 0]))
    assert run("calibrate", str(turned_), "--source", pictures, *neutral) == 0
    assert "the face is upside down in the picture" in capsys.readouterr().out
    assert run("calibrate", str(turned_), "--source", pictures, "--rotate", "45") == 2


def held(folder, i_frame):
    """One frame of the performer, eight times, as a pattern."""
    source = VideoSource(data_path("performer.mp4"))
    image = [source.read().image for _ in range(i_frame + 1)][-1]
    source.close()
    encoded = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
    for copy in range(8):
        (folder / f"held.{copy}.png").write_bytes(encoded)
    return str(folder / "held.%d.png")


def test_a_clip_that_never_rests_says_so_frame_by_frame(tmp_path, capsys):
    """One expression held: the notice once, the flag in every row, and half the confidence."""
    out = tmp_path / "out.csv"
    assert run("solve", held(tmp_path, LAUGHING), "-o", str(out)) == 0
    assert "no resting frame found (" in capsys.readouterr().err
    assert all(int(h) & Health.NO_NEUTRAL for h in curves(out)["health"])
    assert run("solve", PERFORMER, "-o", str(out)) == 0
    assert not any(int(h) & Health.NO_NEUTRAL for h in curves(out)["health"])


@pytest.mark.parametrize(
    ("i_frame", "least"),
    [
        (369, {"AU1": 0.3, "AU15": 0.2, "AU17": 0.3}),  # corners down, chin up
        (300, {"AU18": 0.3}),  # puckered
        (220, {"AU4": 0.25, "AU9": 0.4}),  # brows down, nose wrinkled
        (63, {"AU1": 0.6, "AU2": 0.6}),  # brows up
    ],
)
def test_a_still_of_an_expression_shows_it_and_says_that_no_frame_rests(
    i_frame, least, tmp_path, capsys
):
    out = tmp_path / "out.csv"
    assert run("solve", held(tmp_path, i_frame), "-o", str(out)) == 0
    assert "no resting frame found (" in capsys.readouterr().err
    found = curves(out)
    assert all(int(h) & Health.NO_NEUTRAL for h in found["health"])
    for action, value in least.items():
        assert found[action].min() > value, action


def test_a_still_of_a_resting_face_is_no_expression(tmp_path, capsys):
    out = tmp_path / "out.csv"
    still = held(tmp_path, 20)
    assert run("solve", still, "-o", str(out)) == 0
    said = capsys.readouterr().err
    assert "no resting frame" not in said
    assert "the face does the same throughout" in said  # that it rests is likely, not known
    found = curves(out)
    assert run("solve", still, "-o", str(out), "--neutral", "0:1") == 0
    assert "the face does the same throughout" not in capsys.readouterr().err
    known = curves(out)
    assert all(int(h) & Health.NO_NEUTRAL for h in found["health"])
    assert not any(int(h) & Health.NO_NEUTRAL for h in known["health"])
    assert (found["confidence"] < 0.5 * known["confidence"]).all()
    assert run("solve", PERFORMER, "-o", str(out)) == 0
    assert "the face does the same throughout" not in capsys.readouterr().err
    assert max(found[f"AU{n}"].max() for n in (1, 2, 4, 9, 12, 15, 17, 18, 24, 26)) < 0.1


def _peak(solved, channel, start_s, end_s):
    t = solved["timestamp_s"]
    return float(np.nanmax(solved[channel][(t >= start_s) & (t <= end_s)]))


def test_the_performance_is_read(solved):
    """What the performer does, second by second."""
    assert _peak(solved, "AU1", 1.5, 2.8) > 0.4
    assert min(_peak(solved, f"AU12_{side}", 3.0, 5.0) for side in "LR") > 0.5
    assert _peak(solved, "AU15", 3.0, 5.0) < 0.25
    assert _peak(solved, "AU45_L", 5.4, 6.2) > 3 * _peak(solved, "AU45_R", 5.4, 6.2)
    assert _peak(solved, "AU4", 6.4, 7.4) > 0.2
    assert _peak(solved, "AU26", 8.0, 9.2) > 0.5
    assert _peak(solved, "AU18", 9.2, 10.3) > 0.3
    assert _peak(solved, "AU22", 10.3, 11.3) > 0.3


def test_several_clips_need_a_folder(tmp_path, capsys):
    assert run("solve", PERFORMER, "other.mp4", "-o", str(tmp_path / "x.csv")) == 2
    assert "give a folder" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["3", "3:1", "a:b", ":"])
def test_seconds_that_are_none(seconds, tmp_path, capsys):
    code = run("solve", PERFORMER, "-o", str(tmp_path / "x.csv"), "--neutral", seconds)
    if seconds == ":":
        assert code == 0
    else:
        assert code == 2
        assert "START:END" in capsys.readouterr().err


def test_a_clip_that_is_not_there(tmp_path, capsys):
    assert run("solve", str(tmp_path / "no.mp4"), "-o", str(tmp_path / "x.csv")) == 3
    assert "no.mp4" in capsys.readouterr().err
    assert not (tmp_path / "x.csv").exists()


def test_calibrate_from_a_clip_then_solve_with_the_profile(tmp_path, capsys, solved):
    assert run("calibrate", "anna", "-s", PERFORMER) == 0
    path = tmp_path / "personal.csv"
    assert run("solve", PERFORMER, "-o", str(path), "--profile", "anna") == 0
    smile = _peak(curves(path), "AU12", 3.0, 5.0)
    assert smile >= _peak(solved, "AU12", 3.0, 5.0)
    assert smile > 0.9
    assert run("solve", PERFORMER, "-o", str(path), "--profile", "bob") == 2
    assert "profiles: anna" in capsys.readouterr().err


def test_train_on_an_own_take_and_use_the_weights(tmp_path, capsys):
    """A clip with labels beside it, in OpenFace's columns."""
    (tmp_path / "take.mp4").write_bytes(data_path("performer.mp4").read_bytes())
    rows = [f"{i},{5.0 if 100 <= i < 140 else 0.0}" for i in range(0, 420, 5)]
    (tmp_path / "take.csv").write_text("frame,AU12_r\n" + "\n".join(rows), encoding="utf-8")
    weights = tmp_path / "own.npz"
    assert run("train", str(tmp_path), "-o", str(weights)) == 0
    assert run("evaluate", str(tmp_path), "--weights", str(weights)) == 0
    assert "AU12" in capsys.readouterr().out
    again = tmp_path / "again.npz"
    assert run("train", str(tmp_path / "take.csv"), "-o", str(again)) == 0
    assert weights.read_bytes() == again.read_bytes()


def test_training_data_that_is_none(tmp_path, capsys):
    assert run("train", str(tmp_path / "no"), "-o", str(tmp_path / "w.npz")) == 2
    assert run("train", str(tmp_path), "-o", str(tmp_path / "w.npz")) == 2
    assert "NAME.csv beside a clip" in capsys.readouterr().err
