"""``livefacs plot``: a take's curves as a picture or a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import say

app = typer.Typer()


@app.command()
def plot(
    take: Annotated[Path, typer.Argument(help="The take's folder.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="FILE.html or FILE.png; default: a page, here."),
    ] = None,
    actions: Annotated[
        str, typer.Option(help="Which, as in 1,2,AU12; default: all that move.")
    ] = "",
    rig: shared.Rig = "",
    smooth: Annotated[float, typer.Option(help="Zero-phase low-pass, Hz; 0: none.")] = 0.0,
    raw: Annotated[bool, typer.Option("--raw", help="Units before the live filter.")] = False,
) -> None:
    """Plot a take's curves by action, with letters, events and markers."""
    from livefacs.errors import ConfigError, TakeError
    from livefacs.files import output as files
    from livefacs.formats import plot_html, plot_png
    from livefacs.formats.curves import ExportOptions
    from livefacs.formats.plot_rows import plot_from_take
    from livefacs.take.reader import Take

    opened = Take(take)
    path = output or Path(f"{opened.name}.html")
    writers = {".html": plot_html.write, ".htm": plot_html.write, ".png": plot_png.write}
    write = writers.get(path.suffix.lower())
    if write is None:
        raise ConfigError(f"{path}: expected a file ending in .html or .png")
    wanted = [word for word in actions.replace(",", " ").split() if word]
    options = ExportOptions(rig=rig, smooth_hz=smooth, raw=raw)
    drawn = plot_from_take(opened, wanted, options)
    try:
        with files.output(path) as unfinished:
            write(drawn, unfinished)
    except OSError as error:
        raise TakeError(
            f"cannot write {path}: {error.strerror or error}; name another place"
        ) from error
    say(f"{path}: {len(drawn.rows)} actions of {opened.name}")
