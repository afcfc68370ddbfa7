"""Drills: what a teacher writes in a file, made ready to run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from livefacs.arrays import F32
from livefacs.errors import ConfigError
from livefacs.mirror.leader import curve_from_take
from livefacs.mirror.schema import CURVE_KINDS, DrillFile, DrillTable, checked_file
from livefacs.resources import data_path, user_data_folder
from livefacs.vocab.facs import (
    AU_CHANNELS,
    CHANNEL_INDEX,
    EYE_CHANNELS,
    HEAD_CHANNELS,
    LETTER_FLOORS,
    find_code,
)

COMPANIONS: Final[dict[str, tuple[str, ...]]] = {
    "10": ("25",),
    "16": ("25",),
    "22": ("25",),
    "26": ("25", "27"),
    "27": ("25", "26"),
    "43": ("45",),
    "45": ("43",),
    "12": ("6",),
}
"""Actions that may go along without being counted as intruders: what the jaw or the lid cannot
help, and the cheeks that a strong 12 lifts by itself (FACS credits 6 only beyond that)."""

FLOOR_OF: Final[dict[str, float]] = dict(LETTER_FLOORS)
_NEVER_INTRUDERS: Final = frozenset((*HEAD_CHANNELS, *EYE_CHANNELS))


@dataclass(frozen=True, slots=True)
class Drill:
    """One exercise.

    Attributes
    ----------
    targets : tuple of str
        Channels that have to move, grouped as ``groups`` says.
    groups : tuple of tuple of int
        Indices of the channels of each action, in the order of ``AU_CHANNELS``.
    opposite : tuple of int
        The other side's channels, for one-sided drills.
    others : tuple of int
        Channels that should stay where they are.
    floor : float
        Lowest intensity of the letter that is asked for.
    curve : tuple of (seconds, intensity)
        Target curve; empty where the drill has none.
    after : tuple of str
        Drills that the path asks for first.
    """

    name: str
    title: str
    set_title: str
    kind: str
    actions: tuple[str, ...]
    side: str
    level: str
    hold_s: float
    time_limit_s: float
    pass_score: int
    cycles: int
    note: str
    targets: tuple[str, ...]
    groups: tuple[tuple[int, ...], ...]
    opposite: tuple[int, ...]
    others: tuple[int, ...]
    floor: float
    curve: tuple[tuple[float, float], ...] = ()
    after: tuple[str, ...] = ()

    @property
    def indices(self) -> tuple[int, ...]:
        """The targets among all channels."""
        return tuple(CHANNEL_INDEX[name] for name in self.targets)

    @property
    def watched(self) -> tuple[int, ...]:
        """Channels that should stay where they are, the other side's with them."""
        return (*self.others, *self.opposite)

    def sides(self) -> dict[str, list[int]]:
        """The targets of each side, ``L`` and ``R``; ``""`` stands for midline actions."""
        found: dict[str, list[int]] = {}
        for name, index in zip(self.targets, self.indices, strict=True):
            found.setdefault(name[-1] if name[-2:] in ("_L", "_R") else "", []).append(index)
        return found

    def side_level(self, levels: F32) -> F32:
        """(...) what counts of a side's (..., n) targets: the weakest; in turns, the strongest."""
        level: F32 = levels.max(axis=-1) if self.kind == "alternate" else levels.min(axis=-1)
        return level

    @property
    def length_s(self) -> float:
        """Longest time that the drill can take after its settling second."""
        return self.curve[-1][0] if self.curve else self.time_limit_s

    def document(self) -> dict[str, Any]:
        """Plain values for the page."""
        about = ("name", "title", "set_title", "kind", "actions", "side", "level", "note")
        asked = ("hold_s", "time_limit_s", "pass_score", "cycles", "targets", "floor", "curve")
        return {key: getattr(self, key) for key in (*about, *asked, "after")}


@dataclass(frozen=True, slots=True)
class DrillLibrary:
    """All drills that could be read, and in words what could not."""

    drills: dict[str, Drill]
    errors: tuple[str, ...]


def drill_from_table(table: DrillTable, set_title: str, folder: Path | None = None) -> Drill:
    """Make a checked table ready to run.

    Raises
    ------
    ConfigError
        An action is unknown or not measured, or a take to follow cannot be read.
    """
    errors: list[str] = []
    groups = [_channels(action, table.side, errors) for action in table.actions]
    allowed = [channel for code in table.allow for channel in _channels(code, "both", errors)]
    if errors:
        raise ConfigError(f"drill {table.name!r}:", errors)
    targets = tuple(channel for group in groups for channel in group)
    codes = tuple(find_code(action).code for action in table.actions)
    silent = {c for code in codes for near in COMPANIONS.get(code, ()) for c in _all(near)}
    family = {channel for action in table.actions for channel in _all(action)}
    others = [
        index
        for index, channel in enumerate(AU_CHANNELS)
        if channel not in family | silent | _NEVER_INTRUDERS | set(allowed)
    ]
    curve = tuple((t, y) for t, y in table.curve or ())
    if table.take is not None:
        curve = curve_from_take(table.take, targets, folder)
    return Drill(
        name=table.name,
        title=table.title,
        set_title=set_title,
        kind=table.kind,
        actions=codes,
        side=table.side,
        level=table.level,
        hold_s=table.hold_s,
        time_limit_s=table.time_limit_s,
        pass_score=table.pass_score,
        cycles=table.cycles,
        note=table.note,
        targets=targets,
        groups=tuple(tuple(CHANNEL_INDEX[c] for c in group) for group in groups),
        opposite=_opposite(table, targets),
        others=tuple(others),
        floor=FLOOR_OF[table.level],
        curve=curve,
        after=tuple(table.after),
    )


def _all(action: str) -> tuple[str, ...]:
    return find_code(action).channels


def _channels(action: str, side: str, errors: list[str]) -> tuple[str, ...]:
    try:
        channels = _all(action)
    except ConfigError as error:
        errors.append(str(error))
        return ()
    if not channels:
        errors.append(f"action {action!r} is not measured by the camera; choose another")
    suffix = {"left": "_L", "right": "_R"}.get(side)
    if suffix is None or len(channels) == 1:
        return channels
    return tuple(channel for channel in channels if channel.endswith(suffix))


def _opposite(table: DrillTable, targets: Iterable[str]) -> tuple[int, ...]:
    if table.side == "both":
        return ()
    family = {channel for action in table.actions for channel in _all(action)}
    return tuple(sorted(CHANNEL_INDEX[channel] for channel in family - set(targets)))


def load_drills(folders: Iterable[Path] | None = None) -> DrillLibrary:
    """Read every drill file: those that ship, then the user's own; a later name wins.

    A file that cannot be used is left out; what is wrong with it is in ``errors``.
    """
    if folders is None:
        folders = (data_path("drills"), user_data_folder() / "drills")
    drills: dict[str, Drill] = {}
    errors: list[str] = []
    for path in (path for folder in folders for path in sorted(folder.glob("*.toml"))):
        try:
            drills.update({drill.name: drill for drill in _drills_of(path)})
        except ConfigError as error:
            errors.append(str(error))
    errors += [
        f"drill {drill.name!r}: after names {name!r}, which is no drill here"
        for drill in drills.values()
        for name in drill.after
        if name not in drills
    ]
    return DrillLibrary(drills, tuple(errors))


def _drills_of(path: Path) -> list[Drill]:
    source, file = checked_file(path, DrillFile, "drill file")
    drills: list[Drill] = []
    for number, table in enumerate(file.drill):
        try:
            drill = drill_from_table(table, file.title, path.parent)
        except ConfigError as error:
            source.add(("drill", number), " ".join(str(error).split()))
            continue
        if drill.name in {other.name for other in drills}:
            source.add(("drill", number, "name"), f"{drill.name!r} is used twice")
        drills.append(drill)
    source.raise_problems("drill file")
    return drills


def is_curve(drill: Drill) -> bool:
    """True for drills that follow a curve."""
    return drill.kind in CURVE_KINDS
