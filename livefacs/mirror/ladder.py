"""The letters in turn: first the own maximum, then A to E held as shares of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from livefacs.vocab.facs import LETTER_FLOORS, letter_from_intensity

_NEAR_MAXIMUM: Final = 0.9
_MAXIMUM_HELD_S: Final = 0.8
_LEAST_MAXIMUM: Final = 0.10
_LEAVE: Final = 0.25  # of the band's width: so far outside it a hold goes on
_GRACE_S: Final = 0.3  # and for no longer than this

LETTERS: Final = tuple(letter for letter, _ in reversed(LETTER_FLOORS))
_FLOORS: Final = tuple(floor for _, floor in reversed(LETTER_FLOORS))


@dataclass(slots=True)
class Rung:
    """One letter: its band, and the best hold in it.

    Attributes
    ----------
    low, high : float
        Intensities of the band; the last has no upper end.
    held_s, first, end : float, int, int
        The longest hold, and its frames.
    level : float
        Mean over that hold as share of the maximum; of all frames where nothing was held.
    waited_s : float
        Until the band was reached; NaN never.
    """

    letter: str
    low: float
    high: float
    held_s: float = 0.0
    first: int = 0
    end: int = 0
    level: float = 0.0
    waited_s: float = float("nan")
    is_held: bool = False

    def document(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "asked": self.letter,
            "got": letter_from_intensity(self.level),
            "level": round(self.level, 3),
            "held": self.is_held,
        }


@dataclass(slots=True)
class Ladder:
    """Fed level by level, it asks for the maximum and then for each letter.

    Parameters
    ----------
    hold_s : float
        How long each letter is to be held.
    each_s : float
        Time for the maximum, and for each letter.
    """

    hold_s: float
    each_s: float
    maximum: float = 0.0
    rungs: list[Rung] = field(default_factory=list)
    _levels: list[float] = field(default_factory=list)
    _times: list[float] = field(default_factory=list)
    _from: int = 0
    _since_s: float | None = None
    _outside_s: float | None = None
    _hold_from: int = 0
    _peak: float = 0.0

    def step(self, t_s: float, level: float) -> bool:
        """Take one frame's level; True when all is over."""
        self._times.append(t_s)
        self._levels.append(level)
        waited_s = t_s - self._times[self._from]
        if not self.maximum:
            return self._find_maximum(t_s, level, waited_s)
        rung = self.rungs[-1]
        self._watch(rung, t_s, level)
        if rung.held_s < self.hold_s and waited_s < self.each_s:
            return False
        self._close(rung)
        return not self._next_rung()

    def _find_maximum(self, t_s: float, level: float, waited_s: float) -> bool:
        """The mean round the strongest, once it stays there for a while."""
        self._peak = max(self._peak, level)
        near_from = len(self._levels)
        while near_from and self._levels[near_from - 1] >= _NEAR_MAXIMUM * self._peak:
            near_from -= 1
        held = near_from < len(self._levels) and t_s - self._times[near_from] >= _MAXIMUM_HELD_S
        if self._peak < _LEAST_MAXIMUM:
            return waited_s >= self.each_s
        if held or waited_s >= self.each_s:
            near = [one for one in self._levels if one >= _NEAR_MAXIMUM * self._peak]
            self.maximum = sum(near) / len(near)
            self._next_rung()
        return False

    def _next_rung(self) -> bool:
        """The next letter; False after the last."""
        i = len(self.rungs)
        if i == len(LETTERS):
            return False
        high = _FLOORS[i + 1] * self.maximum if i + 1 < len(_FLOORS) else float("inf")
        self.rungs.append(Rung(LETTERS[i], _FLOORS[i] * self.maximum, high))
        self._from, self._since_s, self._outside_s = len(self._times) - 1, None, None
        return True

    def _watch(self, rung: Rung, t_s: float, level: float) -> None:
        top = rung.high if rung.high < float("inf") else self.maximum
        room = _LEAVE * (top - rung.low)
        if self._since_s is None:
            if rung.low <= level < rung.high:
                self._since_s, self._hold_from, self._outside_s = t_s, len(self._times) - 1, None
                if rung.waited_s != rung.waited_s:
                    rung.waited_s = t_s - self._times[self._from]
        elif rung.low - room <= level < rung.high + room:
            self._outside_s = None
        elif self._outside_s is None:
            self._outside_s = t_s
        elif t_s - self._outside_s > _GRACE_S:
            self._since_s = None
        if self._since_s is not None and t_s - self._since_s >= rung.held_s:
            rung.held_s, rung.first, rung.end = (
                t_s - self._since_s, self._hold_from, len(self._times)
            )  # fmt: skip

    def _close(self, rung: Rung) -> None:
        rung.is_held = rung.held_s >= self.hold_s
        if rung.end <= rung.first:
            rung.first, rung.end = self._from, len(self._times)
        seen = self._levels[rung.first : rung.end]
        rung.level = sum(seen) / len(seen) / self.maximum

    def lose(self) -> None:
        """The face is lost: what was held is not."""
        self._since_s = None

    def state(self) -> dict[str, Any]:
        """What is asked now, for the page: ``letter`` is "" while the maximum is looked for."""
        now = self.rungs[-1] if self.rungs else None
        held_s = 0.0
        if now is not None and self._since_s is not None and self._times:
            held_s = self._times[-1] - self._since_s
        return {
            "letter": "" if now is None else now.letter,
            "low": _NEAR_MAXIMUM * self._peak if now is None else round(now.low, 4),
            "high": None if now is None or now.high == float("inf") else round(now.high, 4),
            "held_s": round(held_s, 3),
            "maximum": round(self.maximum, 4),
        }
