"""The camera of a browser as a source: a page on this machine or a phone sends its pictures."""

from __future__ import annotations

import io
import logging
from collections import deque
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from livefacs.clock import NS_PER_S, now_ns
from livefacs.errors import SourceError
from livefacs.listeners import listening_socket
from livefacs.sources.browser_server import PAGE, CameraPageServer, PageWishes
from livefacs.sources.capture import BROWSER, CaptureWishes
from livefacs.sources.certificate import OwnCertificate, own_certificate
from livefacs.sources.jpeg import JpegReader
from livefacs.sources.live_camera import LiveCamera
from livefacs.sources.turned import turned
from livefacs.types import Frame
from livefacs.visitors import Visitors, hosts_of, is_loopback, new_token, reachable_host

_log = logging.getLogger(__name__)

DEFAULT_PORT: Final = 8771
MOST_SIDE: Final = 2048
"""Pixels of a picture's longer side."""
COOKIE: Final = "livefacs-camera"
_SILENCE_NS: Final = 2 * NS_PER_S
_KEPT_LATENCIES: Final = 4096
_TOKEN: Final = new_token()
"""One for all sources of this process: a page finds its source again when a session follows."""


class BrowserSource(LiveCamera):
    """Pictures that a page sends from a browser's camera; the newest wins.

    ``browser`` serves the page to this machine, over HTTP. ``browser://*:PORT`` (or an address of
    this machine) serves it to the network: over HTTPS, since browsers give a page no camera
    otherwise, with a certificate of this machine's own and a token in the address. The source is
    there at once; the page may come, go and come back, one at a time.

    Parameters
    ----------
    spec : str
    wishes : CaptureWishes or None
        What the page begins with; its user may choose otherwise.
    degrees : int
        By which pictures are turned clockwise, one of ``TURNS``.
    notify : callable(str)
        Takes plain sentences: where the page is, that pictures come, that they are lost.
    clock : callable
        Nanoseconds of the session.

    Attributes
    ----------
    url : str
        What to open in the browser; carries the token where one is needed.
    certificate : OwnCertificate or None
        None on loopback.
    n_damaged, n_refused, n_losses : int
        Pictures that were none; messages and pages that were refused; times it was lost.
    lost_ns : int
        Nanoseconds without pictures in all, up to the last return.

    Raises
    ------
    SourceError
        Not such an address, the port is taken, or HTTPS needs a package that is not installed.
    """

    def __init__(
        self,
        spec: str = BROWSER,
        wishes: CaptureWishes | None = None,
        *,
        degrees: int = 0,
        notify: Callable[[str], None] = lambda _sentence: None,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        super().__init__()
        wishes = wishes or CaptureWishes()
        host, port = _address(spec)
        self._degrees = degrees
        self._notify = notify
        self._clock = clock
        self.rate_hz = wishes.rate_hz
        self.n_refused = 0
        self._newest_ns: int | None = None
        self._latencies_ms: deque[float] = deque(maxlen=_KEPT_LATENCIES)
        self._reader = JpegReader(MOST_SIDE)
        is_open = not is_loopback(host)
        hosts = hosts_of(host)
        self.certificate = own_certificate(hosts) if is_open else None
        listening = listening_socket(f"source {spec!r}", host, port, SourceError)
        self.port: int = listening.getsockname()[1]
        plain_url = f"http{'s' if is_open else ''}://{reachable_host(host)}:{self.port}{PAGE}"
        self.url = f"{plain_url}?token={_TOKEN}" if is_open else plain_url
        self.description = f"a browser's camera at {reachable_host(host)}:{self.port}"
        self.notices: tuple[str, ...] = (f"The camera is a page's: open {plain_url} and start it.",)
        for sentence in () if self.certificate is None else _invitation(self.url, self.certificate):
            notify(sentence)
        self._server = CameraPageServer(
            listening,
            Visitors(COOKIE, hosts, _TOKEN if is_open else None),
            self,
            PageWishes(wishes.width, wishes.height, wishes.rate_hz),
            clock,
            None if self.certificate is None else self.certificate.context(),
        )

    @property
    def latency_ms(self) -> float:
        """From a picture's capture until it was here: the median of the last ones; NaN before."""
        latencies = list(self._latencies_ms)
        return float(np.median(latencies)) if latencies else float("nan")

    def newest(self, timeout_s: float | None = None) -> Frame | None:
        """The newest picture that was not read yet; None when none came in time, or once closed.

        Raises
        ------
        SourceError
            The page's server has failed.
        """
        frame = self._slot.get(timeout_s)
        if frame is None and self._failure is not None:
            raise SourceError(f"{self.description}: {self._failure}") from self._failure
        return frame

    def close(self) -> None:
        """Let the page go and stop listening."""
        self._slot.close()
        self._server.close()

    def closing_notices(self) -> tuple[str, ...]:
        """What a user should be told at the end."""
        notices = []
        if self._latencies_ms:
            notices.append(
                f"{self.description}: {self.latency_ms:.0f} ms from its camera to here (median)"
            )
        else:
            notices.append(f"{self.description}: no picture came")
        notices += self._loss_notices(self.description)
        if self.n_refused:
            notices.append(
                f"{self.description}: {self.n_refused} message(s) or page(s) were refused"
            )
        return tuple(notices)

    # What the server tells (``browser_server.Inbox``), in its thread.

    def take(self, jpeg: bytes, t_ns: int, arrived_ns: int) -> None:
        """One picture, not looked at yet, with its capture and arrival on the session's clock."""
        i_frame = self._i_frame
        self._i_frame += 1
        image = self._reader.read(jpeg)
        if image is None:
            self.n_damaged += 1
            return
        if self._degrees:
            image = turned(image, self._degrees)
        self._latencies_ms.append((arrived_ns - t_ns) / 1e6)
        self._note_return(image.shape[1], image.shape[0], arrived_ns)
        self._slot.put(Frame(image, t_ns, i_frame, arrived_ns=arrived_ns))

    def look(self) -> None:
        """Is it long since a picture came?"""
        newest_ns = self._newest_ns
        if newest_ns is not None and self._clock() - newest_ns > _SILENCE_NS:
            self._note_loss("no picture for 2 s")

    def note_left(self) -> None:
        """The page that sent has gone."""
        if self._newest_ns is not None:
            self._note_loss("its page was stopped, closed, or is out of reach")

    def note_refused(self, reason: str) -> None:
        """Somebody who was connected sent what no page sends, or was one too many."""
        self.n_refused += 1
        _log.warning("%s refused: %s", self.description, reason)

    def fail(self, failure: BaseException) -> None:
        """The server has ended: so has the source."""
        self._failure = failure
        self._slot.close()

    def _note_return(self, width: int, height: int, arrived_ns: int) -> None:
        is_first, away_ns = self._newest_ns is None, self._end_loss(arrived_ns)
        self._newest_ns = arrived_ns
        if not is_first and away_ns is None:
            return
        away = "" if away_ns is None else f" again after {away_ns / NS_PER_S:.1f} s"
        self._notify(
            f"{self.description}: pictures come{away}, {width}×{height}, "
            f"{self._latencies_ms[-1]:.0f} ms from its camera to here"
        )

    def _note_loss(self, why: str) -> None:
        if not self.ended and self._begin_loss(self._clock()):
            self._notify(f"{self.description} is lost: {why}")


def _address(spec: str) -> tuple[str, int]:
    try:
        parts = urlsplit(spec if "://" in spec else f"{BROWSER}://")
        port = parts.port
    except ValueError as error:
        raise SourceError(f"source {spec!r}: {error}; expected {BROWSER}://HOST:PORT") from None
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise SourceError(f"source {spec!r}: expected nothing but {BROWSER}://HOST:PORT")
    host = parts.hostname or "127.0.0.1"
    return "0.0.0.0" if host == "*" else host, DEFAULT_PORT if port is None else port


def _invitation(url: str, certificate: OwnCertificate) -> list[str]:
    """What a user is told of a page on the network."""
    made = "made just now" if certificate.is_new else "the one of earlier times"
    sentences = [
        f"camera page: {url}",
        "anyone on this network with that address can send the picture",
        "its certificate is this machine's own, which the browser warns of; go on where it shows"
        f" this SHA-256 fingerprint ({made}):",
        certificate.fingerprint,
    ]
    code = _qr_code(url)
    return sentences if code is None else [code, *sentences]


def _qr_code(text: str) -> str | None:
    """Blocks for a terminal; None where the package for it is not installed."""
    try:
        import segno
    except ImportError:
        return None
    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()
