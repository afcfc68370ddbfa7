"""iFacialMocap as the phone does it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefacs.errors import SinkError
from livefacs.sinks.handshake import IFacialMocapServer
from tests.sinks.doubles import udp_receiver, wait_until
from tests.wire.making import ARKIT, make_frame

WORD = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
FRAME = make_frame(rigs=(ARKIT,))


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with udp_receiver() as receiver:
        yield receiver


@pytest.fixture
def server(receiver: socket.socket) -> Iterator[IFacialMocapServer]:
    reply_port = receiver.getsockname()[1]
    server = IFacialMocapServer("ifacialmocap://", "arkit52", "127.0.0.1", 0, reply_port=reply_port)
    yield server
    server.close()


def shake(server: IFacialMocapServer, word: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.sendto(word, ("127.0.0.1", server.port))


def is_streaming(server: IFacialMocapServer) -> bool:
    server.send(FRAME)
    return server.counters.packets > 0


def test_nothing_is_sent_before_the_handshake_and_the_asked_version_after(
    server: IFacialMocapServer, receiver: socket.socket
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
    server = IFacialMocapServer("ifacialmocap://", "arkit52", "127.0.0.1", 0, reply_port=9)
    for datagram in datagrams:
        shake(server, datagram)
    for _ in range(3):
        server.send(FRAME)
    assert server.n_bad == len(datagrams)
    assert server.counters.packets == 0
    server.close()


def test_a_receiver_on_the_same_machine_is_explained(server: IFacialMocapServer) -> None:
    with pytest.raises(SinkError, match=r"leave out wait=on"):
        IFacialMocapServer("ifacialmocap://", "arkit52", "127.0.0.1", server.port, reply_port=9)
