"""``livefacs record``: a take from a camera, a clip or the performer, without streaming."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import say
from livefacs.errors import TakeError

if TYPE_CHECKING:
    from livefacs.config import RecordOptions
    from livefacs.take.reader import Take

app = typer.Typer()


@app.command()
def record(
    source: Annotated[
        str,
        typer.Argument(
            help="auto, demo, a camera, clip, images, rtsp://…, http://…, browser, livelink://…"
        ),
    ],
    take: Annotated[Path, typer.Option(help="Folder of the take; must be new or empty.")],
    video: Annotated[bool, typer.Option("--video", help="Keep the images, too.")] = False,
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
    config: shared.Config = None,
    profile: shared.Profiles = None,
    faces: shared.Faces = None,
    weights: shared.Weights = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    reader: shared.Reader = None,
    rotate: shared.Rotate = None,
    realtime: Annotated[
        bool,
        typer.Option("--realtime/--every-frame", help="A clip at its pace, or without drops."),
    ] = False,
    seconds: shared.Seconds = None,
    meters: shared.Meters = True,
) -> None:
    """Record a take until Ctrl-C or the end of the clip."""
    from livefacs.cli.running import run_session
    from livefacs.config import load_options
    from livefacs.take.layout import DOCUMENT_NAME
    from livefacs.take.reader import Take

    options = load_options(
        config,
        {
            "source": {"spec": source, "realtime": realtime, "rotate": rotate},
            "tracking": {
                "landmarker": landmarker,
                "model": model,
                "reader": reader,
                "weights": weights,
                "profile": shared.profile_value(profile),
                "faces": faces,
            },
            "record": {
                "folder": take,
                "exact": True,
                "video": video,
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
    run_session(options, meters=meters)
    if not (take / DOCUMENT_NAME).exists():
        raise TakeError(f"{take}: nothing was recorded: {_unstarted(options.record)}")
    recorded = Take(take)
    first = recorded.timecode(0) if recorded.n_rows else "no frame"
    say(
        f"{take}: {recorded.n_rows} frames, {recorded.duration_s:.2f} s, from {first}"
        f" at {recorded.rate.name}{_faces(recorded)}"
    )
    _check_end(recorded)


def _unstarted(options: RecordOptions) -> str:
    """Why no take was started."""
    if options.start_with == "timecode":
        return f"no timecode ran ({options.timecode_source})"
    return "no command started a take"


def _check_end(recorded: Take) -> None:
    if recorded.state == "closed":
        return
    reason = (recorded.document["summary"] or {}).get("failure") or "it could not be closed"
    raise TakeError(
        f"{recorded.folder}: {reason}; {recorded.n_rows} frames are there:"
        " free space or name another folder, and record again"
    )


def _faces(recorded: Take) -> str:
    """What is to be said of the faces, where there was not one in every frame."""
    faces = recorded.frames["n_faces"]
    n_without, most = int((faces == 0).sum()), int(faces.max(initial=0))
    without = f", no face in {n_without} of them" if n_without else ""
    n = recorded.document.get("performers", 1)
    if n > 1:
        return f", {n} performers" + (f", {most} faces at once" if most > n else "")
    return without + (f", {most} faces at once: the largest was followed" if most > 1 else "")
