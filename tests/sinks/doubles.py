"""Stand-ins for what sinks talk to: a session, a receiver, VTube Studio."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from livefacs.errors import TakeError
from tests.support.waiting import PATIENCE_S


class FakeSession:
    """Notes what control ports ask for; refuses to record twice."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.is_recording = False

    def time_s(self) -> float:
        return 12.5

    def start_streaming(self) -> None:
        self.calls.append(("start",))

    def stop_streaming(self) -> None:
        self.calls.append(("stop",))

    def capture_neutral(self, face: int | None = None) -> None:
        self.calls.append(("neutral",) if face is None else ("neutral", face))

    def set_slate(self, slate: str) -> None:
        self.calls.append(("slate", slate))

    def set_take(self, number: int) -> None:
        self.calls.append(("take", number))

    def record_start(
        self, slate: str | None = None, take: int | None = None, notes: str | None = None
    ) -> str:
        if self.is_recording:
            raise TakeError("a take is already being recorded")
        self.is_recording = True
        self.calls.append(("record", slate, take, *([notes] if notes is not None else [])))
        return "10:00:00:00"

    def record_stop(self) -> tuple[str, str, str]:
        self.is_recording = False
        self.calls.append(("finish",))
        return "10:00:05:00", "take/units.csv", ""

    def mark(self, label: str) -> None:
        self.calls.append(("mark", label))

    def status(self) -> dict[str, Any]:
        return {"frames": 7, "streaming": True}


def udp_receiver(family: int = socket.AF_INET) -> socket.socket:
    """A bound UDP socket on a free port of the loopback."""
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    receiver.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    receiver.settimeout(PATIENCE_S)
    return receiver


def free_port() -> int:
    """A UDP port that nobody listens on."""
    with udp_receiver() as held:
        return int(held.getsockname()[1])


class FakeVTubeStudio:
    """VTube Studio's message flow as its API documentation tells it.

    Parameters
    ----------
    denies : bool
        The user clicks Deny in the dialog.
    hang_up_after : int or None
        The first connection is cut after so many injections.
    is_mute : bool
        Accept the connection and never read or answer.
    """

    DEFAULTS = ("FaceAngleX", "FaceAngleY", "FaceAngleZ", "MouthOpen", "EyeOpenLeft")

    def __init__(
        self, *, denies: bool = False, hang_up_after: int | None = None, is_mute: bool = False
    ) -> None:
        self.denies = denies
        self.hang_up_after = hang_up_after
        self.is_mute = is_mute
        self.tokens: set[str] = set()
        self.custom: dict[str, dict[str, Any]] = {}
        self.injections: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.n_connections = 0
        self.done = threading.Event()
        self._server = serve(self._talk, "127.0.0.1", 0)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.done.set()
        self._server.shutdown()
        self._thread.join()

    def _talk(self, connection: ServerConnection) -> None:
        self.n_connections += 1
        if self.is_mute:
            self.done.wait()
            return
        state = {"authenticated": False}
        n_injected = 0
        try:
            for text in connection:
                message = json.loads(text)
                assert message["apiName"] == "VTubeStudioPublicAPI"
                assert message["apiVersion"] == "1.0"
                self.requests.append(message["messageType"])
                connection.send(json.dumps(self._answer(message, state)))
                if message["messageType"] == "InjectParameterDataRequest":
                    n_injected += 1
                    if self.n_connections == 1 and n_injected == self.hang_up_after:
                        connection.close()
        except ConnectionClosed:
            pass

    def _answer(self, message: dict[str, Any], state: dict[str, bool]) -> dict[str, Any]:
        kind, data = message["messageType"], message["data"]
        if kind == "AuthenticationTokenRequest":
            if self.denies:
                return self._error(message, 50, "User has denied API access for your plugin.")
            token = f"token-{len(self.tokens)}"
            self.tokens.add(token)
            return self._reply(message, authenticationToken=token)
        if kind == "AuthenticationRequest":
            state["authenticated"] = data["authenticationToken"] in self.tokens
            return self._reply(message, authenticated=state["authenticated"], reason="")
        if not state["authenticated"]:
            return self._error(message, 8, "Not authenticated")
        if kind == "InputParameterListRequest":
            return self._reply(
                message,
                defaultParameters=[{"name": name} for name in self.DEFAULTS],
                customParameters=[{"name": name} for name in self.custom],
            )
        if kind == "ParameterCreationRequest":
            self.custom[data["parameterName"]] = data
            return self._reply(message, parameterName=data["parameterName"])
        if kind == "InjectParameterDataRequest":
            for parameter in data["parameterValues"]:
                if parameter["id"] not in (*self.DEFAULTS, *self.custom):
                    return self._error(message, 453, f"no parameter {parameter['id']}")
            self.injections.append(data)
            return self._reply(message)
        return self._error(message, 1, "unknown request")

    def _reply(self, message: dict[str, Any], **data: Any) -> dict[str, Any]:
        kind = message["messageType"].replace("Request", "Response")
        return self._envelope(message, kind, data)

    def _error(self, message: dict[str, Any], error: int, text: str) -> dict[str, Any]:
        return self._envelope(message, "APIError", {"errorID": error, "message": text})

    @staticmethod
    def _envelope(message: dict[str, Any], kind: str, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "apiName": "VTubeStudioPublicAPI",
            "apiVersion": "1.0",
            "timestamp": 1625405710728,
            "requestID": message["requestID"],
            "messageType": kind,
            "data": data,
        }


ZMTP_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\0" + bytes(31)
"""How a peer of ZMTP 3.0 begins."""


def zmtp_frame(flags: int, body: bytes) -> bytes:
    if len(body) > 255:
        return bytes([flags | 2]) + len(body).to_bytes(8, "big") + body
    return bytes([flags, len(body)]) + body


def zmtp_ready(kind: bytes) -> bytes:
    return zmtp_frame(4, b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind)
