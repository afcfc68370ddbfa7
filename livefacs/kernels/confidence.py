"""How far a frame's values are to be trusted: turn, distance, the image's border, speed, misfit."""

from __future__ import annotations

import math

from livefacs.kernels._jit import kernel
from livefacs.kernels.arguments import Model, Person, Result

# Ramps of :func:`ramp_down`: full up to, lowest from, lowest.
PITCH = (0.26, 0.61, 0.2)
ROLL = (0.6, 1.2, 0.5)
YAW = (0.35, 0.87, 0.3)
YAW_AWAY = (0.26, 0.70, 0.0)
YAW_HEAD = (0.70, 1.40, 0.3)
SMALL = (-80.0, -25.0, 0.1)
OUTSIDE = (0.0, 0.25, 0.0)
SPEED = (1.5, 6.0, 0.3)
MISFIT = (0.03, 0.10, 0.1)

RANGE_YAW, RANGE_PITCH = math.radians(40.0), math.radians(30.0)
RANGE_EYES_PX = 30.0
RANGE_OUTSIDE = 0.1


@kernel
def ramp_down(value: float, full_until: float, lowest_from: float, lowest: float) -> float:
    """1 up to ``full_until``, falling in a line to ``lowest`` at ``lowest_from``."""
    t = (value - full_until) / (lowest_from - full_until)
    return 1.0 - (1.0 - lowest) * min(1.0, max(0.0, t))


@kernel
def is_out_of_range(result: Result) -> bool:
    """True where the face is turned too far, too small, or cut by the image's border."""
    facts = result.facts[0]
    return bool(
        abs(result.head[0]) > RANGE_YAW
        or abs(result.head[1]) > RANGE_PITCH
        or facts.eyes_px < RANGE_EYES_PX
        or facts.outside > RANGE_OUTSIDE
    )


@kernel
def set_confidence(model: Model, person: Person, result: Result) -> None:
    """Measured reliability of each channel, lowered by turn, distance, border, speed and misfit."""
    yaw, facts, roles = result.head[0], result.facts[0], model.roles[0]
    common = ramp_down(abs(result.head[1]), *PITCH) * ramp_down(abs(result.head[2]), *ROLL)
    common *= ramp_down(-facts.eyes_px, *SMALL)
    common *= ramp_down(facts.outside, *OUTSIDE)
    common *= ramp_down(facts.speed, *SPEED)
    common *= ramp_down(facts.residual, *MISFIT)
    for c in range(result.confidence.shape[0]):
        away = -model.side[c] * yaw
        turned = ramp_down(abs(yaw), *YAW)
        if model.side[c] != 0 and away > 0.0:
            turned = ramp_down(away, *YAW_AWAY)
        if roles.head <= c < roles.eyes + 4:
            turned = ramp_down(abs(yaw), *YAW_HEAD)
        result.confidence[c] = model.reliability[c] * common * turned * person.trust[c]
