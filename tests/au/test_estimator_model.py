"""The weights file: shipped, kept bit for bit, refused when it does not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from livefacs.au.estimator_model import load_model, save_model
from livefacs.errors import LandmarkerError
from livefacs.vocab.facs import CHANNEL_INDEX


def test_the_shipped_weights_say_what_they_were_made_of():
    provenance = load_model().provenance
    assert len(provenance["data"]) >= 20
    assert all(len(digest) == 64 for digest in provenance["data"].values())
    assert {"numpy", "numba", "python", "settings"} <= set(provenance)


def test_the_shipped_weights_are_mirror_symmetric():
    from livefacs.au.features import mirror_features

    order, sign = mirror_features()
    weights = load_model().weights
    left, right = weights[CHANNEL_INDEX["AU12_L"]], weights[CHANNEL_INDEX["AU12_R"]]
    np.testing.assert_allclose(right, (sign * left[order]), atol=2e-3 * np.abs(left).max())


def test_an_action_is_read_from_its_region_only():
    from livefacs.au.features import LEARNT, region_mask
    from livefacs.vocab.facs import AU_CHANNELS

    model = load_model()
    for channel in LEARNT:
        allowed = region_mask(AU_CHANNELS[channel], model.canonical)
        assert not model.weights[channel][~allowed].any(), AU_CHANNELS[channel]


def test_reliability_is_measured_for_learnt_actions():
    reliability = load_model().reliability
    assert reliability[CHANNEL_INDEX["AU12_L"]] > 0.8
    assert reliability[CHANNEL_INDEX["AD29"]] < 0.4
    assert np.isnan(reliability[CHANNEL_INDEX["AU25"]])


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        save_model(load_model(), tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert load_model(tmp_path / "a.npz").digest == load_model().digest


def test_an_absent_file():
    with pytest.raises(LandmarkerError, match="no estimator weights"):
        load_model("nowhere.npz")  # type: ignore[arg-type]  # as a user's option may come


@pytest.mark.parametrize("content", [b"", b"PK", b"nonsense" * 100])
def test_a_damaged_file(tmp_path, content):
    path = tmp_path / "w.npz"
    path.write_bytes(content)
    with pytest.raises(LandmarkerError, match="not a livefacs weights file"):
        load_model(path)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("version", 99, "version 99"),
        ("format", "x", "not a livefacs weights file"),
        ("channels", ["AU1"], "other channels"),
    ],
)
def test_another_kind_of_file(tmp_path, key, value, said):
    path = tmp_path / "w.npz"
    save_model(load_model(), path)
    with np.load(path) as file:
        arrays = dict(file)
    header = json.loads(arrays["header"].tobytes())
    header[key] = value
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(path, **arrays)
    with pytest.raises(LandmarkerError, match=said):
        load_model(path)


def _of(length):
    return lambda array: array[:length]


HOSTILE = {
    "no points to align by": {"align_ids": _of(0), "align_prior": _of(0)},
    "an empty prior": {"align_prior": _of(0)},
    "ids beyond the mesh": {"align_ids": lambda a: np.full_like(a, 32000)},
    "ids before the mesh": {"align_ids": lambda a: np.full_like(a, -32000)},
    "ids that are no whole numbers": {"align_ids": lambda a: a + 0.5},
    "an empty bias": {"bias": _of(0)},
    "a short reliability": {"reliability": _of(3)},
    "a prior of nothing": {"align_prior": np.zeros_like},
    "infinite weights": {"weights": lambda a: np.full_like(a, np.inf)},
    "unknown weights": {"weights": lambda a: np.full_like(a, np.nan)},
    "weights of another shape": {"weights": lambda a: a[:, :-1]},
    "a face of no size": {"canonical": lambda a: np.full_like(a, 1e30)},
    "texts": {"bias": lambda a: a.astype(str)},
    "no canonical face": {"canonical": lambda _: None},
    "no header": {"header": lambda _: None},
    "a header that is no object": {"header": lambda _: np.frombuffer(b"[1]", np.uint8)},
    "a header without end": {"header": lambda _: np.frombuffer(b"[" * 100_000, np.uint8)},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_weights_are_checked_before_a_kernel_sees_them(tmp_path, name):
    path = tmp_path / "w.npz"
    save_model(load_model(), path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays |= {key: change(arrays[key]) for key, change in HOSTILE[name].items()}
    np.savez(path, **{key: array for key, array in arrays.items() if array is not None})
    with pytest.raises(LandmarkerError, match=r"w\.npz") as refusal:
        load_model(path)
    assert "\n" not in str(refusal.value)
