"""Each listener keeps its bounds: connections, seconds a head, bytes a message, log lines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import zmq

from livefacs.mirror.server import Mirror
from livefacs.sinks import listeners
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.listeners import MOST_CONNECTIONS, LimitedLog, limit_log_of
from livefacs.sinks.opening import open_sink
from livefacs.sinks.websocket import WebSocketSink
from livefacs.sinks.zeromq import ZmqPublisher, open_zmq
from livefacs.sinks.zmtp import MOST_MESSAGE_BYTES, MOST_PARTS, ZmtpMeter
from tests.mirror.conftest import mirror, start_mirror
from tests.sinks.doubles import FakeSession
from tests.support.waiting import PATIENCE_S, wait_until
from tests.wire.making import CLOCK

__all__ = ["mirror", "start_mirror"]  # fixtures


@pytest.fixture
def ws() -> Iterator[WebSocketSink]:
    sink = open_sink(parse_destination("ws://127.0.0.1:0"), CLOCK, None)
    assert isinstance(sink, WebSocketSink)
    yield sink
    sink.close()


@pytest.fixture
def publisher() -> Iterator[ZmqPublisher]:
    opened = open_zmq(parse_destination("zmq://127.0.0.1:0"), CLOCK, FakeSession())
    yield opened
    opened.close()


@pytest.fixture
def port_of(request: pytest.FixtureRequest) -> Callable[[str], int]:
    def find(name: str) -> int:
        if name == "zmq control":
            control = request.getfixturevalue("publisher").control
            return int(control.port)
        return int(request.getfixturevalue(name).port)

    return find


LISTENERS = ("ws", "mirror", "zmq control")


def connected(port: int, stack: ExitStack) -> socket.socket:
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S))
    client.settimeout(PATIENCE_S)
    return client


def is_dropped(client: socket.socket) -> bool:
    """True once the other end has closed; what it says before does not count."""
    client.setblocking(False)
    try:
        while client.recv(4096):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", LISTENERS)
def test_connections_that_say_nothing_are_dropped(
    name: str, port_of: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        silent = connected(port_of(name), stack)
        halfway = connected(port_of(name), stack)
        halfway.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ")
        wait_until(lambda: is_dropped(silent) and is_dropped(halfway), "both to be dropped")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", LISTENERS)
def test_connections_at_once_have_a_bound(name: str, port_of: Callable[[str], int]) -> None:
    with ExitStack() as stack:
        clients = [connected(port_of(name), stack) for _ in range(MOST_CONNECTIONS + 40)]
        wait_until(lambda: sum(map(is_dropped, clients)) >= 40, "those beyond the bound")


def test_a_body_that_does_not_come_is_not_waited_for(mirror: Mirror) -> None:
    head = (
        "POST /api/retry HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
        f"Host: 127.0.0.1:{mirror.port}\r\nOrigin: http://127.0.0.1:{mirror.port}\r\n\r\n{{"
    )
    with ExitStack() as stack:
        client = connected(mirror.port, stack)
        client.sendall(head.encode())
        wait_until(lambda: is_dropped(client), "the slow body")


def test_a_page_is_served_beside_them(mirror: Mirror) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            connected(mirror.port, stack)
        client = connected(mirror.port, stack)
        for _ in range(3):  # the same connection, as browsers do
            request = f"GET /api/hello HTTP/1.1\r\nHost: 127.0.0.1:{mirror.port}\r\n\r\n"
            client.sendall(request.encode())
            answer = b""
            while b"livefacs mirror" not in answer:
                answer += client.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_request_of_very_many_parts_is_dropped_as_it_comes(publisher: ZmqPublisher) -> None:
    control = publisher.control
    assert control is not None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\0" + bytes(31)
    ready = b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03REQ"
    part = b"\x01\xff" + b"x" * 255
    with ExitStack() as stack:
        client = connected(control.port, stack)
        client.sendall(greeting + ready)
        with contextlib.suppress(OSError):  # reset, or a broken pipe
            for _ in range(100_000):
                client.sendall(part)
            pytest.fail("all parts were taken")
    assert control.gate.n_dropped == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes
    with zmq.Context() as context, context.socket(zmq.REQ) as remote:
        remote.setsockopt(zmq.LINGER, 0)
        remote.setsockopt(zmq.RCVTIMEO, int(PATIENCE_S * 1000))
        remote.connect(f"tcp://127.0.0.1:{control.port}")
        for _ in range(200):  # what honest requests add up to does not count
            remote.send_string("status")
            assert remote.recv_string()


def frame(flags: int, size: int) -> bytes:
    if size > 255:
        return bytes([flags | 2]) + size.to_bytes(8, "big") + bytes(size)
    return bytes([flags, size]) + bytes(size)


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_the_meter_follows_frames_however_they_are_cut(step: int) -> None:
    whole = bytes(64) + frame(4, 20) + (frame(1, 10) * 3 + frame(0, 300)) * 40
    meter = ZmtpMeter()
    assert all(meter.feed(whole[i : i + step]) for i in range(0, len(whole), step))
    assert meter.is_greeted


@pytest.mark.parametrize(
    "beyond",
    [
        frame(1, 0) * (MOST_PARTS + 1),
        frame(0, MOST_MESSAGE_BYTES + 1),
        frame(1, 4096) * 5,
        b"\x02" + b"\xff" * 8,
    ],
)
def test_the_meter_refuses_what_is_too_much(beyond: bytes) -> None:
    assert not ZmtpMeter().feed(bytes(64) + beyond)


def test_a_loop_tells_its_trouble_in_a_line_a_second(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with no descriptor left: an accept that fails, once for each waiting connection."""
    log = logging.getLogger("livefacs.test")
    loop = asyncio.new_event_loop()
    try:
        limit_log_of(loop, log)
        began = time.monotonic()
        for _ in range(2000):
            loop.call_exception_handler(
                {"message": "socket.accept() out of system resource", "exception": OSError(24)}
            )
        n_most = 2 + int(time.monotonic() - began)
    finally:
        loop.close()
    assert 1 <= len(caplog.records) <= n_most
    assert "Traceback" not in caplog.text


def test_lines_that_were_left_out_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    now_s = [0.0]
    limited = LimitedLog(logging.getLogger("livefacs.test"), lambda: now_s[0])
    for _ in range(5):
        limited.warning("no room")
    now_s[0] = 1.5
    limited.warning("no room")
    assert caplog.messages == ["no room", "no room (4 more like it)"]
    assert listeners.BACKLOG <= 32
