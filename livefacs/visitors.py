"""Who may talk to a page of this machine: the right Host, the right Origin, a token."""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
_ANY_ADDRESS: Final = ("0.0.0.0", "::", "")


class Visitors:
    """The rule by which requests are let in.

    Parameters
    ----------
    cookie : str
        Name of the cookie that keeps the token.
    hosts : names or addresses under which the page may be asked for, without port
    token : str or None
        Asked of every visitor where it is set: once as ``?token=``, then as a cookie.
    """

    def __init__(
        self, cookie: str, hosts: Iterable[str] = LOOPBACK_NAMES, token: str | None = None
    ) -> None:
        self.cookie = cookie
        self._hosts = frozenset(host.lower() for host in hosts)
        self.token = token

    def refusal(
        self, headers: Mapping[str, str], query: str, *, needs_origin: bool, may_bring_token: bool
    ) -> str | None:
        """Why a request is refused, in words; None where it is let in.

        Parameters
        ----------
        headers : mapping
            That finds names in lower case.
        query : str
            What stands behind the question mark.
        needs_origin : bool
            True for what changes something, or streams.
        may_bring_token : bool
            True where the token may stand in the address.
        """
        host = headers.get("host", "")
        if name_of(host) not in self._hosts:
            return f"unknown host {host[:80]!r}: open the address that livefacs printed"
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return f"refused: asked from another page ({origin[:80]})"
        if needs_origin and origin is None:
            return "refused: this call needs an Origin header of the mirror itself"
        if self.token is None or self._has_cookie(headers):
            return None
        if may_bring_token and self.is_brought(query):
            return None
        return "a token is needed: open the full address that livefacs printed"

    def is_brought(self, query: str) -> bool:
        """Whether a token is asked for, and the address has it."""
        if self.token is None:
            return False
        return any(self._is_token(value) for value in parse_qs(query).get("token", []))

    def _is_token(self, text: str) -> bool:
        known = (self.token or "").encode()
        return hmac.compare_digest(text.encode("utf-8", "replace"), known)

    def _has_cookie(self, headers: Mapping[str, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(16)


def name_of(host: str) -> str:
    """Host without its port; IPv6 keeps its brackets."""
    host = host.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if ":" in host else host


def is_loopback(host: str) -> bool:
    """True for addresses that only this machine reaches."""
    return host in {"127.0.0.1", "localhost", "::1"} or host.startswith("127.")


def hosts_of(host: str) -> set[str]:
    """Names under which a browser may ask for what listens on an address."""
    hosts = {*LOOPBACK_NAMES, reachable_host(host)}
    if not is_loopback(host):
        name = socket.gethostname().lower()
        hosts |= {name, f"{name}.local", *own_addresses()}
    return hosts


def reachable_host(host: str) -> str:
    """How a browser may call it: an address for a wildcard, brackets round IPv6."""
    if host in _ANY_ADDRESS:
        addresses = own_addresses()
        return addresses[0] if addresses else "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def own_addresses() -> list[str]:
    """IPv4 addresses of this machine, the one towards the network first; sends nothing."""
    found: list[str] = []
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
        contextlib.suppress(OSError),  # no network: loopback is all there is
    ):
        probe.connect(("192.0.2.1", 9))  # TEST-NET: only chooses the route
        found.append(str(probe.getsockname()[0]))
    with contextlib.suppress(OSError):  # a host name that nobody resolves
        infos = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        found += [str(info[4][0]) for info in infos]
    return list(dict.fromkeys(found))
