"""``livefacs cameras``: what is attached: cameras, what each gives, microphones, MIDI ports."""

from __future__ import annotations

from collections.abc import Iterator
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
    """List cameras (number, name, device file), microphones (``--audio``) and MIDI ports.

    A browser's camera is none of them: ``-s browser`` serves a page to this machine, and
    ``-s browser://*`` to the phones of this network.
    """
    from livefacs.sources.cameras import list_cameras

    found = list_cameras()
    if not found:
        say("No camera found. Network cameras (rtsp://… or http://… MJPEG) are given by address;")
        say("browser takes the camera of a page, browser://* that of a phone.")
    for camera in found:
        words = [f"{camera.index}", camera.name, *([camera.path] if camera.path else [])]
        if probe:
            words.append(_probe(camera.path or camera.index))
        say("  ".join(words))
    for line in (*microphone_lines(), *midi_lines()):
        say(line)


def microphone_lines() -> Iterator[str]:
    """A line for each microphone, or why there is none."""
    from livefacs.errors import ConfigError
    from livefacs.sources.microphone import list_microphones

    try:
        found = list_microphones()
    except ConfigError as error:
        yield str(error)
        return
    if not found:
        yield "No microphone found."
    for each in found:
        words = f"microphone {each.index}  {each.name}  {each.n_channels} channel(s)"
        yield words + ("  (auto)" if each.is_default else "")


def midi_lines() -> Iterator[str]:
    """A line for each MIDI port that timecode may come in by, or why there is none."""
    from livefacs.errors import ConfigError, SourceError
    from livefacs.sources.midi import list_midi_ports

    try:
        found = list_midi_ports()
    except (ConfigError, SourceError) as error:
        yield str(error)
        return
    if not found:
        yield "No MIDI port found."
    for name in found:
        yield f"MIDI port  {name}  (--timecode-source mtc:NAME)"


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
