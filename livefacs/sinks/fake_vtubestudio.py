"""A stand-in for VTube Studio: what ``livefacs listen vts://…`` opens in its place."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from typing import Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.server import ServerConnection, serve

from livefacs.errors import SinkError
from livefacs.listeners import HEAD_S, QUIET_LOGGER, listening_socket
from livefacs.sinks.destination import Destination
from livefacs.wire import vts
from livefacs.wire.packet_reading import Reading, reading_from_injection

_MAX_WAITING: Final = 100
_MAX_REQUEST_BYTES: Final = 1 << 17
_MAX_CLIENTS: Final = 8
_TOKEN: Final = "livefacs-listen"


class VtsReceiver:
    """Grants every plug-in access, accepts every parameter and reads what is injected."""

    def __init__(self, where: Destination) -> None:
        self._readings: queue.Queue[Reading | ValueError] = queue.Queue(_MAX_WAITING)
        self._clients = threading.BoundedSemaphore(_MAX_CLIENTS)
        try:
            listening = listening_socket(repr(where.url), where.host, where.port)
        except SinkError as error:
            raise SinkError(f"{error} (VTube Studio may be running)") from None
        self._server = serve(
            self._talk,
            sock=listening,
            max_size=_MAX_REQUEST_BYTES,
            compression=None,
            open_timeout=HEAD_S,
            logger=QUIET_LOGGER,
        )
        self.port: int = self._server.socket.getsockname()[1]
        self.description = f"plug-ins on {where.host}:{self.port}, in VTube Studio's place"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def receive(self, timeout_s: float) -> Reading | None:
        """The next injection."""
        try:
            reading = self._readings.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(reading, ValueError):
            raise reading
        return reading

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join(timeout=2.0)

    def _talk(self, connection: ServerConnection) -> None:
        if not self._clients.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(WebSocketException, OSError):
                for text in connection:
                    answer = self._answer(text)
                    if answer is not None:
                        connection.send(answer)
        finally:
            self._clients.release()

    def _answer(self, text: str | bytes) -> str | None:
        try:
            request = vts.reply_from_text(text)
            if request.message_type == "InjectParameterDataRequest":
                self._note(reading_from_injection(request.data))
        except ValueError as error:
            self._note(error)
            return None
        data = _DATA.get(request.message_type, {})
        return json.dumps(
            {
                "apiName": "VTubeStudioPublicAPI",
                "apiVersion": "1.0",
                "requestID": request.request_id,
                "messageType": request.message_type.replace("Request", "Response"),
                "data": data,
            }
        )

    def _note(self, reading: Reading | ValueError) -> None:
        with contextlib.suppress(queue.Full):
            self._readings.put_nowait(reading)


_DATA: Final[dict[str, dict[str, Any]]] = {
    "AuthenticationTokenRequest": {"authenticationToken": _TOKEN},
    "AuthenticationRequest": {"authenticated": True, "reason": ""},
    "InputParameterListRequest": {"defaultParameters": [], "customParameters": []},
}
