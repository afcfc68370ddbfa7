"""``livefacs listen``: receive a stream and show it, to see whether packets arrive."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

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
    seconds: Annotated[float | None, typer.Option(help="End after this long.")] = None,
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
    from rich.console import Console
    from rich.live import Live

    from livefacs.errors import SinkError
    from livefacs.sinks.destination import parse_destination
    from livefacs.sinks.listening import Tally
    from livefacs.sinks.receiving import open_receiver

    receiver = open_receiver(parse_destination(url))
    console = Console(highlight=False, soft_wrap=not meters)
    console.print(f"listening to {receiver.description}", markup=False)
    tally = Tally()
    is_live = meters and console.is_terminal
    live = Live(console=console, auto_refresh=False, transient=True) if is_live else None
    try:
        if live is not None:
            live.start()
        ends_at = None if seconds is None else time.monotonic() + seconds
        redraw_at = 0.0
        while (ends_at is None or time.monotonic() < ends_at) and (
            packets is None or tally.n_packets < packets
        ):
            tally.take(receiver, _WAIT_S)
            if live is not None and time.monotonic() >= redraw_at:
                live.update(_table(tally, all_values, console.height), refresh=True)
                redraw_at = time.monotonic() + _REDRAW_S
    except KeyboardInterrupt:
        pass
    finally:
        if live is not None:
            live.stop()
        receiver.close()
    console.print(_table(tally, all_values, None))
    if tally.n_packets == 0:
        raise SinkError(
            f"nothing arrived ({receiver.description}"
            + (f"; {tally.n_bad} packets of another kind" if tally.n_bad else "")
            + "); check that the sender names this address and port"
        )


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
