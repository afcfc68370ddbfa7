"""Who may talk to the mirror: the right Host, the right Origin, and a token from the network."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "livefacs-mirror"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
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

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = _LOOPBACK, token: str | None = None):
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it with one plain line."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(scope, receive, send, refusal)
        elif self._brings_token(scope):
            await self._welcome(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send, headers.get("host", "")))

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            return f"unknown host {host[:80]!r}: open the address that livefacs printed"
        origin = headers.get("origin")
        same = origin is not None and origin.partition("://")[2] == host
        if origin is not None and not same:
            return f"refused: asked from another page ({origin[:80]})"
        needs_origin = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if needs_origin and origin is None:
            return "refused: this call needs an Origin header of the mirror itself"
        if self._token is not None and not (self._has_cookie(headers) or self._brings_token(scope)):
            return "a token is needed: open the full address that livefacs printed"
        return None

    def _is_token(self, text: str) -> bool:
        known = (self._token or "").encode()
        return hmac.compare_digest(text.encode("utf-8", "replace"), known)

    def _brings_token(self, scope: Scope) -> bool:
        if self._token is None or scope["type"] != "http":
            return False
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return any(self._is_token(value) for value in query.get("token", []))

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)

    async def _welcome(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the token in a cookie and out of the address bar.

        ``lax``: the address is often opened from a message, which is another site; what changes
        anything asks for the mirror's own Origin besides.
        """
        response = RedirectResponse(scope["path"], status_code=303)
        response.set_cookie(COOKIE, self._token or "", httponly=True, samesite="lax", path="/")
        await response(scope, receive, send)


def is_of_this_machine(request: Request) -> bool:
    """Whether who asks sits at the machine that serves."""
    host = "" if request.client is None else request.client.host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _name_of(host: str) -> str:
    """Host without its port; IPv6 keeps its brackets."""
    host = host.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if ":" in host else host


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
            if _name_of(host) in _LOOPBACK:  # elsewhere browsers heed it over https only
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
            headers["Cross-Origin-Resource-Policy"] = "same-origin"
            headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
            headers.setdefault("Cache-Control", "no-cache")
        await send(message)

    return send_guarded
