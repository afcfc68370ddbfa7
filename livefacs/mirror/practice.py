"""A running drill: fed frame by frame, it says what to show and at the end what it was worth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.mirror.drills import Drill, is_curve
from livefacs.mirror.ladder import Ladder
from livefacs.mirror.scoring import (
    INTRUDER_FROM,
    Result,
    Trace,
    score_alternation,
    score_curve,
    score_hold,
    score_letters,
    strongest_sides,
)
from livefacs.vocab.facs import AU_CHANNELS

SETTLE_S: Final = 1.2
"""How long the face is watched before the start, to learn where it rests."""

_GRACE_S: Final = 0.5  # a face lost for no longer does not end a hold; the gap does not count
_DIP: Final = 0.85  # a hold survives while the target stays above this part of its floor
_N_STEPS: Final = 6  # the maximum and five letters
_MOST_INTRUDERS: Final = 3
_STILL: Final = 0.12  # a face at rest moves its targets by less than this
_RELEASE: Final = 0.5  # an alternation counts as released below this part of its floor


@dataclass(slots=True)
class DrillRun:
    """One attempt at one drill.

    Phases: ``settle`` (rest is measured), ``go``, ``done``. Time is the frames' own, so an attempt
    on a recorded clip is scored as if it were live. ``from_rest``: it begins only once the face
    has been still, below the asked letter, for the settling time.

    Attributes
    ----------
    breaks : list of (began, broke, channel)
        Holds that ended too early, seconds after the start; the channel that sank, or "" where the
        face was lost.
    """

    drill: Drill
    from_rest: bool = False
    phase: str = "settle"
    breaks: list[tuple[float, float, str]] = field(default_factory=list)
    result: Result | None = None
    _times: list[float] = field(default_factory=list)
    _values: list[F32] = field(default_factory=list)
    _rest: list[F32] = field(default_factory=list)
    _baseline: F32 | None = None
    _began_s: float = 0.0
    _held_since_s: float | None = None
    _best_hold: tuple[float, int, int] = (0.0, 0, 0)
    _i_hold: int = 0
    _onsets: list[tuple[float, int]] = field(default_factory=list)
    _is_on: bool = False
    _settled_from_s: float | None = None
    _lost_since_s: float | None = None
    _is_resting: bool = True
    _ladder: Ladder | None = None

    def step(self, t_s: float, intensity: F32, has_face: bool) -> None:
        """Take one frame.

        Parameters
        ----------
        t_s : float
            Time of the frame, seconds.
        intensity : (N_AU,) float32
            NaN is taken as no movement.
        has_face : bool
        """
        if self.phase == "done":
            return
        if not has_face:
            self._without_face(t_s)
            return
        if self._lost_since_s is not None:
            self._face_is_back(t_s - self._lost_since_s)
        values = np.nan_to_num(np.asarray(intensity, np.float32))
        if self.phase == "settle":
            self._settle(t_s, values)
        else:
            self._go(t_s, values)

    def _without_face(self, t_s: float) -> None:
        if self.phase == "settle":
            self._rest.clear()
            self._settled_from_s = None
        elif t_s - self._began_s >= self.drill.length_s:
            self._finish()
        if self._lost_since_s is None:
            self._lost_since_s = t_s
        elif t_s - self._lost_since_s > _GRACE_S:
            self._break_hold("")
            if self._ladder is not None:
                self._ladder.lose()

    def _face_is_back(self, lost_s: float) -> None:
        self._lost_since_s = None
        if self._held_since_s is not None:
            self._held_since_s += lost_s

    def _settle(self, t_s: float, values: F32) -> None:
        if self._settled_from_s is None:
            self._settled_from_s = t_s
        self._is_resting = not self.from_rest or self._rests(values)
        if not self._is_resting:
            self._rest.clear()
            self._settled_from_s = t_s
        self._rest.append(values)
        if t_s - self._settled_from_s >= SETTLE_S:
            self._baseline = np.median(np.stack(self._rest), axis=0).astype(np.float32)
            self._began_s = t_s
            self.phase = "go"
            if self.drill.kind == "letters":
                self._ladder = Ladder(self.drill.hold_s, self.drill.length_s / _N_STEPS)

    def _rests(self, values: F32) -> bool:
        """True where the targets are below what is asked, and where they were before."""
        watched = [*self.drill.indices, *self.drill.opposite]
        now = values[watched]
        before = self._rest[0][watched] if self._rest else now
        n_targets = len(self.drill.targets)
        low = bool((now[:n_targets] < self.drill.floor).all())
        return low and float(np.abs(now - before).max()) < _STILL

    def _go(self, t_s: float, values: F32) -> None:
        self._times.append(t_s - self._began_s)
        self._values.append(values)
        if is_curve(self.drill):
            ended = self._times[-1] >= self.drill.length_s
        elif self._ladder is not None:
            level = float(strongest_sides(self.drill, values[None])[0])
            ended = self._ladder.step(self._times[-1], level)
        elif self.drill.kind == "alternate":
            ended = self._watch_alternation()
        else:
            ended = self._watch_hold()
        if ended or (self._ladder is None and self._times[-1] >= self.drill.length_s):
            self._finish()

    def target_now(self) -> float:
        """What the drill measures at the newest frame: the weakest action, mean of its sides."""
        return self._target(self._values[-1]) if self._values else 0.0

    def _target(self, values: F32) -> float:
        means = [float(values[list(group)].mean()) for group in self.drill.groups]
        return min(means) if self.drill.kind != "alternate" else max(means)

    def sides_now(self) -> dict[str, float]:
        """Level of each side now: its weakest action; ``""`` stands for midline actions."""
        if not self._values:
            return {}
        now, drill = self._values[-1], self.drill
        return {side: float(drill.side_level(now[own])) for side, own in drill.sides().items()}

    def intruders_now(self) -> list[tuple[str, float]]:
        """The three channels beside the targets that rose most over their rest, from B on."""
        if not self._values or self._baseline is None:
            return []
        excess = self._values[-1] - self._baseline
        risen = [
            (AU_CHANNELS[i], float(excess[i]))
            for i in self.drill.watched
            if excess[i] >= INTRUDER_FROM
        ]
        return sorted(risen, key=lambda pair: -pair[1])[:_MOST_INTRUDERS]

    def _weakest(self, values: F32) -> float:
        return float(values[self._weakest_channel(values)])

    def _weakest_channel(self, values: F32) -> int:
        return min(self.drill.indices, key=lambda index: float(values[index]))

    def _break_hold(self, channel: str) -> None:
        if self._held_since_s is not None:
            self.breaks.append((self._held_since_s, self._times[-1], channel))
        self._held_since_s = None

    def _watch_hold(self) -> bool:
        """True when the position was held long enough."""
        now_s, level = self._times[-1], self._weakest(self._values[-1])
        if self._held_since_s is None:
            if level >= self.drill.floor:
                self._held_since_s, self._i_hold = now_s, len(self._times) - 1
        elif level < self.drill.floor * _DIP:
            self._break_hold(AU_CHANNELS[self._weakest_channel(self._values[-1])])
        if self._held_since_s is None:
            return False
        held_s = now_s - self._held_since_s
        if held_s >= self._best_hold[0]:
            self._best_hold = (held_s, self._i_hold, len(self._times))
        return held_s >= self.drill.hold_s

    def _watch_alternation(self) -> bool:
        """Count onsets: of one action, or of two taking turns. True when there are enough."""
        levels = [float(self._values[-1][list(group)].min()) for group in self.drill.groups]
        last = self._onsets[-1][1] if self._onsets else len(levels) - 1
        if self._is_on and levels[last] < self.drill.floor * _RELEASE:
            self._is_on = False
        expected = (last + 1) % len(levels)
        if not self._is_on and levels[expected] >= self.drill.floor:
            self._onsets.append((self._times[-1], expected))
            self._is_on = True
        return len(self._onsets) >= self.drill.cycles * len(levels) and not self._is_on

    @property
    def began_s(self) -> float:
        """Time of the frame at which it counted from."""
        return self._began_s

    @property
    def trace(self) -> Trace | None:
        """What was seen since the start; None before, or where no face was seen."""
        if not self._times or self._baseline is None:
            return None
        return Trace(np.array(self._times), np.stack(self._values), self._baseline)

    def _finish(self) -> None:
        self.phase = "done"
        trace = self.trace
        if trace is None:
            return
        if is_curve(self.drill):
            self.result = score_curve(self.drill, trace)
        elif self._ladder is not None:
            self.result = score_letters(self.drill, trace, self._ladder)
        elif self.drill.kind == "alternate":
            self.result = score_alternation(self.drill, trace, [t for t, _ in self._onsets])
        else:
            self.result = score_hold(self.drill, trace, self._best_hold)

    def state(self) -> dict[str, Any]:
        """Plain values for the page, at any moment."""
        elapsed_s = self._times[-1] if self._times else 0.0
        held_s = 0.0 if self._held_since_s is None else elapsed_s - self._held_since_s
        step = None if self._ladder is None else self._ladder.state()
        return {
            "phase": self.phase,
            "drill": self.drill.name,
            "elapsed_s": round(elapsed_s, 3),
            "length_s": self.drill.length_s,
            "level": round(self.target_now(), 4),
            "sides": {side: round(level, 4) for side, level in self.sides_now().items()},
            "intruders": [[name, round(excess, 3)] for name, excess in self.intruders_now()],
            "resting": self._is_resting,
            "face": self._lost_since_s is None,
            "held_s": round(held_s, 3) if step is None else step["held_s"],
            "step": step,
            "onsets": len(self._onsets),
            "wanted": _wanted(self.drill.curve, elapsed_s),
            "result": None if self.result is None else self.result.document(),
        }


def _wanted(curve: tuple[tuple[float, float], ...], t_s: float) -> float | None:
    if not curve:
        return None
    points: F64 = np.array(curve)
    return round(float(np.interp(t_s, points[:, 0], points[:, 1])), 4)
