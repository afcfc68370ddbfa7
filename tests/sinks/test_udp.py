"""UDP: nothing waits, nothing is raised once the sink is open."""

from __future__ import annotations

import errno
import socket
import time

import pytest

from livefacs.errors import SinkError
from livefacs.sinks import udp
from livefacs.sinks.udp import UdpSink
from livefacs.types import TrackedFrame
from livefacs.wire.osc import OscEncoder
from tests.sinks.doubles import free_port, udp_receiver
from tests.support.waiting import PATIENCE_S
from tests.wire.making import CLOCK, joined, make_frame


class TwoDatagrams:
    """Sends the same two datagrams for every frame."""

    def encode(self, tracked: TrackedFrame) -> tuple[bytes, ...]:
        return (b"one", b"two")


def test_datagrams_arrive_as_they_were_encoded() -> None:
    with udp_receiver() as receiver:
        sink = UdpSink("osc://", OscEncoder(CLOCK), "127.0.0.1", receiver.getsockname()[1])
        sink.send(make_frame())
        expected = joined(OscEncoder(CLOCK).encode(make_frame()))
        assert [receiver.recv(2000) for _ in expected] == expected
        assert sink.counters.packets == len(expected)
        assert sink.counters.bytes == sum(map(len, expected))
        assert sink.counters.refused == 0
        sink.close()


def test_a_name_with_both_addresses_is_reached_over_ipv4() -> None:
    with udp_receiver() as receiver:
        sink = UdpSink("osc://", TwoDatagrams(), "localhost", receiver.getsockname()[1])
        sink.send(make_frame())
        assert receiver.recv(100) == b"one"
        sink.close()


def test_ipv6() -> None:
    try:
        receiver = udp_receiver(socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with receiver:
        sink = UdpSink("osc://", TwoDatagrams(), "::1", receiver.getsockname()[1])
        sink.send(make_frame())
        assert receiver.recv(100) == b"one"
        sink.close()


def test_an_absent_receiver_is_counted_not_raised_and_may_come_later() -> None:
    port = free_port()
    sink = UdpSink("osc://", TwoDatagrams(), "127.0.0.1", port)
    for _ in range(20):
        sink.send(make_frame())
    assert sink.counters.frames == 20
    assert sink.counters.refused > 0
    assert "refused" in sink.counters.last_error.lower()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(PATIENCE_S)
        receiver.bind(("127.0.0.1", port))
        sink.send(make_frame())
        sink.send(make_frame())
        assert receiver.recv(100) in (b"one", b"two")
    sink.close()


def test_a_receiver_that_does_not_read_delays_nothing() -> None:
    with udp_receiver() as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sink = UdpSink("osc://", OscEncoder(CLOCK), "127.0.0.1", receiver.getsockname()[1])
        began = time.perf_counter()
        for _ in range(500):
            sink.send(make_frame())
        assert time.perf_counter() - began < 2.0
        sink.close()


class BrokenSocket:
    """A socket whose network went away."""

    def __init__(self, error: OSError) -> None:
        self.error = error
        self.is_closed = False

    def send(self, datagram: bytes) -> int:
        raise self.error

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [
        (OSError(errno.ENETUNREACH, "Network is unreachable"), False),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), False),
        (BlockingIOError(errno.EWOULDBLOCK, "Resource temporarily unavailable"), True),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), True),
    ],
)
def test_after_a_lasting_error_the_socket_is_opened_anew(
    error: OSError, is_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "_REOPEN_S", 0.0)
    with udp_receiver() as receiver:
        sink = UdpSink("osc://", TwoDatagrams(), "127.0.0.1", receiver.getsockname()[1])
        sink.close()
        broken = BrokenSocket(error)
        sink._socket = broken  # type: ignore[assignment]  # stands in for a lost network
        sink.send(make_frame())
        assert sink.counters.refused == 2
        assert sink.counters.last_error == error.strerror
        assert broken.is_closed is not is_kept
        if not is_kept:
            sink.send(make_frame())
            assert receiver.recv(100) == b"one"
            sink.close()


def test_a_host_that_cannot_be_resolved_is_explained() -> None:
    with pytest.raises(SinkError, match=r"cannot resolve host 'no such host'.*expected a name"):
        UdpSink("osc://x", TwoDatagrams(), "no such host", 9000)


def test_broadcast_only_where_it_was_asked_for() -> None:
    with pytest.raises(SinkError, match=r"broadcast=on"):
        UdpSink("osc://255.255.255.255", TwoDatagrams(), "255.255.255.255", 9000)
    sink = UdpSink("osc://", TwoDatagrams(), "255.255.255.255", 9000, broadcast=True)
    sink.close()
