"""The one call: small kernels in it, its cache, its signature."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from livefacs.au.estimator import Estimator
from livefacs.kernels import _jit, features, intensity
from livefacs.kernels.confidence import ramp_down


def test_the_cache_folder_carries_the_hash_of_the_sources():
    assert _jit.CACHE_FOLDER.name == f"numba-{_jit.source_hash()}"


def test_what_was_compiled_before_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Estimator().warm_up()
    assert any(_jit.CACHE_FOLDER.rglob("step.step-*.nbi"))
    monkeypatch.setattr(_jit, "CACHE_FOLDER", tmp_path)
    names = ("step.step-1.nbi", "facemesh.refine_mesh-1.nbi", "image.read_face-1.nbi")
    for name in names:
        assert not _jit.is_compiled()
        (tmp_path / name).touch()
    assert _jit.is_compiled()
    monkeypatch.setattr(_jit, "CACHE_FOLDER", None)
    assert not _jit.is_compiled()


def test_a_changed_source_changes_the_hash(tmp_path: Path):
    package = Path(_jit.__file__).parents[1]
    copy = tmp_path / "livefacs"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("data", "static", "__pycache__"))
    with (copy / "kernels" / "geometry.py").open("a") as file:
        file.write("# changed\n")
    code = "from livefacs.kernels._jit import source_hash; print(source_hash())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() != _jit.source_hash()


def test_pose_terms_are_even_or_odd_under_mirroring():
    one, other = np.empty(features.N_POSE_TERMS), np.empty(features.N_POSE_TERMS)
    features.pose_terms(0.3, 0.2, -0.1, one)
    features.pose_terms(-0.3, 0.2, 0.1, other)
    np.testing.assert_allclose(other, one * (-1, 1, -1, 1, 1, -1, 1, -1, -1, 1))


def test_opening_is_the_mean_distance_in_the_plane():
    mesh = np.array([[0.0, 0, 5], [3, 4, 9], [0, 0, 0], [0, 1, 0]])
    assert features.opening(mesh, np.array([[0, 1], [2, 3]])) == pytest.approx(3.0)


def test_linear_map_equals_the_dense_product():
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(5, 12)) * (rng.uniform(size=(5, 12)) < 0.5)
    x, bias, out = rng.normal(size=12), rng.normal(size=5), np.empty(5)
    columns = [np.flatnonzero(row) for row in dense]
    starts = np.cumsum([0, *(len(c) for c in columns)])
    values = np.concatenate([row[c] for row, c in zip(dense, columns, strict=True)])
    intensity.linear_map(x, starts, np.concatenate(columns), values.astype(np.float32), bias, out)
    np.testing.assert_allclose(out, dense @ x + bias, rtol=1e-5)


def test_values_are_floored_scaled_and_capped():
    values = np.array([-0.2, 0.4, 3.0])
    intensity.floor_at_zero(values, np.array([1.0, 2.0, 1.0]), 1.5)
    np.testing.assert_allclose(values, [0.0, 0.8, 1.5])


@pytest.mark.parametrize(("value", "wanted"), [(0.0, 1.0), (1.0, 1.0), (1.5, 0.6), (9.0, 0.2)])
def test_ramp_down(value, wanted):
    assert ramp_down(value, 1.0, 2.0, 0.2) == pytest.approx(wanted)
