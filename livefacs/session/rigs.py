"""The rigs that a session's destinations carry, and the taking up of edited maps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from livefacs.config import StreamOptions
from livefacs.errors import SinkError
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter, RigWatch
from livefacs.sinks.destination import SCHEMES, Destination, parse_destination
from livefacs.workers import Worker

_CARRIES_ANY_RIG: Final = frozenset(name for name, scheme in SCHEMES.items() if scheme.rig is None)
_CARRIES_SEVERAL: Final = frozenset({"osc", "zmq", "ws", "lsl"})
"""Schemes that tell performers apart."""
_LOOK_EVERY_S: Final = 0.5


class Retargeting:
    """The destinations, and their rigs: each compiled once, mirrored ones apart.

    Attributes
    ----------
    destinations : list of Destination
        As they are for so many performers.
    straight, mirrored : list of lists of Retargeter
        That read each performer's performance as it is, and its mirror image.
    watches : list of RigWatch
        One a map.

    Raises
    ------
    ConfigError, SinkError
        A destination or a map is wrong.
    """

    def __init__(self, options: StreamOptions, n_performers: int = 1) -> None:
        wanted = [for_performers(parse_destination(url), n_performers) for url in options.to]
        wanted = [_with_default_rig(each, options.rig) for each in wanted]
        names = dict.fromkeys(each.rig for each in wanted if each.rig is not None)
        programs = {name: load_rig(name) for name in names}
        self.destinations = [
            each if each.rig is None else replace(each, rig=programs[each.rig].rig)
            for each in wanted
        ]
        self.straight: list[list[Retargeter]] = [[] for _ in range(n_performers)]
        self.mirrored: list[list[Retargeter]] = [[] for _ in range(n_performers)]
        self.watches: list[RigWatch] = []
        for name, program in programs.items():
            running = []
            for mirror, performers in ((False, self.straight), (True, self.mirrored)):
                if any(each.rig == name and each.mirror == mirror for each in wanted):
                    for among in performers:
                        running.append(Retargeter(program))
                        among.append(running[-1])
            self.watches.append(RigWatch(*running))


def for_performers(destination: Destination, n_performers: int) -> Destination:
    """The destination in a session of so many performers.

    Raises
    ------
    SinkError
        It asks for a performer that there is none.
    """
    face = destination.face
    if face is not None and face > n_performers:
        raise SinkError(
            f"output {destination.url!r}: face={face}, but this session tracks {n_performers};"
            " track more with --faces"
        )
    if n_performers == 1 or face is not None:
        return replace(destination, face=face or 1)
    if destination.scheme in _CARRIES_SEVERAL:
        return replace(destination, performers=n_performers)
    return replace(destination, face=1)


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
