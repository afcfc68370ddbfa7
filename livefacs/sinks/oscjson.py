"""OSCQuery over HTTP and mDNS: what is sent, offered to others; what others take, asked for.

Nothing is announced and nothing is asked for in the network unless a destination says so.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from livefacs.errors import SinkError
from livefacs.listeners import HEAD_S, listening_socket
from livefacs.protocols import Encoder
from livefacs.sinks.udp import UdpSink
from livefacs.types import TrackedFrame
from livefacs.visitors import Visitors, hosts_of, is_loopback, own_addresses
from livefacs.wire.oscquery import ATTRIBUTES, host_info, node_at, tree_from_messages
from livefacs.wire.oscreading import messages_from_osc
from livefacs.workers import Worker

MACHINE: Final = "machine"
NETWORK: Final = "network"
SERVICE: Final = "_oscjson._tcp.local."
_MOST_CONNECTIONS: Final = 16
_MOST_BYTES: Final = 4 << 20
_ANSWER_S: Final = 3.0
_JOIN_S: Final = 2.0


def import_zeroconf(url: str) -> Any:
    """The library for mDNS.

    Raises
    ------
    SinkError
        It is not installed.
    """
    try:
        import zeroconf
    except ImportError:
        raise SinkError(
            f"output {url!r}: oscquery={MACHINE} and {NETWORK} need the package zeroconf:"
            ' pip install "livefacs[oscquery]"; oscquery=PORT needs none'
        ) from None
    return zeroconf


@contextlib.contextmanager
def multicast(url: str, scope: str) -> Iterator[Any]:
    """mDNS within a scope: over the loopback interface alone, or over all of them.

    Raises
    ------
    SinkError
        The library is not installed, or multicast is not possible.
    """
    zeroconf = import_zeroconf(url)
    interfaces = ["127.0.0.1"] if scope == MACHINE else zeroconf.InterfaceChoice.All
    try:
        responder = zeroconf.Zeroconf(interfaces=interfaces)
    except OSError as error:
        raise SinkError(
            f"output {url!r}: mDNS is not possible here ({error.strerror or error}); expected a"
            " machine with multicast, or oscquery=PORT"
        ) from None
    try:
        yield responder
    finally:
        responder.close()


def fetch(host: str, port: int, path: str) -> bytes:
    """What a program answers to a GET: at most 4 MiB, within three seconds, from there alone.

    Raises
    ------
    OSError, http.client.HTTPException, ValueError
        It does not answer, or otherwise than with 200, too long or too late.
    """
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    connection.connect()
    with _ended_after(connection.sock, _ANSWER_S):
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            if response.status != HTTPStatus.OK:
                raise ValueError(f"{path}: answered with {response.status}")
            answer = response.read(_MOST_BYTES + 1)
        finally:
            connection.close()
    if len(answer) > _MOST_BYTES:
        raise ValueError(f"{path}: more than {_MOST_BYTES} bytes")
    return answer


@contextlib.contextmanager
def _ended_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """However slowly a peer drips its bytes."""

    def end() -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Server(ThreadingHTTPServer):
    """Answers GETs on a socket that is open already; each within its time."""

    daemon_threads = True

    def __init__(
        self, bound: socket.socket, visitors: Visitors, answer: Callable[[str, str], _Answer]
    ) -> None:
        super().__init__(bound.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.visitors = visitors
        self.answer = answer

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with _ended_after(request, HEAD_S):
            super().process_request_thread(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A visitor that went away is no event."""


_Answer = tuple[HTTPStatus, Mapping[str, Any] | None]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = HEAD_S

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        refusal = self.server.visitors.refusal(
            headers, parts.query, needs_origin=False, may_bring_token=False
        )
        if refusal is not None:
            status, body = HTTPStatus.FORBIDDEN, {"error": refusal}
        else:
            status, body = self.server.answer(unquote(parts.path), parts.query)  # type: ignore[assignment]
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class QueriedSink:
    """A UDP destination whose addresses others can look up by OSCQuery.

    Parameters
    ----------
    udp : UdpSink
    encoder : Encoder
        Like the destination's own; it makes the answers, in the server's threads.
    query : str or int
        ``machine``: served and announced to this machine alone; ``network``: to all; a port:
        served there on this machine, not announced.
    target : (host, port)
        Where the datagrams go.
    more : callable(address) -> mapping
        Further attributes of an address.

    Raises
    ------
    SinkError
        The port is taken, or mDNS is not possible.
    """

    def __init__(
        self,
        udp: UdpSink,
        encoder: Encoder,
        query: str | int,
        target: tuple[str, int],
        more: Callable[[str], Mapping[str, Any]],
    ) -> None:
        self.url, self.counters = udp.url, udp.counters
        self._udp = udp
        self._encoder = encoder
        self._encoding = threading.Lock()
        self._target = target
        self._more = more
        self._newest: TrackedFrame | None = None
        self._undo = contextlib.ExitStack()
        self._undo.callback(udp.close)
        host = "0.0.0.0" if query == NETWORK else "127.0.0.1"
        port = query if isinstance(query, int) else 0
        try:
            what = f"output {udp.url!r} (oscquery)"
            bound = listening_socket(what, host, port, n_most=_MOST_CONNECTIONS)
            self._server = _Server(bound, Visitors("livefacs", hosts_of(host)), self._answer)
            self._undo.callback(self._server.server_close)
            if isinstance(query, str):
                self._announce(query)
        except BaseException:
            self._undo.close()
            raise
        self._thread = Worker(self._server.serve_forever, "livefacs-oscquery")
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it is served."""
        return int(self._server.server_address[1])

    def send(self, tracked: TrackedFrame) -> None:
        """Send one frame, and keep it for whoever asks."""
        self._newest = tracked
        self._udp.send(tracked)

    def close(self) -> None:
        """Take the announcement back and let the ports go."""
        self._server.shutdown()
        self._thread.join(_JOIN_S)
        self._undo.close()

    def _announce(self, scope: str) -> None:
        zeroconf = import_zeroconf(self.url)
        responder = self._undo.enter_context(multicast(self.url, scope))
        addresses = ["127.0.0.1"] if scope == MACHINE else own_addresses()
        name = f"livefacs-{self.port}"
        info = zeroconf.ServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            addresses=[socket.inet_aton(address) for address in addresses],
            port=self.port,
            server=f"{name}.local.",
        )
        responder.register_service(info)
        self._undo.callback(responder.unregister_service, info)

    def _answer(self, path: str, query: str) -> _Answer:
        """In a thread of the server's."""
        if query == "HOST_INFO":
            return HTTPStatus.OK, host_info("livefacs", *self._target)
        node = node_at(self._tree(), path)
        if node is None:
            return HTTPStatus.NOT_FOUND, None
        if not query:
            return HTTPStatus.OK, node
        if query not in ATTRIBUTES:
            return HTTPStatus.BAD_REQUEST, None
        if query not in node:
            return HTTPStatus.NO_CONTENT, None
        return HTTPStatus.OK, {query: node[query]}

    def _tree(self) -> dict[str, Any]:
        newest = self._newest
        if newest is None:
            return tree_from_messages(())
        with self._encoding:
            datagrams = [bytes(each) for each in self._encoder.encode(newest)]
        messages = [each for datagram in datagrams for each in messages_from_osc(datagram)]
        return tree_from_messages(messages, self._more)


def addresses_alike(host: str, found: Sequence[str]) -> str | None:
    """Which of a service's addresses is that of a host; None: it runs elsewhere."""
    if is_loopback(host):
        return next((each for each in found if is_loopback(each) or each in own_addresses()), None)
    try:
        meant = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        meant = {host}
    return next((each for each in found if each in meant), None)
