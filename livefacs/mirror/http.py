"""uvicorn's HTTP with bounds: connections at once, seconds until a request is whole."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from livefacs.listeners import HEAD_S, MOST_CONNECTIONS


class BoundedHttp(H11Protocol):
    """Drops connections beyond the bound, and those whose request does not become whole in time.

    uvicorn itself closes what rests between two requests; it waits for ever for the end of a
    head, and for a body.
    """

    _timer: asyncio.TimerHandle | None = None
    _has_asked = False
    _is_upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Take a connection, or drop it."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and see whether the request they belong to is whole."""
        super().data_received(data)
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection on; h11 keeps waiting for the end of a request that is whole."""
        self._is_upgraded = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._rest()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self._is_upgraded:
            self._rest()
            return
        state = self.conn.their_state
        self._has_asked = self._has_asked or state is not h11.IDLE
        is_head_begun = not self._has_asked or bool(self.conn.trailing_data[0])
        if state is h11.SEND_BODY or (state is h11.IDLE and is_head_begun):
            if self._timer is None:
                self._timer = self.loop.call_later(HEAD_S, self.transport.abort)
        else:
            self._rest()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
