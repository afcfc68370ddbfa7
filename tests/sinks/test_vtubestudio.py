"""VTube Studio, played by a server that follows its API documentation."""

from __future__ import annotations

import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from websockets.sync.server import ServerConnection, serve

from livefacs.sinks import vtubestudio
from livefacs.sinks.tokens import TokenStore
from livefacs.sinks.vtubestudio import VtsSink
from livefacs.wire.vts import VtsEncoder
from tests.sinks.doubles import FakeVTubeStudio
from tests.support.waiting import PATIENCE_S, wait_until
from tests.wire.making import make_frame, make_rig

RIG = make_rig("vtubestudio", ("FaceAngleX", "MouthOpen", "jawOpen"), np.array([-12.5, 0.25, 0.5]))
FRAME = make_frame(rigs=(RIG,))

Opener = Callable[..., VtsSink]


@pytest.fixture
def tokens(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path / "tokens.json")


@pytest.fixture
def open_vts(tokens: TokenStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    monkeypatch.setattr(vtubestudio, "_RETRY_S", (0.02,))
    opened: list[VtsSink] = []

    def open_one(port: int) -> VtsSink:
        sink = VtsSink("vts://", VtsEncoder("vtubestudio"), "127.0.0.1", port, tokens)
        opened.append(sink)
        return sink

    yield open_one
    for sink in opened:
        sink.close()


@pytest.fixture
def studio() -> Iterator[FakeVTubeStudio]:
    studio = FakeVTubeStudio()
    yield studio
    studio.close()


def test_first_time_asks_for_a_token_creates_what_is_missing_and_injects(
    studio: FakeVTubeStudio, open_vts: Opener, tokens: TokenStore
) -> None:
    sink = open_vts(studio.port)
    sink.send(FRAME)
    wait_until(lambda: studio.injections, "an injection")
    assert studio.requests[:4] == [
        "AuthenticationTokenRequest",
        "AuthenticationRequest",
        "InputParameterListRequest",
        "ParameterCreationRequest",
    ]
    assert list(studio.custom) == ["JawOpen"]
    assert studio.injections[0]["parameterValues"] == [
        {"id": "FaceAngleX", "value": -12.5},
        {"id": "MouthOpen", "value": 0.25},
        {"id": "JawOpen", "value": 0.5},
    ]
    assert tokens.get(f"127.0.0.1:{studio.port}") == "token-0"
    assert sink.counters.last_error == ""


def test_the_second_time_the_stored_token_is_used(
    studio: FakeVTubeStudio, open_vts: Opener
) -> None:
    for _ in range(2):
        sink = open_vts(studio.port)
        n_before = len(studio.injections)
        sink.send(FRAME)
        wait_until(lambda n=n_before: len(studio.injections) > n, "an injection")
        sink.close()
    assert studio.requests.count("AuthenticationTokenRequest") == 1


def test_a_revoked_token_is_asked_for_anew(
    studio: FakeVTubeStudio, open_vts: Opener, tokens: TokenStore
) -> None:
    tokens.put(f"127.0.0.1:{studio.port}", "of-last-year")
    open_vts(studio.port).send(FRAME)
    wait_until(lambda: studio.injections, "an injection")
    assert tokens.get(f"127.0.0.1:{studio.port}") == "token-0"


def test_a_denial_is_told_once_and_the_dialog_does_not_come_back(open_vts: Opener) -> None:
    studio = FakeVTubeStudio(denies=True)
    try:
        sink = open_vts(studio.port)
        wait_until(lambda: "denied" in sink.counters.last_error, "the denial")
        for _ in range(50):
            sink.send(FRAME)
        wait_until(lambda: not sink._thread.is_alive(), "the attempts to end")
        assert studio.requests == ["AuthenticationTokenRequest"]
        assert "start again" in sink.counters.last_error
    finally:
        studio.close()


def test_a_lost_connection_comes_back(open_vts: Opener) -> None:
    studio = FakeVTubeStudio(hang_up_after=2)
    try:
        sink = open_vts(studio.port)

        def is_back() -> bool:
            sink.send(FRAME)
            return studio.n_connections >= 2 and len(studio.injections) >= 5

        wait_until(is_back, "injections after the reconnection")
        assert studio.requests.count("AuthenticationTokenRequest") == 1
    finally:
        studio.close()


def test_it_starts_before_vtube_studio_does(open_vts: Opener) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    sink = open_vts(port)
    sink.send(FRAME)
    wait_until(lambda: sink.counters.refused, "a refused connection")
    assert f"127.0.0.1:{port}" in sink.counters.last_error


def test_values_are_repeated_so_that_control_stays_here(
    studio: FakeVTubeStudio, open_vts: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vtubestudio, "_RESEND_S", 0.02)
    open_vts(studio.port).send(FRAME)
    wait_until(lambda: len(studio.injections) >= 4, "repeated injections")
    assert vtubestudio._RESEND_FOR_S >= 1.0


def test_a_stalled_studio_delays_no_frame_and_closing_does_not_hang(
    open_vts: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vtubestudio, "_JOIN_S", 0.5)
    studio = FakeVTubeStudio(is_mute=True)
    try:
        sink = open_vts(studio.port)
        wait_until(lambda: studio.n_connections, "the connection")
        began = time.perf_counter()
        for i in range(2000):
            sink.send(make_frame(i, rigs=(RIG,)))
        assert time.perf_counter() - began < 1.0
        assert sink.counters.frames == 2000
        began = time.perf_counter()
        sink.close()
        assert time.perf_counter() - began < 4.0
    finally:
        studio.close()


@pytest.mark.parametrize(
    "reply", ["", "[]", "{", '{"messageType":3}', "x" * (1 << 21), '{"messageType":"x"}']
)
def test_a_server_that_talks_nonsense_is_left_and_tried_again(open_vts: Opener, reply: str) -> None:
    n_connections = 0
    done = threading.Event()

    def babble(connection: ServerConnection) -> None:
        nonlocal n_connections
        n_connections += 1
        connection.recv()
        for _ in range(200):
            connection.send(reply)
        done.wait(PATIENCE_S)

    with serve(babble, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        sink = open_vts(server.socket.getsockname()[1])
        sink.send(FRAME)
        wait_until(lambda: n_connections >= 2, "another attempt")
        done.set()
        assert sink.counters.refused >= 1
        assert len(sink.counters.last_error) < 500
        sink.close()
        server.shutdown()
        thread.join()


def test_tokens_are_kept_for_the_user_alone(tokens: TokenStore, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    assert tokens.put("a:1", "one")
    assert tokens.put("b:2", "two")
    assert (tokens.get("a:1"), tokens.get("b:2")) == ("one", "two")
    tokens.put("a:1", None)
    assert tokens.get("a:1") is None
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for rubbish in (b"\xff", b"[]", b'{"b:2": 3}'):
        path.write_bytes(rubbish)
        assert tokens.get("b:2") is None
    assert not TokenStore(tmp_path / "tokens.json" / "below").put("a:1", "one")
