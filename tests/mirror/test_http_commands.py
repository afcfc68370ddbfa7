"""Commands over HTTP: the mirror beside a live session that records."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from livefacs.config import load_options
from livefacs.mirror.server import Mirror
from livefacs.session.composition import open_session
from livefacs.session.mirror_beside import open_mirror_beside
from livefacs.session.runner import Session
from livefacs.take.reader import Take
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Session]:
    """The performer in a loop, running in a thread, with a folder for takes."""
    options = load_options(
        None,
        {
            "source": {"spec": "demo", "realtime": True, "loop": True},
            "record": {"folder": tmp_path / "takes", "start_with": "command"},
        },
    )
    with open_session(options) as session:
        thread = threading.Thread(target=session.run, daemon=True)
        thread.start()
        yield session
        session.stop()
        thread.join(PATIENCE_S)


def client(mirror: Mirror) -> httpx.Client:
    base = f"http://127.0.0.1:{mirror.port}"
    return httpx.Client(base_url=base, headers={"Origin": base})


def test_a_take_with_a_marker_over_http(tmp_path: Path, running: Session) -> None:
    with client(open_mirror_beside(running, 0, lambda _: None)) as http:

        def ask(word: str, *arguments: object) -> httpx.Response:
            return http.post(f"/api/command/{word}", json={"arguments": arguments})

        refused = ask("mark", "early")
        assert (refused.status_code, "no take" in refused.json()["error"]) == (400, True)
        assert ask("slate", "Sc 4").json() == {"reply": "ok"}
        assert ask("record").status_code == 200
        assert ask("mark", "clap").json() == {"reply": "ok"}
        assert ask("finish").status_code == 200
        for word, arguments in (("nonsense", []), ("take", ["x"]), ("mark", [5])):
            assert ask(word, *arguments).status_code == 400
        assert http.post("/api/command/mark", json={}).status_code == 400
        assert http.get("/api/command/mark").status_code == 405
        other = {"Origin": "http://example.org"}
        assert http.post("/api/command/stop", json={}, headers=other).status_code == 403
    take = Take(tmp_path / "takes/Sc-4_001")
    assert [marker.label for marker in take.markers] == ["clap"]
    assert (take.slate, take.state) == ("Sc 4", "closed")


def test_a_mirror_without_a_session_takes_no_command(mirror: Mirror) -> None:
    with client(mirror) as http:
        answer = http.post("/api/command/stop", json={"arguments": []})
    assert answer.status_code == 404
    assert "livefacs live --mirror" in answer.json()["error"]
