"""ZeroMQ: frames on a PUB socket, commands on a REP socket in the spirit of Pupil Remote."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Final

import zmq

from livefacs.clock import ClockMap
from livefacs.errors import SinkError
from livefacs.listeners import HEAD_S, MOST_CONNECTIONS, listening_socket
from livefacs.protocols import Encoder, SessionControl
from livefacs.sinks.commands import CommandError, run_command
from livefacs.sinks.destination import Destination
from livefacs.sinks.zmtp import (
    MOST_PART_BYTES,
    MessageMeter,
    SubscriptionMeter,
    ZmtpGate,
    ZmtpMeter,
)
from livefacs.types import SinkCounters, TrackedFrame
from livefacs.wire.packed import packed_for_performers
from livefacs.workers import Worker

_HIGH_WATER: Final = 2  # newest frames matter; CONFLATE and multipart exclude each other
_BUFFER_BYTES: Final = 64 * 1024  # what waits in the system for a subscriber that is slow
_POLL_MS: Final = 100
_JOIN_S: Final = 2.0
_PUPIL: Final = {"t": "time", "v": "version", "R": "record", "r": "finish", "C": "neutral"}
"""Pupil Remote's one-letter requests that have a counterpart here."""


def _gated(
    kind: int, url: str, host: str, port: int, make_meter: Callable[[], ZmtpMeter], **options: int
) -> tuple[zmq.Socket[bytes], ZmtpGate]:
    """A socket that is reached through a gate, and the gate.

    Raises
    ------
    SinkError
    """
    listening = listening_socket(f"output {url!r}", host, port)
    inner: zmq.Socket[bytes] = zmq.Context.instance().socket(kind)
    inner.setsockopt(zmq.MAXMSGSIZE, MOST_PART_BYTES)
    inner.setsockopt(zmq.HANDSHAKE_IVL, round(HEAD_S * 1000))
    for name, value in options.items():
        inner.setsockopt(getattr(zmq, name), value)
    try:
        inner_port = inner.bind_to_random_port("tcp://127.0.0.1")
    except zmq.ZMQError as error:
        inner.close(linger=0)
        listening.close()
        raise SinkError(f"output {url!r}: cannot be opened ({error.strerror})") from None
    return inner, ZmtpGate(listening, ("127.0.0.1", inner_port), make_meter)


class ZmqPublisher:
    """Publishes each frame as two parts: topic and packed map.

    Subscribers that are slow lose frames; they never delay one.

    Parameters
    ----------
    url : str
    encoder : Encoder
        One datagram a frame and performer.
    topic : str
    host, port : where to listen; port 0 takes a free one
    performers : int

    Attributes
    ----------
    port : int
        The port that is listened on.
    gate : ZmtpGate
        Stands before the socket; counts whom it dropped.
    control : ZmqControl or None
        The control socket that ends with it.
    """

    def __init__(
        self, url: str, encoder: Encoder, topic: str, host: str, port: int, performers: int = 1
    ) -> None:
        self.url = url
        self.counters = SinkCounters()
        self._encoder = encoder
        self._topic = topic.encode()
        self.control: ZmqControl | None = None
        self._socket, self.gate = _gated(
            zmq.PUB,
            url,
            host,
            port,
            SubscriptionMeter,
            SNDHWM=_HIGH_WATER * performers,
            SNDBUF=_BUFFER_BYTES,
            LINGER=200,
        )
        self.port = self.gate.port

    def send(self, tracked: TrackedFrame) -> None:
        """Publish one frame."""
        counters = self.counters
        counters.frames += 1
        for message in self._encoder.encode(tracked):
            try:
                self._socket.send_multipart((self._topic, message), zmq.NOBLOCK)
            except zmq.ZMQError as error:
                counters.refused += 1
                counters.last_error = error.strerror or str(error)
                continue
            counters.packets += 1
            counters.bytes += len(message)

    def close(self) -> None:
        """Let queued frames out for a moment and close the sockets."""
        self._socket.close()
        self.gate.close()
        if self.control is not None:
            self.control.close()


class ZmqControl:
    """Answers requests on a REP socket, in a thread of its own.

    A request is one part, a word with its arguments separated by blanks (``record slate_1 3``), or
    several parts, one for each of them; see ``commands.run_command``. Pupil Remote's
    ``t v R r C`` are understood as well, and ``SUB_PORT`` gives the port to subscribe to. Every
    request gets a reply; a bad one ``error: …``.

    Attributes
    ----------
    port : int
        The port that is listened on.
    n_bad : int
        Requests that were refused.
    gate : ZmtpGate
        Stands before the socket; counts whom it dropped.
    """

    def __init__(
        self,
        url: str,
        control: SessionControl,
        host: str,
        port: int,
        publisher_port: int,
        on_failure: Callable[[BaseException], object] | None = None,
    ) -> None:
        self._control = control
        self._publisher_port = publisher_port
        self.n_bad = 0
        self._closing = threading.Event()
        self._socket, self.gate = _gated(
            zmq.REP, url, host, port, MessageMeter, RCVHWM=MOST_CONNECTIONS, LINGER=0
        )
        self.port = self.gate.port
        self._thread = Worker(self._serve, "livefacs-zmq", on_failure)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self.gate.close()
        self._closing.set()
        self._thread.join(_JOIN_S)

    def _serve(self) -> None:
        with contextlib.closing(self._socket):
            while not self._closing.is_set():
                if not self._socket.poll(_POLL_MS):
                    continue
                with contextlib.suppress(zmq.ZMQError):
                    self._socket.send_string(self._answer(self._socket.recv_multipart()))

    def _answer(self, parts: list[bytes]) -> str:
        try:
            texts = [part.decode() for part in parts]
            word, *arguments = texts if len(texts) > 1 else texts[0].split() or [""]
            if word in ("SUB_PORT", "PUB_PORT"):
                return str(self._publisher_port)
            return run_command(self._control, _PUPIL.get(word, word), arguments)
        except (CommandError, UnicodeDecodeError) as error:
            self.n_bad += 1
            return f"error: {error}"


def open_zmq(
    destination: Destination, clock: ClockMap, control: SessionControl | None
) -> ZmqPublisher:
    """The publisher of a destination, with its control socket where there is a session to control.

    The control port is the next one after the publisher's unless the URL names it (or off).

    Raises
    ------
    SinkError
        A port is in use.
    """
    topic = str(destination.options["topic"])
    n = destination.performers
    encoder = packed_for_performers(n, clock, topic=topic, rig=destination.rig)
    url, host = destination.url, destination.host
    publisher = ZmqPublisher(url, encoder, topic, host, destination.port, n)
    asked = destination.options["control"]
    if control is None or not isinstance(asked, int):
        return publisher
    beside = destination.port + 1 if destination.port else 0
    try:
        publisher.control = ZmqControl(
            url,
            control,
            host,
            asked if asked >= 0 else beside,
            publisher.port,
            publisher.counters.fail,
        )
    except SinkError:
        publisher.close()
        raise
    return publisher
