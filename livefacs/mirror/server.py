"""The mirror: page, live feed, practice, coding and progress behind one local address."""

from __future__ import annotations

import contextlib
import errno
import json
import mimetypes
import os
import secrets
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from livefacs import __version__
from livefacs.clock import now_ns
from livefacs.errors import ConfigError, SinkError
from livefacs.mirror import api
from livefacs.mirror.clips import ClipFrames
from livefacs.mirror.drills import DrillLibrary, load_drills
from livefacs.mirror.guard import Guard
from livefacs.mirror.live import LiveFeed
from livefacs.mirror.packs import Item, PackLibrary, load_packs
from livefacs.mirror.page import Page
from livefacs.mirror.progress import Progress
from livefacs.mirror.ranges import RangeRound
from livefacs.mirror.selftest import SelfTest
from livefacs.mirror.texts import STATIC
from livefacs.protocols import RigRetargeter, SessionControl

DEFAULT_PORT: Final = 8770
_MOST_BYTES: Final = 64 * 1024  # of one message of a page

for _suffix, _kind in {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}.items():
    mimetypes.add_type(_kind, _suffix)  # some systems say otherwise, and browsers then refuse them

Measure = Callable[[Item], dict[str, Any]]
KeepRanges = Callable[[RangeRound], str]


@dataclass(slots=True)
class MirrorHooks:
    """What only the composition root can do for the mirror.

    Attributes
    ----------
    measure : callable or None
        Machine curves of a pack's item: ``{"channels": [...], "values": [[...] per frame]}``.
    keep_ranges : callable or None
        Turns a finished round of calibration into the person's profile; says where it went.
    retry : callable or None
        Look for the camera again.
    control : SessionControl or None
        The session that takes commands over HTTP.
    """

    measure: Measure | None = None
    keep_ranges: KeepRanges | None = None
    retry: Callable[[], None] | None = None
    control: SessionControl | None = None


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """Where the mirror listens and where its data are.

    Attributes
    ----------
    host : str
        ``127.0.0.1`` is this machine only; any other address asks visitors for a token.
    port : int
        0 takes a free one.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    progress_path: Path | None = None
    drill_folders: tuple[Path, ...] | None = None
    pack_folders: tuple[Path, ...] | None = None


@dataclass(slots=True)
class _State:
    source: str = ""
    trouble: str = ""
    maxima: dict[str, float] = field(default_factory=dict)
    since_start: int = field(default_factory=lambda: secrets.randbits(48))


class Mirror:
    """The web mirror. ``start`` serves in a thread of its own; ``feed`` is the session's sink.

    Parameters
    ----------
    options : MirrorOptions
    hooks : MirrorHooks
    puppets : retargeters of the page's puppets (``arkit52`` and ``marmoset``)
    clock : callable, nanoseconds of the session

    Attributes
    ----------
    url : str
        What to open in a browser; carries the token where one is needed.
    refused_messages : int
        WebSocket messages that made no sense.
    """

    def __init__(
        self,
        options: MirrorOptions | None = None,
        hooks: MirrorHooks | None = None,
        puppets: Sequence[RigRetargeter] = (),
        clock: Callable[[], int] = now_ns,
    ) -> None:
        self.options = options or MirrorOptions()
        self.hooks = hooks or MirrorHooks()
        self.clock = clock
        self.refused_messages = 0
        self.tests: dict[str, SelfTest] = {}
        self._state = _State()
        self._control: SessionControl | None = None
        self._socket = _bind(self.options.host, self.options.port)
        try:
            self.progress = Progress(self.options.progress_path)
            self.drills: DrillLibrary = load_drills(self.options.drill_folders)
            self.packs: PackLibrary = load_packs(self.options.pack_folders)
        except BaseException:
            self._socket.close()
            raise
        self.clips = ClipFrames()
        self.feed = LiveFeed(clock, puppets)
        self.token = None if _is_loopback(self.options.host) else secrets.token_urlsafe(16)
        self._server = _Server(
            uvicorn.Config(
                self.application(),
                log_level="warning",
                log_config=None,
                lifespan="off",
                ws="websockets-sansio",
                ws_max_size=_MOST_BYTES,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
                server_header=False,
            )
        )
        self._thread = threading.Thread(target=self._serve, name="livefacs-mirror", daemon=True)

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        """Address to open."""
        host = _reachable_host(self.options.host)
        query = "" if self.token is None else f"?token={self.token}"
        return f"http://{host}:{self.port}/{query}"

    def application(self) -> Guard:
        """The ASGI application."""
        routes = [
            *api.routes(self),
            WebSocketRoute("/live", self._live),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
        hosts = {"127.0.0.1", "localhost", "[::1]", _reachable_host(self.options.host)}
        if self.token is not None:
            hosts |= {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local"}
            hosts |= set(_own_addresses())
        return Guard(Starlette(routes=routes), hosts, self.token)

    def start(self) -> None:
        """Serve from now on; returns when the address answers."""
        self._thread.start()
        self._server.is_up.wait(timeout=10)

    def stop(self) -> None:
        """Close every page, the progress file and the feed."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self.feed.shut()
        self._socket.close()
        self.progress.close()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    async def _live(self, socket: WebSocket) -> None:
        await Page(self, socket).serve()

    # What the session tells the mirror.

    def attach(
        self, control: SessionControl | None, source: str, calibrated: Iterable[str] = ()
    ) -> None:
        """A session runs (or, with None, has ended).

        ``calibrated`` are the channels whose personal maximum its profile knows: on its scale it
        stands at 1, and their letters are not provisional.
        """
        self._control = control
        self._state.source, self._state.trouble = source, ""
        self._state.maxima = dict.fromkeys(calibrated, 1.0)
        self._tell_state()

    def report_trouble(self, text: str) -> None:
        """There is no picture, and why; the pages show it with what to do."""
        self._control = None
        self._state.trouble = text
        self._tell_state()

    def _tell_state(self) -> None:
        self.feed.tell_all("state", self.state_message())

    def state_message(self) -> str:
        """What a page is told when it opens and whenever it changes."""
        state = {
            "type": "state",
            "version": __version__,
            "server": self._state.since_start,
            "source": self._state.source,
            "trouble": self._state.trouble,
            "maxima": self._state.maxima,
        }
        return json.dumps(state)

    # What a page asks for.

    def capture_neutral(self) -> None:
        """Take the next second as the person's neutral."""
        control = self._control
        if control is not None:
            control.capture_neutral()

    def keep_ranges(self, finished: RangeRound) -> dict[str, Any]:
        """Keep the maxima of a calibration round, as profile where that can be done."""
        maxima = finished.maxima()
        if not maxima:
            raise ConfigError("no action was seen: the face has to be in the picture")
        self.progress.note_maxima(maxima)
        if self.hooks.keep_ranges is not None:
            return {"maxima": maxima, "profile": self.hooks.keep_ranges(finished)}
        self._state.maxima |= maxima
        self._tell_state()
        return {"maxima": maxima, "profile": ""}


class _Server(uvicorn.Server):
    """Says when it answers; leaves signals to the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.is_up.set()


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket, bound at once so that a busy port is told before the camera opens.

    Raises
    ------
    SinkError
        The port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it would share a port that is in use
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(64)
    except OSError as error:
        bound.close()
        raise SinkError(_words_from_bind_error(error, host, port)) from None
    return bound


def _words_from_bind_error(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        if _is_mirror(port):
            return (
                f"a livefacs mirror runs already at http://127.0.0.1:{port}/: open that, stop it, "
                f"or start this one with another --port"
            )
        return f"port {port} on {host} is taken by another program: choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} needs administrator rights: choose one from 1024 on with --port"
    return f"cannot listen on {host}:{port}: {error.strerror or error}"


def _is_mirror(port: int) -> bool:
    """True when a mirror answers there."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/hello", timeout=0.5) as answer:
            return bool(json.loads(answer.read(4096)).get("name") == "livefacs mirror")
    except (OSError, ValueError, AttributeError):
        return False


def _is_loopback(host: str) -> bool:
    return host in {"127.0.0.1", "localhost", "::1"} or host.startswith("127.")


def _reachable_host(host: str) -> str:
    """How a browser may call it: an address for a wildcard, brackets round IPv6."""
    if host in {"0.0.0.0", "::", ""}:
        addresses = _own_addresses()
        return addresses[0] if addresses else "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _own_addresses() -> list[str]:
    """IPv4 addresses of this machine, the one towards the network first; sends nothing."""
    found: list[str] = []
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
        contextlib.suppress(OSError),  # no network: loopback is all there is
    ):
        probe.connect(("192.0.2.1", 9))  # TEST-NET: only chooses the route
        found.append(str(probe.getsockname()[0]))
    with contextlib.suppress(OSError):  # a host name that nobody resolves
        infos = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        found += [str(info[4][0]) for info in infos]
    return list(dict.fromkeys(found))
