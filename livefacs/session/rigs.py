"""The rigs that a session's destinations carry, and the taking up of edited maps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from livefacs.config import StreamOptions
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter, RigWatch
from livefacs.sinks.destination import SCHEMES, Destination, parse_destination
from livefacs.workers import Worker

_CARRIES_ANY_RIG: Final = frozenset(name for name, scheme in SCHEMES.items() if scheme.rig is None)
_LOOK_EVERY_S: Final = 0.5


class Retargeting:
    """The destinations, and their rigs: each compiled once, mirrored ones apart.

    Attributes
    ----------
    destinations : list of Destination
    straight, mirrored : list of Retargeter
        That read the performance as it is, and its mirror image.
    watches : list of RigWatch
        One a map.

    Raises
    ------
    ConfigError, SinkError
        A destination or a map is wrong.
    """

    def __init__(self, options: StreamOptions) -> None:
        wanted = [parse_destination(url) for url in options.to]
        wanted = [_with_default_rig(each, options.rig) for each in wanted]
        names = dict.fromkeys(each.rig for each in wanted if each.rig is not None)
        programs = {name: load_rig(name) for name in names}
        self.destinations = [
            each if each.rig is None else replace(each, rig=programs[each.rig].rig)
            for each in wanted
        ]
        self.straight: list[Retargeter] = []
        self.mirrored: list[Retargeter] = []
        self.watches: list[RigWatch] = []
        for name, program in programs.items():
            running = []
            for mirror, among in ((False, self.straight), (True, self.mirrored)):
                if any(each.rig == name and each.mirror == mirror for each in wanted):
                    running.append(Retargeter(program))
                    among.append(running[-1])
            self.watches.append(RigWatch(*running))


def _with_default_rig(destination: Destination, rig: str | None) -> Destination:
    if destination.rig is None and rig is not None and destination.scheme in _CARRIES_ANY_RIG:
        return replace(destination, rig=rig)
    return destination


class RigReloader:
    """Takes up edited maps, each in a thread of its own: a file that stalls delays no frame.

    Parameters
    ----------
    watches : sequence of RigWatch
    notify : callable(str)
        Told what became of an edit.
    """

    def __init__(self, watches: Sequence[RigWatch], notify: Callable[[str], None]) -> None:
        self._notify = notify
        self._closing = threading.Event()
        self._workers = [
            Worker(lambda watch=watch: self._watch(watch), "livefacs-rigs")  # type: ignore[misc]  # binds each watch
            for watch in watches
        ]
        for worker in self._workers:
            worker.start()

    def close(self) -> None:
        """Look no more."""
        self._closing.set()
        for worker in self._workers:
            worker.join(_LOOK_EVERY_S)

    def _watch(self, watch: RigWatch) -> None:
        while not self._closing.wait(_LOOK_EVERY_S):
            reload = watch.reload_if_changed()
            if reload is None:
                continue
            if reload.is_taken:
                self._notify(f"rig {reload.rig}: the edited map runs now")
            else:
                self._notify(f"rig {reload.rig}: the edited map has errors, the old one runs on")
                for error in reload.errors:
                    self._notify(f"  {error}")
