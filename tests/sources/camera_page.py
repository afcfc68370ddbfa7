"""The camera page's end of the talk, in Python: what a browser does, step by step."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import Any

import cv2
import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from livefacs.arrays import U8
from livefacs.wire.camera_page import PagePicture, message_from_picture
from tests.support.waiting import PATIENCE_S


def jpeg(image: U8) -> bytes:
    """A picture (H, W, 3) RGB as browsers encode it."""
    whole, data = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]))
    assert whole
    return data.tobytes()


def grey(width: int = 64, height: int = 48, level: int = 128) -> bytes:
    return jpeg(np.full((height, width, 3), level, np.uint8))


class PageEnd:
    """A page that is connected; its clock runs ``ahead_s`` before the session's."""

    def __init__(self, port: int, ahead_s: float = 0.0, **more: Any) -> None:
        self.ahead_ms = 1e3 * ahead_s
        self.ticket = 0
        self.told: dict[str, Any] = {}
        scheme = "wss" if "ssl" in more else "ws"
        origin = f"http{scheme[2:]}://127.0.0.1:{port}"
        self._stack = ExitStack()
        opening = connect(
            f"{scheme}://127.0.0.1:{port}/camera/live",
            **{"origin": Origin(origin), "open_timeout": PATIENCE_S, "proxy": None, **more},
        )
        self.socket: ClientConnection = self._stack.enter_context(opening)

    def now_ms(self) -> float:
        return time.perf_counter_ns() / 1e6 + self.ahead_ms

    def listen(self, until: str) -> dict[str, Any]:
        """Answer what is asked until a message of a kind comes."""
        while True:
            message = json.loads(self.socket.recv(timeout=PATIENCE_S))
            if message["type"] == "time":
                answer = {"type": "time", "id": message["id"], "t": self.now_ms()}
                self.socket.send(json.dumps(answer))
            if message["type"] in ("go", "next"):
                self.ticket, self.told = message["ticket"], message
            if message["type"] == until:
                return dict(message)

    def begin(self) -> PageEnd:
        self.listen("go")
        return self

    def put(self, data: bytes, captured_ms: float | None = None) -> None:
        """Send without waiting for the next ticket."""
        page_ms = self.now_ms() if captured_ms is None else captured_ms
        self.socket.send(message_from_picture(PagePicture(self.ticket, page_ms, data)))

    def send(self, data: bytes, captured_ms: float | None = None) -> dict[str, Any]:
        self.put(data, captured_ms)
        return self.listen("next")

    def end(self) -> int:
        """The code with which the other end closes."""
        try:
            while True:
                self.socket.recv(timeout=PATIENCE_S)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006

    def close(self) -> None:
        self._stack.close()
