"""Each listener keeps its bounds: connections, seconds a head, bytes a message, log lines."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import msgpack
import pytest
import zmq

from livefacs import listeners
from livefacs.listeners import MOST_CONNECTIONS, LimitedLog, limit_log_of
from livefacs.mirror.server import Mirror
from livefacs.sinks import fake_vtubestudio
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.sink_from_destination import open_sink
from livefacs.sinks.websocket import WebSocketSink
from livefacs.sinks.zeromq import ZmqPublisher, open_zmq
from livefacs.sinks.zmtp import (
    MOST_CONTROL_A_S,
    MOST_MESSAGE_BYTES,
    MOST_PARTS,
    MOST_SUBSCRIBED_BYTES,
    MOST_SUBSCRIPTIONS,
    MessageMeter,
    SubscriptionMeter,
    ZmtpMeter,
)
from livefacs.sources import browser_server
from livefacs.sources.browser import BrowserSource
from tests.mirror.conftest import mirror, start_mirror
from tests.sinks.doubles import ZMTP_GREETING, FakeSession, zmtp_frame, zmtp_ready
from tests.support.waiting import PATIENCE_S, wait_until
from tests.wire.making import CLOCK, make_frame

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
def camera() -> Iterator[BrowserSource]:
    opened = BrowserSource("browser://:0")
    yield opened
    opened.close()


@pytest.fixture
def port_of(request: pytest.FixtureRequest) -> Callable[[str], int]:
    def find(name: str) -> int:
        if name.startswith("zmq"):
            publisher = request.getfixturevalue("publisher")
            return int(publisher.port if name == "zmq" else publisher.control.port)
        return int(request.getfixturevalue(name).port)

    return find


LISTENERS = ("ws", "mirror", "camera", "zmq", "zmq control")


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


@pytest.mark.parametrize("name", LISTENERS)
def test_connections_that_say_nothing_are_dropped(
    name: str, port_of: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        silent = connected(port_of(name), stack)
        halfway = connected(port_of(name), stack)
        halfway.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ")
        wait_until(lambda: is_dropped(silent) and is_dropped(halfway), "both to be dropped")


@pytest.mark.parametrize("name", LISTENERS)
def test_connections_at_once_have_a_bound(name: str, port_of: Callable[[str], int]) -> None:
    with ExitStack() as stack:
        clients = [connected(port_of(name), stack) for _ in range(MOST_CONNECTIONS + 40)]
        wait_until(lambda: sum(map(is_dropped, clients)) >= 40, "those beyond the bound")


def test_connections_that_shake_hands_for_long_are_bound_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over TLS asyncio tells of a connection only once that is done."""
    monkeypatch.setattr(browser_server, "HEAD_S", 10 * PATIENCE_S)
    camera = BrowserSource("browser://*:0")
    try:
        with ExitStack() as stack:
            clients = [connected(camera.port, stack) for _ in range(MOST_CONNECTIONS + 40)]
            wait_until(lambda: sum(map(is_dropped, clients)) >= 40, "those beyond the bound")
    finally:
        camera.close()


def test_a_stand_in_for_vtubestudio_has_the_bound_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_vtubestudio, "HEAD_S", 10 * PATIENCE_S)
    where = replace(parse_destination("vts://127.0.0.1"), port=0)
    stand_in = fake_vtubestudio.VtsReceiver(where)
    try:
        with ExitStack() as stack:
            clients = [connected(stand_in.port, stack) for _ in range(MOST_CONNECTIONS + 40)]
            wait_until(lambda: sum(map(is_dropped, clients)) >= 40, "those beyond the bound")
    finally:
        stand_in.close()


@pytest.mark.parametrize("name", LISTENERS)
def test_whoever_is_let_in_while_it_closes_is_dropped(
    name: str, port_of: Callable[[str], int], request: pytest.FixtureRequest
) -> None:
    """A transport that is left half open warns when it is collected, which fails the test."""
    with ExitStack() as stack:
        clients = [connected(port_of(name), stack) for _ in range(4)]
        stop = threading.Event()
        visitors = threading.Thread(target=_knock, args=(port_of(name), clients, stack, stop))
        visitors.start()
        try:
            _stop(request, name)
        finally:
            stop.set()
            visitors.join()
        gc.collect()
        wait_until(lambda: all(map(is_dropped, clients)), "all of them")


def _knock(
    port: int, clients: list[socket.socket], stack: ExitStack, stop: threading.Event
) -> None:
    """Connect again and again, until nobody is there."""
    with contextlib.suppress(OSError):
        while not stop.is_set():
            clients.append(connected(port, stack))


def _stop(request: pytest.FixtureRequest, name: str) -> None:
    if name == "mirror":
        request.getfixturevalue("mirror").stop()
    else:
        request.getfixturevalue(name if name in ("ws", "camera") else "publisher").close()


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


GREETING_2 = b"\xff" + bytes(8) + b"\x7f\x01\x02" + b"\0\x03me!"  # a SUB of libzmq 3.2


def peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def flood(port: int, kind: bytes, block: bytes, n_blocks: int) -> None:
    """Send until one is cut off; the test fails where all of it was taken.

    The handshake is waited for: libzmq itself closes on who sends messages before its READY.
    """
    with ExitStack() as stack:
        client = connected(port, stack)
        client.sendall(ZMTP_GREETING + zmtp_ready(kind))
        answer = b""
        while b"Socket-Type" not in answer:
            received = client.recv(4096)
            assert received, "dropped before the handshake"
            answer += received
        with contextlib.suppress(OSError):  # reset, or a broken pipe
            for _ in range(n_blocks):
                client.sendall(block)
            pytest.fail("all of it was taken")


def test_a_request_of_very_many_parts_is_dropped_as_it_comes(publisher: ZmqPublisher) -> None:
    control = publisher.control
    assert control is not None
    before = peak_kb()
    flood(control.port, b"REQ", zmtp_frame(1, b"x" * 255), 100_000)
    wait_until(lambda: control.gate.n_dropped == 1, "it to be counted")
    assert peak_kb() - before < 50_000
    with zmq.Context() as context, context.socket(zmq.REQ) as remote:
        remote.setsockopt(zmq.LINGER, 0)
        remote.setsockopt(zmq.RCVTIMEO, int(PATIENCE_S * 1000))
        remote.connect(f"tcp://127.0.0.1:{control.port}")
        for _ in range(200):  # what honest requests add up to does not count
            remote.send_string("status")
            assert remote.recv_string()


@pytest.mark.parametrize(
    "block",
    [
        b"".join(zmtp_frame(0, b"\x01%08d" % i + b"x" * 240) for i in range(400)),
        b"".join(zmtp_frame(4, b"\x09SUBSCRIBE%08d" % i) for i in range(400)),
        zmtp_frame(1, b"\x01" + b"x" * 250) * 400,  # a message that never ends
        zmtp_frame(0, b"no subscription") * 400,
        zmtp_frame(4, b"\x04PING\0\0") * 400,
    ],
    ids=["topics", "topics as ZMTP 3.1 has them", "parts", "messages", "pings"],
)
def test_a_subscriber_that_asks_for_too_much_is_dropped(
    publisher: ZmqPublisher, block: bytes
) -> None:
    before = peak_kb()
    flood(publisher.port, b"SUB", block, 2000)
    wait_until(lambda: publisher.gate.n_dropped == 1, "it to be counted")
    assert peak_kb() - before < 50_000


def test_subscribers_come_and_go_beside_those_that_are_dropped(publisher: ZmqPublisher) -> None:
    with ExitStack() as stack, zmq.Context() as context:
        for _ in range(MOST_CONNECTIONS - 2):
            silent = connected(publisher.port, stack)
            silent.sendall(ZMTP_GREETING + zmtp_ready(b"SUB"))
        old = connected(publisher.port, stack)
        old.sendall(GREETING_2 + zmtp_frame(0, b"\x01face."))
        with context.socket(zmq.SUB) as subscriber:
            subscriber.setsockopt(zmq.LINGER, 0)
            for i in range(MOST_SUBSCRIPTIONS * 3):  # one at a time is within the bound
                subscriber.subscribe(f"other {i}")
                subscriber.unsubscribe(f"other {i}")
            subscriber.subscribe(b"face.")
            subscriber.connect(f"tcp://127.0.0.1:{publisher.port}")
            received = bytearray()

            def has_come() -> bool:
                publisher.send(make_frame())
                with contextlib.suppress(BlockingIOError):
                    received.extend(old.recv(65536, socket.MSG_DONTWAIT))
                return bool(subscriber.poll(5)) and b"face.au" in received

            wait_until(has_come, "a frame for the new and the old subscriber")
    assert publisher.gate.n_dropped == 0


def test_the_last_frame_reaches_subscribers(publisher: ZmqPublisher) -> None:
    """The neutral one, sent just before everything is closed."""
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.setsockopt(zmq.LINGER, 0)
        subscriber.subscribe(b"")
        subscriber.connect(f"tcp://127.0.0.1:{publisher.port}")

        def is_there() -> int:
            publisher.send(make_frame(1))
            return subscriber.poll(5)

        wait_until(is_there, "the subscription")
        while subscriber.poll(300):
            subscriber.recv_multipart()
        publisher.send(make_frame(77))
        publisher.close()
        assert subscriber.poll(int(PATIENCE_S * 1000))
        assert msgpack.unpackb(subscriber.recv_multipart()[1])["frame"] == 77


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize(
    "greeting", [ZMTP_GREETING + zmtp_ready(b"REQ"), GREETING_2], ids=["3", "2"]
)
def test_the_meter_follows_frames_however_they_are_cut(greeting: bytes, step: int) -> None:
    message = zmtp_frame(1, bytes(10)) * 3 + zmtp_frame(0, bytes(300))
    whole = greeting + message * 40 + zmtp_frame(0, b"")
    meter = MessageMeter()
    assert all(meter.feed(whole[i : i + step]) for i in range(0, len(whole), step))
    assert meter.is_greeted


@pytest.mark.parametrize(
    "beyond",
    [
        zmtp_frame(1, b"") * (MOST_PARTS + 1),
        zmtp_frame(0, bytes(MOST_MESSAGE_BYTES + 1)),
        zmtp_frame(1, bytes(4096)) * 5,
        b"\x02" + b"\xff" * 8,
    ],
)
def test_the_meter_refuses_what_is_too_much(beyond: bytes) -> None:
    assert not MessageMeter().feed(ZMTP_GREETING + beyond)


@pytest.mark.parametrize(
    "beyond",
    [
        b"".join(zmtp_frame(0, b"\x01%d" % i) for i in range(MOST_SUBSCRIPTIONS + 1)),
        zmtp_frame(0, b"\x01" + b"a" * (MOST_SUBSCRIBED_BYTES // 2))
        + zmtp_frame(0, b"\x01" + b"b" * (MOST_SUBSCRIBED_BYTES // 2 + 1)),
        zmtp_frame(0, b"") + zmtp_frame(0, b"\x02"),
        zmtp_frame(4, b"\x09SUBSCRIBE" + bytes(4096)),
    ],
)
def test_subscriptions_are_metered_as_libzmq_keeps_them(beyond: bytes) -> None:
    again = zmtp_frame(0, b"\x01face.") * 500  # the same once more costs nothing
    one_at_a_time = b"".join(
        zmtp_frame(0, b"\x01%d" % i) + zmtp_frame(0, b"\0%d" % i) for i in range(500)
    )
    meter = SubscriptionMeter()
    assert meter.feed(
        ZMTP_GREETING + zmtp_ready(b"SUB") + again + one_at_a_time + zmtp_frame(4, b"")
    )
    assert not meter.feed(beyond)


@pytest.mark.parametrize("make", [MessageMeter, SubscriptionMeter])
def test_commands_are_metered_by_the_second(make: type[MessageMeter | SubscriptionMeter]) -> None:
    at_s = [0.0]
    meter = make(clock=lambda: at_s[0])
    ping = zmtp_frame(4, b"\x04PING\0\0")
    assert meter.feed(ZMTP_GREETING + zmtp_ready(b"SUB"))
    for at_s[0] in (0.1 * i for i in range(200)):
        assert meter.feed(ping * (MOST_CONTROL_A_S // 10))
    assert not meter.feed(ping * (2 * MOST_CONTROL_A_S + 1))


@pytest.mark.parametrize(
    "begin",
    [b"GET / HTTP/1.1", b"\xff" + bytes(9), b"\xff" + bytes(8) + b"\x7f\0", b"\x01\0"],
    ids=["HTTP", "no signature", "revision 0", "ZMTP 1.0"],
)
def test_what_is_no_zmtp_is_refused_with_its_first_bytes(begin: bytes) -> None:
    assert not SubscriptionMeter().feed(begin)
    meter: ZmtpMeter = MessageMeter()
    assert not all(meter.feed(bytes([byte])) for byte in begin)


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
