"""FACS events of a take: when an action began, peaked and ended, on which side, how strong."""

from __future__ import annotations

from dataclasses import dataclass

from livefacs.take.reader import Take


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
        Session times.
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
    """Events of every action, by onset."""
    del take
    return ()
