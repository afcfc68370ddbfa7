"""The one way to the terminal: nothing foreign reaches it unescaped.

Names of takes, slates, notes, error texts of other programs, addresses: any of them may hold
sequences that clear a screen, rename a window or answer in the user's place.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from livefacs.printable import printable

if TYPE_CHECKING:
    from rich.console import Console


def say(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """A line of text (or the beginning of one), foreign parts and all."""
    typer.echo(printable(str(text)), err=err, nl=nl)


def make_console(**options: Any) -> Console:
    """A Rich console (``options`` are its own) whose every text is printable."""
    return _console_class()(**options)


@cache
def _console_class() -> type[Console]:
    """Made on first use: importing Rich is no part of ``--help``."""
    from collections.abc import Iterable

    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class PrintableConsole(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                if segment.control or segment.text.isprintable():
                    yield segment
                else:
                    yield Segment(printable(segment.text), segment.style)

    return PrintableConsole
