"""Datagrams to one receiver; the protocol is the encoder's business."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from typing import Any, Final

from livefacs.errors import SinkError
from livefacs.protocols import Encoder
from livefacs.types import SinkCounters, TrackedFrame

_REOPEN_S: Final = 1.0
_TRANSIENT: Final = (errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOBUFS)


def resolve_udp(url: str, host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """Address family and socket address of a host; IPv4 first where a name has both.

    Receivers of animation tools listen on IPv4, and ``localhost`` often resolves to ``::1`` first.

    Raises
    ------
    SinkError
        The host name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise SinkError(
            f"output {url!r}: cannot resolve host {host!r} ({_reason(error)}); "
            "expected a name or address that this machine can reach"
        ) from None
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return family, address


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


class UdpSink:
    """Sends the datagrams of an encoder without ever waiting.

    The socket is connected, so that the system reports a closed port; a refused, full or
    unreachable receiver is counted. After a lasting error (cable, changed address) the socket is
    opened anew, at most once a second.

    Attributes
    ----------
    encoder : Encoder
        May be exchanged between two frames.

    Raises
    ------
    SinkError
        The host cannot be resolved, or it is a broadcast address and broadcast is not allowed.
    """

    def __init__(
        self, url: str, encoder: Encoder, host: str, port: int, *, broadcast: bool = False
    ) -> None:
        self.url = url
        self.counters = SinkCounters()
        self.encoder = encoder
        self._broadcast = broadcast
        self._family, self._address = resolve_udp(url, host, port)
        self._reopen_at = 0.0
        self._socket: socket.socket | None = None
        try:
            self._socket = self._connected()
        except PermissionError:
            raise SinkError(
                f"output {url!r}: {host} is a broadcast address; add broadcast=on to the options"
            ) from None
        except OSError as error:
            self._note(error)

    def send(self, tracked: TrackedFrame) -> None:
        """Send one frame; what the system refuses is counted, never raised."""
        udp = self._socket or self._reopened()
        counters = self.counters
        counters.frames += 1
        datagrams = self.encoder.encode(tracked)
        if udp is None:
            counters.refused += len(datagrams)
            return
        for datagram in datagrams:
            try:
                counters.bytes += udp.send(datagram)
                counters.packets += 1
            except OSError as error:
                counters.refused += 1
                self._note(error)

    def close(self) -> None:
        """Let the socket go."""
        if self._socket is not None:
            self._socket.close()

    def _connected(self) -> socket.socket:
        udp = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            udp.setblocking(False)
            if self._broadcast:
                udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            udp.connect(self._address)
        except OSError:
            udp.close()
            raise
        return udp

    def _note(self, error: OSError) -> None:
        self.counters.last_error = error.strerror or str(error)
        if isinstance(error, BlockingIOError) or error.errno in _TRANSIENT:
            return
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._reopen_at = time.monotonic() + _REOPEN_S

    def _reopened(self) -> socket.socket | None:
        if time.monotonic() >= self._reopen_at:
            self._reopen_at = time.monotonic() + _REOPEN_S
            with contextlib.suppress(OSError):
                self._socket = self._connected()
        return self._socket
