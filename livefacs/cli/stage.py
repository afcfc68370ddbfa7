"""``livefacs stage``: tune and drive a character in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import say
from livefacs.errors import ConfigError

app = typer.Typer()

_CHARACTERS = (".glb", ".vrm", ".gltf")


@app.command()
def stage(
    source: Annotated[
        str,
        typer.Option(
            "--source", "-s", help="auto, demo, a camera, clip, address, browser, livelink://…"
        ),
    ] = "auto",
    rig: Annotated[str, typer.Option(help="The map to tune: a name, or a TOML file.")] = "arkit52",
    to: Annotated[
        list[str] | None,
        typer.Option("--to", "-t", help="Destination URL, e.g. vmc://127.0.0.1; repeatable."),
    ] = None,
    character: Annotated[
        Path | None, typer.Option(help="Your own character: a .glb, .vrm or .gltf file.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Folder of the takes; else takes in your livefacs folder.")
    ] = None,
    video: Annotated[
        bool, typer.Option("--video/--no-video", help="Keep the images of takes, too.")
    ] = True,
    audio: shared.Audio = None,
    audio_channels: shared.AudioChannels = None,
    mark_claps: shared.MarkClaps = None,
    start_with: shared.StartWith = "command",
    timecode_rate: shared.TimecodeRate = None,
    timecode_source: shared.TimecodeSource = None,
    timecode_start: shared.TimecodeStart = None,
    profile: shared.Profile = None,
    rotate: shared.Rotate = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    reader: shared.Reader = None,
    port: shared.Port = shared.PAGE_PORT,
    listen: shared.Listen = "127.0.0.1",
    browser: shared.Browser = True,
) -> None:
    """Tune a rig while it runs and see a face move in 3D, in the browser."""
    from livefacs.cli.mirroring import MirrorRun, open_page
    from livefacs.config import load_options
    from livefacs.resources import user_data_folder

    _check_character(character)
    options = load_options(
        None,
        {
            "source": {"spec": source, "loop": True, "rotate": rotate},
            "tracking": {
                "landmarker": landmarker,
                "model": model,
                "reader": reader,
                "profile": None if profile == "none" else profile,
            },
            "stream": {"to": tuple(to) if to else None, "rig": rig},
            "record": {
                "folder": record or user_data_folder() / "takes",
                "start_with": start_with,
                "video": video,
                "audio": audio,
                "audio_channels": audio_channels,
                "mark_claps": mark_claps,
                "timecode_rate": timecode_rate,
                "timecode_source": timecode_source,
                "timecode_start": timecode_start,
            },
        },
    )
    run = MirrorRun(options, listen, port, character=character)
    run.mirror.stage.open(rig)
    say(f"stage: {run.mirror.stage_url}")
    if run.mirror.token is not None:
        say("anyone on this network with that address can see the picture and change the map")
    if browser:
        open_page(run.mirror.stage_url)
    run.run(say)


def _check_character(path: Path | None) -> None:
    if path is None:
        return
    if path.suffix.lower() not in _CHARACTERS:
        raise ConfigError(f"--character {path}: expected a file that ends in .glb, .vrm or .gltf")
    if not path.is_file():
        raise ConfigError(f"--character {path}: there is no such file")
