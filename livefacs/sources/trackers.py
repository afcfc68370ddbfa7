"""Other trackers as sources: phones, headsets and programs that send faces over the network."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from livefacs.clock import now_ns
from livefacs.datagrams import bound_udp, host_of_url, why_not_bound
from livefacs.errors import SourceError
from livefacs.slot import Slot
from livefacs.types import Frame
from livefacs.wire import ifacialmocap, vtsphone
from livefacs.wire.shapes import SHAPE_READERS

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_MAX_PACKET_BYTES: Final = 65536
_POLL_S: Final = 0.1
_ASK_EVERY_S: Final = 4.0
_CLOSE_PATIENCE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Tracker:
    """How the packets of one kind of tracker are had.

    Attributes
    ----------
    name : str
    port : int
        Where packets arrive; for a phone that must be asked, the phone's.
    request : callable or None
        What a phone is asked with, given the port at which the answers are awaited.
    reply_port : int
        Where a phone's answers arrive; 0: the request says where.
    """

    name: str
    port: int
    request: Callable[[int], bytes] | None = None
    reply_port: int = 0


_TRACKERS: Final = {
    "livelink": _Tracker("Live Link Face", 11111),
    "ifacialmocap": _Tracker(
        "iFacialMocap",
        ifacialmocap.PORT,
        lambda _: (ifacialmocap.HANDSHAKE + ifacialmocap.V2_SUFFIX).encode(),
        ifacialmocap.PORT,
    ),
    "vtsphone": _Tracker(
        "VTube Studio's phone data",
        vtsphone.PORT,
        lambda port: vtsphone.request_bytes(vtsphone.LONGEST_S, [port], "livefacs"),
    ),
    "osf": _Tracker("OpenSeeFace", 11573),
    "facecap": _Tracker("Face Cap", 8080),
    "vmc": _Tracker("VMC", 39539),
}


def is_tracker(spec: str) -> bool:
    """True for ``livelink://…`` and the other trackers that send faces."""
    return spec.partition("://")[0] in _TRACKERS and "://" in spec


class TrackerSource:
    """Faces that another tracker sends; the newest wins.

    ``SCHEME://HOST:PORT`` listens on that address of this machine: loopback where none is given,
    every one with ``*``. The phones of ``ifacialmocap://PHONE`` and ``vtsphone://PHONE`` are asked
    for their data, again and again, so that a phone may come and go; only its own packets count.

    Parameters
    ----------
    spec : str

    Attributes
    ----------
    n_bad : int
        Packets that were not the tracker's.

    Raises
    ------
    SourceError
        Not such an address, or the port is in use.
    """

    is_live = True
    n_frames: int | None = None
    timecode: str | None = None
    rate_hz = 0.0
    start_ns = 0

    def __init__(self, spec: str, clock: Callable[[], int] = now_ns) -> None:
        scheme, host, port = _address(spec)
        self._tracker = _TRACKERS[scheme]
        self._reader = SHAPE_READERS[scheme]()
        self._clock = clock
        self._phone = (host, port) if self._tracker.request is not None else None
        self._phones: frozenset[str] = frozenset()
        self._socket = _bound(spec, *self._own_address(host, port))
        self._socket.settimeout(_POLL_S)
        self.port: int = self._socket.getsockname()[1]
        self.n_bad = self.n_foreign = 0
        self._i_frame = 0
        self._image = np.zeros((1, 1, 3), np.uint8)
        self._slot: Slot[Frame] = Slot()
        self._closing = threading.Event()
        self._failure: BaseException | None = None
        where = f"from {host}" if self._phone else f"on {host}:{self.port}"
        self.description = f"{self._tracker.name} {where}"
        self.notices: tuple[str, ...] = (
            f"{self._tracker.name} tracks elsewhere: there is no image; Action Units follow from"
            " its shapes",
        )
        self._thread = threading.Thread(target=self._receive_all, name="livefacs-tracker")
        self._thread.daemon = True
        self._thread.start()

    @property
    def ended(self) -> bool:
        """True once closed."""
        return self._closing.is_set()

    def newest(self, timeout_s: float | None = None) -> Frame | None:
        """The newest face that was not taken yet; None when none came in time, or at the end.

        Raises
        ------
        SourceError
            The socket failed.
        """
        frame = self._slot.get(timeout_s)
        if frame is None and self._failure is not None:
            raise SourceError(f"{self.description}: {self._failure}") from self._failure
        return frame

    def read(self) -> Frame | None:
        """The next face; blocks until one comes. None once closed."""
        return self.newest(None)

    def close(self) -> None:
        """Stop receiving."""
        self._closing.set()
        self._slot.close()
        self._thread.join(timeout=_CLOSE_PATIENCE_S)
        self._socket.close()

    def closing_notices(self) -> tuple[str, ...]:
        """What was received besides faces."""
        notices = []
        if self.n_bad:
            notices.append(f"{self.description}: {self.n_bad} packet(s) were not its own")
        if self.n_foreign:
            notices.append(f"{self.description}: {self.n_foreign} packet(s) came from elsewhere")
        if not self._i_frame:
            notices.append(f"{self.description}: no face came")
        return tuple(notices)

    def _own_address(self, host: str, port: int) -> tuple[str, int]:
        """Where packets arrive: at the named address, or wherever a phone's answers come."""
        if self._phone is None:
            return host, port
        everywhere = "::" if ":" in host else "0.0.0.0"
        return (host if host in _LOOPBACK else everywhere), self._tracker.reply_port

    def _receive_all(self) -> None:
        try:
            ask_at_s = 0.0
            while not self._closing.is_set():
                if self._phone is not None and time.monotonic() >= ask_at_s:
                    ask_at_s = time.monotonic() + _ASK_EVERY_S
                    self._ask()
                self._receive()
        except OSError as failure:
            if not self._closing.is_set():
                self._failure = failure
        finally:
            self._slot.close()

    def _ask(self) -> None:
        assert self._phone is not None
        assert self._tracker.request is not None
        with suppress(OSError, UnicodeError):  # out of reach for now: asked again
            found = socket.getaddrinfo(*self._phone, self._socket.family, socket.SOCK_DGRAM)
            self._phones = frozenset(str(entry[4][0]) for entry in found)
            self._socket.sendto(self._tracker.request(self.port), found[0][4])

    def _is_phone(self, sender: str) -> bool:
        """By the addresses that its name had when it was asked: a foreign packet asks nobody."""
        assert self._phone is not None
        host = self._phone[0]
        return sender == host or host in _LOOPBACK or sender in self._phones

    def _receive(self) -> None:
        try:
            datagram, sender = self._socket.recvfrom(_MAX_PACKET_BYTES)
        except (TimeoutError, ConnectionError):  # the latter: a phone that is not there
            return
        if self._phone is not None and not self._is_phone(str(sender[0])):
            self.n_foreign += 1
            return
        try:
            shapes = self._reader.read(datagram)
        except ValueError:
            self.n_bad += 1
            return
        if shapes is not None:
            self._slot.put(Frame(self._image, self._clock(), self._i_frame, shapes=shapes))
            self._i_frame += 1


def _address(spec: str) -> tuple[str, str, int]:
    scheme = spec.partition("://")[0]
    tracker = _TRACKERS[scheme]
    try:
        parts = urlsplit(spec)
        port = parts.port
    except ValueError as error:
        raise SourceError(f"source {spec!r}: {error}; expected {scheme}://HOST:PORT") from None
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise SourceError(f"source {spec!r}: expected nothing but {scheme}://HOST:PORT")
    if tracker.request is not None and parts.hostname == "*":
        raise SourceError(f"source {spec!r}: expected the address of the phone, as it shows it")
    return scheme, host_of_url(parts.hostname), tracker.port if port is None else port


def _bound(spec: str, host: str, port: int) -> socket.socket:
    try:
        return bound_udp(host, port)
    except (OSError, OverflowError, UnicodeError, TypeError) as error:
        raise SourceError(f"source {spec!r}: {why_not_bound(host, port, error)}") from None
