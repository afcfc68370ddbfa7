"""What ``livefacs listen`` reads: every stream, from our own senders and from strangers."""

from __future__ import annotations

import contextlib
import socket

import pytest
from websockets.sync.client import connect

from livefacs.clock import ClockMap, now_ns
from livefacs.errors import SinkError
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.handshake import RequestedSink
from livefacs.sinks.listening import Tally
from livefacs.sinks.receiving import open_receiver
from livefacs.sinks.sink_from_destination import open_sink
from livefacs.wire.packet_reading import MAX_NAMES, Reading
from tests.sinks.doubles import ZMTP_GREETING, udp_receiver, zmtp_frame, zmtp_ready
from tests.support.waiting import PATIENCE_S, wait_until
from tests.wire.golden import golden_frame
from tests.wire.making import CLOCK, make_frame


@pytest.mark.parametrize(
    ("scheme", "name", "value"),
    [
        ("osc", "/livefacs/au/AU1_R", 0.01),
        ("vmc", "JawOpen", 17 / 52),
        ("livelink", "JawOpen", 17 / 61),
        ("ifacialmocap", "jawOpen", 33.0),
        ("vrcft", "/avatar/parameters/FT/v2/JawOpen", 0.7),
        ("faceosc", "/gesture/jaw", 24.0),
        ("facecap", "jawOpen", 17 / 52),
        ("osf", "face id", 0.0),
    ],
)
def test_datagrams(scheme: str, name: str, value: float) -> None:
    where = parse_destination(f"{scheme}://127.0.0.1:{unused()}")
    receiver = open_receiver(where)
    sink = open_sink(where, CLOCK, None)
    tally = Tally()
    sink.send(golden_frame())
    while name not in tally.values:
        tally.take(receiver, 5.0)
        assert tally.n_packets
    assert tally.values[name] == pytest.approx(value, abs=1e-5)
    assert tally.n_bad == 0
    sink.close()
    receiver.close()


def test_a_phone_stream_is_asked_for() -> None:
    sink = open_sink(parse_destination("vtsphone://127.0.0.1:0"), CLOCK, None)
    assert isinstance(sink, RequestedSink)
    receiver = open_receiver(parse_destination(f"vtsphone://127.0.0.1:{sink.port}"))
    tally = Tally()

    def has_come() -> int:
        sink.send(golden_frame())
        tally.take(receiver, 0.05)
        return tally.n_packets

    wait_until(has_come, "a datagram")
    assert tally.values["JawOpen"] == pytest.approx(17 / 52, abs=1e-4)
    receiver.close()
    sink.close()


@pytest.mark.parametrize("url", ["zmq://127.0.0.1:0?control=off", "ws://127.0.0.1:0"])
def test_connections(url: str) -> None:
    sink = open_sink(parse_destination(url), CLOCK, None)
    port: int = sink.port  # type: ignore[attr-defined]
    receiver = open_receiver(parse_destination(url.replace(":0", f":{port}")))
    tally = Tally()

    def has_come() -> int:
        sink.send(make_frame())
        tally.take(receiver, 0.05)
        return tally.n_packets

    wait_until(has_come, "a message")
    assert tally.values["au/AU1_R"] == pytest.approx(0.01)
    receiver.close()
    sink.close()


def test_a_publisher_whose_message_never_ends_is_cut_off() -> None:
    """libzmq would gather its parts for as long as they come."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        receiver = open_receiver(parse_destination(f"zmq://127.0.0.1:{port}"))
        try:
            publisher, _ = server.accept()
            with publisher:
                publisher.settimeout(PATIENCE_S)
                publisher.sendall(ZMTP_GREETING + zmtp_ready(b"PUB"))
                answer = b""
                while b"Socket-Type" not in answer:
                    answer += publisher.recv(4096)
                with contextlib.suppress(OSError):  # reset, or a broken pipe
                    for _ in range(1000):
                        publisher.sendall(zmtp_frame(1, b"x" * 255) * 100)
                    pytest.fail("all of it was taken")

            def is_told() -> bool:
                try:
                    return receiver.receive(0.05) is not None
                except ValueError as error:
                    return "cut off" in str(error)

            wait_until(is_told, "the receiver to say so")
        finally:
            receiver.close()


def test_a_websocket_server_may_come_later() -> None:
    port = unused(socket.SOCK_STREAM)
    receiver = open_receiver(parse_destination(f"ws://127.0.0.1:{port}"))
    assert receiver.receive(0.01) is None
    receiver.close()


def test_latency_and_gaps() -> None:
    """The sender's own capture time and frame number, through a real datagram."""
    where = parse_destination(f"osc://127.0.0.1:{unused()}?array=on")
    receiver = open_receiver(where)
    sink = open_sink(where, ClockMap.read(), None)
    tally = Tally()
    for i_frame in (1, 2, 6):
        sink.send(make_frame(i_frame, t_ns=now_ns()))
        tally.take(receiver, 5.0)
    latency = tally.latency_ms()
    assert latency is not None
    assert -1.0 < latency < 500.0
    assert (tally.n_packets, tally.n_missed) == (3, 3)
    assert "frame 6, 3 missed" in tally.headline()
    assert "capture to arrival" in tally.headline()
    sink.close()
    receiver.close()


def test_packets_of_another_kind_are_counted() -> None:
    where = parse_destination(f"livelink://127.0.0.1:{unused()}")
    receiver = open_receiver(where)
    tally = Tally()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"hello", ("127.0.0.1", where.port))
    tally.take(receiver, 5.0)
    assert (tally.n_packets, tally.n_bad) == (0, 1)
    assert "not a Live Link Face packet" in tally.headline()
    receiver.close()


def test_the_tally_is_bounded() -> None:
    tally = Tally()
    for block in range(4):
        names = {f"n{block}-{i}": 0.5 for i in range(MAX_NAMES)}
        tally.note(Reading(values=names, texts={f"t{block}": "x"}))
    assert len(tally.values) <= MAX_NAMES
    assert len(tally.ranges) <= MAX_NAMES


def test_ranges_and_what_moved() -> None:
    times = iter((0.0, 0.5, 1.0))
    tally = Tally(clock=lambda: next(times))
    for value in (0.5, 0.1, 0.9):
        tally.note(Reading(values={"moving": value, "still": 0.5}))
    assert tally.ranges == {"moving": (0.1, 0.9), "still": (0.5, 0.5)}
    assert tally.moved == {"moving"}
    assert tally.rate_hz() == 2.0


def test_a_stand_in_takes_vtube_studios_place() -> None:
    port = unused(socket.SOCK_STREAM)
    where = parse_destination(f"vts://127.0.0.1:{port}")
    receiver = open_receiver(where)
    sink = open_sink(where, CLOCK, None)
    tally = Tally()
    sink.send(golden_frame())

    def has_come() -> int:
        tally.take(receiver, 0.05)
        return tally.n_packets

    wait_until(has_come, "an injection")
    assert tally.values == {"FaceAngleX": -12.5, "MouthOpen": 0.25}
    assert tally.texts == {"face found": "True"}
    with pytest.raises(SinkError, match=r"VTube Studio may be running"):
        open_receiver(where)
    sink.close()
    with connect(f"ws://127.0.0.1:{port}", proxy=None) as stranger:
        for rubbish in ("", "{", '{"messageType":"InjectParameterDataRequest"}'):
            stranger.send(rubbish)
    wait_until(lambda: (tally.take(receiver, 0.05), tally.n_bad >= 3)[1], "three refusals")
    receiver.close()


def test_what_cannot_be_listened_to_is_explained() -> None:
    with udp_receiver() as taken:
        url = f"osc://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SinkError, match=r"another program may be receiving there"):
            open_receiver(parse_destination(url))


def unused(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
