"""``livefacs demo``: the bundled performer through the whole chain, with real packets."""

from __future__ import annotations

from typing import Annotated

import typer

from livefacs.cli import options as shared

app = typer.Typer()

DEFAULT_DESTINATIONS = ("osc://127.0.0.1:9000", "zmq://127.0.0.1:5570")


@app.command()
def demo(
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", "-t", help=f"Destination URL; repeatable. [{' '.join(DEFAULT_DESTINATIONS)}]"
        ),
    ] = None,
    rig: Annotated[str | None, typer.Option(help="Rig of destinations that name none.")] = None,
    seconds: shared.Seconds = None,
    meters: shared.Meters = True,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
) -> None:
    """Play the bundled performer in real time through everything, then print a summary."""
    from livefacs.cli.running import run_session
    from livefacs.config import load_options

    options = load_options(
        None,
        {
            "source": {"spec": "demo"},
            "tracking": {"landmarker": landmarker, "model": model},
            "stream": {"to": tuple(to) if to else DEFAULT_DESTINATIONS, "rig": rig},
            "seconds": seconds,
        },
    )
    run_session(options, meters=meters)
