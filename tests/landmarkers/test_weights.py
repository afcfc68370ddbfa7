"""Networks that are missing, cut short, of another content or shape: one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefacs.errors import LandmarkerError
from livefacs.landmarkers import weights
from livefacs.landmarkers.facemesh import FaceMeshLandmarker
from livefacs.landmarkers.network import PLAIN, XNNPACK, Network
from livefacs.landmarkers.weights import read_weights, shipped_models


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's folder of networks, all whole."""
    for name, model in shipped_models().items():
        (tmp_path / model.file_name).write_bytes(read_weights(name))
    monkeypatch.setattr(weights, "data_path", lambda _name: tmp_path)
    monkeypatch.setenv("LIVEFACS_CACHE", str(tmp_path / "no cache"))
    return tmp_path


@pytest.mark.parametrize("name", ["face_mesh", "face_detector"])
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", "no network at"),
        ("cut", "damaged: expected"),
        ("empty", "found 0"),
        ("changed", "SHA-256 should be"),
        ("folder", "no network at"),
    ],
)
def test_a_bad_file_is_told_with_what_to_do(folder: Path, name: str, kind: str, said: str) -> None:
    path = folder / shipped_models()[name].file_name
    content = path.read_bytes()
    path.unlink()
    if kind == "cut":
        path.write_bytes(content[:1000])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif kind == "folder":
        path.mkdir()
    with pytest.raises(LandmarkerError, match=said) as caught:
        FaceMeshLandmarker()
    assert "install livefacs again" in str(caught.value)


def test_whole_files_are_taken(folder: Path) -> None:
    FaceMeshLandmarker().close()


def test_a_network_of_another_shape_is_refused() -> None:
    with pytest.raises(LandmarkerError, match=r"inputs should be \[\(7, 'float32'\)\]"):
        Network("detector", read_weights("face_detector"), [7], [16 * 896, 896])


@pytest.mark.parametrize("content", [b"", b"rubbish" * 100, b"\0" * 64])
def test_rubbish_is_no_network(content: bytes) -> None:
    with pytest.raises(LandmarkerError, match="LiteRT does not take this network"):
        Network("detector", content, [1], [1])


def test_a_refused_delegate_falls_back_to_plain_kernels_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ai_edge_litert.interpreter import OpResolverType

    from livefacs.landmarkers import network, open_landmarker

    allocated = network._allocated

    def refuse(model: bytes, n_threads: int, resolver: OpResolverType) -> object:
        if resolver is OpResolverType.AUTO:
            raise RuntimeError("XNNPACK delegate: failed to apply")
        return allocated(model, n_threads, resolver)

    monkeypatch.setattr(network, "_allocated", refuse)
    sentences: list[str] = []
    landmarker = open_landmarker("facemesh", notify=sentences.append)
    assert landmarker.description.endswith(f"{PLAIN}, 1 thread")
    assert len(sentences) == 1
    assert XNNPACK in sentences[0]
    landmarker.close()


def test_threads_are_a_setting() -> None:
    from livefacs.landmarkers import open_landmarker

    assert open_landmarker("facemesh", n_threads=2).description.endswith("2 threads")
