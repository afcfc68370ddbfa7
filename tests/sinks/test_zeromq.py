"""ZeroMQ: a subscriber and a requester of its own library."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import msgpack
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livefacs.errors import SinkError
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.zeromq import ZmqPublisher, open_zmq
from tests.sinks.doubles import FakeSession
from tests.support.waiting import PATIENCE_S, wait_until
from tests.wire.making import ARKIT, CLOCK, make_frame


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    with zmq.Context() as context:
        context.setsockopt(zmq.LINGER, 0)
        context.setsockopt(zmq.RCVTIMEO, int(PATIENCE_S * 1000))
        yield context


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def publisher(session: FakeSession) -> Iterator[ZmqPublisher]:
    publisher = open_zmq(parse_destination("zmq://127.0.0.1:0?rig=arkit52"), CLOCK, session)
    yield publisher
    publisher.close()


def test_a_subscriber_gets_topic_and_map(
    context: zmq.Context[zmq.Socket[bytes]], publisher: ZmqPublisher
) -> None:
    with context.socket(zmq.SUB) as subscriber:
        subscriber.subscribe(b"face.")
        subscriber.connect(f"tcp://127.0.0.1:{publisher.port}")
        frame = make_frame(rigs=(ARKIT,))

        def is_there() -> int:
            publisher.send(frame)
            return subscriber.poll(5)

        wait_until(is_there, "the subscription")
        topic, payload = subscriber.recv_multipart()
    message = msgpack.unpackb(payload)
    assert topic == b"face.au"
    assert message["topic"] == "face.au"
    assert message["frame"] == 12345
    assert message["controls"]["jawOpen"] == ARKIT.values[17]
    assert publisher.counters.packets == publisher.counters.frames


def test_a_subscriber_that_does_not_read_delays_nothing(
    context: zmq.Context[zmq.Socket[bytes]], publisher: ZmqPublisher
) -> None:
    with context.socket(zmq.SUB) as stalled:
        stalled.setsockopt(zmq.RCVHWM, 1)
        stalled.subscribe(b"")
        stalled.connect(f"tcp://127.0.0.1:{publisher.port}")
        began = time.perf_counter()
        for i in range(3000):
            publisher.send(make_frame(i))
        assert time.perf_counter() - began < 3.0


@pytest.mark.parametrize(
    ("request_", "reply", "call"),
    [
        ("t", "12.500000", None),
        ("time", "12.500000", None),
        ("v", "livefacs ", None),
        ("start", "ok", ("start",)),
        ("stop", "ok", ("stop",)),
        ("C", "ok", ("neutral",)),
        ("neutral", "ok", ("neutral",)),
        ("R", "10:00:00:00", ("record", None, None)),
        ("record s1 3", "10:00:00:00", ("record", "s1", 3)),
        ("mark hit", "ok", ("mark", "hit")),
        ("mark", "ok", ("mark", "mark")),
        ("slate intro", "ok", ("slate", "intro")),
        ("take 12", "ok", ("take", 12)),
        ("r", '["10:00:05:00", "take/units.csv", ""]', ("finish",)),
        ("bogus", "error: unknown command 'bogus'", None),
        ("", "error: unknown command ''", None),
        ("take -3", "error: expected a whole number", None),
        ("slate", "error: expected a printable text", None),
    ],
)
def test_requests(
    context: zmq.Context[zmq.Socket[bytes]],
    publisher: ZmqPublisher,
    session: FakeSession,
    request_: str,
    reply: str,
    call: tuple[object, ...] | None,
) -> None:
    assert publisher.control is not None
    with context.socket(zmq.REQ) as requester:
        requester.connect(f"tcp://127.0.0.1:{publisher.control.port}")
        requester.send_string(request_)
        assert requester.recv_string().startswith(reply)
    assert session.calls == ([] if call is None else [call])


def test_status_ports_and_texts_with_blanks(
    context: zmq.Context[zmq.Socket[bytes]], publisher: ZmqPublisher, session: FakeSession
) -> None:
    assert publisher.control is not None
    with context.socket(zmq.REQ) as requester:
        requester.connect(f"tcp://127.0.0.1:{publisher.control.port}")
        requester.send_string("status")
        assert json.loads(requester.recv_string()) == {"frames": 7, "streaming": True}
        requester.send_string("SUB_PORT")
        assert requester.recv_string() == str(publisher.port)
        requester.send_multipart([b"record", b"my first slate", b"4"])
        assert requester.recv_string() == "10:00:00:00"
        requester.send_string("record")
        assert requester.recv_string() == "error: a take is already being recorded"
    assert session.calls == [("record", "my first slate", 4)]


def test_hostile_requests_are_answered_with_an_error_and_counted(
    context: zmq.Context[zmq.Socket[bytes]], publisher: ZmqPublisher, session: FakeSession
) -> None:
    control = publisher.control
    assert control is not None
    with context.socket(zmq.REQ) as requester:
        requester.connect(f"tcp://127.0.0.1:{control.port}")

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(st.binary(max_size=300) | st.just(b"record"), min_size=1, max_size=5))
        def ask(parts: list[bytes]) -> None:
            requester.send_multipart(parts)
            assert requester.recv_string()

        ask()
        requester.send_string("time")
        assert requester.recv_string() == "12.500000"
    assert control.n_bad > 50


def test_an_oversized_request_cuts_its_sender_off_alone(
    context: zmq.Context[zmq.Socket[bytes]], publisher: ZmqPublisher
) -> None:
    assert publisher.control is not None
    address = f"tcp://127.0.0.1:{publisher.control.port}"
    with context.socket(zmq.REQ) as big, context.socket(zmq.REQ) as honest:
        big.connect(address)
        big.send(b"x" * 1_000_000)
        honest.connect(address)
        honest.send_string("t")
        assert honest.recv_string() == "12.500000"


def test_a_port_in_use_is_explained(publisher: ZmqPublisher, session: FakeSession) -> None:
    url = f"zmq://127.0.0.1:{publisher.port}"
    with pytest.raises(SinkError, match=r"cannot listen on 127\.0\.0\.1"):
        open_zmq(parse_destination(url), CLOCK, session)
    assert publisher.control is not None
    taken = parse_destination(f"zmq://127.0.0.1:0?control={publisher.control.port}")
    with pytest.raises(SinkError, match=r"expected a free port"):
        open_zmq(taken, CLOCK, session)


def test_no_control_socket_without_a_session_or_where_it_is_off(session: FakeSession) -> None:
    for url, who in (("zmq://127.0.0.1:0", None), ("zmq://127.0.0.1:0?control=off", session)):
        publisher = open_zmq(parse_destination(url), CLOCK, who)
        assert publisher.control is None
        publisher.close()
