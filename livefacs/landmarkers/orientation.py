"""Whether the camera was turned: upside-down faces give meshes that look right and are not.

The mesh networks make an upright face of whatever they see. The detector knows better: it is surer
of a face the right way up (in every one of ten frames of each of 14 people, none of whom anything
was chosen on, by .8 to 3.1 in the logit). A face on its side shows in its mesh.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

from livefacs.arrays import F32, U8
from livefacs.mesh import CHIN, FOREHEAD

_LOOK_EVERY: Final = 8  # frames
_MOST_LOOKS: Final = 8
_EVIDENCE: Final = 1.0
"""Sum, over the looks, of how much surer the detector is of the turned picture."""
_ANGLES_RAD: Final = {180: math.pi, 90: -0.5 * math.pi, 270: 0.5 * math.pi}
"""How the detector's window is turned for a picture that ``--rotate`` would turn by so much."""
_SIDEWAYS_RAD: Final = math.radians(60.0)
_SIDEWAYS_LOOKS: Final = 2

Surest = Callable[[U8, float], float]


class OrientationCheck:
    """Looks at a few frames of a source and tells once what would turn its pictures upright.

    Parameters
    ----------
    notify : callable(str)
    surest : callable(image, angle) or None
        The detector's greatest logit for the picture turned by ``angle`` radians; None where the
        backend has no such detector: then only a face on its side is seen.
    """

    def __init__(self, notify: Callable[[str], None], surest: Surest | None = None) -> None:
        self._notify = notify
        self._surest = surest
        self._n_frames = 0
        self._n_looks_left = _MOST_LOOKS
        self._evidence = dict.fromkeys(_ANGLES_RAD, 0.0)
        self._n_sideways = 0

    def look(self, image: U8, points_px: F32 | None) -> None:
        """Look at a frame and its mesh (None: no face); costs nothing but now and then."""
        self._n_frames += 1
        if not self._n_looks_left or self._n_frames % _LOOK_EVERY != 1:
            return
        self._n_looks_left -= 1
        roll_rad = 0.0 if points_px is None else _roll_rad(points_px)
        if abs(roll_rad) > _SIDEWAYS_RAD:
            self._n_sideways += 1
            if self._n_sideways == _SIDEWAYS_LOOKS:
                self._notify_of_turn("on its side", 90 if roll_rad > 0 else 270)
        elif self._surest is not None:
            # Where a mesh stands upright, the face is upright or upside down; it is not sideways.
            degrees = _ANGLES_RAD if points_px is None else (180,)
            self._weigh(self._surest, image, degrees)

    def _weigh(self, surest: Surest, image: U8, degrees: Iterable[int]) -> None:
        as_it_is = surest(image, 0.0)
        for turn in degrees:
            turned = surest(image, _ANGLES_RAD[turn])
            if turned > 0.0:  # there is a face in it at all
                self._evidence[turn] += turned - as_it_is
        best = max(self._evidence, key=lambda turn: self._evidence[turn])
        if self._evidence[best] > _EVIDENCE:
            self._notify_of_turn("upside down" if best == 180 else "on its side", best)

    def _notify_of_turn(self, how: str, degrees: int) -> None:
        self._n_looks_left = 0
        self._notify(
            f"the face is {how} in the picture: if the camera was turned, use --rotate {degrees}"
        )


def _roll_rad(points_px: F32) -> float:
    """The way from forehead to chin against straight down; > 0 where the chin is to the right."""
    x, y = (points_px[CHIN, :2] - points_px[FOREHEAD, :2]).tolist()
    return math.atan2(x, y)
