"""Sockets that receive: an address, or a multicast group."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest

from livefacs.datagrams import bound_udp
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.receiving import open_receiver
from tests.sinks.doubles import udp_receiver

GROUP, GROUP_6 = "239.255.77.88", "ff15::7788"
MESSAGE = b"/face/jaw\0\0\0,f\0\0" + struct.pack(">f", 0.5)


@contextlib.contextmanager
def sender_to(group: str) -> Iterator[socket.socket]:
    """A socket whose multicast stays on the loopback."""
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp:
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 0)
        else:
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        yield udp


def test_listen_joins_a_group() -> None:
    """Two programs of one machine hear the same stream, as in a studio's network."""
    with udp_receiver() as unused:
        port = unused.getsockname()[1]
    receivers = [open_receiver(parse_destination(f"osc://{GROUP}:{port}")) for _ in range(2)]
    with sender_to(GROUP) as udp:
        udp.sendto(MESSAGE, (GROUP, port))
    for receiver in receivers:
        reading = receiver.receive(5.0)
        assert reading is not None
        assert reading.values["/face/jaw"] == 0.5
        receiver.close()


def test_ipv6_groups() -> None:
    try:
        with bound_udp(GROUP_6, 0) as receiver, sender_to(GROUP_6) as udp:
            receiver.settimeout(5.0)
            udp.sendto(MESSAGE, (GROUP_6, receiver.getsockname()[1]))
            assert receiver.recv(100) == MESSAGE
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 multicast: {error}")


def test_an_address_is_bound_as_it_stands() -> None:
    with bound_udp("127.0.0.1", 0) as receiver:
        port = receiver.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            bound_udp("127.0.0.1", port)
    with pytest.raises(OSError, match="assign"):
        bound_udp("192.0.2.200", 0)
