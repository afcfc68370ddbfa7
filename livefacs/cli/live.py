"""``livefacs live``: track and stream until stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from livefacs.cli import options as shared

app = typer.Typer()


@app.command()
def live(
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            "-s",
            help="auto, demo, a camera (0, /dev/video0, a name), a clip, an image folder, "
            "rtsp://… or http://…, browser (a page's camera; browser://* for phones)",
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", "-t", help="Destination URL, e.g. osc://127.0.0.1:9000; repeatable."),
    ] = None,
    rig: Annotated[
        str | None, typer.Option(help="Rig of destinations that name none: arkit52, …")
    ] = None,
    config: shared.Config = None,
    profile: shared.Profiles = None,
    faces: shared.Faces = None,
    weights: shared.Weights = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    reader: shared.Reader = None,
    width: Annotated[int | None, typer.Option(help="Width asked of the camera, pixels.")] = None,
    height: Annotated[int | None, typer.Option(help="Height asked of the camera, pixels.")] = None,
    rate: Annotated[float | None, typer.Option(help="Rate asked of the camera, Hz.")] = None,
    pixel_format: Annotated[str | None, typer.Option(help="FourCC asked of the camera.")] = None,
    realtime: Annotated[
        bool | None,
        typer.Option("--realtime/--every-frame", help="A clip at its pace, or without drops."),
    ] = None,
    rotate: shared.Rotate = None,
    loop: Annotated[bool | None, typer.Option("--loop/--once", help="Repeat a clip.")] = None,
    filter_cutoff: shared.FilterCutoff = None,
    filter_beta: shared.FilterBeta = None,
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
    audio: shared.Audio = None,
    audio_channels: shared.AudioChannels = None,
    mark_claps: shared.MarkClaps = None,
    start_with: shared.StartWith = None,
    slate: shared.Slate = None,
    number: shared.Number = None,
    notes: shared.Notes = None,
    timecode_rate: shared.TimecodeRate = None,
    timecode_source: shared.TimecodeSource = None,
    timecode_start: shared.TimecodeStart = None,
    seconds: shared.Seconds = None,
    meters: shared.Meters = True,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Show the practice mirror in the browser too.")
    ] = False,
    stage: Annotated[
        bool, typer.Option("--stage", help="Show the stage in the browser too: tune the rig.")
    ] = False,
    mirror_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of mirror and stage; 0 takes a free one.")
    ] = shared.PAGE_PORT,
    mirror_face: Annotated[
        int, typer.Option(min=1, max=8, help="Performer that mirror and stage show.")
    ] = 1,
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
                "loop": (source == "demo" and realtime is not False) if loop is None else loop,
                "rotate": rotate,
            },
            "tracking": {
                "landmarker": landmarker,
                "model": model,
                "reader": reader,
                "weights": weights,
                "profile": shared.profile_value(profile),
                "faces": faces,
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
                "audio": audio,
                "audio_channels": audio_channels,
                "mark_claps": mark_claps,
                "start_with": start_with,
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
    port = mirror_port if mirror or stage else None
    run_session(options, meters=meters, mirror_port=port, mirror_face=mirror_face)
