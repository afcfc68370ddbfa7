"""A running session: drill after drill with a rest between, until its time is over.

Time is the frames' own, as in a drill: while no frames come, nothing passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from livefacs.arrays import F32
from livefacs.mirror.drills import Drill
from livefacs.mirror.plan import REST_S, Choice, longest_s
from livefacs.mirror.practice import DrillRun

_FIRST_REST_S: Final = 4.0
"""Rest before the first attempt: time to look at what is asked."""
_NO_REST_S: Final = 20.0
"""A face that is not at rest for so long does not begin; the session goes on without it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of the session; ``result`` is None where no face was seen or it was left."""

    drill: Drill
    result: dict[str, Any] | None

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.result is not None and bool(self.result["passed"])


@dataclass(slots=True)
class LessonRun:
    """Goes through a plan, in turns; what fails comes up to twice as often as what passes.

    Phases: ``rest`` (the next drill is shown), ``drill``, ``done``.

    Parameters
    ----------
    choices : the plan, warm-up first
    length_s : float
        Nothing begins that would not end within it.
    """

    choices: Sequence[Choice]
    length_s: float
    phase: str = "rest"
    attempts: list[Attempt] = field(default_factory=list)
    run: DrillRun | None = None
    _choice: Choice | None = None
    _began_s: float | None = None
    _now_s: float = 0.0
    _rest_until_s: float = 0.0
    _drill_from_s: float = 0.0

    def __post_init__(self) -> None:
        self._choice = self.choices[0] if self.choices else None
        if self._choice is None:
            self.phase = "done"

    def step(self, t_s: float, intensity: F32, has_face: bool) -> bool:
        """Take one frame; True where an attempt has just ended.

        Parameters
        ----------
        t_s : float
            Time of the frame, seconds.
        intensity : (N_AU,) float32
        has_face : bool
        """
        if self._began_s is None:
            self._began_s = t_s
            self._rest_until_s = t_s + _FIRST_REST_S
        self._now_s = t_s
        if self.phase == "rest" and t_s >= self._rest_until_s:
            self.go_on()
        if self.phase != "drill" or self.run is None:
            return False
        self.run.step(t_s, intensity, has_face)
        if self.run.phase == "done":
            self._end_attempt(None if self.run.result is None else self.run.result.document())
            return True
        waited_s = t_s - self._drill_from_s
        in_vain = self._left_s() <= 0 or (has_face and waited_s > _NO_REST_S)
        if self.run.phase == "settle" and in_vain:
            self._end_attempt(None)
        return False

    def go_on(self) -> None:
        """Begin what is shown now, or leave what runs without a score."""
        if self.phase == "drill":
            self._end_attempt(None)
        elif self.phase == "rest" and self._choice is not None:
            self.run = DrillRun(self._choice.drill, from_rest=True)
            self.phase = "drill"
            self._drill_from_s = self._now_s

    def stop(self) -> None:
        """End the session here."""
        self.phase, self._choice = "done", None

    def _end_attempt(self, result: dict[str, Any] | None) -> None:
        if self._choice is not None:
            self.attempts.append(Attempt(self._choice.drill, result))
        self._choice = self._next()
        self.phase = "rest" if self._choice else "done"
        self._rest_until_s = self._now_s + REST_S

    def _left_s(self) -> float:
        return self.length_s - self._gone_s()

    def _gone_s(self) -> float:
        return 0.0 if self._began_s is None else self._now_s - self._began_s

    def _next(self) -> Choice | None:
        """Of what still fits: the fewest tries, a pass counting for two, then the longest ago."""
        rest_s = self._left_s()
        practised = list(self.choices[1:]) or list(self.choices)
        fitting = [c for c in practised if longest_s(c.drill) <= rest_s]
        last = self.attempts[-1].drill.name
        others = [c for c in fitting if c.drill.name != last] or fitting
        had = Counter(one.drill.name for one in self.attempts)
        had.update(one.drill.name for one in self.attempts if one.passed)
        seen = {one.drill.name: i for i, one in enumerate(self.attempts)}
        return min(
            others,
            key=lambda c: (had[c.drill.name], seen.get(c.drill.name, -1)),
            default=None,
        )

    def state(self) -> dict[str, Any]:
        """Plain values for the page, at any moment."""
        choice = self._choice
        return {
            "phase": self.phase,
            "length_s": self.length_s,
            "left_s": round(max(0.0, self._left_s()), 1),
            "rest_s": round(max(0.0, self._rest_until_s - self._now_s), 1),
            "drill": None if choice is None else choice.drill.name,
            "why": None if choice is None else choice.why,
            "n": len(self.attempts) + (self.phase != "done"),
            "drills": [each.drill.name for each in self.choices],
            "summary": self.summary() if self.phase == "done" else None,
        }

    def summary(self) -> dict[str, Any]:
        """What was done, drill by drill, and the one thing to work on."""
        rows: dict[str, dict[str, Any]] = {}
        for one in self.attempts:
            row = rows.setdefault(
                one.drill.name,
                {"drill": one.drill.name, "title": one.drill.title}
                | {"attempts": 0, "passes": 0, "best": None},
            )
            if one.result is None:
                continue
            row["attempts"] += 1
            row["passes"] += one.passed
            row["best"] = max(row["best"] or 0.0, one.result["total"])
        return {
            "minutes": round(self._gone_s() / 60, 1),
            "rows": [row for row in rows.values() if row["attempts"]],
            "work_on": work_on(self.attempts),
        }


def work_on(attempts: Sequence[Attempt]) -> dict[str, Any] | None:
    """The advice that came most often, of failed attempts where there were any; the latest of it.

    None where nothing but praise was given.
    """
    scored = [(one.drill, one.result) for one in attempts if one.result is not None]
    failed = [(drill, result) for drill, result in scored if not result["passed"]]
    told = [
        (drill, result["advice"])
        for drill, result in failed or scored
        if result["advice"]["key"] != "good"
    ]
    if not told:
        return None
    counts = Counter((advice["key"], advice["values"].get("channel")) for _, advice in told)
    most = max(counts.values())
    drill, advice = next(
        pair
        for pair in reversed(told)
        if counts[pair[1]["key"], pair[1]["values"].get("channel")] == most
    )
    return {"drill": drill.name, "title": drill.title, "times": most, "advice": advice}
