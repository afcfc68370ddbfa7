"""A gate before a ZeroMQ socket: counts connections, parts and bytes of a message as they come.

libzmq bounds the size of a part and nothing else: it gathers a message of any number of parts in
memory before anybody can look at it. The gate reads ZMTP's framing (RFC 37: a greeting of 64 bytes,
then frames of flags, size, body) on its way in, and drops whoever goes beyond.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import Final

from livefacs.sinks.listeners import BACKLOG, HEAD_S, MOST_CONNECTIONS, limit_log_of
from livefacs.workers import Worker

MOST_PARTS: Final = 64
MOST_MESSAGE_BYTES: Final = 16 * 1024
_GREETING_BYTES: Final = 64
_MORE, _LONG, _COMMAND = 1, 2, 4
_BLOCK_BYTES: Final = 16 * 1024
_JOIN_S: Final = 2.0

_log = logging.getLogger(__name__)


class ZmtpMeter:
    """Follows the bytes that one peer sends.

    Attributes
    ----------
    is_greeted : bool
        The greeting is whole, and a first frame after it.
    """

    def __init__(self) -> None:
        self.is_greeted = False
        self._to_skip = _GREETING_BYTES
        self._head = bytearray()
        self._n_parts = 0
        self._n_bytes = 0

    def feed(self, data: bytes) -> bool:
        """Take bytes; False where they go beyond what a request may have."""
        at = 0
        while at < len(data):
            if self._to_skip:
                step = min(self._to_skip, len(data) - at)
                self._to_skip -= step
                at += step
                continue
            self._head.append(data[at])
            at += 1
            flags = self._head[0]
            if len(self._head) < (9 if flags & _LONG else 2):
                continue
            if not self._count(flags, int.from_bytes(self._head[1:], "big")):
                return False
            self._head.clear()
        return True

    def _count(self, flags: int, size: int) -> bool:
        self.is_greeted = True
        self._n_parts += 1
        self._n_bytes += size
        self._to_skip = size
        is_within = self._n_parts <= MOST_PARTS and self._n_bytes <= MOST_MESSAGE_BYTES
        if not flags & _MORE or flags & _COMMAND:
            self._n_parts = self._n_bytes = 0
        return is_within


class ZmtpGate:
    """Listens in a socket's place and passes on what its meter lets through.

    Parameters
    ----------
    listening : socket.socket
        Bound; the gate owns it.
    inner_port : int
        Where the real socket listens, on 127.0.0.1.

    Attributes
    ----------
    n_dropped : int
        Connections that were dropped: too many, too slow, or a request too large.
    """

    def __init__(self, listening: socket.socket, inner_port: int) -> None:
        self.n_dropped = 0
        self._listening = listening
        self._inner_port = inner_port
        self._there: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = Worker(self._run, "livefacs-zmq-gate", lambda error: None)
        self._thread.start()

    def close(self) -> None:
        """Drop every connection and stop listening."""
        with contextlib.suppress(RuntimeError):  # it has just ended by itself
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        limit_log_of(asyncio.get_running_loop(), _log)
        server = await asyncio.start_server(
            self._pass_on, sock=self._listening, backlog=BACKLOG, limit=_BLOCK_BYTES
        )
        async with server:
            await self._stop.wait()
            for task in tuple(self._there):
                task.cancel()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            if len(self._there) >= MOST_CONNECTIONS:
                self.n_dropped += 1
                return
            self._there.add(task)
            inner = await asyncio.open_connection("127.0.0.1", self._inner_port, limit=_BLOCK_BYTES)
            back = asyncio.ensure_future(_copy(inner[0], writer))
            try:
                await self._copy_metered(reader, inner[1])
            finally:
                back.cancel()
                inner[1].close()
        except (OSError, asyncio.CancelledError):
            pass  # either end has gone, or the gate closes
        finally:
            self._there.discard(task)
            writer.transport.abort()

    async def _copy_metered(
        self, reader: asyncio.StreamReader, inner: asyncio.StreamWriter
    ) -> None:
        meter = ZmtpMeter()
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + HEAD_S
        while True:
            patience_s = None if meter.is_greeted else max(0.0, ends_at - loop.time())
            try:
                data = await asyncio.wait_for(reader.read(_BLOCK_BYTES), patience_s)
            except TimeoutError:
                self.n_dropped += 1
                return
            if not data:
                return
            if not meter.feed(data):
                self.n_dropped += 1
                return
            inner.write(data)
            await inner.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_BLOCK_BYTES):
            writer.write(data)
            await writer.drain()
