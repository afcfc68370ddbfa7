"""A network camera for the tests: MJPEG over HTTP on loopback, to be stalled, killed, restarted."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np


class MjpegCamera:
    """Serves pictures, ``rate_hz`` a second, on a fixed port.

    Grey ones whose brightness counts up, or the given JPEGs over and over.
    """

    def __init__(
        self,
        *,
        rate_hz: float = 60.0,
        size: tuple[int, int] = (64, 48),
        pictures: Sequence[bytes] = (),
    ) -> None:
        self.pictures = pictures
        self.period_s = 1.0 / rate_hz
        self.size = size
        self.n_sent = 0
        self.n_connections = 0
        self.picture_override: bytes | None = None
        self.flowing = threading.Event()
        self.flowing.set()
        self._stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._connections: set[socket.socket] = set()
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video.mjpg"

    def start(self) -> None:
        """Listen on the port of before (any free one the first time)."""
        camera = self
        self._stopping.clear()

        class Handler(BaseHTTPRequestHandler):
            timeout = 2.0

            def do_GET(self) -> None:
                camera._serve(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = False  # so that closing the server waits for their sockets
            allow_reuse_address = True

            def handle_error(self, *_: Any) -> None:
                pass  # the client went away, which is what these tests are about

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def kill(self) -> None:
        """Drop every connection and stop listening."""
        assert self._server is not None
        self._stopping.set()
        self.flowing.set()
        self._server.shutdown()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._server = None

    def stall(self) -> None:
        """Keep the connection, send nothing."""
        self.flowing.clear()

    def flow(self) -> None:
        """Send again."""
        self.flowing.set()

    def close(self) -> None:
        if self._server is not None:
            self.kill()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        self.n_connections += 1
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        self._connections.add(handler.connection)
        try:
            while not self._stopping.wait(self.period_s):
                self.flowing.wait()
                picture = self.picture_override or self._picture()
                handler.wfile.write(
                    b"--frame\r\nContent-Type: image/jpeg\r\n"
                    b"Content-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture)
                )
                handler.wfile.flush()
                self.n_sent += 1
        except OSError:
            pass
        finally:
            self._connections.discard(handler.connection)

    def _picture(self) -> bytes:
        if self.pictures:
            return self.pictures[self.n_sent % len(self.pictures)]
        width, height = self.size
        grey = np.full((height, width, 3), self.n_sent % 256, np.uint8)
        encoded = cv2.imencode(".jpg", grey)[1]
        return bytes(encoded)
