"""What the mirror's pages share: drills, packs, progress, live feed, the session they show."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from livefacs import __version__
from livefacs.mirror.clips import ClipFrames
from livefacs.mirror.drills import DrillLibrary, load_drills
from livefacs.mirror.guidance import Guidance
from livefacs.mirror.letters import LetterTest
from livefacs.mirror.packs import Item, PackLibrary, load_packs
from livefacs.mirror.page_feed import LiveFeed
from livefacs.mirror.progress import Progress
from livefacs.mirror.selftest import SelfTest
from livefacs.mirror.stage import Stage
from livefacs.protocols import RigRetargeter, SessionControl

DEFAULT_PORT: Final = 8770

Measure = Callable[[Item], dict[str, Any]]


@dataclass(slots=True)
class MirrorHooks:
    """What only the composition root can do for the mirror.

    Attributes
    ----------
    measure : callable or None
        Machine curves of a pack's item: ``{"channels": [...], "values": [[...] per frame]}``.
    retry : callable or None
        Look for the camera again.
    control : SessionControl or None
        The session that takes commands over HTTP.
    choices, choose, still : callable or None
        Cameras and profiles that there are; take another (``source`` or ``profile``, its name);
        a JPEG of what a source sees.
    """

    measure: Measure | None = None
    retry: Callable[[], None] | None = None
    control: SessionControl | None = None
    choices: Callable[[], dict[str, Any]] | None = None
    choose: Callable[[str, str], None] | None = None
    still: Callable[[str], bytes] | None = None


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """Where the mirror listens and where its data are.

    Attributes
    ----------
    host : str
        ``127.0.0.1`` is this machine only; any other address asks visitors for a token.
    port : int
        0 takes a free one.
    character : Path or None
        A .glb or .vrm that the stage shows in place of the head that ships.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    progress_path: Path | None = None
    drill_folders: tuple[Path, ...] | None = None
    pack_folders: tuple[Path, ...] | None = None
    character: Path | None = None


@dataclass(slots=True)
class _State:
    source: str = ""
    trouble: str = ""
    notice: str = ""
    maxima: dict[str, float] = field(default_factory=dict)
    since_start: int = field(default_factory=lambda: secrets.randbits(48))


class MirrorCore:
    """The mirror without its server; what HTTP calls (``api``) and pages (``page``) work on.

    Parameters
    ----------
    options : MirrorOptions
    hooks : MirrorHooks
    puppets : retargeters of the page's puppets (``arkit52`` and ``marmoset``)
    clock : callable, nanoseconds of the session

    Attributes
    ----------
    feed : LiveFeed
        The session's sink.
    guidance : Guidance
        The round that the performer is led through; a sink, too.
    tests : dict of name to SelfTest
    refused_messages : int
        WebSocket messages that made no sense.

    Raises
    ------
    ConfigError
        The progress file cannot be used.
    """

    def __init__(
        self,
        options: MirrorOptions,
        hooks: MirrorHooks,
        puppets: Sequence[RigRetargeter],
        clock: Callable[[], int],
    ) -> None:
        self.options = options
        self.hooks = hooks
        self.clock = clock
        self.refused_messages = 0
        self.tests: dict[str, SelfTest] = {}
        self.letter_tests: dict[str, LetterTest] = {}
        self._state = _State()
        self._control: SessionControl | None = None
        self.progress = Progress(options.progress_path)
        self.drills: DrillLibrary = load_drills(options.drill_folders)
        self.packs: PackLibrary = load_packs(options.pack_folders)
        self.clips = ClipFrames()
        self.feed = LiveFeed(clock, puppets)
        self.stage = Stage(clock)
        self.feed.add_watcher(self.stage.take)
        self.guidance = Guidance(self.feed.tell_all, clock)
        if hooks.choose is not None:
            choose = hooks.choose
            self.guidance.use = lambda spec: choose("profile", spec)

    # What the session tells the mirror.

    def attach(
        self,
        control: SessionControl | None,
        source: str,
        calibrated: Iterable[str] = (),
        notice: str = "",
    ) -> None:
        """A session runs (or, with None, has ended).

        ``calibrated`` are the channels whose personal maximum its profile knows: on its scale it
        stands at 1, and their letters are not provisional. ``notice`` stays in sight: that the
        performer stands in for a camera, say.
        """
        self._control = control
        self._state.source, self._state.trouble, self._state.notice = source, "", notice
        self._state.maxima = dict.fromkeys(calibrated, 1.0)
        self._tell_state()

    def report_trouble(self, text: str) -> None:
        """There is no picture, and why; the pages show it with what to do."""
        self._control = None
        self.stage.attach(None, None)
        self.guidance.attach(None)
        self._state.trouble = text
        self._tell_state()

    def _tell_state(self) -> None:
        self.feed.tell_all("state", self.state_message())
        self.stage.tell("state", self._state_table())

    def state_message(self) -> str:
        """What a page is told when it opens and whenever it changes."""
        return json.dumps({"type": "state", **self._state_table()})

    def _state_table(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "server": self._state.since_start,
            "source": self._state.source,
            "trouble": self._state.trouble,
            "notice": self._state.notice,
            "maxima": self._state.maxima,
        }

    # What a page asks for.

    def capture_neutral(self) -> None:
        """Take the next second as the person's neutral."""
        control = self._control
        if control is not None:
            control.capture_neutral()
