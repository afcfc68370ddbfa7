"""An attempt to look at again: its curves, where the hold broke, what joined in and when."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64
from livefacs.mirror.drills import Drill
from livefacs.mirror.practice import DrillRun
from livefacs.mirror.scoring import INTRUDER_FROM, Trace
from livefacs.vocab.facs import AU_CHANNELS, letter_from_intensity

_MOST_POINTS: Final = 600
_MOST_INTRUDERS: Final = 4


def attempt_from_run(run: DrillRun) -> dict[str, Any] | None:
    """Plain values of a finished attempt; None where no face was seen after the start.

    ``t_s`` are seconds after ``began_ms``, the session's clock; ``sides`` holds the weakest action
    of each side (``""`` for midline actions), ``intruders`` the excess over the own rest.
    """
    trace = run.trace
    if trace is None or run.result is None:
        return None
    step = max(1, math.ceil(len(trace.t_s) / _MOST_POINTS))
    return {
        "drill": run.drill.name,
        "began_ms": round(run.began_s * 1000, 3),
        "t_s": trace.t_s[::step].round(3).tolist(),
        "sides": {side: _rounded(level[::step]) for side, level in _sides(run.drill, trace)},
        "intruders": _intruders(run.drill, trace, step),
        "breaks": [
            {"from_s": round(from_s, 3), "at_s": round(at_s, 3), "channel": channel}
            for from_s, at_s, channel in run.breaks
        ],
        "floor": None if run.drill.curve else run.drill.floor,
        "curve": run.drill.curve,
        "total": round(run.result.total, 1),
        "passed": run.result.passed,
    }


def _rounded(values: F32) -> list[float]:
    return [round(float(value), 4) for value in values]


def _sides(drill: Drill, trace: Trace) -> list[tuple[str, F32]]:
    """(T,) weakest channel of each side; of an alternation the strongest."""
    return [(side, drill.side_level(trace.values[:, own])) for side, own in drill.sides().items()]


def _intruders(drill: Drill, trace: Trace, step: int) -> list[dict[str, Any]]:
    """The strongest of those that rose to B or more over their rest, with the first moment."""
    watched = list(drill.watched)
    excess: F64 = (trace.values[:, watched] - trace.baseline[watched]).astype(np.float64)
    peaks = excess.max(axis=0)
    strongest = [int(k) for k in np.argsort(-peaks)[:_MOST_INTRUDERS] if peaks[k] >= INTRUDER_FROM]
    return [
        {
            "channel": AU_CHANNELS[watched[k]],
            "values": excess[::step, k].round(4).tolist(),
            "from_s": round(float(trace.t_s[int((excess[:, k] >= INTRUDER_FROM).argmax())]), 3),
            "peak": round(float(peaks[k]), 3),
            "letter": letter_from_intensity(float(peaks[k])),
        }
        for k in strongest
    ]
