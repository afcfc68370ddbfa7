"""The WebSocket server, read by the websockets library's own client."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from livefacs.errors import SinkError
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.sink_from_destination import open_sink
from livefacs.sinks.websocket import WebSocketSink
from tests.support.waiting import PATIENCE_S, wait_until
from tests.wire.making import ARKIT, CLOCK, make_frame

Opener = Callable[[str], WebSocketSink]


@pytest.fixture
def open_ws() -> Iterator[Opener]:
    opened: list[WebSocketSink] = []

    def open_one(options: str = "") -> WebSocketSink:
        sink = open_sink(parse_destination(f"ws://127.0.0.1:0{options}"), CLOCK, None)
        assert isinstance(sink, WebSocketSink)
        opened.append(sink)
        return sink

    yield open_one
    for sink in opened:
        sink.close()


def client_of(sink: WebSocketSink, **options: object) -> ClientConnection:
    n_before = sink.n_accepted
    client = connect(f"ws://127.0.0.1:{sink.port}", proxy=None, **options)  # type: ignore[arg-type]
    client.__enter__()  # as the library wants it; some tests leave it in another place
    wait_until(lambda: sink.n_accepted > n_before, "the client to be counted")
    return client


def test_json_as_text_and_msgpack_as_bytes(open_ws: Opener) -> None:
    for options, load, kind in (("", json.loads, str), ("format=msgpack&", msgpack.unpackb, bytes)):
        sink = open_ws(f"?{options}rig=arkit52")
        with client_of(sink) as client:
            sink.send(make_frame(rigs=(ARKIT,)))
            payload = client.recv(timeout=PATIENCE_S)
        assert isinstance(payload, kind)
        message = load(payload)
        assert message["frame"] == 12345
        assert message["controls"]["jawOpen"] == pytest.approx(ARKIT.values[17], abs=1e-5)


def test_every_client_gets_the_frame_and_none_is_encoded_without_clients(open_ws: Opener) -> None:
    sink = open_ws("")
    sink.send(make_frame())
    assert (sink.counters.frames, sink.counters.packets) == (1, 0)
    with client_of(sink) as one, client_of(sink) as two:
        sink.send(make_frame(2))
        for client in (one, two):
            assert json.loads(client.recv(timeout=PATIENCE_S))["frame"] == 2
    wait_until(lambda: not sink._clients, "the clients to be gone")


def test_a_client_that_does_not_read_delays_nothing_and_memory_stays_bounded(
    open_ws: Opener,
) -> None:
    sink = open_ws("")
    stalled = socket.create_connection(("127.0.0.1", sink.port))
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.sendall(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    wait_until(lambda: sink._clients, "the stalled client")
    slowest = 0.0
    with client_of(sink) as reading:
        for i in range(1, 100_000):
            began = time.perf_counter()
            sink.send(make_frame(i))
            slowest = max(slowest, time.perf_counter() - began)
            reading.recv(timeout=PATIENCE_S)
            if sink.counters.refused:
                break
        assert sink.counters.refused > 0
        for client in sink._clients:
            assert client.transport.get_write_buffer_size() < 80_000
        sink.send(make_frame(-1))
        assert json.loads(reading.recv(timeout=PATIENCE_S))["frame"] == -1
    assert slowest < 0.5
    stalled.close()


def test_pages_of_other_origins_may_not_read_the_face(open_ws: Opener) -> None:
    sink = open_ws("")
    for origin in ("https://evil.example", "http://localhost.evil.example", "null"):
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://127.0.0.1:{sink.port}", origin=origin, proxy=None)  # type: ignore[arg-type]
    for origin in ("http://localhost:5173", "http://127.0.0.1", "https://[::1]:8443"):
        client_of(sink, origin=origin).close()
    anyone = open_ws("?origin=any")
    client_of(anyone, origin="https://evil.example").close()
    one = open_ws("?origin=https://show.example")
    client_of(one, origin="https://show.example").close()


def test_what_clients_send_is_counted_and_ignored(open_ws: Opener) -> None:
    sink = open_ws("")

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.binary(max_size=1000) | st.text(max_size=200))
    def throw(message: bytes | str) -> None:
        client.send(message)

    with client_of(sink) as client:
        throw()
        wait_until(lambda: sink.n_inbound >= 30, "the messages to be counted")
        sink.send(make_frame())
        assert json.loads(client.recv(timeout=PATIENCE_S))["frame"] == 12345


def test_oversized_messages_and_floods_end_that_connection_alone(open_ws: Opener) -> None:
    sink = open_ws("")
    with client_of(sink) as honest, client_of(sink) as big:
        big.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            big.recv(timeout=PATIENCE_S)
        sink.send(make_frame())
        assert honest.recv(timeout=PATIENCE_S)
    with client_of(sink) as flooding:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(5_000):
                flooding.send("x")
        with pytest.raises(ConnectionClosed):
            flooding.recv(timeout=PATIENCE_S)
        assert sink.n_inbound <= 1000


@pytest.mark.parametrize("rubbish", [b"\0" * 2000, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" * 50])
def test_rubbish_instead_of_a_handshake_is_ignored_quietly(
    open_ws: Opener, rubbish: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    sink = open_ws("")
    with socket.create_connection(("127.0.0.1", sink.port)) as stranger:
        stranger.sendall(rubbish)
        stranger.shutdown(socket.SHUT_WR)
        stranger.settimeout(PATIENCE_S)
        while True:
            try:
                if not stranger.recv(4096):
                    break
            except ConnectionResetError:
                break
    with client_of(sink) as client:
        sink.send(make_frame())
        assert client.recv(timeout=PATIENCE_S)
    assert capfd.readouterr().err == ""


def test_too_many_clients_are_turned_away(open_ws: Opener) -> None:
    sink = open_ws("")
    clients = [client_of(sink) for _ in range(32)]
    with pytest.raises(InvalidStatus, match="503"):
        connect(f"ws://127.0.0.1:{sink.port}", proxy=None)
    assert sink.n_turned_away == 1
    for client in clients:
        client.close()


def test_closing_tells_the_clients_and_frees_the_port(open_ws: Opener) -> None:
    sink = open_ws("")
    client = client_of(sink)
    sink.send(make_frame(99))
    sink.close()
    assert json.loads(client.recv(timeout=PATIENCE_S))["frame"] == 99
    with pytest.raises(ConnectionClosed):
        client.recv(timeout=PATIENCE_S)
    sink.send(make_frame())
    sink.close()


def test_a_port_in_use_is_explained(open_ws: Opener) -> None:
    port = open_ws("").port
    with pytest.raises(SinkError, match=r"cannot listen on 127\.0\.0\.1"):
        open_sink(parse_destination(f"ws://127.0.0.1:{port}"), CLOCK, None)


@pytest.mark.parametrize("origin", ["null", "file://", "http://absolute"])
def test_obs_browser_sources_are_let_in_where_they_are_named(open_ws: Opener, origin: str) -> None:
    named = open_ws("?origin=null,file://,http://absolute")
    client_of(named, origin=origin).close()
    closed = open_ws()
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{closed.port}", origin=origin, proxy=None)  # type: ignore[arg-type]
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{named.port}", origin="http://absolute.example", proxy=None)  # type: ignore[arg-type]
