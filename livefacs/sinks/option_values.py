"""Values of options in the URLs of destinations: text in, value out, or what was expected."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from livefacs.errors import ConfigError
from livefacs.timecode import find_rate

OptionValue: TypeAlias = str | bool | int | float | tuple[str, ...] | None
_TRUE: Final = ("on", "yes", "true", "1")
_FALSE: Final = ("off", "no", "false", "0")


def switch(text: str) -> bool:
    """On or off."""
    word = text.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError("expected on or off")


def plain_text(text: str) -> str:
    """Printable text."""
    if not text or len(text) > 128 or not text.isprintable():
        raise ValueError("expected 1 to 128 printable characters")
    return text


def osc_prefix(text: str) -> str:
    """Start of OSC addresses, without a slash at its end."""
    if text and (not text.startswith("/") or any(char in " #*,?[]{}" for char in text)):
        raise ValueError("expected an OSC address such as /livefacs, or nothing")
    return text.rstrip("/")


def path_prefix(text: str) -> str:
    """Start of parameter names, with a slash at its end; or nothing."""
    if any(char in " #*,?[]{}" for char in text):
        raise ValueError("expected the start of a parameter name such as FT/, or nothing")
    return f"{text.strip('/')}/" if text.strip("/") else ""


def positive(text: str) -> float:
    """A number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 < number < 1e6:
        raise ValueError("expected a number above 0")
    return number


def whole(low: int, high: int) -> Callable[[str], int]:
    """What reads a whole number within bounds."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(text)

    return parse


def choice(*words: str) -> Callable[[str], str]:
    """What takes one of some words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"expected {' or '.join(words)}")
        return text

    return parse


def several(*words: str) -> Callable[[str], tuple[str, ...]]:
    """What takes some of some words."""

    def parse(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        if not set(chosen) <= set(words):
            raise ValueError(f"expected some of {', '.join(words)}, with commas")
        return chosen

    return parse


def rate_name(text: str) -> str:
    """Name of a timecode rate."""
    try:
        return find_rate(text).name
    except ConfigError as error:
        raise ValueError(str(error)) from None


def short_text(text: str) -> str:
    """Printable text of at most 100 bytes."""
    if not 0 < len(text.encode()) <= 100 or not text.isprintable():
        raise ValueError("expected 1 to 100 bytes of printable text")
    return text


def port_or_off(text: str) -> int | None:
    """A port; None: off."""
    return None if text.lower() in _FALSE[:1] else whole(0, 65535)(text)


def oscquery(text: str) -> str | int | None:
    """``machine``, ``network`` or a port; None: off."""
    if text in ("machine", "network"):
        return text
    try:
        return None if text.lower() in _FALSE[:1] else whole(1, 65535)(text)
    except ValueError:
        raise ValueError("expected machine, network, an HTTP port or off") from None
