"""How far a frame's values are to be trusted: turn, distance, the image's border, speed, misfit."""

from __future__ import annotations

import math

from livefacs.kernels._jit import kernel
from livefacs.kernels.arguments import Model, Person, Result

# Ramps of :func:`ramp_down`: full up to, lowest from, lowest.
#
# Measured on ten rendered people whose like was trained on (9 600 frames of mixtures while the head
# moves, 3 500 of a neutral face that turns): the mean error grows from .041 under 5 degrees of yaw
# to about .05 from 10 to 35 and .074 beyond, from .043 to .052 with pitch up to 20 and from .044 to
# .052 with roll up to 20, and it is no greater on the side that turns away. Where the ramps lie is
# therefore a choice and no error curve: how far a real, soft face still shows. Radians.
PITCH = (0.26, 0.61, 0.2)  # 15 to 35 degrees
ROLL = (0.6, 1.2, 0.5)  # 34 to 69 degrees; rolling hides nothing
YAW = (0.35, 0.87, 0.3)  # 20 to 50 degrees; channels of no side
YAW_AWAY = (0.26, 0.70, 0.0)  # 15 to 40 degrees, where the side counts as hidden
YAW_HEAD = (0.70, 1.40, 0.3)  # 40 to 80 degrees; head and eyes
# Negated eye distance, pixels. A clip of 148 px made smaller: mean difference of the actions .007
# at 89 px, .011 at 52, .017 at 42, .023 at 33, .027 at 24.
SMALL = (-80.0, -25.0, 0.1)
OUTSIDE = (0.0, 0.25, 0.0)  # share of points; a choice: what is outside the tracker makes up
# Eye distances a second; a choice: a shutter open for a sixtieth smears 1.5 over .025 of the eye
# distance and 6 over a tenth.
SPEED = (1.5, 6.0, 0.3)
# Eye distances. On the same people: median .007, 99 of 100 frames under .020, none over .03: a
# mesh beyond is none of a face that was fitted.
MISFIT = (0.03, 0.10, 0.1)

RANGE_YAW, RANGE_PITCH = math.radians(40.0), math.radians(30.0)  # a side is hidden; beyond training
RANGE_EYES_PX = 30.0  # twice the difference of 52 px, see SMALL
RANGE_OUTSIDE = 0.1  # share of points; a choice: chin or forehead are cut off


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
