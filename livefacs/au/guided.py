"""Steps that a performer is led through, as terminal and page show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from livefacs.types import Landmarks

NEUTRAL: Final = "neutral"
HEAD: Final = "head"
PROMPT: Final = "prompt"
OTHER: Final = "other"
ACTION: Final = "action"
CHECK: Final = "check"
DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class GuidedState:
    """What is shown while a performer is led.

    Attributes
    ----------
    step : ``neutral``, ``head``, ``prompt``, ``other``, ``action``, ``check`` or ``done``
    number, of : int
        Steps done, and how many there are.
    actions : tuple of str
        Asked for now.
    instruction : str
    hint : str
        What is in the way; empty where nothing is.
    done_s, needed_s : float
        Seconds that count; 0 of 0 in a prompt, which ends when its movement was seen twice.
    seen : int
        Repetitions seen of a prompt.
    is_away : bool
        The movement of a prompt shows just now.
    """

    step: str
    number: int
    of: int
    actions: tuple[str, ...]
    instruction: str
    hint: str
    done_s: float
    needed_s: float
    seen: int
    is_away: bool = False


class GuidedRun(Protocol):
    """Steps that a performer is led through: a calibration, a lesson, a check."""

    @property
    def is_done(self) -> bool:
        """True after the last step."""

    @property
    def step(self) -> int:
        """Number of the step."""

    def feed(self, face: Landmarks | None, t_ns: int) -> None:
        """Take a frame; None: no face. Raises ``ProfileError`` where it cannot go on."""

    def skip(self) -> None:
        """Leave the step out."""

    def retry(self) -> None:
        """Begin it anew, or the one before where nothing of it was seen yet."""

    def begin_again(self) -> None:
        """Begin it anew: the frames that follow are not those that came next."""

    def finish(self) -> None:
        """End early."""

    def state(self) -> GuidedState:
        """What to show."""
