"""A WebSocket server for browsers and other clients: each frame as JSON or msgpack."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from livefacs.listeners import (
    BACKLOG,
    HEAD_S,
    QUIET_LOGGER,
    LoopThread,
    close_websockets,
    listening_socket,
    noted_connections,
)
from livefacs.protocols import Encoder
from livefacs.types import SinkCounters, TrackedFrame

_log = logging.getLogger(__name__)

_MAX_CLIENTS: Final = 32
_MAX_INBOUND_BYTES: Final = 1024
_MAX_INBOUND_MESSAGES: Final = 1000
_STALLED_BYTES: Final = 64 * 1024
_JOIN_S: Final = 3.0
_LOCAL_ORIGIN: Final = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")


class WebSocketSink:
    """Broadcasts frames to every connected client, from a thread of its own.

    A client that does not read is skipped (and dropped when its pings stay unanswered); what
    clients send is counted and ignored. A web page may connect if it comes from this machine:
    any page in the user's browser could otherwise read the face.

    Parameters
    ----------
    url : str
    encoder : Encoder
        Of maps: one a frame and performer.
    host, port : where to listen; port 0 takes a free one
    is_text : bool
        Text messages (JSON) or binary ones (msgpack).
    origin : str or None
        More web origins that may connect, with commas between; ``any`` for every one.

    Attributes
    ----------
    port : int
        The port that is listened on.
    n_inbound : int
        Messages that clients sent.
    n_accepted : int
        Connections so far.
    n_turned_away : int
        Connections that were not accepted: too many clients.
    """

    def __init__(
        self,
        url: str,
        encoder: Encoder,
        host: str,
        port: int,
        *,
        is_text: bool = True,
        origin: str | None = None,
    ) -> None:
        self.url = url
        self.counters = SinkCounters()
        self.n_inbound = 0
        self.n_accepted = 0
        self.n_turned_away = 0
        self._encoder = encoder
        self._is_text = is_text
        self._origin = origin
        self._clients: set[ServerConnection] = set()
        self._newest: TrackedFrame | None = None
        self._hand_over = threading.Lock()
        self._socket = listening_socket(f"output {url!r}", host, port)
        self.port: int = self._socket.getsockname()[1]
        self._thread = LoopThread(self._serve, "livefacs-ws", _log, self.counters.fail, _JOIN_S)

    def send(self, tracked: TrackedFrame) -> None:
        """Hand the frame to the server's thread; one that still waits there is dropped."""
        self.counters.frames += 1
        if not self._clients:
            return
        with self._hand_over:
            is_waiting = self._newest is not None
            self._newest = tracked
        if not is_waiting:
            self._thread.call(self._broadcast)

    def close(self) -> None:
        """Close every connection and stop listening."""
        self._thread.close()

    async def _serve(self, stop: asyncio.Event) -> None:
        server: Server
        there: set[ServerConnection] = set()
        async with serve(
            self._serve_client,
            sock=self._socket,
            origins=self._origins(),
            process_request=self._admit,
            max_size=_MAX_INBOUND_BYTES,
            max_queue=4,
            compression=None,
            open_timeout=HEAD_S,
            close_timeout=1,
            backlog=BACKLOG,
            create_connection=noted_connections(there),
            logger=QUIET_LOGGER,
        ) as server:
            await stop.wait()
            self._broadcast()
            await close_websockets(server, there)

    def _origins(self) -> Sequence[re.Pattern[str] | None] | None:
        if self._origin == "any":
            return None
        named = self._origin.split(",") if self._origin else []
        extra = [re.compile(re.escape(origin)) for origin in named if origin]
        return [None, _LOCAL_ORIGIN, *extra]

    def _admit(self, connection: ServerConnection, _request: Request) -> Response | None:
        if len(self._clients) < _MAX_CLIENTS:
            return None
        self.n_turned_away += 1
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many clients\n")

    async def _serve_client(self, connection: ServerConnection) -> None:
        self._clients.add(connection)
        self.n_accepted += 1
        try:
            for _ in range(_MAX_INBOUND_MESSAGES):
                await connection.recv()
                self.n_inbound += 1
        except ConnectionClosed:
            pass
        finally:
            self._clients.discard(connection)

    def _broadcast(self) -> None:
        with self._hand_over:
            tracked, self._newest = self._newest, None
        if tracked is None:
            return
        counters = self.counters
        reading = {
            client
            for client in self._clients
            if client.transport.get_write_buffer_size() < _STALLED_BYTES
        }
        counters.refused += len(self._clients) - len(reading)
        if not reading:
            return
        for datagram in self._encoder.encode(tracked):
            payload = bytes(datagram)
            broadcast(reading, payload.decode() if self._is_text else payload)
            counters.packets += len(reading)
            counters.bytes += len(reading) * len(payload)
