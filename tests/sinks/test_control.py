"""The OSC control port: own commands, stage control, and whatever else may come in."""

from __future__ import annotations

import json
import random
import socket
import struct
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from livefacs.errors import SinkError
from livefacs.sinks.control import OscControl
from tests.sinks.doubles import FakeSession, udp_receiver
from tests.support.waiting import PATIENCE_S, wait_until


def packet(address: str, *arguments: object) -> bytes:
    builder = OscMessageBuilder(address=address)
    for argument in arguments:
        builder.add_arg(argument)  # type: ignore[arg-type]
    return builder.build().dgram


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


@pytest.fixture
def control(session: FakeSession) -> Iterator[OscControl]:
    control = OscControl(session, port=0)
    yield control
    control.close()


@pytest.fixture
def remote(control: OscControl) -> Iterator[socket.socket]:
    with udp_receiver() as remote:
        remote.connect(("127.0.0.1", control.port))
        yield remote


def answer(remote: socket.socket) -> tuple[str, list[object]]:
    message = OscMessage(remote.recv(4096))
    return message.address, list(message.params)


@pytest.mark.parametrize(
    ("sent", "reply", "call"),
    [
        (
            ("/RecordStart", "slate_1", 3),
            ("/RecordStartConfirm", ["10:00:00:00"]),
            ("record", "slate_1", 3),
        ),
        (
            ("/RecordStart", "slate_1", 3, "as Anna enters"),
            ("/RecordStartConfirm", ["10:00:00:00"]),
            ("record", "slate_1", 3, "as Anna enters"),
        ),
        (
            ("/RecordStart", "slate_1", 3, "two\nlines" + 300 * "."),
            ("/RecordStartConfirm", ["10:00:00:00"]),
            ("record", "slate_1", 3, "two\nlines" + 191 * "."),
        ),
        (("/ARSessionStart",), ("/ARSessionStartConfirm", []), None),
        (("/ARSessionStop",), ("/ARSessionStopConfirm", []), None),
        (("/RecordStart",), ("/RecordStartConfirm", ["10:00:00:00"]), ("record", None, None)),
        (
            ("/RecordStop",),
            ("/RecordStopConfirm", ["10:00:05:00", "take/units.csv", ""]),
            ("finish",),
        ),
        (("/BatteryQuery",), ("/Battery", [-1.0]), None),
        (("/ThermalsQuery",), ("/Thermals", [-1]), None),
        (("/livefacs/neutral",), ("/livefacs/neutral", ["ok"]), ("neutral",)),
        (("/livefacs/start",), ("/livefacs/start", ["ok"]), ("start",)),
        (("/livefacs/stop",), ("/livefacs/stop", ["ok"]), ("stop",)),
        (("/livefacs/time",), ("/livefacs/time", ["12.500000"]), None),
        (("/livefacs/mark", "hit"), ("/livefacs/mark", ["ok"]), ("mark", "hit")),
        (
            ("/livefacs/record", "a b", 4),
            ("/livefacs/record", ["10:00:00:00"]),
            ("record", "a b", 4),
        ),
        (("/livefacs/take", 4.0), ("/livefacs/take", ["ok"]), ("take", 4)),
    ],
)
def test_commands_with_an_answer(
    remote: socket.socket,
    session: FakeSession,
    sent: tuple[object, ...],
    reply: tuple[str, list[object]],
    call: tuple[object, ...] | None,
) -> None:
    remote.send(packet(*sent))  # type: ignore[arg-type]
    assert answer(remote) == reply
    assert session.calls == ([] if call is None else [call])


def test_commands_without_an_answer(remote: socket.socket, session: FakeSession) -> None:
    for sent in (
        packet("/Slate", "intro"),
        packet("/Take", 7),
        packet("/LiveLinkStreamStop"),
        packet("/LiveLinkStreamStart"),
        packet("/VideoDisplayOff"),
    ):
        remote.send(sent)
    remote.send(packet("/livefacs/status"))
    address, (text,) = answer(remote)
    assert address == "/livefacs/status"
    assert json.loads(str(text)) == {"frames": 7, "streaming": True}
    assert session.calls == [("slate", "intro"), ("take", 7), ("stop",), ("start",)]


@pytest.mark.parametrize("command", ["/OSCSetSendTarget", "/OSCAddSendTarget"])
def test_answers_go_where_the_stage_said(
    remote: socket.socket, session: FakeSession, control: OscControl, command: str
) -> None:
    with udp_receiver() as elsewhere:
        remote.send(packet(command, "127.0.0.1", elsewhere.getsockname()[1]))
        assert answer(elsewhere) == (f"{command}Confirm", [])
        remote.send(packet("/RecordStart", "s", 1))
        assert answer(elsewhere) == ("/RecordStartConfirm", ["10:00:00:00"])


def test_a_refusal_is_told(remote: socket.socket, control: OscControl) -> None:
    remote.send(packet("/RecordStart"))
    answer(remote)
    remote.send(packet("/RecordStart"))
    assert answer(remote) == (
        "/livefacs/error",
        ["/RecordStart", "a take is already being recorded"],
    )
    for sent in (
        packet("/OSCSetSendTarget", "example.org", 9000),
        packet("/OSCSetSendTarget", "a" * 70, 9000),
        packet("/OSCSetSendTarget", "ü..x", 9000),
        packet("/Slate", 3),
        packet("/Take", "many"),
        packet("/nonsense"),
        packet("/AddLiveLinkAddress", "10.0.0.7", 11111),
        packet("/livefacs/nonsense"),
    ):
        remote.send(sent)
        assert answer(remote)[0] == "/livefacs/error"
    assert control.n_bad == 9


def test_what_a_command_raises_ends_no_session() -> None:
    class Raising(FakeSession):
        def set_slate(self, slate: str) -> None:
            raise UnicodeError(slate)

    failures: list[BaseException] = []
    control = OscControl(Raising(), port=0, on_failure=failures.append)
    try:
        with udp_receiver() as remote:
            remote.connect(("127.0.0.1", control.port))
            remote.send(packet("/Slate", "x"))
            assert answer(remote)[0] == "/livefacs/error"
            remote.send(packet("/livefacs/time"))
            assert answer(remote)[0] == "/livefacs/time"
    finally:
        control.close()
    assert failures == []


def test_a_bundle_of_the_far_future_is_done_at_once(
    remote: socket.socket, session: FakeSession
) -> None:
    bundle = OscBundleBuilder(2_085_000_000)
    bundle.add_content(OscMessage(packet("/livefacs/neutral")))
    bundle.add_content(OscMessage(packet("/livefacs/mark", "x")))
    remote.send(bundle.build().dgram)
    assert answer(remote)[0] == "/livefacs/neutral"
    assert answer(remote)[0] == "/livefacs/mark"


def test_hostile_packets_are_counted_and_the_port_lives_on(
    remote: socket.socket, session: FakeSession, control: OscControl
) -> None:
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.binary(max_size=200)
        | st.builds(
            lambda address, rest: address + rest,
            st.sampled_from([b"/Slate\0\0", b"/RecordStart\0\0\0\0", b"#bundle\0"]),
            st.binary(max_size=64),
        )
    )
    def throw(datagram: bytes) -> None:
        remote.send(datagram)

    throw()
    remote.send(b"/livefacs/time" + bytes(5000))
    n_bad = control.n_bad
    wait_until(lambda: drained(remote), "the last answer")
    remote.send(packet("/livefacs/time"))
    while answer(remote) != ("/livefacs/time", ["12.500000"]):
        pass
    assert control.n_bad >= n_bad > 0


@pytest.mark.parametrize("size", [-4, 0, -16, 4, 2**31 - 4])
def test_a_bundle_that_states_an_impossible_size_stops_nothing(
    remote: socket.socket, control: OscControl, size: int
) -> None:
    """Twenty bytes that once made the thread read the same place for ever."""
    remote.send(b"#bundle\0" + bytes(8) + struct.pack(">i", size))
    remote.send(packet("/livefacs/time"))
    assert answer(remote) == ("/livefacs/time", ["12.500000"])
    assert "not an OSC packet" in control.last_error


def drained(remote: socket.socket) -> bool:
    remote.setblocking(False)
    try:
        while True:
            remote.recv(4096)
    except (BlockingIOError, ConnectionRefusedError):
        return True
    finally:
        remote.settimeout(PATIENCE_S)


def test_random_bytes_do_not_make_it_grow(
    remote: socket.socket, session: FakeSession, control: OscControl
) -> None:
    rng = random.Random(7)
    for _ in range(3000):
        remote.send(rng.randbytes(rng.randrange(1, 1500)))
        drained(remote)

    def is_obeyed() -> bool:
        remote.send(packet("/livefacs/neutral"))  # again: the system may drop one in the flood
        return ("neutral",) in session.calls

    wait_until(is_obeyed, "the command after the flood")
    assert control.n_bad > 1000
    assert len(control.last_error) < 1000


def test_a_port_in_use_is_explained(control: OscControl, session: FakeSession) -> None:
    with pytest.raises(SinkError, match=r"control port 127\.0\.0\.1:\d+: cannot listen"):
        OscControl(session, port=control.port)


def test_it_listens_on_the_loopback_unless_told_otherwise(control: OscControl) -> None:
    assert control._socket.getsockname()[0] == "127.0.0.1"
