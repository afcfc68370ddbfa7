"""Keeps the mirror's page up while sessions come and go: no camera yet, a new profile, the end."""

from __future__ import annotations

import math
import threading
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, I64
from livefacs.au.profile import load_profile, profile_path
from livefacs.cli.signals import Ending, Stopped, stopped_by_signals
from livefacs.config import SessionOptions
from livefacs.errors import ConfigError, ProfileError, SourceError
from livefacs.mirror.core import MirrorHooks, MirrorOptions
from livefacs.mirror.packets import jpeg_from_image
from livefacs.mirror.packs import Item
from livefacs.mirror.server import Mirror
from livefacs.offline import SolveOptions, working_take
from livefacs.printable import without_secrets
from livefacs.resources import data_path, user_data_folder, user_profiles_folder
from livefacs.session.composition import open_session
from livefacs.session.mirror_beside import attach_mirror, puppets
from livefacs.session.parts import profile_name
from livefacs.session.runner import Session
from livefacs.session.stage_host import SessionSetting
from livefacs.sources import open_source
from livefacs.sources.cameras import list_cameras
from livefacs.sources.capture import is_browser
from livefacs.vocab.facs import CHANNEL_INDEX

PAGE_PROFILE: Final = "mirror"
"""Name of the profile that the page's calibration makes where none was given."""


def open_page(url: str) -> None:
    """Show a page in the browser, which may take its time."""
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def page_profile(landmarker: str, notify: Callable[[str], None]) -> str | None:
    """The profile that an earlier calibration in the page made, where it can be used."""
    if not profile_path(PAGE_PROFILE).exists():
        return None
    try:
        made = load_profile(PAGE_PROFILE, None if landmarker == "auto" else landmarker)
    except ProfileError as error:
        notify(f"starting without the page's calibration: {error}")
        return None
    notify(f"profile: {PAGE_PROFILE}, calibrated {made.created}; --profile none starts without")
    return PAGE_PROFILE


class MirrorRun:
    """One ``livefacs mirror``: the server, and one session after the other."""

    def __init__(
        self,
        options: SessionOptions,
        listen: str,
        port: int,
        drills: tuple[Path, ...] = (),
        packs: tuple[Path, ...] = (),
        character: Path | None = None,
    ) -> None:
        self._options = options
        self._wake = threading.Event()
        self._ending = Ending()
        self._session: Session | None = None
        self._setting: SessionSetting | None = None
        home = user_data_folder()
        self.mirror = Mirror(
            MirrorOptions(
                host=listen,
                port=port,
                drill_folders=(data_path("drills"), home / "drills", *drills),
                pack_folders=(data_path("packs"), home / "packs", *packs),
                character=character,
            ),
            MirrorHooks(
                self._measure,
                self._wake.set,
                choices=self._choices,
                choose=self._choose,
                still=self._still,
            ),
            puppets(),
        )
        self._measured: dict[Path, tuple[I64, F32]] = {}
        self._measuring = threading.Lock()

    def run(self, notify: Callable[[str], None]) -> None:
        """Serve until Ctrl-C or a polite kill."""
        self._ending.stop = self._stop
        with stopped_by_signals(self._ending):
            try:
                self.mirror.start()
                while not self._ending.has_come:
                    self._one_session(notify)
            except Stopped:  # while a session was opened
                notify("stopped")
            finally:
                self._ending.stop = self._stop
                self.mirror.stop()

    def _stop(self) -> None:
        self._wake.set()
        if self._session is not None:
            self._session.stop()

    def _one_session(self, notify: Callable[[str], None]) -> None:
        self._wake.clear()
        try:
            self._run_session(notify)
            trouble = "the source has ended; look again to start it anew"
        except SourceError as error:
            trouble = str(error)
        self._ending.stop = self._stop
        if self._ending.has_come or self._wake.is_set():
            return
        notify(f"no picture: {trouble}")
        self.mirror.report_trouble(trouble)
        while not self._wake.wait(timeout=0.5):  # short: a signal is taken up between waits
            pass

    def _run_session(self, notify: Callable[[str], None]) -> None:
        self._ending.stop = None  # opening takes long where kernels are compiled
        with open_session(self._options, notify, keep_image=True) as session:
            self._session = session
            self._ending.stop = self._stop
            folder, profile = self._options.record.folder, profile_name(self._options.tracking)
            host = attach_mirror(self.mirror, session, folder, profile)
            for sentence in () if self._setting is None else host.restore(self._setting):
                notify(sentence)
                self.mirror.stage.tell("refused", {"text": sentence})
            self.mirror.hooks.control = session
            try:
                # The wake: something else was chosen while it was opened.
                if not self._ending.has_come and not self._wake.is_set():
                    session.run()
            finally:
                self._setting = host.setting()
                self._session = None
                self.mirror.hooks.control = None

    # Hooks of the page.

    def _choices(self) -> dict[str, Any]:
        """Cameras and the performer; people with a profile."""
        cameras = [{"spec": c.path or str(c.index), "name": c.name} for c in list_cameras()]
        names = sorted(path.stem for path in user_profiles_folder().glob("*.json"))
        return {
            "sources": [
                *cameras,
                {"spec": "browser", "name": "a page's camera, on this machine"},
                {"spec": "demo", "name": "the bundled performer"},
            ],
            "source": without_secrets(self._options.source.spec),
            "profiles": ["none", *names],
            "profile": profile_name(self._options.tracking) or "none",
        }

    def _choose(self, kind: str, name: str) -> None:
        """Begin the session anew with another source or profile."""
        if kind == "source":
            spec = self._spec(name)
            self._options = replace(self._options, source=replace(self._options.source, spec=spec))
        elif kind == "profile":
            chosen = None if name == "none" else name
            if chosen is not None:
                session = self._session
                load_profile(chosen, session.tracker.landmarker.name if session else None)
            tracking = replace(self._options.tracking, profile=chosen)
            self._options = replace(self._options, tracking=tracking)
        else:
            raise ConfigError(f"{kind!r}: expected source or profile")
        self._wake.set()
        if self._session is not None:
            self._session.stop()

    def _spec(self, name: str) -> str:
        """The source that the page means: of the one in use it does not know the password."""
        own = self._options.source.spec
        return own if name == without_secrets(own) else name

    def _still(self, name: str) -> bytes:
        """A JPEG of what a source sees now; of the running one its newest frame."""
        newest, spec = self.mirror.feed.newest, self._spec(name)
        if spec == self._options.source.spec and newest is not None and newest.image is not None:
            return jpeg_from_image(newest.image)
        if is_browser(spec):
            raise SourceError("a page's camera: there is a picture once it was started there")
        source = open_source(spec)
        try:
            frame = source.read()
        finally:
            source.close()
        if frame is None:
            raise SourceError(f"{name}: gives no picture")
        return jpeg_from_image(frame.image)

    def _measure(self, item: Item) -> dict[str, Any]:
        """A second opinion on an item: what ``livefacs solve`` makes of the clip's same frames."""
        with self._measuring:
            if item.clip not in self._measured:
                self._measured[item.clip] = self._solved(item.clip)
            numbers, values = self._measured[item.clip]
        asked = values[(numbers >= item.start) & (numbers < item.end)]
        rows = np.round(asked.astype(float), 4).tolist()
        known = [[None if math.isnan(v) else v for v in row] for row in rows]
        return {"channels": list(CHANNEL_INDEX), "values": known}

    def _solved(self, clip: Path) -> tuple[I64, F32]:
        """Frame numbers and intensities of a whole clip, which is of another person."""
        tracking = replace(self._options.tracking, profile=None)
        with working_take(str(clip), SolveOptions(tracking)) as working:
            working.estimate()
            return np.array(working.take.frames["i_frame"]), np.array(working.take.intensity)
