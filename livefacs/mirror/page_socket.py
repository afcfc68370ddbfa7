"""The talk with one open page: its WebSocket, what waits to be sent, and what comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from livefacs.mirror.page_feed import PageOutbox

_log = logging.getLogger(__name__)
_LEFT: Final = (WebSocketDisconnect, RuntimeError)  # Starlette's words for a page that was closed


async def talk(socket: WebSocket, outbox: PageOutbox, on_text: Callable[[object], None]) -> None:
    """Send what waits and hand on what comes, until the page is closed; errors are logged.

    Parameters
    ----------
    socket : WebSocket
        Accepted already.
    outbox : PageOutbox
    on_text : callable
        Takes the text of each message; None where a message had none.
    """
    sending = asyncio.create_task(_send_all(socket, outbox))
    receiving = asyncio.create_task(_receive_all(socket, on_text))
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, receiving):
            task.cancel()
        for ended in await asyncio.gather(sending, receiving, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, _LEFT):
                _log.error("a page of the mirror ended", exc_info=ended)


async def _send_all(socket: WebSocket, outbox: PageOutbox) -> None:
    while True:
        for item in await outbox.take():
            if isinstance(item, bytes):
                await socket.send_bytes(item)
            else:
                await socket.send_text(item)


async def _receive_all(socket: WebSocket, on_text: Callable[[object], None]) -> None:
    while True:
        try:
            received = await socket.receive()
        except _LEFT:
            return
        if received["type"] == "websocket.disconnect":
            return
        on_text(received.get("text"))
