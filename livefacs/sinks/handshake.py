"""iFacialMocap as the phone does it: wait for a receiver's handshake, then stream to it."""

from __future__ import annotations

import socket
from typing import Final

from livefacs.errors import SinkError
from livefacs.types import SinkCounters, TrackedFrame
from livefacs.wire.axes import AxisSigns
from livefacs.wire.ifacialmocap import IFacialMocapEncoder, version_from_handshake

_MAX_RECEIVERS: Final = 4
_MAX_READ: Final = 16  # datagrams looked at before each frame
_HANDSHAKE_BYTES: Final = 512


class IFacialMocapServer:
    """Streams to whoever shook hands, at the sender's address and the receiver port.

    Waiting costs no thread: what came in is read, without blocking, before each frame. At most
    four receivers, the newest ones, are kept; other datagrams are counted and ignored.

    Parameters
    ----------
    url, rig, signs : see ``IFacialMocapEncoder``
    host, port : where to wait; port 0 takes a free one
    reply_port : int
        Port of the receivers.

    Attributes
    ----------
    port : int
        The port that is listened on.
    n_bad : int
        Datagrams that were no handshake.
    """

    def __init__(
        self,
        url: str,
        rig: str,
        host: str,
        port: int,
        *,
        reply_port: int,
        signs: AxisSigns | None = None,
    ) -> None:
        self.url = url
        self.counters = SinkCounters()
        self.n_bad = 0
        self._reply_port = reply_port
        self._encoders = {
            version: IFacialMocapEncoder(rig, version=version, signs=signs) for version in (1, 2)
        }
        self._receivers: dict[str, int] = {}
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind((host, port))
        except (OSError, OverflowError) as fault:
            self._socket.close()
            raise SinkError(
                f"output {url!r}: cannot listen on {host}:{port} ({fault}); a receiver on the same "
                "machine owns this port: leave out wait=on and send to it instead"
            ) from None
        self.port: int = self._socket.getsockname()[1]

    def send(self, tracked: TrackedFrame) -> None:
        """Look for handshakes, then send one frame to every receiver."""
        self._read_handshakes()
        counters = self.counters
        counters.frames += 1
        for host, version in self._receivers.items():
            (datagram,) = self._encoders[version].encode(tracked)
            try:
                counters.bytes += self._socket.sendto(datagram, (host, self._reply_port))
                counters.packets += 1
            except OSError as fault:
                counters.refused += 1
                counters.last_error = fault.strerror or str(fault)

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def _read_handshakes(self) -> None:
        for _ in range(_MAX_READ):
            try:
                datagram, sender = self._socket.recvfrom(_HANDSHAKE_BYTES)
            except BlockingIOError:
                return
            except OSError:  # a receiver that is gone, or a datagram beyond the buffer
                self.n_bad += 1
                continue
            version = version_from_handshake(datagram)
            if version is None:
                self.n_bad += 1
                continue
            self._receivers.pop(sender[0], None)
            if len(self._receivers) >= _MAX_RECEIVERS:
                del self._receivers[next(iter(self._receivers))]
            self._receivers[sender[0]] = version
