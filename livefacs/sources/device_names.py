"""Which of this machine's devices a user means by a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Device = TypeVar("Device")


def devices_named(
    spec: str, found: Iterable[Device], name_of: Callable[[Device], str]
) -> list[Device]:
    """Devices of that name, whatever its case; where there are none, those that it is a part of."""
    wanted = spec.casefold()
    named = [(name_of(each).casefold(), each) for each in found]
    return [each for name, each in named if name == wanted] or [
        each for name, each in named if wanted in name
    ]
