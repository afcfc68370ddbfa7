"""Fetching models from a server on loopback: right, wrong, broken off, not there."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from livefacs.errors import LandmarkerError
from livefacs.landmarkers import downloads
from livefacs.landmarkers.downloads import (
    FACE_LANDMARKER,
    KnownModel,
    fetch_model,
    fetched_path,
    is_genuine,
    known_model,
)
from livefacs.resources import user_models_folder

CONTENT = bytes(range(256)) * 1000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/absent":
            self.send_error(404)
            return
        wrong = b"x" * len(CONTENT)
        body = {"/right": CONTENT, "/wrong": wrong, "/long": CONTENT * 2}.get(self.path, CONTENT)
        self.send_response(200)
        if self.path != "/unannounced":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path in BREAKS_OFF else body)

    def log_message(self, *_: object) -> None:
        pass


BREAKS_OFF = ("/short", "/unannounced")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def model() -> KnownModel:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return replace(FACE_LANDMARKER, sha256=digest, n_bytes=len(CONTENT))


def folder_content() -> list[str]:
    return [path.name for path in user_models_folder().iterdir()]


def test_a_model_arrives_whole_and_checked(address: str, model: KnownModel) -> None:
    shown: list[int] = []
    assert not is_genuine(fetched_path(model), model)
    path = fetch_model(model, url=f"{address}/right", on_progress=shown.append)
    assert path.read_bytes() == CONTENT
    assert is_genuine(path, model)
    assert shown == sorted(shown)
    assert shown[-1] == len(CONTENT)
    assert folder_content() == ["face_landmarker.task"]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("/wrong", "SHA-256 should be"),
        ("/long", "SHA-256 should be"),
        ("/short", "broke off after|cannot be reached"),
        ("/unannounced", "broke off after 128,000 of 256,000"),
        ("/absent", "answered 404"),
    ],
)
def test_a_bad_answer_leaves_nothing_and_keeps_the_old_file(
    address: str, model: KnownModel, place: str, words: str
) -> None:
    user_models_folder().mkdir(parents=True)
    fetched_path(model).write_bytes(b"the old one")
    with pytest.raises(LandmarkerError, match=words) as caught:
        fetch_model(model, url=address + place)
    assert "\n" not in str(caught.value)
    assert folder_content() == ["face_landmarker.task"]
    assert fetched_path(model).read_bytes() == b"the old one"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "http://no-such-host.invalid/x", "file:///no/such/file"]
)
def test_without_a_network_it_says_so(url: str, model: KnownModel) -> None:
    with pytest.raises(LandmarkerError, match=r"cannot be reached .* is there a network") as caught:
        fetch_model(model, url=url)
    assert "\n" not in str(caught.value)
    assert folder_content() == []


@pytest.mark.parametrize("url", ["not an address", "gopher://x/y"])
def test_a_malformed_address_is_told(url: str, model: KnownModel) -> None:
    with pytest.raises(LandmarkerError, match=r"is not an address|cannot be reached"):
        fetch_model(model, url=url)


def test_an_unwritable_folder_is_told(
    address: str, model: KnownModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    monkeypatch.setattr(downloads, "user_models_folder", lambda: tmp_path / "taken")
    with pytest.raises(LandmarkerError, match="cannot be written"):
        fetch_model(model, url=f"{address}/right")


def test_the_known_model_is_the_real_one() -> None:
    model = known_model("face_landmarker")
    assert model.url.startswith("https://storage.googleapis.com/mediapipe-models/")
    beside = Path(__file__).parents[2] / ".." / "shared" / "models" / model.file_name
    if not beside.is_file():
        pytest.skip("no face_landmarker.task at ../shared/models")
    assert is_genuine(beside, model)
    assert beside.stat().st_size == model.n_bytes
    with pytest.raises(LandmarkerError, match="expected face_landmarker"):
        known_model("hand_landmarker")
