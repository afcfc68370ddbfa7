"""Minutes of hostile input at every open port, with the memory watched.

Not part of the suite, as it takes as long as it is told to::

    python -m tests.sinks.soak --seconds 180
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import time
from pathlib import Path

import zmq
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from livefacs.sinks.control import OscControl
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.handshake import IFacialMocapServer
from livefacs.sinks.listening import Tally
from livefacs.sinks.receiving import UdpReceiver
from livefacs.sinks.websocket import WebSocketSink
from livefacs.sinks.zeromq import open_zmq
from livefacs.wire.packed import PackedEncoder
from tests.sinks.doubles import FakeSession, free_port
from tests.wire.golden import encoders, golden_frame
from tests.wire.making import CLOCK


def resident_mb() -> float:
    """Resident memory, Linux."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


class Rubbish:
    """Random bytes, and honest packets with bytes exchanged."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        honest = [encoder.encode(golden_frame()) for encoder in encoders().values()]
        self._honest = [bytes(part) for parts in honest for part in parts]

    def next(self) -> bytes:
        """One packet."""
        if self._rng.random() < 0.5:
            return self._rng.randbytes(self._rng.randrange(1, 6000))
        packet = bytearray(self._rng.choice(self._honest))
        for _ in range(self._rng.randrange(1, 9)):
            packet[self._rng.randrange(len(packet))] = self._rng.randrange(256)
        return bytes(packet)


def run(seconds: float) -> None:
    """Throw rubbish until the time is up; print counts and memory."""
    session = FakeSession()
    control = OscControl(session, port=0)
    publisher = open_zmq(parse_destination("zmq://127.0.0.1:0"), CLOCK, session)
    web = WebSocketSink("ws://", PackedEncoder(CLOCK, form="json"), "127.0.0.1", 0)
    phone = IFacialMocapServer("ifacialmocap://", "arkit52", "127.0.0.1", 0, reply_port=9)
    schemes = ("osc", "livelink", "ifacialmocap")
    listeners = [
        UdpReceiver(parse_destination(f"{scheme}://127.0.0.1:{free_port()}")) for scheme in schemes
    ]
    tallies = [Tally() for _ in listeners]
    rubbish = Rubbish(1)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ports = [control.port, phone.port, *(listener.port for listener in listeners)]
    assert publisher.control is not None
    dealer = zmq.Context.instance().socket(zmq.DEALER)
    dealer.setsockopt(zmq.SNDHWM, 10)
    dealer.connect(f"tcp://127.0.0.1:{publisher.control.port}")
    began, n_thrown, first_mb = time.monotonic(), 0, 0.0
    while time.monotonic() - began < seconds:
        for _ in range(50):
            for port in ports:
                with contextlib.suppress(OSError):
                    udp.sendto(rubbish.next(), ("127.0.0.1", port))
                    n_thrown += 1
            with contextlib.suppress(zmq.Again):
                dealer.send_multipart([b"", rubbish.next()], zmq.NOBLOCK)
            while dealer.poll(0):
                dealer.recv_multipart()
            phone.send(golden_frame())
            for tally, listener in zip(tallies, listeners, strict=True):
                tally.take(listener, 0.001)
        throw_at_web(web, rubbish)
        session.calls.clear()
        if not first_mb and time.monotonic() - began > seconds / 10:
            first_mb = resident_mb()
    print(f"{n_thrown} datagrams in {seconds:g} s; control port refused {control.n_bad}")
    print(f"ZeroMQ refused {publisher.control.n_bad}; handshake refused {phone.n_bad}")
    print(f"WebSocket: {web.n_accepted} accepted, {web.n_inbound} messages ignored")
    for scheme, tally in zip(schemes, tallies, strict=True):
        print(
            f"listen {scheme}: {tally.n_packets} understood, {tally.n_bad} refused, "
            f"{len(tally.ranges)} names"
        )
    print(f"resident memory: {first_mb:.1f} MB after a tenth, {resident_mb():.1f} MB at the end")
    dealer.close(linger=0)
    for each in (control, publisher, web, phone, *listeners, udp):
        each.close()


def throw_at_web(web: WebSocketSink, rubbish: Rubbish) -> None:
    """A raw connection with rubbish, and an honest one with rubbish messages."""
    with socket.create_connection(("127.0.0.1", web.port)) as raw, contextlib.suppress(OSError):
        raw.sendall(rubbish.next())
    with (
        contextlib.suppress(OSError, WebSocketException, TimeoutError),
        connect(f"ws://127.0.0.1:{web.port}", proxy=None) as client,
    ):
        client.send(rubbish.next()[:900])
        client.send(rubbish.next())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    run(parser.parse_args().seconds)
