"""What a guided calibration asks for: twenty-eight movements, those that are worth most first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from livefacs.errors import ConfigError
from livefacs.vocab.facs import action_of


@dataclass(frozen=True, slots=True)
class Exercise:
    """One movement of the range of motion.

    Attributes
    ----------
    actions : tuple of str
        Actions that it shows.
    instruction : str
    """

    actions: tuple[str, ...]
    instruction: str


EXERCISES: Final = (
    Exercise(("AU1", "AU2"), "raise both brows as far as they go"),
    Exercise(("AU4",), "pull the brows down and together"),
    Exercise(("AU6", "AU12"), "smile as broadly as you can, cheeks up"),
    Exercise(("AU14",), "press the mouth corners inwards, dimples"),
    Exercise(("AU17",), "push the chin up"),
    Exercise(("AU18",), "pucker the lips, as for a kiss"),
    Exercise(("AU24",), "press the lips together"),
    Exercise(("AU25", "AU26"), "open the mouth wide"),
    Exercise(("AU5",), "open the eyes wide"),
    Exercise(("AU45",), "close both eyes gently and open them again"),
    Exercise(("AU7",), "tighten the lids, as against bright light"),
    Exercise(("AU9",), "wrinkle the nose"),
    Exercise(("AU10",), "raise the upper lip, show the upper teeth"),
    Exercise(("AU15",), "pull the mouth corners down"),
    Exercise(("AU16",), "pull the lower lip down, show the lower teeth"),
    Exercise(("AU20",), "stretch the mouth sideways"),
    Exercise(("AU22",), "funnel the lips, as for 'oh'"),
    Exercise(("AU28",), "suck both lips in"),
    Exercise(("AD34",), "puff both cheeks out"),
    Exercise(("AD29",), "push the jaw forward"),
    Exercise(("AD30_L",), "push the jaw to your left"),
    Exercise(("AD30_R",), "push the jaw to your right"),
    Exercise(("AU45_L",), "wink with your left eye"),
    Exercise(("AU45_R",), "wink with your right eye"),
    Exercise(("AU61",), "look to your left, the head stays"),
    Exercise(("AU62",), "look to your right, the head stays"),
    Exercise(("AU63",), "look up, the head stays"),
    Exercise(("AU64",), "look down, the head stays"),
)
"""The full round."""

SHORT: Final = 8
"""Movements of the short round: the first of the full one."""


def exercises_of(round_: str, only: tuple[str, ...] = ()) -> tuple[Exercise, ...]:
    """The movements of a round.

    Parameters
    ----------
    round_ : str
        ``short``, ``full``, or how many.
    only : tuple of str
        Actions; those movements of the full round that show them, whatever ``round_`` says.

    Raises
    ------
    ConfigError
        No such round, or an action that no movement shows.
    """
    if only:
        wanted = {name.upper() if name[:1].isalpha() else f"AU{name}" for name in only}
        known = {a for each in EXERCISES for name in each.actions for a in (name, action_of(name))}
        unknown = sorted(wanted - known)
        if unknown:
            raise ConfigError(
                f"no movement shows {', '.join(unknown)}; expected some of: "
                + ", ".join(sorted(known))
            )
        return tuple(each for each in EXERCISES if wanted & {*each.actions})
    counts = {"short": SHORT, "full": len(EXERCISES)}
    text = round_.strip().lower()
    count = counts.get(text, int(text) if text.isdecimal() else 0)
    if not 1 <= count <= len(EXERCISES):
        raise ConfigError(
            f"round {round_!r}: expected short ({SHORT}), full ({len(EXERCISES)}), or how many"
        )
    return EXERCISES[:count]
