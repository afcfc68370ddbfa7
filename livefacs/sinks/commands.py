"""What any control port can ask of a session, by word: the one table behind OSC and ZeroMQ."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from livefacs import __version__
from livefacs.errors import LivefacsError
from livefacs.protocols import SessionControl

MAX_TEXT: Final = 200
"""Longest slate, marker or other text that is taken from outside."""


class CommandError(ValueError):
    """The command is unknown, or its arguments are not what it takes."""


def run_command(control: SessionControl, word: str, arguments: Sequence[object] = ()) -> str:
    """Run one command and give its reply as text.

    ======================  ==========================================  ====================
    command                 does                                        reply
    ======================  ==========================================  ====================
    ``time``                                                            session seconds
    ``start``, ``stop``     outputs send / send a neutral, then rest    ``ok``
    ``neutral`` [face]      take the next second as neutral: that       ``ok``
                            performer's, or everyone's
    ``record`` [slate [n]]  start a take                                its timecode
    ``finish``              end the take                                JSON list: timecode,
                                                                        curves, video
    ``mark`` [label]        marker at the present frame                 ``ok``
    ``slate`` name          name of the next take                       ``ok``
    ``take`` number         number of the next take                     ``ok``
    ``status``                                                          JSON
    ``version``                                                         ``livefacs 0.1.0``
    ======================  ==========================================  ====================

    Raises
    ------
    CommandError
        Unknown command, wrong arguments, or the session refused (its reason is the text).
    """
    action = COMMANDS.get(word)
    if action is None:
        raise CommandError(f"unknown command {word[:40]!r}: expected one of {', '.join(COMMANDS)}")
    try:
        return action(control, arguments)
    except LivefacsError as refusal:
        raise CommandError(str(refusal)) from None


def text_argument(arguments: Sequence[object], index: int, default: str | None = None) -> str:
    """A text argument, bounded and printable."""
    value = arguments[index] if index < len(arguments) else default
    if not isinstance(value, str) or len(value) > MAX_TEXT or not value.isprintable():
        raise CommandError(f"expected a printable text of at most {MAX_TEXT} characters")
    return value


def whole_argument(arguments: Sequence[object], index: int) -> int:
    """A whole number from 0 to 999999; text of digits is taken too."""
    value = arguments[index] if index < len(arguments) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 6:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 999_999:
        raise CommandError("expected a whole number from 0 to 999999")
    return value


def _done(act: Callable[[SessionControl], None]) -> Callable[[SessionControl, Any], str]:
    def run(control: SessionControl, _arguments: Sequence[object]) -> str:
        act(control)
        return "ok"

    return run


def _record(control: SessionControl, arguments: Sequence[object]) -> str:
    slate = text_argument(arguments, 0) if arguments else None
    take = whole_argument(arguments, 1) if len(arguments) > 1 else None
    return control.record_start(slate, take)


def _mark(control: SessionControl, arguments: Sequence[object]) -> str:
    control.mark(text_argument(arguments, 0, default="mark"))
    return "ok"


def _neutral(control: SessionControl, arguments: Sequence[object]) -> str:
    control.capture_neutral(whole_argument(arguments, 0) if arguments else None)
    return "ok"


def _slate(control: SessionControl, arguments: Sequence[object]) -> str:
    control.set_slate(text_argument(arguments, 0))
    return "ok"


def _take(control: SessionControl, arguments: Sequence[object]) -> str:
    control.set_take(whole_argument(arguments, 0))
    return "ok"


COMMANDS: Final[Mapping[str, Callable[[SessionControl, Sequence[object]], str]]] = MappingProxyType(
    {
        "time": lambda control, _: f"{control.time_s():.6f}",
        "start": _done(lambda control: control.start_streaming()),
        "stop": _done(lambda control: control.stop_streaming()),
        "neutral": _neutral,
        "record": _record,
        "finish": lambda control, _: json.dumps(control.record_stop()),
        "mark": _mark,
        "slate": _slate,
        "take": _take,
        "status": lambda control, _: json.dumps(control.status(), default=str),
        "version": lambda _control, _: f"livefacs {__version__}",
    }
)
