"""A session with the performer, streaming to a socket of the test, and the stage beside it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage
from pythonosc.udp_client import SimpleUDPClient

from livefacs.config import load_options
from livefacs.mirror.server import Mirror
from livefacs.session.composition import open_session
from livefacs.session.mirror_beside import open_mirror_beside
from livefacs.session.runner import Session
from tests.support.waiting import PATIENCE_S


class OnStage:
    """The running whole.

    Attributes
    ----------
    url : str
        The destination that the session was started with.
    folder : Path
        In it are the ``takes``.
    control_port : int
        Takes OSC commands.
    """

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.folder = folder
        self.receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.receiver.bind(("127.0.0.1", 0))
        self.receiver.settimeout(PATIENCE_S)
        self.url = f"osc://127.0.0.1:{self.receiver.getsockname()[1]}?rig=arkit52&units=off"
        options = load_options(
            None,
            {
                "source": {"spec": "demo", "loop": True},
                "stream": {"to": (self.url,), "control_port": 0},
                "record": {"folder": folder / "takes", "start_with": "command", "video": True},
            },
        )
        said: list[str] = []
        self.session: Session = open_session(options, said.append, keep_image=True)
        (told,) = (sentence for sentence in said if sentence.startswith("OSC commands"))
        self.control_port = int(told.rpartition(":")[2])
        self.mirror: Mirror = open_mirror_beside(
            self.session, port, lambda _: None, options.record.folder
        )
        self._thread = threading.Thread(target=self.session.run, name="on-stage")
        self._thread.start()

    @property
    def port(self) -> int:
        return self.mirror.port

    def http(self) -> httpx.Client:
        base = f"http://127.0.0.1:{self.port}"
        return httpx.Client(base_url=base, headers={"Origin": base}, timeout=PATIENCE_S)

    def seconds_until(
        self, control: str, wanted: Callable[[float], bool], most: float = PATIENCE_S
    ) -> float:
        """How long until a received value is as wanted; fails after ``most``."""
        began = time.perf_counter()
        self.receiver.setblocking(False)
        try:  # what was sent before does not count
            while True:
                self.receiver.recv(65536)
        except BlockingIOError:
            pass
        self.receiver.settimeout(most)
        while time.perf_counter() - began < most:
            values = values_from_packet(self.receiver.recv(65536))
            if control in values and wanted(values[control]):
                return time.perf_counter() - began
        raise AssertionError(f"{control} was not as wanted within {most} s")

    def command(self, word: str, *arguments: str | int) -> str:
        """Send an OSC command as another program does; its reply."""
        with SimpleUDPClient("127.0.0.1", self.control_port) as client:
            client.send_message(f"/livefacs/{word}", list(arguments))
            message = next(client.get_messages(timeout=PATIENCE_S))
        return str(message.params[0])

    def stop(self) -> None:
        self.session.close()
        self._thread.join(timeout=PATIENCE_S)
        self.receiver.close()


def values_from_packet(data: bytes) -> dict[str, float]:
    """Control values of one OSC bundle, by the last part of their address."""
    found: dict[str, float] = {}
    parts: list[Any] = list(OscBundle(data)) if OscBundle.dgram_is_bundle(data) else []
    for part in parts or [OscMessage(data)]:
        if isinstance(part, OscMessage) and part.params and isinstance(part.params[0], float):
            found[part.address.rpartition("/")[2]] = part.params[0]
    return found
