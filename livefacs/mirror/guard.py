"""Who may talk to the mirror: the right Host, the right Origin, and a token from the network."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from livefacs.visitors import LOOPBACK_NAMES, Visitors, name_of

COOKIE: Final = "livefacs-mirror"
_SAFE: Final = ("GET", "HEAD")

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' blob:; connect-src 'self' {sockets}; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class Guard:
    """ASGI middleware around the whole mirror.

    Parameters
    ----------
    app : ASGI application
    hosts : names or addresses under which the mirror may be asked for, without port
    token : str or None
        Asked of every visitor where it is set: once as ``?token=``, then as a cookie.
    """

    def __init__(
        self, app: ASGIApp, hosts: Iterable[str] = LOOPBACK_NAMES, token: str | None = None
    ):
        self._app = app
        self._visitors = Visitors(COOKIE, hosts, token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it with one plain line."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_http = scope["type"] == "http"
        query = scope["query_string"].decode("latin-1")
        refusal = self._visitors.refusal(
            headers,
            query,
            needs_origin=not is_http or scope["method"] not in _SAFE,
            may_bring_token=is_http,
        )
        if refusal is not None:
            await _refuse(scope, receive, send, refusal)
        elif is_http and self._visitors.is_brought(query):
            await self._welcome(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send, headers.get("host", "")))

    async def _welcome(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the token in a cookie and out of the address bar.

        ``lax``: the address is often opened from a message, which is another site; what changes
        anything asks for the mirror's own Origin besides.
        """
        response = RedirectResponse(scope["path"], status_code=303)
        response.set_cookie(
            COOKIE, self._visitors.token or "", httponly=True, samesite="lax", path="/"
        )
        await response(scope, receive, send)


def is_of_this_machine(request: Request) -> bool:
    """Whether who asks sits at the machine that serves."""
    host = "" if request.client is None else request.client.host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason[:120]})
        return
    await PlainTextResponse(f"livefacs mirror: {reason}\n", 403)(scope, receive, send)


def _with_headers(send: Send, host: str) -> Send:
    policy = POLICY.format(sockets=f"ws://{host} wss://{host}")

    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = policy
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
            if name_of(host) in LOOPBACK_NAMES:  # elsewhere browsers heed it over https only
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
            headers.setdefault("Cache-Control", "no-cache")
        await send(message)

    return send_guarded
