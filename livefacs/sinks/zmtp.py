"""A gate beside a ZeroMQ socket: counts parts and bytes of a message as they come.

libzmq bounds the size of a part and nothing else: it gathers a message of any number of parts in
memory before anybody can look at it, and keeps every subscription it is told. The gate reads ZMTP's
framing (RFC 37: a greeting of 64 bytes, then frames of flags, size, body; ZMTP 2.0, RFC 15: a
greeting of 12) on its way in, and drops whoever goes beyond.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from typing import Any, Final, cast

from livefacs.listeners import BACKLOG, HEAD_S, LoopThread, stop_accepting

MOST_PART_BYTES: Final = 4096
MOST_PARTS: Final = 64
MOST_MESSAGE_BYTES: Final = 16 * 1024
MOST_SUBSCRIPTIONS: Final = 64
MOST_SUBSCRIBED_BYTES: Final = 4096
"""Of all topics of one subscriber: libzmq keeps some 50 bytes of memory for each of them."""
MOST_CONTROL_A_S: Final = 1000
"""Commands and subscriptions of one peer, after as many again at once: each PING is answered."""
_REVISION_AT: Final = 10  # of the greeting, after its signature
_GREETING_BYTES: Final = {1: 12, 2: 12}
_GREETING_BYTES_3: Final = 64
_FIRST_WITH_COMMANDS: Final = 3  # before it, the first frame is the peer's identity
_MORE: Final = 1
_LONG: Final = 2
_COMMAND: Final = 4
_BUFFER_BYTES: Final = 64 * 1024
_CLOSING_S: Final = 0.3  # for what has been sent already
_JOIN_S: Final = 2.0

_log = logging.getLogger(__name__)


class ZmtpMeter:
    """Follows the bytes that one peer sends.

    Parameters
    ----------
    most_part_bytes : int
    clock : callable that gives seconds

    Attributes
    ----------
    is_greeted : bool
        The greeting is whole, and a first frame after it.
    """

    def __init__(
        self,
        most_part_bytes: int = MOST_PART_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_greeted = False
        self._clock = clock
        self._allowed = 2.0 * MOST_CONTROL_A_S
        self._allowed_s = clock()
        self._most_part_bytes = most_part_bytes
        self._revision = 0
        self._waiting = bytearray()

    def feed(self, data: bytes) -> bool:
        """Take bytes; False where they are no ZMTP, or go beyond what a peer may send."""
        self._waiting += data
        if not self._revision and not self._greet():
            return _may_be_greeting(self._waiting)
        at = 0
        while len(self._waiting) - at >= 2:
            flags = self._waiting[at]
            body_at = at + (9 if flags & _LONG else 2)
            size = int.from_bytes(self._waiting[at + 1 : body_at], "big")
            if len(self._waiting) >= body_at and size > self._most_part_bytes:
                return False
            if len(self._waiting) < body_at + size:
                break
            if not self._pass(flags, bytes(self._waiting[body_at : body_at + size])):
                return False
            at = body_at + size
        del self._waiting[:at]
        return True

    def _greet(self) -> bool:
        """True once the greeting is whole; it is cut off then."""
        if len(self._waiting) <= _REVISION_AT or not _may_be_greeting(self._waiting):
            return False
        size = _GREETING_BYTES.get(self._waiting[_REVISION_AT], _GREETING_BYTES_3)
        if len(self._waiting) < size:
            return False
        self._revision = self._waiting[_REVISION_AT]
        del self._waiting[:size]
        return True

    def _pass(self, flags: int, body: bytes) -> bool:
        is_identity = not self.is_greeted and self._revision < _FIRST_WITH_COMMANDS
        self.is_greeted = True
        return is_identity or self._take(flags, body)

    def _take(self, flags: int, body: bytes) -> bool:
        """One whole frame; False where it is too much."""
        raise NotImplementedError

    def _is_seldom(self) -> bool:
        """Count what makes work and is no message; False where it comes too often."""
        now_s = self._clock()
        earned = MOST_CONTROL_A_S * (now_s - self._allowed_s)
        self._allowed = min(2.0 * MOST_CONTROL_A_S, self._allowed + earned) - 1.0
        self._allowed_s = now_s
        return self._allowed >= 0.0


def _may_be_greeting(begun: bytes | bytearray) -> bool:
    """False for what no peer of ZMTP 2.0 or later begins with."""
    signature = begun[:_REVISION_AT]
    is_signed = signature[:1] in (b"", b"\xff") and signature[9:] in (b"", b"\x7f")
    return is_signed and begun[_REVISION_AT : _REVISION_AT + 1] != b"\0"


class MessageMeter(ZmtpMeter):
    """Bounds the parts and the bytes of each message; those of a request where nothing is said."""

    def __init__(
        self, most_parts: int = MOST_PARTS, most_bytes: int = MOST_MESSAGE_BYTES, **more: Any
    ) -> None:
        super().__init__(**more)
        self._most_parts = most_parts
        self._most_bytes = most_bytes
        self._n_parts = 0
        self._n_bytes = 0

    def _take(self, flags: int, body: bytes) -> bool:
        self._n_parts += 1
        self._n_bytes += len(body)
        is_within = self._n_parts <= self._most_parts and self._n_bytes <= self._most_bytes
        if not flags & _MORE or flags & _COMMAND:
            self._n_parts = self._n_bytes = 0
        return is_within and (not flags & _COMMAND or self._is_seldom())


class SubscriptionMeter(ZmtpMeter):
    """Lets subscriptions in and nothing else, and bounds those of one subscriber at once."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._topics: set[bytes] = set()
        self._n_bytes = 0

    def _take(self, flags: int, body: bytes) -> bool:
        if not self._is_seldom():
            return False
        if not flags & _COMMAND:
            is_subscription = not flags & _MORE and body[:1] in (b"\0", b"\1")
            return is_subscription and self._note(body[0] == 1, body[1:])
        name_end = 1 + body[0] if body else 0
        name, argument = body[1:name_end], body[name_end:]
        if name in (b"SUBSCRIBE", b"CANCEL"):  # as ZMTP 3.1 has them
            return self._note(name == b"SUBSCRIBE", argument)
        return True  # READY, PING and the like: libzmq answers and keeps nothing

    def _note(self, is_wanted: bool, topic: bytes) -> bool:
        if is_wanted == (topic in self._topics):
            return True  # libzmq keeps a topic once
        (self._topics.add if is_wanted else self._topics.discard)(topic)
        self._n_bytes += len(topic) if is_wanted else -len(topic)
        return len(self._topics) <= MOST_SUBSCRIPTIONS and self._n_bytes <= MOST_SUBSCRIBED_BYTES


class ZmtpGate:
    """Listens in a socket's place and passes on what a meter lets through.

    The other way it passes on what comes; for a peer that does not read nothing is read, so that
    the socket behind the gate drops for it as it would without.

    Parameters
    ----------
    listening : socket.socket
        Bound; the gate owns it.
    inner : (host, port)
        Where the socket behind the gate listens.
    make_meter : callable that gives the meter of a new connection
    is_guest_inside : bool
        The socket behind the gate is another's, and what it sends is metered; else what those send
        who connect.

    Attributes
    ----------
    port : int
        The port that is listened on.
    n_dropped : int
        Connections that were dropped: too slow, or a request too large.
    """

    def __init__(
        self,
        listening: socket.socket,
        inner: tuple[str, int],
        make_meter: Callable[[], ZmtpMeter],
        *,
        is_guest_inside: bool = False,
    ) -> None:
        self.n_dropped = 0
        self.inner = inner
        self.make_meter = make_meter
        self.is_guest_inside = is_guest_inside
        self.ends: set[_End] = set()
        self.port: int = listening.getsockname()[1]
        self._listening = listening
        self._thread = LoopThread(
            self._serve, "livefacs-zmq-gate", _log, lambda error: None, _JOIN_S
        )

    def close(self) -> None:
        """Stop listening, let out what the socket behind has sent, and drop every connection."""
        self._thread.close()

    def drop(self, end: _End) -> None:
        """Cut off whoever goes beyond what is allowed."""
        self.n_dropped += 1
        end.transport.abort()

    async def _serve(self, stop: asyncio.Event) -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: _Peer(self), sock=self._listening, backlog=BACKLOG
        )
        await stop.wait()
        await stop_accepting(server.sockets)
        server.close()
        await self._wait_for_ends(_CLOSING_S)
        for end in tuple(self.ends):
            end.transport.abort()
        await self._wait_for_ends(_CLOSING_S)

    async def _wait_for_ends(self, patience_s: float) -> None:
        time = asyncio.get_running_loop().time
        ends_at = time() + patience_s
        while self.ends and time() < ends_at:
            await asyncio.sleep(0.01)


class _End(asyncio.Protocol):
    """One end of a connection through the gate; what it receives goes to the other end."""

    transport: asyncio.Transport

    def __init__(self, gate: ZmtpGate, is_guest: bool) -> None:
        self.gate = gate
        self.other: _End | None = None
        self._meter = gate.make_meter() if is_guest else None
        self._early = bytearray()
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(_BUFFER_BYTES)
        self.gate.ends.add(self)
        if self._meter is not None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(HEAD_S, self._be_impatient, self._meter)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._meter is not None and not self._meter.feed(data):
            self.gate.drop(self)
        elif self.other is None:
            self._early += data
            self.transport.pause_reading()
        else:
            self.other.transport.write(data)

    def join(self, other: _End) -> None:
        """Pass on to another end what has come already, and what comes."""
        self.other = other
        other.transport.write(bytes(self._early))
        self._early.clear()
        self.transport.resume_reading()

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self.gate.ends.discard(self)
        if self.other is not None:
            self.other.transport.close()  # what was sent still goes out

    def _be_impatient(self, meter: ZmtpMeter) -> None:
        if not meter.is_greeted:
            self.gate.drop(self)


class _Peer(_End):
    """The end of whoever has connected."""

    def __init__(self, gate: ZmtpGate) -> None:
        super().__init__(gate, not gate.is_guest_inside)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            _, inner = await asyncio.get_running_loop().create_connection(
                lambda: _End(self.gate, self.gate.is_guest_inside), *self.gate.inner
            )
        except OSError:
            self.transport.abort()
            return
        if self.transport.is_closing():
            inner.transport.abort()
            return
        inner.join(self)
        self.join(inner)
