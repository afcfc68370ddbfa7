"""``livefacs listen``: receive a stream and show it, to see whether packets arrive."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Annotated, Self

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import make_console

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from livefacs.sinks.listening import Tally

app = typer.Typer()

_REDRAW_S = 0.1
_WAIT_S = 0.1


@app.command()
def listen(
    url: Annotated[
        str,
        typer.Argument(help="Stream, as for --to: osc://127.0.0.1:9000, vmc://, livelink:// …"),
    ],
    seconds: shared.Seconds = None,
    packets: Annotated[int | None, typer.Option(help="End after so many packets.")] = None,
    all_values: Annotated[
        bool, typer.Option("--all/--moving", help="Every value, or only those that moved.")
    ] = True,
    meters: Annotated[
        bool, typer.Option("--meters/--no-meters", help="Live table, or only the last state.")
    ] = True,
) -> None:
    """Receive a stream and show its values, rate, gaps and latency.

    For UDP protocols the host is the address to listen on: 0.0.0.0 hears the whole network. End
    it with Ctrl-C. Exit code 5 where nothing arrived.
    """

    from livefacs.errors import SinkError
    from livefacs.sinks.destination import parse_destination
    from livefacs.sinks.listening import Tally
    from livefacs.sinks.receiving import open_receiver

    receiver = open_receiver(parse_destination(url))
    console = make_console(highlight=False, soft_wrap=not meters)
    console.print(f"listening to {receiver.description}", markup=False)
    tally = Tally()
    try:
        with _Display(console if meters else None, all_values) as display:
            ends_at = math.inf if seconds is None else time.monotonic() + seconds
            while time.monotonic() < ends_at and tally.n_packets < (packets or math.inf):
                tally.take(receiver, _WAIT_S)
                display.show(tally)
    except KeyboardInterrupt:
        pass
    finally:
        receiver.close()
    console.print(_table(tally, all_values, None))
    if tally.n_packets == 0:
        raise SinkError(
            f"nothing arrived ({receiver.description}"
            + (f"; {tally.n_bad} packets of another kind" if tally.n_bad else "")
            + "); check that the sender names this address and port"
        )


class _Display:
    """The live table; nothing where there is no terminal to draw on."""

    def __init__(self, console: Console | None, all_values: bool) -> None:
        from rich.live import Live

        self._console = console if console is not None and console.is_terminal else None
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._all_values = all_values
        self._redraw_at = 0.0

    def __enter__(self) -> Self:
        if self._console is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console is not None:
            self._live.stop()

    def show(self, tally: Tally) -> None:
        """Redraw, at most ten times a second."""
        if self._console is None or time.monotonic() < self._redraw_at:
            return
        self._redraw_at = time.monotonic() + _REDRAW_S
        self._live.update(_table(tally, self._all_values, self._console.height), refresh=True)


def _table(tally: Tally, all_values: bool, height: int | None) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    names = [name for name in tally.values if all_values or name in tally.moved]
    room = len(names) if height is None else max(1, height - 6 - len(tally.texts))
    table = Table("name", "value", "lowest", "highest", "", box=None, padding=(0, 1))
    for name in names[:room]:
        low, high = tally.ranges[name]
        value = tally.values[name]
        bar = "█" * round(16 * min(max(value, 0.0), 1.0))
        table.add_row(Text(name), f"{value:.3f}", f"{low:.3f}", f"{high:.3f}", bar)
    rest = len(names) - room
    lines = [Text(tally.headline())]
    lines += [Text(f"{name}: {text}") for name, text in tally.texts.items()]
    more = [Text(f"… and {rest} more")] if rest > 0 else []
    return Group(*lines, table, *more)
