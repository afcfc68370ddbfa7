"""Streams for those who ask, as phones do it: wait for a receiver's request, then stream to it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from livefacs.clock import ClockMap
from livefacs.datagrams import bound_udp, why_not_bound
from livefacs.errors import SinkError
from livefacs.protocols import Encoder
from livefacs.types import SinkCounters, TrackedFrame
from livefacs.wire.axes import AxisSigns
from livefacs.wire.ifacialmocap import IFacialMocapEncoder, version_from_handshake
from livefacs.wire.vtsphone import VtsPhoneEncoder, request_from_datagram

_MAX_READ: Final = 16  # datagrams looked at before each frame
_REQUEST_BYTES: Final = 2048
_FOR_EVER: Final = math.inf


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request gets.

    Attributes
    ----------
    ports : tuple of int
        At the asking address.
    encoder : Encoder
    seconds : float
        How long, from now; infinite until others come.
    """

    ports: tuple[int, ...]
    encoder: Encoder
    seconds: float = _FOR_EVER


OnRequest: TypeAlias = Callable[[bytes], Grant | None]


class RequestedSink:
    """Streams to whoever asked, at the asking address and the granted ports.

    Waiting costs no thread: what came in is read, without blocking, before each frame. Only so many
    receivers, the newest ones, are kept; other datagrams are counted and ignored.

    Parameters
    ----------
    url : str
    host, port : where to wait; port 0 takes a free one
    on_request : callable
        What a datagram gets; None where it is no request.
    most_receivers : int
    clock_s : callable
        Seconds, rising.

    Attributes
    ----------
    port : int
        The port that is listened on.
    n_bad : int
        Datagrams that were no request.
    """

    def __init__(
        self,
        url: str,
        host: str,
        port: int,
        on_request: OnRequest,
        *,
        most_receivers: int = 4,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url
        self.counters = SinkCounters()
        self.n_bad = 0
        self._on_request = on_request
        self._most = most_receivers
        self._clock_s = clock_s
        self._receivers: dict[tuple[str, int], tuple[Encoder, float]] = {}
        try:
            self._socket = bound_udp(host, port)
        except (OSError, OverflowError, UnicodeError, TypeError) as error:
            raise SinkError(f"output {url!r}: {why_not_bound(host, port, error)}") from None
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def send(self, tracked: TrackedFrame) -> None:
        """Look for requests, then send one frame to every receiver whose time is not over."""
        self._read_requests()
        now_s = self._clock_s()
        for address in [a for a, (_, until_s) in self._receivers.items() if until_s < now_s]:
            del self._receivers[address]
        counters = self.counters
        counters.frames += 1
        encoded: dict[int, Sequence[bytes | bytearray | memoryview]] = {}
        for address, (encoder, _) in self._receivers.items():
            if id(encoder) not in encoded:
                encoded[id(encoder)] = encoder.encode(tracked)
            for datagram in encoded[id(encoder)]:
                try:
                    counters.bytes += self._socket.sendto(datagram, address)
                    counters.packets += 1
                except OSError as error:
                    counters.refused += 1
                    counters.last_error = error.strerror or str(error)

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def _read_requests(self) -> None:
        for _ in range(_MAX_READ):
            try:
                datagram, sender = self._socket.recvfrom(_REQUEST_BYTES)
            except BlockingIOError:
                return
            except OSError:  # a receiver that is gone, or a datagram beyond the buffer
                self.n_bad += 1
                continue
            grant = self._on_request(datagram)
            if grant is None:
                self.n_bad += 1
                continue
            until_s = self._clock_s() + grant.seconds
            for port in grant.ports:
                address = (sender[0], port)
                self._receivers.pop(address, None)
                if len(self._receivers) >= self._most:
                    del self._receivers[next(iter(self._receivers))]
                self._receivers[address] = (grant.encoder, until_s)


def ifacialmocap_requests(
    rig: str, *, reply_port: int, signs: AxisSigns | None = None
) -> OnRequest:
    """iFacialMocap's handshakes: each version has its encoder; the reply goes to one port."""
    encoders = {
        version: IFacialMocapEncoder(rig, version=version, signs=signs) for version in (1, 2)
    }

    def on_request(datagram: bytes) -> Grant | None:
        version = version_from_handshake(datagram)
        return None if version is None else Grant((reply_port,), encoders[version])

    return on_request


def vtsphone_requests(clock: ClockMap, rig: str, *, signs: AxisSigns | None = None) -> OnRequest:
    """VTube Studio's requests: the ports and the time are the receiver's."""
    encoder = VtsPhoneEncoder(clock, rig, signs=signs)

    def on_request(datagram: bytes) -> Grant | None:
        request = request_from_datagram(datagram)
        return None if request is None else Grant(request.ports, encoder, request.seconds)

    return on_request
