"""VRChat's avatar parameters as the worn avatar has them, asked for by OSCQuery now and then."""

from __future__ import annotations

import contextlib
import http.client
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

from livefacs.protocols import Encoder
from livefacs.sinks.oscjson import SERVICE, addresses_alike, fetch, import_zeroconf, multicast
from livefacs.sinks.udp import UdpSink
from livefacs.types import TrackedFrame
from livefacs.wire.avatar import Avatar, avatar_from_parameters
from livefacs.wire.oscquery import parameters_from_tree
from livefacs.workers import Worker

_log = logging.getLogger(__name__)

_NAME: Final = "VRChat-Client"
_PERIOD_S: Final = 2.0
_JOIN_S: Final = 2.0
_INFO_MS: Final = 1500
_SETTLING: Final = 3  # looks after a change: the tree may come to be in parts
_CHANGE: Final = "/avatar/change"


class AvatarSink:
    """Sends what the worn avatar takes; until it is known, what the destination says.

    Parameters
    ----------
    url : str
    host, port : where the datagrams go
    query : str or int
        ``machine`` or ``network``: VRChat is looked for there by mDNS; a port: that of its HTTP.
    encoder_for : callable(Avatar or None) -> Encoder
    broadcast : bool

    Raises
    ------
    SinkError
        The host is unknown, or mDNS is not possible.
    """

    def __init__(
        self,
        url: str,
        host: str,
        port: int,
        query: str | int,
        encoder_for: Callable[[Avatar | None], Encoder],
        *,
        broadcast: bool = False,
    ) -> None:
        self._host = host
        self._query = query
        self._encoder_for = encoder_for
        self._undo = contextlib.ExitStack()
        self._udp = UdpSink(url, encoder_for(None), host, port, broadcast=broadcast)
        self.url, self.counters = url, self._udp.counters
        self._undo.callback(self._udp.close)
        self._found: dict[str, None] = {}
        self._responder: Any = None
        try:
            if isinstance(query, str):
                self._responder = self._undo.enter_context(multicast(url, query))
                import_zeroconf(url).ServiceBrowser(self._responder, SERVICE, handlers=[self._note])
        except BaseException:
            self._undo.close()
            raise
        self._avatar: Avatar | None = None
        self._worn: object = None
        self._settling = _SETTLING
        self._next: Encoder | None = None
        self._stop = threading.Event()
        self._thread = Worker(self._watch, "livefacs-avatar")
        self._thread.start()

    def send(self, tracked: TrackedFrame) -> None:
        """Send one frame, as the avatar that was seen last takes it."""
        if (encoder := self._next) is not None:
            self._next, self._udp.encoder = None, encoder
        self._udp.send(tracked)

    def close(self) -> None:
        """Ask no more, and let the socket go."""
        self._stop.set()
        self._thread.join(_JOIN_S)
        self._undo.close()

    # The thread that asks.

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._look()
            except (OSError, ValueError, http.client.HTTPException) as error:
                _log.debug("%s: no answer to the question for the avatar: %s", self.url, error)
                self._settling = _SETTLING
            self._stop.wait(_PERIOD_S)

    def _look(self) -> None:
        place = self._place()
        if place is None:
            return
        worn = self._worn_by(*place)
        if worn != self._worn or worn is None:
            self._worn, self._settling = worn, _SETTLING
        if not self._settling:
            return
        self._settling -= 1
        types, _ = parameters_from_tree(fetch(*place, "/avatar/parameters"))
        avatar = avatar_from_parameters(types)
        if avatar == self._avatar:
            return
        self._avatar = avatar
        if avatar is None:
            _log.warning("%s: this avatar has no v2 parameters", self.url)
        else:
            _log.info("%s: the avatar takes %s", self.url, avatar)
        self._next = self._encoder_for(avatar)

    def _worn_by(self, host: str, port: int) -> object:
        """Which avatar is worn; None where it is not told."""
        try:
            _, values = parameters_from_tree(fetch(host, port, _CHANGE))
        except ValueError:
            return None
        return values.get(_CHANGE)

    def _place(self) -> tuple[str, int] | None:
        """Host and port of VRChat's HTTP; None while it is not found."""
        if isinstance(self._query, int):
            return self._host, self._query
        for name in list(self._found):
            info = self._responder.get_service_info(SERVICE, name, _INFO_MS)
            address = addresses_alike(self._host, info.parsed_addresses()) if info else None
            if address is not None and info.port:
                return address, info.port
        return None

    def _note(self, *, name: str, state_change: Any, **_: Any) -> None:
        """In zeroconf's thread: a service came or went."""
        if not name.startswith(_NAME):
            return
        if state_change.name == "Removed":
            self._found.pop(name, None)
        else:
            self._found[name] = None
