"""From curves to events: onset, apex, offset and peak of every action, per side.

Thresholds and durations are this tool's own: an event starts where an action reaches the A
threshold for a tenth of a second and ends where it has sunk to 60 % of it for a sixth; gaps under
100 ms are closed, events under 80 ms dropped, blinks excepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64, Bool
from livefacs.vocab.facs import ACTIONS, CHANNEL_INDEX, channels_of, letter_from_intensity

ENTER: Final = 0.05
LEAVE: Final = 0.6 * ENTER
ENTER_S: Final = 0.1
LEAVE_S: Final = 1.0 / 6.0
MERGE_S: Final = 0.1
MIN_S: Final = 0.08
BLINKS: Final = frozenset({"AU45"})
APEX_SHARE: Final = 0.9
"""The apex lasts while the action stays within this share of its peak."""

_TOLERANCE_S: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Event:
    """One occurrence of an action. Times in seconds, in the clip's own time.

    Attributes
    ----------
    action : str
        ``AU12``, ``AD30_L``.
    onset_s, apex_s, apex_end_s, offset_s : float
        First trace; start and end of the plateau within 90 % of the peak; last trace.
    peak : float
        Largest intensity of either side.
    peak_left, peak_right : float
        Per side; NaN for midline actions.
    letter : str
        At the apex.
    is_open : bool
        The action was still there at the last frame.
    """

    action: str
    onset_s: float
    apex_s: float
    apex_end_s: float
    offset_s: float
    peak: float
    peak_left: float
    peak_right: float
    letter: str
    is_open: bool

    @property
    def duration_s(self) -> float:
        """Onset to offset."""
        return self.offset_s - self.onset_s


def find_events(
    t_ns: np.ndarray[Any, np.dtype[np.int64]],
    intensity: F32,
) -> list[Event]:
    """Events of all actions, by onset.

    Parameters
    ----------
    t_ns : (T,) int64, rising
    intensity : (T, N_AU) float32
        NaN counts as absent.
    """
    if len(t_ns) == 0:
        return []
    t_s = (t_ns - t_ns[0]) * 1e-9 + t_ns[0] * 1e-9
    events: list[Event] = []
    for action in ACTIONS:
        columns = [CHANNEL_INDEX[channel] for channel in channels_of(action)]
        sides = np.nan_to_num(np.asarray(intensity[:, columns], np.float64))
        strongest = sides.max(axis=1)
        is_on = active_frames(t_s, strongest, ENTER, action in BLINKS)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], is_on.astype(np.int8), [0]))))
        for start, stop in edges.reshape(-1, 2):
            event = _event(action, t_s, sides, int(start), int(stop))
            if action in BLINKS or event.duration_s >= MIN_S - _TOLERANCE_S:
                events.append(event)
    return sorted(events, key=lambda event: (event.onset_s, event.action))


def active_frames(t_s: F64, value: F64, enter: float = ENTER, is_blink: bool = False) -> Bool:
    """(T,) bool: the frames of events, with hysteresis in level and in time."""
    leave = enter * LEAVE / ENTER
    enter_s, leave_s = (0.0, 0.0) if is_blink else (ENTER_S, LEAVE_S)
    active = np.zeros(len(t_s), bool)
    is_on = False
    since = 0  # first frame of the run that argues for a change
    for i, v in enumerate(value):
        argues = v < leave if is_on else v >= enter
        if not argues:
            since = i + 1
        elif t_s[i] - t_s[since] + _TOLERANCE_S >= (leave_s if is_on else enter_s):
            active[since : i + 1] = not is_on
            is_on = not is_on
            since = i + 1
        if is_on:
            active[i] = True
    return _merged(t_s, active)


def _merged(t_s: F64, active: Bool) -> Bool:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(np.int8), [0]))))
    runs = edges.reshape(-1, 2)
    for (_, stop), (start, _) in pairwise(runs):
        if t_s[start] - t_s[stop - 1] < MERGE_S:
            active[stop:start] = True
    return active


def _event(action: str, t_s: F64, sides: F64, start: int, stop: int) -> Event:
    part = sides[start:stop]
    strongest = part.max(axis=1)
    peak = float(strongest.max())
    plateau = np.flatnonzero(strongest >= APEX_SHARE * peak)
    has_sides = sides.shape[1] == 2
    return Event(
        action=action,
        onset_s=float(t_s[start]),
        apex_s=float(t_s[start + plateau[0]]),
        apex_end_s=float(t_s[start + plateau[-1]]),
        offset_s=float(t_s[stop - 1]),
        peak=peak,
        peak_left=float(part[:, 0].max()) if has_sides else float("nan"),
        peak_right=float(part[:, 1].max()) if has_sides else float("nan"),
        letter=letter_from_intensity(peak),
        is_open=stop == len(sides),
    )
