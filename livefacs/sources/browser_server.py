"""The camera page behind an address: its files, and the WebSocket that brings its pictures."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from livefacs.clock import NS_PER_S
from livefacs.listeners import (
    BACKLOG,
    HEAD_S,
    QUIET_LOGGER,
    LoopThread,
    close_websockets,
    noted_connections,
)
from livefacs.resources import page_file
from livefacs.visitors import Visitors
from livefacs.wire.camera_page import MOST_JPEG_BYTES, PageClock, picture_from_message

_log = logging.getLogger(__name__)

PAGE: Final = "/camera"
_LIVE: Final = "/camera/live"
_KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_STATIC: Final = (
    *("style.css", "camera.css", "camera.en.json", "icon.svg", "js/dom.js"),
    *("js/camera/main.js", "js/camera/capture.js", "js/camera/sender.js"),
    *("fonts/newsreader.woff2", "fonts/instrument-sans.woff2"),
)
_FILES: Final = {PAGE: "camera.html", **{f"/static/{name}": name for name in _STATIC}}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "font-src 'self'; img-src 'self'; connect-src 'self' {sockets}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_MOST_HZ: Final = 120.0
_MOST_BAD_MESSAGES: Final = 16
_ASK_EVERY_S: Final = 1.0
_TICK_S: Final = 0.1
_UNANSWERED_NS: Final = 3 * NS_PER_S
_WITHOUT_PICTURE_NS: Final = 5 * NS_PER_S
_JOIN_S: Final = 3.0
_POLICY_VIOLATION: Final = 1008
_TRY_AGAIN_LATER: Final = 1013


class Inbox(Protocol):
    """Who takes what the page sends; called in the server's thread."""

    def take(self, jpeg: bytes, t_ns: int, arrived_ns: int) -> None:
        """One picture, not looked at yet, with its capture and arrival on the session's clock."""

    def look(self) -> None:
        """Called ten times a second: is it long since a picture came?"""

    def note_left(self) -> None:
        """The page that sent has gone."""

    def note_refused(self, reason: str) -> None:
        """Somebody who was connected sent what no page sends, or was one too many."""

    def fail(self, failure: BaseException) -> None:
        """The server has ended."""


@dataclass(frozen=True, slots=True)
class PageWishes:
    """What the page is to begin with, unless its user chooses otherwise."""

    width: int
    height: int
    rate_hz: float


class CameraPageServer:
    """Serves from a thread of its own until closed; one page at a time sends.

    Parameters
    ----------
    listening : socket
        Bound already; the server closes it.
    visitors : Visitors
    inbox : Inbox
    wishes : PageWishes
    clock : callable
        Nanoseconds of the session.
    tls : SSLContext or None
        None: plain HTTP.
    """

    def __init__(
        self,
        listening: socket.socket,
        visitors: Visitors,
        inbox: Inbox,
        wishes: PageWishes,
        clock: Callable[[], int],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._socket = listening
        self._visitors = visitors
        self._inbox = inbox
        self._wishes = wishes
        self._clock = clock
        self._tls = tls
        self._sender: ServerConnection | None = None
        self._thread = LoopThread(self._serve, "livefacs-camera-page", _log, inbox.fail, _JOIN_S)

    def close(self) -> None:
        """Let the page go and stop listening."""
        self._thread.close()

    async def _serve(self, stop: asyncio.Event) -> None:
        there: set[ServerConnection] = set()
        async with serve(
            self._serve_page,
            sock=self._socket,
            process_request=self._answer,
            max_size=MOST_JPEG_BYTES + 16,
            max_queue=2,
            compression=None,
            open_timeout=HEAD_S,
            close_timeout=1,
            ping_interval=None,  # the page's clock is asked all the time
            backlog=BACKLOG,
            create_connection=noted_connections(there),
            logger=QUIET_LOGGER,
            server_header=None,
            ssl=self._tls,
            ssl_handshake_timeout=None if self._tls is None else HEAD_S,
        ) as server:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _TICK_S)
                self._inbox.look()
            await close_websockets(server, there)

    # Files.

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """A file, a refusal, or None for a WebSocket that may open."""
        address = urlsplit(request.path)
        is_live = address.path == _LIVE
        headers = _only_headers(request.headers)
        refusal = self._visitors.refusal(
            headers, address.query, needs_origin=is_live, may_bring_token=not is_live
        )
        if refusal is not None:
            return _response(HTTPStatus.FORBIDDEN, f"livefacs camera: {refusal}\n".encode())
        if is_live:
            return None
        if self._visitors.is_brought(address.query):
            return self._welcome()
        if address.path == "/":
            return _response(HTTPStatus.SEE_OTHER, b"", {"Location": PAGE})
        file = _FILES.get(address.path)
        if file is None:
            return _response(HTTPStatus.NOT_FOUND, b"livefacs camera: there is no such page\n")
        path = page_file(file)
        kind = {"Content-Type": _KINDS[path.suffix]}
        return _response(HTTPStatus.OK, path.read_bytes(), kind, headers.get("host", ""))

    def _welcome(self) -> Response:
        """Keep the token in a cookie and out of the address bar, as the mirror does."""
        visitors = self._visitors
        cookie = f"{visitors.cookie}={visitors.token}; HttpOnly; Path=/; SameSite=lax; Secure"
        return _response(HTTPStatus.SEE_OTHER, b"", {"Location": PAGE, "Set-Cookie": cookie})

    # Pictures.

    async def _serve_page(self, connection: ServerConnection) -> None:
        if self._sender is not None:
            self._inbox.note_refused("a second page")
            with contextlib.suppress(ConnectionClosed):
                await connection.send(json.dumps({"type": "busy"}))
                await connection.close(_TRY_AGAIN_LATER, "another page sends its pictures")
            return
        self._sender = connection
        page = _Page(connection, self._inbox, self._wishes, self._clock)
        try:
            await page.serve()
        finally:
            self._sender = None
            self._inbox.note_left()


class _Page:
    """The talk with the page that sends."""

    def __init__(
        self,
        connection: ServerConnection,
        inbox: Inbox,
        wishes: PageWishes,
        clock: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._inbox = inbox
        self._wishes = wishes
        self._clock = clock
        self._page_clock = PageClock(clock)
        self._ticket: int | None = None
        self._ticket_ns = self._picture_ns = clock()
        self._n_bad = 0

    async def serve(self) -> None:
        """Until either end closes."""
        asking = asyncio.create_task(self._ask_time())
        try:
            async for message in self._connection:
                taken = (
                    await self._take_picture(message)
                    if isinstance(message, bytes)
                    else await self._take_text(message)
                )
                if not taken:
                    break
        except ConnectionClosed:
            pass
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _ask_time(self) -> None:
        """Ask the page's clock; close where it, or its pictures, stay away."""
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(self._page_clock.question())
            asked_ns = self._clock()
            while True:
                await asyncio.sleep(_TICK_S)
                now_ns = self._clock()
                if self._page_clock.waiting_ns > _UNANSWERED_NS:
                    await self._connection.close(_POLICY_VIOLATION, "the page does not answer")
                elif now_ns - self._picture_ns > _WITHOUT_PICTURE_NS:
                    await self._connection.close(_POLICY_VIOLATION, "no picture came")
                elif not self._page_clock.is_asked and now_ns - asked_ns > _ASK_EVERY_S * NS_PER_S:
                    asked_ns = now_ns
                    await self._connection.send(self._page_clock.question())

    async def _take_text(self, text: str) -> bool:
        if not self._page_clock.take_answer(text):
            self._n_bad += 1
            self._inbox.note_refused("a message that is no answer")
            if self._n_bad < _MOST_BAD_MESSAGES:
                return True
            return await self._refuse("messages that make no sense")
        if not self._page_clock.is_known:
            await self._connection.send(self._page_clock.question())
        elif self._ticket is None:
            wishes = self._wishes
            await self._give_ticket(
                type="go", width=wishes.width, height=wishes.height, rate_hz=wishes.rate_hz
            )
        return True

    async def _take_picture(self, message: bytes) -> bool:
        arrived_ns = self._clock()
        picture = picture_from_message(message)
        if picture is None or self._ticket is None or picture.ticket != self._ticket:
            self._inbox.note_refused("a picture out of turn")
            return await self._refuse("a picture without its ticket")
        t_ns = self._page_clock.session_ns(picture.page_ms, arrived_ns)
        self._inbox.take(picture.jpeg, t_ns, arrived_ns)
        self._picture_ns = arrived_ns
        early_s = 1 / _MOST_HZ - (self._clock() - self._ticket_ns) / NS_PER_S
        if early_s > 0:
            await asyncio.sleep(early_s)
        latency_ms = (arrived_ns - t_ns) / 1e6
        await self._give_ticket(type="next", latency_ms=round(latency_ms, 1))
        return True

    async def _give_ticket(self, **message: object) -> None:
        self._ticket, self._ticket_ns = secrets.randbits(32), self._clock()
        await self._connection.send(json.dumps({**message, "ticket": self._ticket}))

    async def _refuse(self, reason: str) -> bool:
        await self._connection.close(_POLICY_VIOLATION, reason)
        return False


def _only_headers(headers: Headers) -> dict[str, str]:
    """Names in lower case; of a header that stands twice nothing is believed."""
    return {
        name.lower(): value
        for name, value in headers.raw_items()
        if len(headers.get_all(name)) == 1
    }


def _response(
    status: HTTPStatus, body: bytes, more: dict[str, str] | None = None, host: str = ""
) -> Response:
    sockets = f"ws://{host} wss://{host}" if host else ""
    headers = Headers({name: value.format(sockets=sockets) for name, value in _HEADERS.items()})
    headers["Content-Type"] = "text/plain; charset=utf-8"
    for name, value in (more or {}).items():
        with contextlib.suppress(KeyError):
            del headers[name]
        headers[name] = value
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)
