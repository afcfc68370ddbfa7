"""``livefacs stage`` and ``livefacs live --stage`` as their users start them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.waiting import PATIENCE_S, wait_until

COMMAND = (sys.executable, "-m", "livefacs.cli.main")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@contextmanager
def running(*words: str) -> Iterator[str]:
    """The address of the stage; the process has to end politely."""
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("stage: "):
            break
    try:
        assert said[-1:][0].startswith("stage: http://"), said
        yield said[-1].removeprefix("stage: ").strip()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def client(address: str) -> httpx.Client:
    base = address.partition("/stage")[0]
    return httpx.Client(base_url=base, headers={"Origin": base}, timeout=PATIENCE_S)


def session(http: httpx.Client) -> dict[str, object]:
    found: dict[str, object] = http.get("/api/stage/session").json()
    return found


def test_another_camera_keeps_what_was_set_in_the_page() -> None:
    asked, added = "osc://127.0.0.1:9101", "vmc://127.0.0.1:9102?rig=vrm1&mirror=on"
    with (
        running("stage", "--source", "demo", "--no-browser", "--port", "0", "-t", asked) as address,
        client(address) as http,
    ):
        wait_until(lambda: session(http)["running"], "the session")
        choices = http.get("/api/stage/choices").json()
        assert {"spec": "demo", "name": "the bundled performer"} in choices["sources"]
        assert session(http)["is_demo"]
        still = http.get("/api/stage/still", params={"source": "demo"})
        assert still.content[:2] == b"\xff\xd8"
        http.post("/api/stage/destinations/add", json={"url": added}).raise_for_status()
        http.post("/api/stage/destinations/remove", json={"url": asked}).raise_for_status()
        wanted = {"cutoff_hz": 4.0, "beta": 8.0}
        http.post("/api/stage/filter", json=wanted).raise_for_status()
        http.post("/api/command/stop", json={"arguments": []}).raise_for_status()
        http.post("/api/command/slate", json={"arguments": ["Sc 7"]}).raise_for_status()
        wait_until(lambda: session(http)["filter"] == wanted, "the filter")
        began = _frames(http)
        wait_until(lambda: _frames(http) > began + 10, "frames")
        before = _frames(http)
        choice = {"kind": "source", "name": "demo"}
        http.post("/api/stage/choose", json=choice).raise_for_status()
        wait_until(lambda: 0 < _frames(http) < before, "a new session")
        wait_until(lambda: session(http)["filter"] == wanted, "the filter again")
        again = session(http)
        assert [each["url"] for each in again["destinations"]] == [added]  # type: ignore[attr-defined]  # a list of rows
        assert not again["streaming"]
        assert again["slate"] == "Sc 7"


def _frames(http: httpx.Client) -> int:
    """Of the running session; 0 while there is none."""
    answer = http.post("/api/command/status", json={"arguments": []})
    return int(json.loads(answer.json()["reply"])["frames"]) if answer.is_success else 0


def test_no_camera_is_said_on_the_stage_and_another_source_ends_it() -> None:
    words = ("stage", "--source", "/nowhere/nothing.mp4", "--no-browser", "--port", "0")
    with running(*words) as address, client(address) as http:
        assert not session(http)["running"]
        http.post("/api/stage/choose", json={"kind": "source", "name": "demo"}).raise_for_status()
        wait_until(lambda: session(http)["running"], "the session")


def test_the_page_does_not_learn_a_cameras_password() -> None:
    source = "http://anna:geheim@127.0.0.1:9/video?token=geheim"
    with (
        running("stage", "--source", source, "--no-browser", "--port", "0") as address,
        client(address) as http,
    ):
        told = http.get("/api/stage/choices")
        assert "geheim" not in told.text
        assert "anna:…@127.0.0.1" in told.json()["source"]
        name = told.json()["source"]
        still = http.get("/api/stage/still", params={"source": name})  # asked for all the same
        assert "geheim" not in still.text
        assert "refused" in still.text.lower()


def test_another_machine_needs_the_token_and_may_not_open_folders_here() -> None:
    """Over an address that is not loopback, where this machine has one."""
    words = ("stage", "--source", "demo", "--no-browser", "--port", "0", "--listen", "0.0.0.0")
    with running(*words) as address:
        parts = urlsplit(address)
        assert parts.query.startswith("token=")
        base = f"{parts.scheme}://{parts.netloc}"
        if parts.hostname == "127.0.0.1":
            pytest.skip("this machine has no address but loopback")
        with httpx.Client(base_url=base, headers={"Origin": base}, timeout=PATIENCE_S) as http:
            assert http.get("/api/stage").status_code == 403
            assert http.get("/stage?token=wrong").status_code == 403
            with pytest.raises(InvalidStatus):
                connect(f"ws://{parts.netloc}/stage/live", origin=Origin(base)).close()
            welcome = http.get(f"/stage?{parts.query}")
            assert welcome.status_code == 303
            assert http.get("/api/stage").json()["rig"] == "arkit52"  # by the cookie
            wait_until(lambda: session(http)["running"], "the session")
            refused = http.post("/api/stage/folder", json={}).json()["error"]
            assert "only a page on that machine" in refused
            cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
            with connect(
                f"ws://{parts.netloc}/stage/live",
                origin=Origin(base),
                additional_headers={"Cookie": cookie},
                max_size=None,
            ) as socket:
                while not isinstance(socket.recv(timeout=PATIENCE_S), bytes):
                    pass  # a frame comes after the first texts


def test_the_stage_beside_live() -> None:
    words = ("live", "--source", "demo", "-t", "osc://127.0.0.1:9103?rig=vrm1", "--stage")
    with running(*words, "--mirror-port", "0") as address, client(address) as http:
        assert "livefacs stage" in http.get("/stage").text
        wait_until(lambda: session(http)["running"], "the session")
        assert http.get("/api/stage").json()["rig"] == "vrm1"  # what is streamed is tuned
        assert http.get("/api/stage/choices").json() == {"character": None}
