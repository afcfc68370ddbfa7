"""Streams for those who ask, as the phone apps do it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.errors import SinkError
from livefacs.sinks.handshake import RequestedSink, ifacialmocap_requests, vtsphone_requests
from livefacs.wire.vtsphone import request_bytes, request_from_datagram
from tests.sinks.doubles import udp_receiver
from tests.support.waiting import wait_until
from tests.wire.making import ARKIT, CLOCK, make_frame

WORD = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
FRAME = make_frame(rigs=(ARKIT,))


def waiting(port: int, reply_port: int) -> RequestedSink:
    requests = ifacialmocap_requests("arkit52", reply_port=reply_port)
    return RequestedSink("ifacialmocap://", "127.0.0.1", port, requests)


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with udp_receiver() as receiver:
        yield receiver


@pytest.fixture
def server(receiver: socket.socket) -> Iterator[RequestedSink]:
    reply_port = receiver.getsockname()[1]
    server = waiting(0, reply_port)
    yield server
    server.close()


def shake(server: RequestedSink, word: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(word, ("127.0.0.1", server.port))


def is_streaming(server: RequestedSink) -> bool:
    server.send(FRAME)
    return server.counters.packets > 0


def test_nothing_is_sent_before_the_handshake_and_the_asked_version_after(
    server: RequestedSink, receiver: socket.socket
) -> None:
    server.send(FRAME)
    assert server.counters.packets == 0
    shake(server, WORD)
    wait_until(lambda: is_streaming(server), "the stream")
    assert b"jawOpen-33|" in receiver.recv(4096)
    shake(server, WORD + b"|sendDataVersion=v2")

    def is_second_version() -> bool:
        server.send(FRAME)
        return b"jawOpen&33|" in receiver.recv(4096)

    wait_until(is_second_version, "version 2")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=800), max_size=20))
def test_hostile_datagrams_are_counted(datagrams: list[bytes]) -> None:
    server = waiting(0, 9)
    for datagram in datagrams:
        shake(server, datagram)
    for _ in range(3):
        server.send(FRAME)
    assert server.n_bad == len(datagrams)
    assert server.counters.packets == 0
    server.close()


def test_a_receiver_on_the_same_machine_is_explained(server: RequestedSink) -> None:
    with pytest.raises(SinkError, match="expected a free port"):
        waiting(server.port, 9)


def test_vtube_studios_phone_stream_ends_when_its_time_is_over() -> None:
    now_s = [100.0]
    requests = vtsphone_requests(CLOCK, "arkit52")
    server = RequestedSink("vtsphone://", "127.0.0.1", 0, requests, clock_s=lambda: now_s[0])
    with udp_receiver() as first, udp_receiver() as second:
        ports = [each.getsockname()[1] for each in (first, second)]
        shake(server, request_bytes(2.0, ports, "test"))
        wait_until(lambda: is_streaming(server), "the stream")
        answers = [json.loads(each.recv(16384)) for each in (first, second)]
        assert answers[0] == answers[1]
        assert answers[0]["FaceFound"] is True
        shapes = {shape["k"]: shape["v"] for shape in answers[0]["BlendShapes"]}
        assert len(shapes) == 52
        assert shapes["JawOpen"] == pytest.approx(17 / 52, abs=1e-4)
        now_s[0] = 102.5
        n_before = server.counters.packets
        server.send(FRAME)
        assert server.counters.packets == n_before
    server.close()


@pytest.mark.parametrize(
    "change",
    [
        {"time": 0.1},
        {"time": 60},
        {"time": True},
        {"ports": []},
        {"ports": [0]},
        {"ports": [70000]},
        {"ports": ["1"]},
        {"ports": list(range(1, 40))},
        {"messageType": "other"},
        {"sentBy": 3},
    ],
)
def test_requests_that_ask_for_what_is_not_allowed_get_nothing(change: dict[str, object]) -> None:
    request = {"messageType": "iOSTrackingDataRequest", "time": 1, "sentBy": "x", "ports": [9]}
    assert request_from_datagram(json.dumps(request).encode()) is not None
    assert request_from_datagram(json.dumps(request | change).encode()) is None
