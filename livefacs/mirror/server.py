"""The mirror: page, live feed, practice, coding and progress behind one local address."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import mimetypes
import os
import socket
import threading
import urllib.request
from collections.abc import Callable, Sequence
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from livefacs.clock import now_ns
from livefacs.errors import SinkError
from livefacs.listeners import BACKLOG, limit_log_of, stop_accepting
from livefacs.mirror import http_calls, letters_api, profiles_api, stage_api, teacher_api
from livefacs.mirror.core import MirrorCore, MirrorHooks, MirrorOptions
from livefacs.mirror.guard import Guard
from livefacs.mirror.http import BoundedHttp
from livefacs.mirror.page import Page
from livefacs.mirror.stage_page import StagePage
from livefacs.mirror.texts import STATIC
from livefacs.protocols import RigRetargeter
from livefacs.visitors import hosts_of, is_loopback, new_token, reachable_host
from livefacs.workers import Worker

_log = logging.getLogger(__name__)

_START_S: Final = 10.0
_STOP_S: Final = 3.0
_MOST_BYTES: Final = 64 * 1024  # of one message of a page

for _suffix, _kind in {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}.items():
    mimetypes.add_type(_kind, _suffix)  # some systems say otherwise, and browsers then refuse them


class Mirror(MirrorCore):
    """The web mirror. ``start`` serves in a thread of its own; ``feed`` is the session's sink.

    Parameters
    ----------
    options, hooks, puppets, clock : as of ``MirrorCore``

    Attributes
    ----------
    url : str
        What to open in a browser; carries the token where one is needed.

    Raises
    ------
    SinkError
        The port is taken, or the address is not of this machine.
    """

    def __init__(
        self,
        options: MirrorOptions | None = None,
        hooks: MirrorHooks | None = None,
        puppets: Sequence[RigRetargeter] = (),
        clock: Callable[[], int] = now_ns,
    ) -> None:
        options = options or MirrorOptions()
        self._socket = _bind(options.host, options.port)
        try:
            super().__init__(options, hooks or MirrorHooks(), puppets, clock)
        except BaseException:
            self._socket.close()
            raise
        self.token = None if is_loopback(self.options.host) else new_token()
        self._server = _Server(
            uvicorn.Config(
                self.application(),
                log_level="warning",
                log_config=None,
                lifespan="off",
                http=BoundedHttp,
                backlog=BACKLOG,
                ws="websockets-sansio",
                ws_max_size=_MOST_BYTES,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
                server_header=False,
            )
        )
        self._thread = Worker(self._serve, "livefacs-mirror", self._note_failure)

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Address to open."""
        host = reachable_host(self.options.host)
        query = "" if self.token is None else f"?token={self.token}"
        return f"http://{host}:{self.port}/{query}"

    @property
    def stage_url(self) -> str:
        """Address of the stage; carries the token where one is needed."""
        return self.url.replace(f":{self.port}/", f":{self.port}/stage", 1)

    def application(self) -> Guard:
        """The ASGI application."""
        routes = [
            *http_calls.routes(self),
            *letters_api.routes(self),
            *teacher_api.routes(self),
            *profiles_api.routes(self),
            *stage_api.routes(self),
            WebSocketRoute("/live", self._live),
            WebSocketRoute("/stage/live", self._stage_live),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        return Guard(Starlette(routes=routes), hosts_of(self.options.host), self.token)

    def start(self) -> None:
        """Serve from now on; returns when the address answers.

        Raises
        ------
        SinkError
            It does not within ten seconds.
        """
        self._thread.start()
        in_time = self._server.is_up.wait(_START_S)
        if not in_time or self._thread.failure is not None:
            reason = self._thread.failure or f"no answer within {_START_S:.0f} s"
            raise SinkError(f"the mirror did not start at {self.url}: {reason}")

    def stop(self) -> None:
        """Close every page, the progress file and the feed."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=_STOP_S)
        self.feed.shut()
        self.stage.shut()
        self.guidance.shut()
        self._socket.close()
        self.progress.close()

    def _note_failure(self, failure: BaseException) -> None:
        self.feed.counters.fail(failure)  # a session that the mirror shows ends with it
        self._server.is_up.set()  # nobody need wait any longer

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    async def _live(self, socket: WebSocket) -> None:
        await Page(self, socket).serve()

    async def _stage_live(self, socket: WebSocket) -> None:
        await StagePage(self, socket).serve()


class _Server(uvicorn.Server):
    """Says when it answers; leaves signals to the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        limit_log_of(asyncio.get_running_loop(), _log)
        await super().startup(sockets=sockets)
        self.is_up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            await stop_accepting(server.sockets)
        await super().shutdown(sockets=sockets)
        # Whoever was let in while it closed was not asked to go, and would be left half open.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # in which they go


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket, bound at once so that a busy port is told before the camera opens.

    Raises
    ------
    SinkError
        The port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it would share a port that is in use
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except (OSError, UnicodeError, TypeError) as error:
        bound.close()
        raise SinkError(_format_bind_error(error, host, port)) from None
    return bound


def _format_bind_error(error: Exception, host: str, port: int) -> str:
    if not isinstance(error, OSError):
        return f"cannot listen on {host}:{port}: no name of a host"
    if error.errno == errno.EADDRINUSE:
        if _is_mirror(port):
            return (
                f"a livefacs mirror runs already at http://127.0.0.1:{port}/: open that, stop it, "
                f"or start this one with another --port"
            )
        return f"port {port} on {host} is taken by another program: choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs administrator rights: choose one from 1024 on with --port"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"


def _is_mirror(port: int) -> bool:
    """True when a mirror answers there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/hello", timeout=0.5) as answer:
            return bool(json.loads(answer.read(4096)).get("name") == "livefacs mirror")
    except (OSError, ValueError, AttributeError):
        return False
