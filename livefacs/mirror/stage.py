"""The stage: one map being tuned while it runs, and what the pages see of it."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.clock import NS_PER_S
from livefacs.errors import ConfigError, RigMapError
from livefacs.mirror.page_feed import LiveFeed
from livefacs.protocols import SessionControl
from livefacs.retarget.compiler import RigProgram, program_from_map
from livefacs.retarget.diagnosis import Record
from livefacs.retarget.inputs import N_SIGNALS, SIGNALS
from livefacs.retarget.retargeter import Retargeter, file_stamps
from livefacs.retarget.rules import RigMap
from livefacs.retarget.tuning import TunedMap
from livefacs.types import RigFrame, TrackedFrame

DEFAULT_RIG: Final = "arkit52"
_KEPT_S: Final = 10.0
_LOOK_NS: Final = NS_PER_S // 5  # between two looks for an edited file
_HELD_S: Final = 0.5  # a pose is the mean of this long


class StageHost(Protocol):
    """What a running session does for the stage."""

    def rigs(self) -> tuple[str, ...]:
        """Names of the maps that destinations carry."""

    def run_program(self, program: RigProgram) -> None:
        """Stream with this program where its rig is streamed."""

    def destinations(self) -> list[dict[str, Any]]:
        """Each one's URL, scheme, rig and counters."""

    def add_destination(self, url: str) -> None:
        """Open one more; raises ``SinkError`` where it cannot be."""

    def remove_destination(self, url: str) -> None:
        """Send a neutral frame, then close it."""

    def sweep(self, url: str) -> None:
        """Move every control of a destination in its turn."""

    def filter(self) -> dict[str, float]:
        """``cutoff_hz`` and ``beta`` of the estimator's filter."""

    def set_filter(self, cutoff_hz: float, beta: float) -> None:
        """Filter otherwise from now on."""

    def take_folder(self) -> Path | None:
        """Where takes are recorded."""


class Stage:
    """A map with its file, its program, its last seconds; shared by all pages.

    Parameters
    ----------
    clock : callable that gives the session's nanoseconds
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._feed: LiveFeed | None = None
        self.on_shut: list[Callable[[], None]] = []
        self.host: StageHost | None = None
        self.control: SessionControl | None = None
        self.tuned = TunedMap(DEFAULT_RIG)
        self.map: RigMap = self.tuned.load()
        self.saved: RigMap = self.map
        self.errors: tuple[str, ...] = ()
        self.showing_saved = False
        self.revision = 0
        self._was_opened = False  # by a person, not by what a session streams
        self.poses: list[tuple[F64, dict[str, float]]] = []
        self._player = _Player(program_from_map(self.map))
        self._stamps = file_stamps(self.map.files)
        self._looked_ns = 0

    @property
    def clock_ms(self) -> float:
        """The session's clock, which dates what is counted."""
        return self._clock() / 1e6

    def attach(self, host: StageHost | None, control: SessionControl | None) -> None:
        """A session runs, or has ended; the first rig that it streams is opened."""
        self.host = host
        self.control = control
        rigs = host.rigs() if host is not None else ()
        if rigs and self.tuned.rig not in rigs and not self._was_opened:
            self._open(rigs[0])
        elif host is not None:
            host.run_program(program_from_map(self.map))  # what was tuned before goes on

    @property
    def feed(self) -> LiveFeed:
        """Frames for the stage's pages; made when the first one asks."""
        with self._lock:
            if self._feed is None:
                self._feed = LiveFeed(self._clock, self._player.parts())
                self._feed.add_watcher(self._watch)
            return self._feed

    def take(self, tracked: TrackedFrame) -> None:
        """One frame of the session; costs nothing before a page was open."""
        if self._feed is not None:
            self._feed.send(tracked)

    def shut(self) -> None:
        """End the feed, and what hangs on the stage."""
        for close in self.on_shut:
            close()
        if self._feed is not None:
            self._feed.shut()

    def _watch(self, _tracked: TrackedFrame) -> None:
        """In the feed's thread, now and then: was the file edited by someone else?"""
        now = self._clock()
        if now - self._looked_ns >= _LOOK_NS:
            self._looked_ns = now
            self.look_for_edits()

    def look_for_edits(self) -> None:
        """Take up the files where they changed; errors are told and the old map runs on."""
        with self._lock:
            stamps = file_stamps((*self.map.files, self.tuned.path))
            if stamps == self._stamps:
                return
            self._stamps = stamps
            if not self.tuned.note_edit() and not self.errors:
                return
            try:
                self._use(self.tuned.load())
            except RigMapError as error:
                self.errors = error.errors or (str(error),)
                self._tell()

    # What a page may do with the map.

    def open(self, name: str) -> None:
        """Tune another map.

        Raises
        ------
        RigMapError
            Unknown, or with errors.
        """
        self._open(name)
        self._was_opened = True

    def _open(self, name: str) -> None:
        with self._lock:
            tuned = TunedMap(name)
            self.saved = tuned.load()
            self.tuned = tuned
            self.poses.clear()
            self._use(self.saved)

    def change(self, changes: Mapping[str, Mapping[str, Any]], gesture: str = "") -> None:
        """Write keys of controls and run the map with them; see ``TunedMap.change``."""
        with self._lock:
            known = set(self.map.controls)
            unknown = sorted(set(changes) - known)
            if unknown:
                raise ConfigError(f"the map has no control {unknown[0]!r}")
            self._use(self.tuned.change(changes, gesture))

    def reset(self, control: str) -> None:
        """Leave a control as it is inherited."""
        with self._lock:
            self._use(self.tuned.reset(control))

    def undo(self) -> None:
        """Take the last change back."""
        with self._lock:
            self._use(self.tuned.undo())

    def redo(self) -> None:
        """Do it again."""
        with self._lock:
            self._use(self.tuned.redo())

    def compare(self, saved: bool) -> None:
        """Run the map as it was when it was opened (A), or as it is tuned now (B)."""
        with self._lock:
            self.showing_saved = saved
            self._run(self.saved if saved else self.map)
            self._tell()

    def _use(self, rig_map: RigMap) -> None:
        self.map, self.errors, self.showing_saved = rig_map, (), False
        self._stamps = file_stamps((*rig_map.files, self.tuned.path))
        self._run(rig_map)
        self._tell()

    def _run(self, rig_map: RigMap) -> None:
        program = program_from_map(rig_map)
        self._player.use(program)
        if self.host is not None:
            self.host.run_program(program)

    def _tell(self) -> None:
        self.revision += 1
        self.tell("map", {"revision": self.revision, "rig": self.tuned.rig})

    def tell(self, kind: str, values: Mapping[str, Any]) -> None:
        """Send a text to every page of the stage."""
        if self._feed is not None:
            self._feed.tell_all(kind, json.dumps({"type": kind, **values}))

    # What a page may ask.

    def record(self) -> Record:
        """The last ten seconds."""
        return self._player.record()

    def capture_pose(self, values: Mapping[str, float]) -> int:
        """Keep the face of the last half second with the values that it should give.

        Raises
        ------
        ConfigError
            Nobody performs.
        """
        record = self.record()
        if not len(record.t_s):
            raise ConfigError("no frame came yet: the face has to be in the picture")
        held = record.t_s >= record.t_s[-1] - _HELD_S
        self.poses.append((record.signals[held].mean(axis=0), dict(values)))
        return len(self.poses)


class _Player:
    """Runs the program on every frame of the feed: values, drives and signals as three "rigs"."""

    def __init__(self, program: RigProgram) -> None:
        self._retargeter = Retargeter(program)
        self._lock = threading.Lock()
        self._kept: deque[tuple[int, F64, F64, F32]] = deque()
        self._signals: F64 = np.zeros(N_SIGNALS)
        self._drives: F64 = np.zeros(len(program.controls))
        self._controls = program.controls

    def use(self, program: RigProgram) -> None:
        with self._lock:
            if program.controls != self._retargeter.program.controls:
                self._kept.clear()
            self._retargeter.replace_program(program)

    def parts(self) -> Sequence[_Part]:
        return (
            _Part("values", self._values),
            _Part("drives", lambda _tracked: (self._controls, self._drives.astype(np.float32))),
            _Part("signals", lambda _tracked: (SIGNALS, self._signals.astype(np.float32))),
        )

    def _values(self, tracked: TrackedFrame) -> tuple[tuple[str, ...], F32]:
        with self._lock:
            frame = self._retargeter.retarget(tracked)
            self._controls = frame.controls
            self._drives = self._retargeter.drives
            self._signals = self._retargeter.signals
            kept = self._kept
            if kept and not kept[-1][0] < tracked.t_ns:
                kept.clear()
            kept.append((tracked.t_ns, self._signals, self._drives, frame.values))
            while kept[-1][0] - kept[0][0] > _KEPT_S * NS_PER_S:
                kept.popleft()
            return frame.controls, frame.values

    def record(self) -> Record:
        with self._lock:
            kept = list(self._kept)
            controls = self._retargeter.program.controls
        if not kept:
            nothing = np.zeros((0, len(controls)))
            return Record(
                np.zeros(0), np.zeros((0, N_SIGNALS)), nothing, nothing.astype(np.float32), controls
            )
        times, signals, drives, values = zip(*kept, strict=True)
        t_s = np.array(times, np.float64) / NS_PER_S
        return Record(t_s, np.array(signals), np.array(drives), np.array(values), controls)


class _Part:
    """One of the player's three, in the shape of a retargeter."""

    def __init__(
        self, name: str, give: Callable[[TrackedFrame], tuple[tuple[str, ...], F32]]
    ) -> None:
        self.rig = name
        self._give = give

    def retarget(self, tracked: TrackedFrame) -> RigFrame:
        """Called in the order values, drives, signals."""
        return RigFrame(self.rig, *self._give(tracked))
