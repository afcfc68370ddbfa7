"""One open page of the stage: the newest frame of the tuned map, and what changed."""

from __future__ import annotations

import asyncio
import json

from starlette.websockets import WebSocket

from livefacs.mirror.core import MirrorCore
from livefacs.mirror.page_feed import PageOutbox
from livefacs.mirror.page_socket import talk
from livefacs.mirror.schema import Ack, ClockAsk, message_from_text


class StagePage:
    """A WebSocket that gives frames with the tuned map's values, drives and signals."""

    def __init__(self, mirror: MirrorCore, socket: WebSocket) -> None:
        self._mirror = mirror
        self._socket = socket
        self._outbox = PageOutbox(asyncio.get_running_loop())

    async def serve(self) -> None:
        """Talk to the page until it is closed."""
        stage = self._mirror.stage
        feed = stage.feed
        await self._socket.accept()
        self._outbox.tell("state", self._mirror.state_message())
        self._outbox.tell("rigs", feed.rigs_message())
        told = {"type": "map", "revision": stage.revision, "rig": stage.tuned.rig}
        self._outbox.tell("map", json.dumps(told))
        feed.add_outbox(self._outbox)
        try:
            await talk(self._socket, self._outbox, self._take_text)
        finally:
            feed.remove_outbox(self._outbox)

    def _take_text(self, text: object) -> None:
        message = message_from_text(text) if isinstance(text, str) else None
        if isinstance(message, Ack):
            self._outbox.acknowledge()
        elif isinstance(message, ClockAsk):
            server_ms = self._mirror.clock() / 1e6
            answer = {"type": "clock", "page_ms": message.page_ms, "server_ms": server_ms}
            self._outbox.tell("clock", json.dumps(answer))
        else:
            self._mirror.refused_messages += 1
