"""``livefacs live``: track and stream until stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def live(
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            "-s",
            help="auto, demo, a camera (0, /dev/video0, a name), a clip, an image folder, "
            "rtsp://… or http://…",
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", "-t", help="Destination URL, e.g. osc://127.0.0.1:9000; repeatable."),
    ] = None,
    rig: Annotated[
        str | None, typer.Option(help="Rig of destinations that name none: arkit52, …")
    ] = None,
    config: Annotated[
        str | None, typer.Option("--config", "-c", help="Configuration: a name or a TOML file.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Calibrated profile, by name.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Estimator weights.")] = None,
    landmarker: Annotated[str | None, typer.Option(help="auto, facemesh or tasks.")] = None,
    model: Annotated[Path | None, typer.Option(help="Landmark model of the Tasks backend.")] = None,
    reader: Annotated[
        str | None, typer.Option(help="all: mesh, image and blendshape net; geometry: the mesh.")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Width asked of the camera, pixels.")] = None,
    height: Annotated[int | None, typer.Option(help="Height asked of the camera, pixels.")] = None,
    rate: Annotated[float | None, typer.Option(help="Rate asked of the camera, Hz.")] = None,
    pixel_format: Annotated[str | None, typer.Option(help="FourCC asked of the camera.")] = None,
    realtime: Annotated[
        bool | None,
        typer.Option("--realtime/--every-frame", help="A clip at its pace, or without drops."),
    ] = None,
    loop: Annotated[bool | None, typer.Option("--loop/--once", help="Repeat a clip.")] = None,
    filter_cutoff: Annotated[
        float | None, typer.Option(help="One Euro filter: cutoff at rest, Hz.")
    ] = None,
    filter_beta: Annotated[
        float | None, typer.Option(help="One Euro filter: rise of the cutoff with speed.")
    ] = None,
    control_port: Annotated[
        int | None, typer.Option(help="UDP port that takes OSC commands.")
    ] = None,
    listen: Annotated[
        str | None, typer.Option(help="Address of control ports; 0.0.0.0 opens them.")
    ] = None,
    record: Annotated[Path | None, typer.Option(help="Folder to record a take into.")] = None,
    record_video: Annotated[
        bool | None, typer.Option("--record-video/--no-record-video", help="Keep the images too.")
    ] = None,
    slate: Annotated[str | None, typer.Option(help="Slate of the take.")] = None,
    number: Annotated[int | None, typer.Option(help="Take number.")] = None,
    notes: Annotated[str | None, typer.Option(help="Notes for the takes.")] = None,
    timecode_rate: Annotated[str | None, typer.Option(help="24, 25, 29.97DF, 60 …")] = None,
    timecode_source: Annotated[
        str | None, typer.Option(help="auto, time of day, clip or free run.")
    ] = None,
    timecode_start: Annotated[
        str | None, typer.Option(help="First label of a clip or free run, 01:00:00:00.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="End after this long.")] = None,
    meters: Annotated[bool, typer.Option("--meters/--no-meters", help="Live meters.")] = True,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Show the practice mirror in the browser too.")
    ] = False,
    mirror_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the mirror; 0 takes a free one.")
    ] = 8770,
) -> None:
    """Track a camera or clip and stream Action Units until Ctrl-C."""
    from livefacs.cli.running import run_session
    from livefacs.config import load_options

    options = load_options(
        config,
        {
            "source": {
                "spec": source,
                "width": width,
                "height": height,
                "rate_hz": rate,
                "pixel_format": pixel_format,
                "realtime": realtime,
                "loop": loop,
            },
            "tracking": {
                "landmarker": landmarker,
                "model": model,
                "reader": reader,
                "weights": weights,
                "profile": profile,
                "filter_cutoff_hz": filter_cutoff,
                "filter_beta": filter_beta,
            },
            "stream": {
                "to": tuple(to) if to else None,
                "rig": rig,
                "control_port": control_port,
                "listen": listen,
            },
            "record": {
                "folder": record,
                "video": record_video,
                "slate": slate,
                "take": number,
                "notes": notes,
                "timecode_rate": timecode_rate,
                "timecode_source": timecode_source,
                "timecode_start": timecode_start,
            },
            "seconds": seconds,
        },
    )
    run_session(options, meters=meters, mirror_port=mirror_port if mirror else None)
