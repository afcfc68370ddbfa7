"""What a session is made of: what is due, what comes next on the path, what is still weak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from livefacs.mirror.drills import Drill
from livefacs.mirror.practice import SETTLE_S

MINUTES: Final = (5, 10, 20)
"""Lengths of a session that are offered."""
REST_S: Final = 8.0
"""Between two attempts."""

_DRILLS_OF: Final = {5: 4, 10: 6, 20: 8}
_FEWEST: Final = 3
_WEAK_BELOW: Final = 80.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A drill and why it was chosen: ``warm-up``, ``due``, ``new``, ``weak`` or ``known``."""

    drill: Drill
    why: str


def longest_s(drill: Drill) -> float:
    """Seconds that an attempt takes at most, with the rest after it."""
    return SETTLE_S + drill.length_s + REST_S


def missing_for(drill: Drill, passed: Iterable[str]) -> tuple[str, ...]:
    """What the path asks for before this drill and was not passed yet."""
    done = set(passed)
    return tuple(name for name in drill.after if name not in done)


def plan_session(
    drills: Mapping[str, Drill], progress: Mapping[str, Any], minutes: int
) -> tuple[Choice, ...]:
    """A warm-up and three to eight drills, each of which fits in twice.

    Parameters
    ----------
    drills : in the order of the path
    progress : ``Progress.summary()``
    minutes : 5, 10 or 20

    Returns
    -------
    tuple of Choice
        The warm-up first; empty where there are no drills.
    """
    if not drills:
        return ()
    tried: Mapping[str, Any] = progress["drills"]
    passed = {name for name, row in tried.items() if row["passed"]}
    warm_up = _warm_up(drills, passed)
    chosen: dict[str, Choice] = {}
    left_s = 60.0 * minutes - longest_s(warm_up.drill)
    for choice in _candidates(drills, progress, passed):
        fits = 2 * longest_s(choice.drill) <= left_s
        if choice.drill.name in chosen or not (fits or len(chosen) < _FEWEST):
            continue
        chosen[choice.drill.name] = choice
        left_s -= 2 * longest_s(choice.drill)
        if len(chosen) == _DRILLS_OF[minutes]:
            break
    return (warm_up, *chosen.values())


def _warm_up(drills: Mapping[str, Drill], passed: set[str]) -> Choice:
    """The first held position of the path that is known; else where the path begins."""
    known = [d for d in drills.values() if d.name in passed and d.kind == "hold"]
    return Choice((known or list(drills.values()))[0], "warm-up")


def _candidates(
    drills: Mapping[str, Drill], progress: Mapping[str, Any], passed: set[str]
) -> list[Choice]:
    """Due and new by turns, so that a session never is repetition alone; then weak, then known."""
    tried: Mapping[str, Any] = progress["drills"]
    due = [Choice(d, "due") for d in _due(drills, progress, passed)]
    new = [
        Choice(d, "new")
        for d in drills.values()
        if d.name not in passed and not missing_for(d, passed)
    ]
    weak = sorted(
        (d for d in drills.values() if d.name in passed and tried[d.name]["best"] < _WEAK_BELOW),
        key=lambda d: float(tried[d.name]["best"]),
    )
    by_turns = [
        choice
        for i in range(max(len(due), len(new)))
        for choice in (*due[i : i + 1], *new[i : i + 1])
    ]
    known = [Choice(d, "known") for d in drills.values() if d.name in passed]
    return [*by_turns, *(Choice(d, "weak") for d in weak), *known]


def _due(drills: Mapping[str, Drill], progress: Mapping[str, Any], passed: set[str]) -> list[Drill]:
    """One drill of each action that comes up, the worst action first."""
    found: list[Drill] = []
    for row in progress["actions"]:
        if not row["is_due"]:
            continue
        of_action = [d for d in drills.values() if "+".join(d.actions) == row["action"]]
        tried = [d for d in of_action if d.name in progress["drills"]]
        open_ones = [d for d in tried if d.name not in passed]
        found += (open_ones or tried)[:1]
    return found
