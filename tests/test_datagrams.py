"""Sockets that receive: an address, or a multicast group."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest

from livefacs.datagrams import bound_udp
from livefacs.errors import SinkError
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.receiving import open_receiver
from tests.sinks.doubles import udp_receiver

GROUP, GROUP_6, GROUP_OF_LINK = "239.255.77.88", "ff15::7788", "ff02::7788"
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


def send_on(interface: str, port: int) -> None:
    """A datagram to the group of an interface that does not leave the machine."""
    address = socket.getaddrinfo(f"{GROUP_OF_LINK}%{interface}", port, type=socket.SOCK_DGRAM)[0][4]
    with sender_to(GROUP_OF_LINK) as udp:
        udp.sendto(MESSAGE, address)


def interface_with_groups() -> tuple[int, str]:
    """Number and name of an interface that IPv6 multicast comes back from."""
    for index, name in socket.if_nameindex():
        with contextlib.suppress(OSError), bound_udp(f"{GROUP_OF_LINK}%{name}", 0) as udp:
            send_on(name, udp.getsockname()[1])
            udp.settimeout(0.5)
            udp.recv(100)
            return index, name
    pytest.skip("this machine has no IPv6 multicast")


@pytest.mark.parametrize("written", ["%{name}", "%25{name}", "%{index}", ""])
def test_listen_joins_a_group_of_the_link(written: str) -> None:
    """``ff02::`` is another group on each interface: the one that is named, else on all."""
    index, name = interface_with_groups()
    with udp_receiver() as unused:
        port = unused.getsockname()[1]
    zone = written.format(name=name, index=index)
    receiver = open_receiver(parse_destination(f"osc://[{GROUP_OF_LINK}{zone}]:{port}"))
    send_on(name, port)
    reading = receiver.receive(5.0)
    assert reading is not None
    assert reading.values["/face/jaw"] == 0.5
    receiver.close()


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (f"{GROUP_OF_LINK}%nowhere7", "there is no interface nowhere7); expected one of this"),
        ("fe80::1%nowhere7", "there is no interface nowhere7); expected one of this machine's"),
        ("fe80::1", "expected the interface of a link-local address, as in [fe80::1%"),
        ("192.0.2.200", "expected a free port on an address of this machine"),
    ],
)
def test_what_is_wrong_is_named(host: str, said: str) -> None:
    where = f"[{host}]:9000" if ":" in host else f"{host}:9000"
    with pytest.raises(SinkError) as caught:
        open_receiver(parse_destination(f"osc://{where}"))
    assert f"cannot listen on {where} (" in str(caught.value)
    assert said in str(caught.value)
    assert ("port" in str(caught.value).partition("expected")[2]) == (":" not in host)
