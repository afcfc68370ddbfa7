"""``livefacs mirror``: the practice mirror in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import say

app = typer.Typer()


@app.command()
def mirror(
    source: Annotated[
        str, typer.Option(help="auto, demo, a camera, a clip, an address or browser (a phone's).")
    ] = "auto",
    port: shared.Port = shared.PAGE_PORT,
    listen: shared.Listen = "127.0.0.1",
    browser: shared.Browser = True,
    profile: Annotated[
        str | None, typer.Option(help="A calibrated person; none ignores the page's calibration.")
    ] = None,
    drills: Annotated[
        list[Path] | None, typer.Option(help="Further folder of drill files; repeatable.")
    ] = None,
    packs: Annotated[
        list[Path] | None, typer.Option(help="Further folder of clip packs; repeatable.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="Folder of takes: the page's stage may record.")
    ] = None,
    audio: shared.Audio = None,
    audio_channels: shared.AudioChannels = None,
    rotate: shared.Rotate = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    reader: shared.Reader = None,
) -> None:
    """Practise Action Units, code clips and test yourself, in the browser."""
    from livefacs.cli.mirroring import MirrorRun, open_page, page_profile
    from livefacs.config import load_options

    if profile is None:
        profile = page_profile(landmarker or "auto", say)
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
            "record": {
                "folder": record,
                "start_with": "command",
                "video": record is not None or None,
                "audio": audio,
                "audio_channels": audio_channels,
            },
        },
    )
    run = MirrorRun(options, listen, port, tuple(drills or ()), tuple(packs or ()))
    say(f"mirror: {run.mirror.url}")
    if run.mirror.token is not None:
        say("anyone on this network with that address can see the picture")
    for error in (*run.mirror.drills.errors, *run.mirror.packs.errors):
        say(f"left out: {error}", err=True)
    if browser:
        open_page(run.mirror.url)
    run.run(say)
