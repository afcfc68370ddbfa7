"""``livefacs cameras``: what is attached, and what each camera gives."""

from __future__ import annotations

from typing import Annotated

import typer

from livefacs.cli.terminal import say

app = typer.Typer()


@app.command()
def cameras(
    probe: Annotated[
        bool, typer.Option("--probe", help="Open each one and show what it gives.")
    ] = False,
) -> None:
    """List the cameras: number, name, device file. Any of them goes after ``livefacs live``."""
    from livefacs.sources.cameras import list_cameras

    found = list_cameras()
    if not found:
        say("No camera found. Network cameras (rtsp://… or http://… MJPEG) are given by address.")
        return
    for camera in found:
        words = [f"{camera.index}", camera.name, *([camera.path] if camera.path else [])]
        if probe:
            words.append(_probe(camera.path or camera.index))
        say("  ".join(words))


def _probe(address: int | str) -> str:
    """What one camera gives, or why it does not."""
    from livefacs.errors import SourceError
    from livefacs.sources.webcam import CameraSource

    try:
        source = CameraSource(address)
    except SourceError as error:
        return str(error)
    source.close()
    return source.description.partition(", ")[2]
