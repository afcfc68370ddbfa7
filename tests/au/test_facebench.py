"""On the rendered faces: single actions, reproducible training, fold scores, the real clips."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from livefacs.au.estimator_model import load_model, save_model
from livefacs.errors import ConfigError
from livefacs.training.dataset import Subject, load_folder, load_rendered
from livefacs.training.evaluation import cross_validate, curves_of, evaluate
from livefacs.training.training import Settings, train
from livefacs.vocab.facs import CHANNEL_INDEX, channels_of

pytestmark = pytest.mark.facebench

SAVED = Path(__file__).parents[1] / "data" / "fold_scores.json"
SWEEPS = {
    "browInnerUp": "AU1",
    "browOuterUp": "AU2",
    "browDown": "AU4",
    "noseSneer": "AU9",
    "mouthUpperUp": "AU10",
    "mouthSmile": "AU12",
    "mouthPucker": "AU18",
    "mouthStretch": "AU20",
    "mouthFunnel": "AU22",
    "jawOpen": "AU26",
    "eyeBlink": "AU45",
    "gazeLeft": "AU61",
    "gazeUp": "AU63",
}


@pytest.fixture(scope="module")
def subject(request: pytest.FixtureRequest) -> Subject:
    return load_rendered(request.getfixturevalue("facebench") / "train" / "id01.npz")


@pytest.mark.parametrize(("shape", "action"), SWEEPS.items())
def test_monotone_along_each_sweep(subject, shape, action):
    """Estimates rise with the truth: rank correlation on the way up, and a clear response."""
    curves = _sweep_curves(subject)
    sweep = subject.sequences[0]
    start, stop = next((a, b) for name, a, b in sweep.segments if name == shape)
    columns = [CHANNEL_INDEX[channel] for channel in channels_of(action)]
    truth = sweep.truth[start:stop, columns].mean(axis=1)
    value = curves[start:stop, columns].mean(axis=1)
    top = int(np.argmax(truth))
    levels, rise = np.unique(truth[: top + 1]), value[: top + 1]
    means = [rise[truth[: top + 1] == level].mean() for level in levels]
    assert means[-1] > 0.2
    assert np.all(np.diff(means) > -0.06)


_CURVES: dict[str, np.ndarray] = {}


def _sweep_curves(subject: Subject) -> np.ndarray:
    if subject.name not in _CURVES:
        only = Subject(subject.name, subject.sequences[:1])
        _CURVES[subject.name] = curves_of(load_model(), only)["sweep"]
    return _CURVES[subject.name]


def test_training_gives_the_same_bytes_and_another_ridge_others(subject, facebench, tmp_path):
    other = load_rendered(facebench / "more" / "id20.npz")
    few = [
        Subject(s.name, s.sequences[:2] + s.sequences[3:5] + s.sequences[-2:], s.sha256)
        for s in (subject, other)
    ]
    quick = Settings(n_rounds=3)
    for name, settings in (("a", quick), ("b", quick), ("c", Settings(n_rounds=3, ridge=9.0))):
        save_model(train(few, settings), tmp_path / name)
    first, again, different = ((tmp_path / name).read_bytes() for name in "abc")
    assert first == again
    assert first != different
    assert load_model(tmp_path / "a").provenance["data"]["id01"] == subject.sha256


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fold_scores_hold(facebench):
    """Trains all four folds and scores them as shipped: none may fall by more than .02."""
    saved = json.loads(SAVED.read_text(encoding="utf-8"))
    subjects, always = load_folder(facebench / "train"), load_folder(facebench / "more")
    found = cross_validate(subjects, always, train, 4)
    assert found.mean("r") >= saved["mean"]["r"] - 0.02
    assert found.mean("icc") >= saved["mean"]["icc"] - 0.02
    assert found.mean("crosstalk") <= saved["mean"]["crosstalk"] + 0.02
    assert found.mean("leak_p95") <= max(0.35, saved["mean"]["leak_p95"])
    assert found.mean("leak_max") <= 1.0
    assert found.mean("jitter") <= 0.02
    assert min(found.blink) >= 0.97
    for name, r in saved["r"].items():
        assert found.rows[name].r >= r - 0.04, name


def test_a_file_that_holds_something_else(tmp_path):
    path = tmp_path / "id00.npz"
    np.savez(path, x=np.zeros(3))
    with pytest.raises(ConfigError, match="not a labelled landmark file"):
        load_rendered(path)
    with pytest.raises(ConfigError, match="no labelled sequences"):
        load_folder(tmp_path / "nowhere")


def test_the_truth_scores_itself_perfectly(subject):
    """The measures, on the truth given back as the estimate."""
    curves = {s.name: np.nan_to_num(s.truth) for s in subject.sequences}
    found = evaluate([(subject, curves)])
    assert found.mean("r") == pytest.approx(1.0)
    assert found.mean("icc") == pytest.approx(1.0, abs=1e-3)
    assert found.mean("leak_max") == 0.0
    assert found.rows["AU1"].crosstalk == pytest.approx(0.0)
    assert min(found.blink) == pytest.approx(1.0)
