"""What a running session does for the stage: programs, destinations, filter."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from livefacs.au.estimator import Estimator
from livefacs.au.smoothing import Smoothing
from livefacs.clock import ClockMap
from livefacs.errors import ConfigError, LivefacsError, SinkError
from livefacs.retarget.compiler import RigProgram
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.session.rigs import for_performers
from livefacs.session.runner import Session
from livefacs.sinks.destination import parse_destination
from livefacs.sinks.hub import Hub, Outlet, RateLimit
from livefacs.sinks.probe_frames import SweptRig
from livefacs.sinks.sink_from_destination import open_sink
from livefacs.sinks.sweeping import Sweeping


@dataclass(frozen=True, slots=True)
class SessionSetting:
    """What was set while a session ran, for the one that follows it.

    Attributes
    ----------
    destinations : tuple of str
        URLs, in their order.
    smoothing : Smoothing or None
        None where the estimator has no filter.
    streaming : bool
    slate : str or None
    take : int or None
        Number of the next take.
    """

    destinations: tuple[str, ...]
    smoothing: Smoothing | None
    streaming: bool
    slate: str | None
    take: int | None


class SessionStage:
    """The stage's hold on one session (``mirror.stage.StageHost``); any thread may call it.

    Parameters
    ----------
    session : Session
    on_sweep : callable(url, name)
        Told what a sweep moves just now, and an empty name at its end.
    take_folder : Path or None
        Where it records.
    """

    def __init__(
        self,
        session: Session,
        on_sweep: Callable[[str, str], None],
        take_folder: Path | None = None,
    ) -> None:
        self._session = session
        self._on_sweep = on_sweep
        self._take_folder = take_folder
        self._lock = threading.Lock()

    def rigs(self) -> tuple[str, ...]:
        """Names of the maps that destinations carry."""
        return tuple(dict.fromkeys(each.rig for each in self._session.tracker.retargeters))

    def run_program(self, program: RigProgram) -> None:
        """Stream with this program where its rig is streamed."""
        for performer in self._session.tracker.performers:
            for each in performer.retargeters:
                if each.rig == program.rig and isinstance(each, Retargeter):
                    each.replace_program(program)

    def destinations(self) -> list[dict[str, Any]]:
        """Each one's URL, scheme, rig, mirror switch and counters."""
        rows = []
        for outlet in self._hub().outlets:
            checked, counters = parse_destination(outlet.sink.url), outlet.sink.counters
            rows.append(
                {
                    "url": outlet.sink.url,
                    "scheme": checked.scheme,
                    "rig": checked.rig or "",
                    "mirror": outlet.mirror,
                    "packets": counters.packets,
                    "refused": counters.refused,
                    "last_error": counters.last_error,
                }
            )
        return rows

    def add_destination(self, url: str) -> None:
        """Open one more destination, and make its rig's controls.

        Raises
        ------
        SinkError
            The URL is none, stands already, or cannot be opened.
        RigMapError
            Its rig is unknown.
        """
        n_performers = len(self._session.tracker.performers)
        checked = for_performers(parse_destination(url), n_performers)
        with self._lock:
            if any(outlet.sink.url == url for outlet in self._hub().outlets):
                raise SinkError(f"output {url!r} is there already")
            if checked.rig is not None:
                self._make_rig(checked.rig, mirrored=checked.mirror)
            sink = Sweeping(open_sink(checked, ClockMap.read(), self._session))
            limit = RateLimit(checked.rate_hz) if checked.rate_hz is not None else None
            hub = self._hub()
            face = None if checked.performers > 1 else checked.face
            hub.outlets = (*hub.outlets, Outlet(sink, checked.mirror, limit, face))

    def _make_rig(self, name: str, *, mirrored: bool) -> None:
        tracker = self._session.tracker
        program = load_rig(name)
        running = [each for each in tracker.retargeters if each.rig == program.rig]
        if running and isinstance(running[0], Retargeter):
            program = running[0].program  # what is tuned just now

        def add() -> None:
            for performer in tracker.performers:
                performer.add_retargeter(Retargeter(program), mirrored=mirrored)

        self._session.between_frames(add)

    def remove_destination(self, url: str) -> None:
        """Leave its rig at rest and close it.

        Raises
        ------
        ConfigError
            There is none with this URL.
        """
        with self._lock:
            hub = self._hub()
            outlet = self._outlet(url)
            hub.outlets = tuple(each for each in hub.outlets if each is not outlet)

        def close() -> None:
            neutral = self._session.tracker.neutral(0, 0)
            outlet.sink.send(neutral.mirrored() if outlet.mirror else neutral)
            outlet.sink.close()

        self._session.between_frames(close)

    def sweep(self, url: str) -> None:
        """Move every control of a destination in its turn; a second call ends it.

        Raises
        ------
        ConfigError
            There is none with this URL.
        """
        with self._lock:
            outlet = self._outlet(url)
            sink = outlet.sink
            if not isinstance(sink, Sweeping):
                sink = Sweeping(sink)
                hub, swept = self._hub(), replace(outlet, sink=sink)
                hub.outlets = tuple(swept if each is outlet else each for each in hub.outlets)
        rig = parse_destination(url).rig
        rigs = {} if rig is None else self._swept(rig)
        self._session.between_frames(
            lambda: sink.toggle(
                rigs, units=rig is None, on_step=lambda name: self._on_sweep(url, name)
            )
        )

    def _swept(self, rig: str) -> dict[str, SweptRig]:
        program = load_rig(rig)
        rest = Retargeter(program).retarget(self._session.tracker.neutral(0, 0)).values
        swept = SweptRig(program.controls, program.limits, np.asarray(rest, np.float32))
        return {program.rig: swept}

    def filter(self) -> dict[str, float]:
        """``cutoff_hz`` and ``beta`` of the estimator's filter."""
        smoothing = self._estimator().smoothing
        return {"cutoff_hz": smoothing.cutoff_hz, "beta": smoothing.beta}

    def set_filter(self, cutoff_hz: float, beta: float) -> None:
        """Filter otherwise from the next frame on, every performer."""
        smoothing = Smoothing(cutoff_hz, beta)
        self._estimator()  # there is one

        def set_all() -> None:
            for performer in self._session.tracker.performers:
                if isinstance(performer.estimator, Estimator):
                    performer.estimator.set_smoothing(smoothing)

        self._session.between_frames(set_all)

    def take_folder(self) -> Path | None:
        """Where takes are recorded; None where none are."""
        return self._take_folder

    def setting(self) -> SessionSetting:
        """What is set just now."""
        status, estimator = self._session.status(), self._session.tracker.estimator
        return SessionSetting(
            tuple(outlet.sink.url for outlet in self._hub().outlets),
            estimator.smoothing if isinstance(estimator, Estimator) else None,
            status["streaming"],
            status["slate"],
            status["take"],
        )

    def restore(self, setting: SessionSetting) -> list[str]:
        """Set the same again: destinations that are missing are opened, others closed.

        Returns
        -------
        list of str
            Why a destination could not be opened.
        """
        there, errors = {outlet.sink.url for outlet in self._hub().outlets}, []
        for url in there - set(setting.destinations):
            self.remove_destination(url)
        for url in setting.destinations:
            if url in there:
                continue
            try:
                self.add_destination(url)
            except LivefacsError as error:
                errors.append(str(error))
        if setting.smoothing is not None:
            self.set_filter(setting.smoothing.cutoff_hz, setting.smoothing.beta)
        if not setting.streaming:
            self._session.stop_streaming()
        if setting.slate is not None:
            self._session.set_slate(setting.slate)
        if setting.take is not None:
            self._session.set_take(setting.take)
        return errors

    def _estimator(self) -> Estimator:
        estimator = self._session.tracker.estimator
        if not isinstance(estimator, Estimator):
            raise ConfigError("this session's estimator has no filter to set")
        return estimator

    def _hub(self) -> Hub:
        outputs = self._session.outputs
        if not isinstance(outputs, Hub):
            raise ConfigError("this session has no destinations")
        return outputs

    def _outlet(self, url: str) -> Outlet:
        for outlet in self._hub().outlets:
            if outlet.sink.url == url:
                return outlet
        raise ConfigError(f"there is no output {url!r}")
