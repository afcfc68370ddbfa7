"""How much brows and mouth act in frames, by the net's scores and the lines between the brows.

No neutral is needed for it. Scores at rest differ between people; what is added up here is what
faces at rest score next to nothing of, or little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from livefacs.arrays import F64
from livefacs.vocab.readings import BLENDSHAPE_INDEX

USUAL_RAISE, RESTLESS_RAISE = 0.06, 0.3
"""What brows at rest score."""
HELD_RANGE: Final = 0.25
"""Activity of a part that changes by less in a whole clip is held, at rest or not."""
_LOWERED: Final = 0.4
_USUAL_PUCKER: Final = 0.15

_MOUTH: Final[dict[str, float]] = {
    "jawOpen": 1.0,
    "mouthSmile*": 1.0,
    "mouthPucker": 0.2,  # scores high on many faces at rest
    "mouthPress*": 0.5,
    "mouthShrugLower": 1.0,
    "mouthUpperUp*": 1.0,
    "mouthFunnel": 1.0,
    "mouthStretch*": 1.0,
    "mouthLowerDown*": 1.0,
}
_HELD_MOUTH: Final[dict[str, float]] = {
    "mouthFrown*": 3.0,  # next to nothing at rest, and little where corners are down
    "mouthRollLower": 0.15,
    "mouthRollUpper": 0.15,
    "mouthLeft": 1.0,
    "mouthRight": 1.0,
}


def score(scores: F64, name: str, of_sides: Callable[..., Any] = np.mean) -> F64:
    """(n,) a score of the net, of (n, 52); ``*`` stands for the mean of both sides."""
    if not name.endswith("*"):
        return np.asarray(scores[:, BLENDSHAPE_INDEX[name]])
    sides = [BLENDSHAPE_INDEX[name[:-1] + side] for side in ("Left", "Right")]
    return np.asarray(of_sides(scores[:, sides], axis=1))


def mouth_activity(scores: F64, gaps: F64) -> F64:
    """(n,) of (n, 52) scores and (n,) lip gaps beyond the mean face's, in eye distances."""
    mouth = 7.0 * np.maximum(0.0, gaps)
    for name, weight in _MOUTH.items():
        mouth = mouth + weight * score(scores, name)
    return mouth


def held_mouth_activity(scores: F64, puckers: F64) -> F64:
    """(n,) what a mouth that never changes does besides: one side alone, corners drawn down,
    lips drawn in, the mouth to one side, lips brought together.

    Parameters
    ----------
    scores : (n, 52) float64
    puckers : (n,) float64
        AU18 against the mean face: its score says nothing, the mesh does.
    """
    held = np.maximum(0.0, puckers - _USUAL_PUCKER)
    for name, weight in _HELD_MOUTH.items():
        held = held + weight * score(scores, name)
    for name, weight in _MOUTH.items():
        held = held + weight * (score(scores, name, np.max) - score(scores, name))
    return held


def beyond_rest(raised: F64) -> F64:
    """How far brows are raised beyond what faces at rest score.

    Scores at rest differ between people by as much as a small raise. Where brows are seen to go
    far up, the lower end is rest.
    """
    seen = np.percentile(raised, 97) - np.percentile(raised, 10)
    allowed = (RESTLESS_RAISE - USUAL_RAISE) * np.clip((seen - 0.2) / 0.2, 0.0, 1.0)
    return np.asarray(raised - USUAL_RAISE - allowed)


def frowning(scores: F64, lines: F64) -> F64:
    """(n,) lowered brows with lines between them; ``lines`` (n,), 1 a usual furrow."""
    lowered = np.clip(score(scores, "browDown*") / 0.2, 0.0, 1.0)
    return np.asarray(_LOWERED * lowered * np.clip(lines, 0.0, 1.5))


def frowning_a_little(scores: F64, lines: F64) -> F64:
    """(n,) the same of brows that never change: lowered a little, with few lines, is enough."""
    lowered = np.clip((score(scores, "browDown*") - 0.03) / 0.04, 0.0, 1.0)
    return np.asarray(_LOWERED * lowered * np.clip((lines - 0.2) / 0.3, 0.0, 1.0))


def is_held(activity: F64) -> bool:
    """Whether a part hardly changes from the first frame to the last."""
    low, high = np.percentile(activity, [3, 97])
    return bool(high - low < HELD_RANGE)
