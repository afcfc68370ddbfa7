"""The other end of each stream: what ``livefacs listen`` reads from."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any, Final, Protocol

from livefacs.datagrams import bound_udp, why_not_bound
from livefacs.errors import SinkError
from livefacs.listeners import QUIET_LOGGER, listening_socket
from livefacs.sinks.destination import Destination
from livefacs.sinks.zmtp import MessageMeter, ZmtpGate
from livefacs.wire.packet_reading import READERS, Reading
from livefacs.wire.vtsphone import LONGEST_S, request_bytes

_MAX_PACKET_BYTES: Final = 65536
_MAX_MESSAGE_BYTES: Final = 1 << 20
_MAX_PARTS: Final = 16
_RETRY_S: Final = 0.5


class Receiver(Protocol):
    """Gives packets one by one.

    Attributes
    ----------
    description : str
        Where it listens or what it is connected to.
    port : int
        The port that is listened on or connected to.
    """

    description: str
    port: int

    def receive(self, timeout_s: float) -> Reading | None:
        """The next packet; None when none came in time.

        Raises
        ------
        ValueError
            A packet came that is not of this protocol.
        """

    def close(self) -> None:
        """Let the socket go."""


class UdpReceiver:
    """Listens on a UDP port, of an address of this machine or of a multicast group."""

    def __init__(self, where: Destination) -> None:
        self._read = READERS[where.scheme]
        try:
            self._socket = bound_udp(where.host, where.port)
        except (OSError, OverflowError, UnicodeError, TypeError) as error:
            why = why_not_bound(where.host, where.port, error)
            raise SinkError(f"{where.url!r}: {why}") from None
        self.port: int = self._socket.getsockname()[1]
        host = f"[{where.host}]" if ":" in where.host else where.host
        self.description = f"{where.scheme} packets on {host}:{self.port}"

    def receive(self, timeout_s: float) -> Reading | None:
        """The next datagram."""
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            datagram = self._socket.recv(_MAX_PACKET_BYTES)
        except TimeoutError:
            return None
        except OSError as error:
            raise ValueError(str(error)) from None
        return self._read(datagram)

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()


class VtsPhoneReceiver(UdpReceiver):
    """Asks for VTube Studio's phone stream on a free port, again before its time is over."""

    def __init__(self, where: Destination) -> None:
        super().__init__(replace(where, host=_any_address_for(where.host), port=0))
        self._phone = (where.host, where.port)
        self._ask_at_s = 0.0
        self.description = f"VTube Studio's phone data from {where.host}:{where.port}"

    def receive(self, timeout_s: float) -> Reading | None:
        """The next datagram."""
        if time.monotonic() >= self._ask_at_s:
            self._ask_at_s = time.monotonic() + 0.4 * LONGEST_S
            with suppress(OSError, UnicodeError):  # nobody there yet: asked again
                self._socket.sendto(request_bytes(LONGEST_S, [self.port], "livefacs"), self._phone)
        return super().receive(timeout_s)


def _any_address_for(host: str) -> str:
    """Where the answers of a phone arrive: this machine alone where the phone is on it."""
    if host in ("127.0.0.1", "localhost"):
        return "127.0.0.1"
    return "::" if ":" in host else "0.0.0.0"


class ZmqReceiver:
    """Subscribes to every topic of a publisher, through a gate: libzmq bounds no parts."""

    def __init__(self, where: Destination) -> None:
        import zmq

        self._gate = ZmtpGate(
            listening_socket(repr(where.url), "127.0.0.1", 0),
            (where.host, where.port),
            lambda: MessageMeter(
                _MAX_PARTS, _MAX_MESSAGE_BYTES, most_part_bytes=_MAX_MESSAGE_BYTES
            ),
            is_guest_inside=True,
        )
        self._n_dropped = 0
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVHWM, 100)
        self._socket.setsockopt(zmq.MAXMSGSIZE, _MAX_MESSAGE_BYTES)
        self._socket.subscribe(b"")
        self._socket.connect(f"tcp://127.0.0.1:{self._gate.port}")
        self._read = READERS["zmq"]
        self.port = where.port
        self.description = f"ZeroMQ publisher at {where.host}:{where.port}"

    def receive(self, timeout_s: float) -> Reading | None:
        """The next message."""
        if not self._socket.poll(int(timeout_s * 1000)):
            self._tell_of_drops()
            return None
        parts = self._socket.recv_multipart()
        if len(parts) != 2:
            raise ValueError(f"expected topic and payload, got {len(parts)} parts")
        return self._read(parts[1])

    def _tell_of_drops(self) -> None:
        if self._gate.n_dropped > self._n_dropped:
            self._n_dropped = self._gate.n_dropped
            raise ValueError(
                f"the publisher was cut off: expected ZeroMQ's messages of at most {_MAX_PARTS}"
                f" parts and {_MAX_MESSAGE_BYTES:,} bytes"
            )

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()
        self._gate.close()


class WebSocketReceiver:
    """Connects to a WebSocket server, and again when it goes away."""

    def __init__(self, where: Destination) -> None:
        host = f"[{where.host}]" if ":" in where.host else where.host
        self._address = f"ws://{host}:{where.port}"
        self._connection: Any = None
        self._closing = ExitStack()
        self._read = READERS["ws"]
        self.port = where.port
        self.description = f"WebSocket server at {where.host}:{where.port}"

    def receive(self, timeout_s: float) -> Reading | None:
        """The next message."""
        from websockets.exceptions import WebSocketException

        try:
            if self._connection is None:
                self._connection = self._connect(timeout_s)
            message = self._connection.recv(timeout=timeout_s)
        except TimeoutError:
            return None
        except (OSError, WebSocketException):
            self.close()
            time.sleep(min(timeout_s, _RETRY_S))
            return None
        return self._read(message.encode() if isinstance(message, str) else message)

    def close(self) -> None:
        """Disconnect."""
        self._connection = None
        self._closing.close()

    def _connect(self, timeout_s: float) -> Any:
        from websockets.sync.client import connect

        return self._closing.enter_context(
            connect(
                self._address,
                open_timeout=max(timeout_s, 1.0),
                close_timeout=0.5,
                max_size=_MAX_MESSAGE_BYTES,
                compression=None,
                proxy=None,
                logger=QUIET_LOGGER,
            )
        )


class LslReceiver:
    """Looks for a stream by name and reads its samples."""

    def __init__(self, where: Destination) -> None:
        from livefacs.sinks.lsl import import_pylsl

        self._lsl = import_pylsl(where.url, str(where.options["scope"] or "machine"))
        self._name = where.host
        self._inlet: Any = None
        self._labels: list[str] = []
        self.port = 0
        self.description = f"LSL stream {self._name!r}"

    def receive(self, timeout_s: float) -> Reading | None:
        """The next sample."""
        if self._inlet is None and not self._find(timeout_s):
            return None
        sample, _ = self._inlet.pull_sample(timeout=timeout_s)
        if sample is None:
            return None
        reading = Reading()
        for label, value in zip(self._labels, sample, strict=False):
            reading.note(label, value)
        return reading

    def close(self) -> None:
        """Disconnect."""
        if self._inlet is not None:
            self._inlet.close_stream()
            self._inlet = None

    def _find(self, timeout_s: float) -> bool:
        found = self._lsl.resolve_byprop("name", self._name, timeout=timeout_s)
        if not found:
            return False
        self._inlet = self._lsl.StreamInlet(found[0])
        self._labels = self._inlet.info(timeout=2.0).get_channel_labels() or []
        return True


def _open_fake_vtubestudio(where: Destination) -> Receiver:
    from livefacs.sinks.fake_vtubestudio import VtsReceiver

    return VtsReceiver(where)


def open_receiver(where: Destination) -> Receiver:
    """The receiver of a stream; for UDP protocols the URL's host is the address to listen on.

    Raises
    ------
    SinkError
        The port is in use, or an optional library is not installed.
    """
    return _OPENERS[where.scheme](where)


_OPENERS: Final[Mapping[str, Callable[[Destination], Receiver]]] = {
    **dict.fromkeys(
        ("osc", "vmc", "vrcft", "faceosc", "facecap", "livelink", "ifacialmocap", "osf"),
        UdpReceiver,
    ),
    "vtsphone": VtsPhoneReceiver,
    "zmq": ZmqReceiver,
    "ws": WebSocketReceiver,
    "lsl": LslReceiver,
    "vts": _open_fake_vtubestudio,
}
