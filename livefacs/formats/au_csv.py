"""The columns of Action Unit curves as CSV: what ``livefacs solve`` and ``export`` write."""

from __future__ import annotations

from typing import Final

from livefacs.vocab.facs import ACTIONS, channels_of, unmeasured_actions

_HEAD: Final = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")
_PLACE: Final = ("head_x_cm", "head_y_cm", "head_z_cm")
_GAZE: Final = (
    "gaze_left_yaw_deg",
    "gaze_left_pitch_deg",
    "gaze_right_yaw_deg",
    "gaze_right_pitch_deg",
)


def header() -> list[str]:
    """Column names: frame, time, face, confidence, head, gaze, then every action.

    An action with sides has three columns (``AU12``, ``AU12_L``, ``AU12_R``), the first their
    mean. Actions that cannot be measured are there, and empty.
    """
    names = ["frame", "timestamp_s", "face", "confidence", *_HEAD, *_PLACE, *_GAZE]
    for action in ACTIONS:
        sides = channels_of(action)
        names += sides if len(sides) == 1 else (action, *sides)
    return [*names, *unmeasured_actions()]
