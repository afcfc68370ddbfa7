"""What every listener keeps to: connections, seconds for a head, bytes of a message, log lines.

=================  ===========  ==============  ==========================================
listener           connections  seconds a head  bytes of a message
=================  ===========  ==============  ==========================================
``ws://``          64, 32 read  5               1,024
``zmq://``         64           5 (handshake)   subscriptions only: 64, 4,096 in all
ZeroMQ's control   64           5 (handshake)   4,096 a part, 64 parts, 16,384 in all
OSC's control      UDP          none            4,096
the mirror         64           5, with a body  65,536
``browser://``     64           5               2,097,152 (one picture)
``listen vts://``  64, 8 heard  5               131,072
``oscquery=``      16           5, with answer  GETs alone
=================  ===========  ==============  ==========================================

A ZeroMQ peer's commands (PING and the like) and subscriptions are 1,000 a second at most.
Whoever goes beyond is dropped; what a listener logs of it is a line a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection
from websockets.protocol import State

from livefacs.errors import LivefacsError, SinkError
from livefacs.workers import Worker

MOST_CONNECTIONS: Final = 64
HEAD_S: Final = 5.0
"""From the first byte (or from connecting) until a request or handshake is whole."""
BACKLOG: Final = 16
"""Connections that wait to be accepted. With no descriptor left, asyncio reports one each."""
_LOG_S: Final = 1.0

QUIET_LOGGER: Final = logging.getLogger("livefacs.quiet")
"""For libraries whose complaints are counted here, not printed."""
QUIET_LOGGER.addHandler(logging.NullHandler())
QUIET_LOGGER.propagate = False


class _BoundedSocket(socket.socket):
    """Ends at once the connection of whoever is one too many, before a byte of them is read.

    Connections count from here, not from what a server makes of them: to asyncio, one that shakes
    hands over TLS is no connection yet.
    """

    def __init__(self, listening: socket.socket, n_most: int) -> None:
        super().__init__(listening.family, listening.type, fileno=listening.detach())
        self._n_most = n_most
        self._there: set[socket.socket] = set()

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises ``ConnectionAbortedError`` for one too many, as where it went away meanwhile.

        A server with threads would end by that, or wait here while it closes: it is given the
        connection, at its end.
        """
        connection, address = super().accept()
        self._there = {each for each in self._there if each.fileno() >= 0}
        if len(self._there) < self._n_most:
            self._there.add(connection)
        elif self.getblocking():
            with contextlib.suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)
        else:
            connection.close()
            raise ConnectionAbortedError("too many connections")
        return connection, address


def listening_socket(
    what: str,
    host: str,
    port: int,
    error_type: type[LivefacsError] = SinkError,
    n_most: int = MOST_CONNECTIONS,
) -> socket.socket:
    """Open the port of an output or source; port 0 takes a free one.

    Parameters
    ----------
    what : str
        Whose it is, for the error: ``output 'ws://:9001'``.
    host, port : where to listen
    error_type : type of the error
    n_most : int
        Connections at once.

    Raises
    ------
    LivefacsError
        It is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        return _BoundedSocket(listening, n_most)
    except (OSError, OverflowError, UnicodeError, TypeError) as error:
        raise error_type(
            f"{what}: cannot listen on {host}:{port} ({error}); "
            "expected a free port on an address of this machine"
        ) from None


async def stop_accepting(listening: Iterable[socket.socket]) -> None:
    """Let nobody else in, and bring those that are half in as far as their handler.

    Call it before ``Server.close``: what a server has accepted when it is closed, but not yet made
    a transport of, stays open and unknown to everybody (CPython's ``Server._attach`` before 3.13).
    """
    loop = asyncio.get_running_loop()
    for each in listening:
        with contextlib.suppress(NotImplementedError):  # the mirror's loop, on Windows
            loop.remove_reader(each.fileno())
    for _ in range(4):  # accepted, a transport, connection_made, the first step of the handler
        await asyncio.sleep(0)


def noted_connections(there: set[ServerConnection]) -> type[ServerConnection]:
    """Connections of one WebSocket server, for ``close_websockets``.

    ``there`` holds them, those that are still shaking hands, which the server does not count,
    included.
    """

    class NotedConnection(ServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            there.add(self)

        def connection_lost(self, exc: Exception | None) -> None:
            there.discard(self)
            super().connection_lost(exc)

    return NotedConnection


async def close_websockets(server: Server, there: set[ServerConnection]) -> None:
    """Close a server of ``noted_connections``; handshakes are not waited for."""
    await stop_accepting(server.sockets)
    for connection in tuple(there):
        if connection.state is not State.OPEN:
            connection.transport.abort()
    server.close()


class LoopThread:
    """An event loop in a thread of its own, for one listener.

    Parameters
    ----------
    serve : callable(asyncio.Event) that gives a coroutine
        Listens until the event is set.
    name : str
        Of the thread.
    log : logging.Logger
        Takes what the loop complains of, a line a second.
    on_failure : callable(exception)
        Called from the thread where serving ends by an error.
    join_s : float
        So long ``close`` waits.
    """

    def __init__(
        self,
        serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
        name: str,
        log: logging.Logger,
        on_failure: Callable[[BaseException], object],
        join_s: float,
    ) -> None:
        self._make = serve
        self._log = log
        self._join_s = join_s
        self._loop = asyncio.SelectorEventLoop()  # the other one of Windows accepts by itself
        self._stop = asyncio.Event()
        self._thread = Worker(self._run, name, on_failure)
        self._thread.start()

    def call(self, act: Callable[[], object]) -> None:
        """Let the loop do something soon; nothing where it has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(act)

    def close(self) -> None:
        """Tell it to end, and wait for that."""
        if self._thread.is_alive():
            self.call(self._stop.set)
            self._thread.join(self._join_s)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        limit_log_of(asyncio.get_running_loop(), self._log)
        await self._make(self._stop)


class LimitedLog:
    """Logs one line a second at most, and how many it left out.

    Parameters
    ----------
    log : logging.Logger
    clock : callable that gives seconds
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._next_s = 0.0
        self._left_out = 0

    def warning(self, text: str) -> None:
        """One line, where there has been none for a second."""
        now_s = self._clock()
        if now_s < self._next_s:
            self._left_out += 1
            return
        more = f" ({self._left_out} more like it)" if self._left_out else ""
        self._next_s, self._left_out = now_s + _LOG_S, 0
        self._log.warning("%s%s", text, more)


def limit_log_of(loop: asyncio.AbstractEventLoop, log: logging.Logger) -> None:
    """Let a loop say what went wrong in a line a second, not in a traceback for each connection."""
    limited = LimitedLog(log)

    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        reason = f": {error}" if error is not None else ""
        limited.warning(f"{context.get('message', 'listener')}{reason}")

    loop.set_exception_handler(handle)
