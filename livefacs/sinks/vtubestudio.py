"""VTube Studio: a WebSocket client in a thread of its own that never delays a frame."""

from __future__ import annotations

import threading
import time
from typing import Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from livefacs.listeners import QUIET_LOGGER
from livefacs.sinks.tokens import TokenStore
from livefacs.slot import Slot
from livefacs.types import SinkCounters, TrackedFrame
from livefacs.wire import vts
from livefacs.workers import Worker

_RESEND_S: Final = 0.5  # a parameter that is silent for a second falls back to VTube Studio
_RESEND_FOR_S: Final = 5.0  # after a stop, control goes back by itself
_RETRY_S: Final = (0.5, 1.0, 2.0, 5.0)
_REPLY_S: Final = 5.0
_POLL_S: Final = 0.2
_MAX_REPLY_BYTES: Final = 1 << 20
_JOIN_S: Final = 2.0
_MAX_STRAY: Final = 100


class _Denied(Exception):
    """The user declined the plug-in: asking again would only open the dialog once more."""


class VtsSink:
    """Injects parameters into VTube Studio, newest frame first.

    Connects, authenticates (the token is kept for the next time), creates parameters that VTube
    Studio lacks, injects, and reconnects when the connection is lost. A denial ends the attempts
    of this session; ``counters.last_error`` says what to do.

    Parameters
    ----------
    url : str
    encoder : vts.VtsEncoder
    host, port : where VTube Studio's API listens
    tokens : TokenStore or None
    """

    def __init__(
        self,
        url: str,
        encoder: vts.VtsEncoder,
        host: str,
        port: int,
        tokens: TokenStore | None = None,
    ) -> None:
        self.url = url
        self.counters = SinkCounters()
        self._encoder = encoder
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._tokens = tokens or TokenStore()
        self._slot: Slot[TrackedFrame] = Slot()
        self._closing = threading.Event()
        self._connection: ClientConnection | None = None
        self._thread = Worker(self._run, "livefacs-vts", self.counters.fail)
        self._thread.start()

    def send(self, tracked: TrackedFrame) -> None:
        """Leave the frame for the sending thread; an older one that still waits is dropped."""
        self.counters.frames += 1
        self._slot.put(tracked)

    def close(self) -> None:
        """Let the last frame out and disconnect."""
        self._slot.close()
        self._closing.set()
        self._thread.join(_JOIN_S)
        connection = self._connection
        if self._thread.is_alive() and connection is not None:
            connection.socket.close()  # the other side stalls: wake the sending thread
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        n_failed = 0
        while not self._closing.is_set():
            began = time.monotonic()
            try:
                self._converse()
            except _Denied:
                return
            except (OSError, WebSocketException, ValueError, TimeoutError) as error:
                self.counters.refused += 1
                self.counters.last_error = f"VTube Studio at {self._address}: {error}"
            n_failed = 0 if time.monotonic() - began > max(_RETRY_S) else n_failed + 1
            self._closing.wait(_RETRY_S[min(n_failed, len(_RETRY_S)) - 1])

    def _converse(self) -> None:
        with connect(
            f"ws://{self._address}",
            open_timeout=_REPLY_S,
            close_timeout=0.5,
            max_size=_MAX_REPLY_BYTES,
            compression=None,
            proxy=None,
            logger=QUIET_LOGGER,
        ) as connection:
            self._connection = connection
            try:
                self._authenticate(connection)
                self._inject(connection)
            finally:
                self._connection = None

    def _authenticate(self, connection: ClientConnection) -> None:
        token = self._tokens.get(self._address)
        for attempt in (1, 2):
            if token is None:
                token = self._new_token(connection)
            connection.send(vts.authentication_request(token))
            reply = self._reply(connection, "auth")
            if reply is not None and reply.data.get("authenticated") is True:
                self.counters.last_error = ""
                return
            token = None  # revoked, or of another installation: ask once more
            self._tokens.put(self._address, None)
            if attempt == 2 or reply is None:
                raise ValueError("authentication failed")

    def _new_token(self, connection: ClientConnection) -> str:
        self.counters.last_error = "click Allow in VTube Studio's plug-in dialog"
        connection.send(vts.token_request())
        reply = self._reply(connection, "token", patience_s=None)
        if reply is None:
            raise ValueError("closed while waiting for the plug-in dialog")
        if reply.error:
            self.counters.refused += 1
            self.counters.last_error = (
                f"VTube Studio denied access ({reply.text or reply.error}); allow plug-ins in its "
                "settings and start again"
            )
            if reply.error == vts.DENIED:
                raise _Denied
            raise ValueError(self.counters.last_error)
        token = vts.token_from_reply(reply)
        self._tokens.put(self._address, token)
        return token

    def _reply(
        self, connection: ClientConnection, request_id: str, patience_s: float | None = _REPLY_S
    ) -> vts.Reply | None:
        """The reply to a request; None on closing. ``patience_s`` None waits for the user."""
        until = None if patience_s is None else time.monotonic() + patience_s
        n_stray = 0
        while not self._closing.is_set():
            if until is not None and time.monotonic() > until:
                raise TimeoutError(f"no reply to {request_id!r}")
            try:
                reply = vts.reply_from_text(connection.recv(timeout=_POLL_S))
            except TimeoutError:
                continue
            if reply.request_id == request_id:
                return reply
            n_stray += 1
            if n_stray > _MAX_STRAY:
                raise ValueError("too many replies that nobody asked for")
        return None

    def _inject(self, connection: ClientConnection) -> None:
        tracked: TrackedFrame | None = None
        wanted: list[str] = []
        newest_at = 0.0
        while True:
            newer = self._slot.get(_RESEND_S)
            if newer is not None:
                tracked, newest_at = newer, time.monotonic()
            elif self._closing.is_set():
                return
            if tracked is None or time.monotonic() - newest_at > _RESEND_FOR_S:
                self._drain(connection)
                continue
            if (names := self._encoder.names(tracked)) != wanted:
                self._encoder.allow(self._available(connection, names))
                wanted = names
            for payload in self._encoder.encode(tracked):
                connection.send(payload, text=True)
                self.counters.packets += 1
                self.counters.bytes += len(payload)
            self._drain(connection)

    def _available(self, connection: ClientConnection, names: list[str]) -> set[str]:
        """The parameters that can be injected; those that are missing are created."""
        connection.send(vts.parameter_list_request())
        reply = self._reply(connection, "list")
        known = set() if reply is None else vts.parameter_names(reply)
        for name in names:
            request = None if name in known else vts.creation_request(name)
            if request is None:
                continue
            connection.send(request)
            created = self._reply(connection, f"new:{name}")
            if created is not None and not created.error:
                known.add(name)
        left_out = [name for name in names if name not in known]
        if left_out:
            self.counters.last_error = f"not available in VTube Studio: {', '.join(left_out)}"
        return known

    def _drain(self, connection: ClientConnection) -> None:
        """Read the replies that have come; errors are counted."""
        for _ in range(_MAX_STRAY):
            try:
                text = connection.recv(timeout=0)
            except TimeoutError:
                return
            try:
                reply = vts.reply_from_text(text)
            except ValueError as error:
                self.counters.refused += 1
                self.counters.last_error = str(error)
                continue
            if reply.error:
                self.counters.refused += 1
                self.counters.last_error = f"VTube Studio: {reply.text}"
