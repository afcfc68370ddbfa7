"""FACS events of a take: when an action began, peaked and ended, on which side, how strong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from livefacs.au.events import ENTER, find_events
from livefacs.clock import NS_PER_S
from livefacs.take.reader import Take
from livefacs.vocab.facs import AU_CHANNELS, action_of, channels_of, letter_from_intensity

_ASYMMETRIC_FROM: Final = 3.0
"""An event is one-sided where one side peaks this many times above the other."""


@dataclass(frozen=True, slots=True)
class FacsEvent:
    """One appearance of an action.

    Attributes
    ----------
    action : str
        ``AU12``.
    side : str
        ``L``, ``R``, ``B`` (both) or empty (no sides).
    onset_ns, apex_ns, offset_ns : int
        Session times: first trace, first moment of the plateau, last trace.
    letter : str
        A to E at the apex.
    peak : float
        Intensity at the apex.
    notation : str
        As coders write it: ``12B``, ``L12C``.
    """

    action: str
    side: str
    onset_ns: int
    apex_ns: int
    offset_ns: int
    letter: str
    peak: float
    notation: str


def events_from_take(take: Take) -> tuple[FacsEvent, ...]:
    """Events of every action, by onset; frames without a face count as absent."""
    if not take.n_rows:
        return ()
    intensity = np.full((take.n_rows, len(AU_CHANNELS)), np.nan, np.float32)
    for column, name in enumerate(take.channels):
        if name in AU_CHANNELS:
            intensity[:, AU_CHANNELS.index(name)] = take.intensity[:, column]
    intensity[take.frames["n_faces"] == 0] = np.nan
    origin_ns = int(take.t_ns[0])
    # Times from the first frame: seconds of a session clock in float64 would lose nanoseconds.
    found = find_events(np.array(take.t_ns) - origin_ns, intensity)
    return tuple(_from_event(event, origin_ns) for event in found)


def _from_event(event: Any, origin_ns: int) -> FacsEvent:
    side = _side(event)
    number = event.action.removeprefix("AU").removeprefix("AD").split("_")[0]
    direction = event.action[-1] if "_" in event.action else ""
    letter = event.letter or letter_from_intensity(event.peak)
    prefix = direction or (side if side in ("L", "R") else "")
    onset, apex, offset = (
        origin_ns + round(time_s * NS_PER_S)
        for time_s in (event.onset_s, event.apex_s, event.offset_s)
    )
    return FacsEvent(
        event.action, side, onset, apex, offset, letter, event.peak, f"{prefix}{number}{letter}"
    )


def _side(event: Any) -> str:
    """Both sides, unless the other one hardly moved or never showed a trace."""
    if len(channels_of(event.action)) < 2 or action_of(event.action) != event.action:
        return ""
    left, right = event.peak_left, event.peak_right
    if right < ENTER or left > _ASYMMETRIC_FROM * right:
        return "L"
    if left < ENTER or right > _ASYMMETRIC_FROM * left:
        return "R"
    return "B"
