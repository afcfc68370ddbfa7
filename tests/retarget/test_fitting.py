from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import nnls

from livefacs.errors import ConfigError
from livefacs.kernels.sparse import non_negative_lasso
from livefacs.retarget.fitting import examples_from_csv, fit_controls, toml_from_fits
from livefacs.retarget.inputs import SIGNAL_INDEX, Performance
from livefacs.retarget.library import load_map, load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.types import Gaze
from livefacs.vocab.facs import AU_CHANNELS
from tests.retarget.making import frame, performance_of, write_map

N_FRAMES = 200


@pytest.fixture
def performance() -> Performance:
    """Random mixtures of all actions, with wandering eyes."""
    random = np.random.default_rng(1)
    frames = []
    for i in range(N_FRAMES):
        strong = np.clip(random.uniform(-0.8, 0.8, len(AU_CHANNELS)), 0, 1)
        yaw, pitch = random.uniform(-0.4, 0.4, 2)
        gaze = Gaze(yaw, pitch, yaw, pitch)
        units = dict(zip(AU_CHANNELS, map(float, strong), strict=True))
        made = frame(units, t_ns=i * 40_000_000, gaze=gaze)
        frames.append(made)
    return performance_of(frames)


def write_pairs(path: Path, key: str, moments: list[str], columns: dict[str, list[str]]) -> Path:
    lines = [",".join((key, *columns))]
    lines += [",".join(row) for row in zip(moments, *columns.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_solver_is_that_of_scipy_without_a_penalty() -> None:
    random = np.random.default_rng(2)
    for _ in range(5):
        columns = random.uniform(0, 1, (30, 8))
        wanted = columns @ np.maximum(random.normal(size=8), 0) + 0.05 * random.normal(size=30)
        weights = np.zeros(8)
        pull = columns.T @ wanted / 30
        non_negative_lasso(
            np.ascontiguousarray(columns.T @ columns / 30), pull, np.inf, 20_000, weights
        )
        assert weights == pytest.approx(nnls(columns, wanted)[0], abs=1e-4)


def test_solver_with_a_penalty_fulfils_its_conditions() -> None:
    random = np.random.default_rng(3)
    columns, wanted = random.uniform(0, 1, (40, 12)), random.uniform(0, 1, 40)
    gram = np.ascontiguousarray(columns.T @ columns / 40)
    pull = columns.T @ wanted / 40 - 0.05
    weights = np.zeros(12)
    non_negative_lasso(gram, pull, np.inf, 20_000, weights)
    slope = gram @ weights - pull
    assert np.all(weights >= 0)
    assert np.all(slope[weights == 0] >= -1e-6)
    assert np.all(np.abs(slope[weights > 0]) < 1e-5)


def test_known_weights_come_back_from_noisy_examples(
    tmp_path: Path, performance: Performance
) -> None:
    body = """
[controls."smile{side}"]
terms = { "AU12_{side}" = 0.8, "AU6_{side}" = 0.3 }
[controls."look{side}"]
terms = { "gaze_pitch_{side}_deg" = -0.03 }
limits = [-1, 1]
[controls.jaw]
terms = { AU26 = 50.0, AU22 = 20.0 }
limits = [0, 100]
"""
    true = load_map(write_map(tmp_path, body, "true"))
    values = Retargeter(load_rig(tmp_path / "true.toml")).run(performance)
    random = np.random.default_rng(5)
    chosen = random.choice(N_FRAMES, 25, replace=False)
    columns = {
        name: [f"{values[row, i] + span * random.normal() * 0.01:.4f}" for row in chosen]
        for i, (name, span) in enumerate(zip(true.controls, (1, 1, 2, 2, 100), strict=True))
    }
    path = write_pairs(tmp_path / "pairs.csv", "frame", [str(row) for row in chosen], columns)
    rest = """
[controls."smile{side}"]
undriven = "to be fitted"
[controls."look{side}"]
undriven = "to be fitted"
limits = [-1, 1]
[controls.jaw]
undriven = "to be fitted"
limits = [0, 100]
"""
    base = load_map(write_map(tmp_path, rest, "base"))
    examples = examples_from_csv(path, performance, base.controls)
    fits = {fit.control: fit for fit in fit_controls(performance, examples, base)}
    for name, wanted in {
        "smileLeft": {"AU12_L": 0.8, "AU6_L": 0.3},
        "smileRight": {"AU12_R": 0.8, "AU6_R": 0.3},
        "jaw": {"AU26": 50.0, "AU22": 20.0},
    }.items():
        fit = fits[name]
        span = fit.limits[1] - fit.limits[0]
        for signal, weight in wanted.items():
            assert fit.weights[signal] == pytest.approx(weight, abs=0.08 * span)
        strays = {key: value for key, value in fit.weights.items() if key not in wanted}
        assert sum(strays.values()) < 0.1 * span
        assert fit.residual_rms < 0.03 * span
    look = {key: v for key, v in fits["lookLeft"].weights.items() if key.startswith("gaze_pitch")}
    assert sum(look.values()) == pytest.approx(-0.03, abs=0.003)

    fitted = tmp_path / "fitted.toml"
    fitted.write_text(toml_from_fits(list(fits.values()), "Fitted", base, 25))
    again = Retargeter(load_rig(fitted)).run(performance)
    assert load_map(fitted).controls == base.controls
    spans = np.array((1, 1, 2, 2, 100))
    order = [load_map(fitted).controls.index(name) for name in true.controls]
    assert np.all(np.sqrt(np.mean((again[:, order] - values) ** 2, axis=0)) < 0.05 * spans)


def test_a_rig_without_a_map_gets_one_of_its_own(tmp_path: Path, performance: Performance) -> None:
    values = performance.completed()[:, AU_CHANNELS.index("AU12_L")]
    rows = range(0, N_FRAMES, 10)
    columns = {"grin_L": [f"{values[row]:.3f}" for row in rows]}
    seconds = [f"{row * 0.04:.2f}" for row in rows]
    path = write_pairs(tmp_path / "pairs.csv", "seconds", seconds, columns)
    fits = fit_controls(performance, examples_from_csv(path, performance, ()))
    assert max(fits[0].weights, key=lambda name: fits[0].weights[name]) == "AU12_L"
    assert not any(name.endswith("_R") for name in fits[0].weights)
    out = tmp_path / "own.toml"
    out.write_text(toml_from_fits(fits, "Own", None, len(list(rows))))
    assert load_map(out).controls == ("grin_L",)


def test_few_examples_keep_to_the_signals_of_the_base(
    tmp_path: Path, performance: Performance
) -> None:
    base = load_map("live2d")
    jaw = performance.completed()[:, SIGNAL_INDEX["AU26"]]
    lid = performance.completed()[:, SIGNAL_INDEX["AU45_L"]]
    rows = [int(np.argmin(jaw + lid)), int(np.argmax(jaw)), int(np.argmax(lid))]
    columns = {
        "ParamMouthOpenY": [f"{0.7 * jaw[row]:.3f}" for row in rows],
        "ParamEyeLOpen": [f"{1.0 - lid[row]:.3f}" for row in rows],
    }
    path = write_pairs(tmp_path / "pairs.csv", "frame", [str(row) for row in rows], columns)
    fits = fit_controls(performance, examples_from_csv(path, performance, base.controls), base)
    mouth, eye = fits
    assert set(mouth.weights) <= {"AU25", "AU26", "AU27"}
    assert set(eye.weights) <= {"AU43_L", "AU45_L"}
    assert all(weight > 0 for weight in mouth.weights.values())
    assert all(weight < 0 for weight in eye.weights.values())
    assert eye.offset == 1.0
    assert max(mouth.residual_rms, eye.residual_rms) < 0.05


def test_a_control_at_rest_in_every_pair_stays_as_in_the_base(
    tmp_path: Path, performance: Performance
) -> None:
    base = load_map("arkit52")
    columns = {"jawOpen": ["0.5", "0.2", "0"], "browInnerUp": ["0", "0", ""]}
    path = write_pairs(tmp_path / "pairs.csv", "frame", ["3", "9", "12"], columns)
    fits = fit_controls(performance, examples_from_csv(path, performance, base.controls), base)
    assert [fit.control for fit in fits] == ["jawOpen"]


def test_errors_of_the_pairs_come_together(tmp_path: Path, performance: Performance) -> None:
    columns = {"jawOpne": ["0.5", "x", "0"], "mouthPucker": ["inf", "", "0.1"]}
    path = write_pairs(tmp_path / "pairs.csv", "frame", ["3", "9999", ""], columns)
    with pytest.raises(ConfigError) as caught:
        examples_from_csv(path, performance, load_map("arkit52").controls)
    for words in (
        "pairs.csv:1: no control 'jawOpne' in the rig; did you mean 'jawOpen'",
        "pairs.csv:2: mouthPucker: expected a number or nothing, got 'inf'",
        "pairs.csv:3: frame 9999 is not in the performance (0 to 199)",
        "pairs.csv:3: jawOpne: expected a number or nothing, got 'x'",
        "pairs.csv:4: frame: is missing",
    ):
        assert any(words in error for error in caught.value.errors), words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a header line"),
        ("time,jawOpen\n1,1\n", "expected a column 'frame' or 'seconds'"),
        ("frame,jawOpen\n", "expected at least one row"),
        ("frame\n1\n", "expected at least one row and one control column"),
        ("frame,jawOpen\n1,\n2,\n", "no value for 'jawOpen'"),
    ],
)
def test_pairs_that_say_nothing(
    tmp_path: Path, performance: Performance, text: str, words: str
) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        fit_controls(performance, examples_from_csv(path, performance, ()))
