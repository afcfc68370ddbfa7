"""``livefacs takes``: what was recorded, and mending what a crash left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livefacs.cli.terminal import say
from livefacs.errors import TakeError

if TYPE_CHECKING:
    from livefacs.offline.aligning import Alignment
    from livefacs.offline.recordings import Recording
    from livefacs.take.layout import Marker
    from livefacs.take.reader import Take

app = typer.Typer(help="Recorded takes: list, show, repair, align, claps.")

_HEADINGS = ("take", "slate", "frames", "length", "rate", "timecode", "markers", "state")
_Folder = Annotated[Path, typer.Argument(help="A take, or a folder of takes.", show_default=False)]


@app.command("list")
def list_takes(folder: Annotated[Path, typer.Argument(help="Folder of takes.")] = Path()) -> None:
    """List the takes in a folder: frames, length, timecode, state."""
    from livefacs.take.catalog import find_takes

    takes, errors = find_takes(folder)
    rows = [_HEADINGS, *(_row(take) for take in takes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows if takes else ():
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  ".join(cells).rstrip())
    if not takes:
        say(f"no takes in {folder}")
    _tell_and_exit(errors)


@app.command()
def show(folder: Annotated[Path, typer.Argument(help="A take.")]) -> None:
    """Show everything that is known of one take."""
    from livefacs.take.reader import Take

    take = Take(folder)
    for key, value in _facts(take).items():
        say(f"{key:<14}{value}")
    for marker in take.markers:
        label = take.rate.label_from_frame(marker.timecode)
        say(f"{marker.kind:<14}{label}  frame {marker.i_frame}  {marker.label}")


@app.command()
def repair(folder: _Folder) -> None:
    """Close what a crash left open and say what was there; refused while a take is recording."""
    from livefacs.take.catalog import find_takes, repair
    from livefacs.take.performers import performer_folders

    takes, errors = find_takes(folder)
    folders = [take.folder for take in takes]
    for path in [each for one in folders for each in (one, *performer_folders(one))]:
        try:
            report = repair(path)
        except TakeError as error:  # the others are mended all the same
            errors.append(error)
            continue
        say(
            f"{path}: {report.n_rows} whole frames, {report.duration_s:.2f} s,"
            f" {report.n_markers} markers; it was {report.state!r}"
        )
        for file, n_bytes in report.torn.items():
            say(f"  {file}: {n_bytes} bytes after the last whole frame cut off (kept in torn/)")
        if report.n_sound is not None:
            say(f"  sound.wav: {report.n_sound / 48_000:.2f} s, its header tells all of them now")
        for sentence in report.errors:
            say(f"  {sentence}")
    if not takes and not errors:
        errors.append(TakeError(f"no takes in {folder}: expected a take, or a folder of takes"))
    _tell_and_exit(errors)


@app.command()
def align(
    a: Annotated[Path, typer.Argument(help="A take, or a clip or file with sound.")],
    b: Annotated[Path, typer.Argument(help="The other one.")],
    by: Annotated[
        str, typer.Option(help="sound or curves; default: by sound where both have it.")
    ] = "",
    channel: Annotated[
        int, typer.Option(min=0, help="Channel of the sound, from 1; 0: all, mixed.")
    ] = 0,
    mark: Annotated[
        bool, typer.Option("--mark", help="Set a marker in each take at the same moment.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find where B lies on A's clock, by sound or by curves.

    Two recordings of one moment: other cameras, microphones and levels. Tells the offset of their
    first frames, the drift between their clocks where they are long enough, and a confidence.
    """
    from contextlib import closing

    from livefacs.offline.aligning import align as align_recordings
    from livefacs.offline.aligning import sync_markers
    from livefacs.offline.recordings import Recording

    with closing(Recording(a, channel)) as first, closing(Recording(b, channel)) as second:
        found = align_recordings(first, second, by)
        say(_alignment_json(found, first, second)) if as_json else _say_alignment(
            found, first, second
        )
        for recording, markers in sync_markers(found, first, second) if mark else ():
            _mark(recording, markers, quiet=as_json)


@app.command()
def claps(
    recording: Annotated[Path, typer.Argument(help="A take, or a clip or file with sound.")],
    channel: Annotated[
        int, typer.Option(min=0, help="Channel of the sound, from 1; 0: all, mixed.")
    ] = 0,
    mark: Annotated[bool, typer.Option("--mark", help="Set a marker at each.")] = False,
) -> None:
    """List the claps in a recording's sound: a slate's, or of hands."""
    from contextlib import closing

    from livefacs.errors import ConfigError
    from livefacs.offline.finding_claps import find_claps
    from livefacs.offline.recordings import Recording

    with closing(Recording(recording, channel)) as opened:
        if mark and opened.take is None:
            raise ConfigError(f"--mark: {recording} is a clip, which has no place for a marker")
        found = find_claps(opened)
        for clap in found:
            label = opened.label_at(clap.time_s)
            say(f"{clap.time_s:10.4f} s  {label}{'  ' if label else ''}{clap.level_db:.1f} dB")
        if not found:
            say(f"no claps in {recording}")
        if mark:
            _mark(opened, [opened.marker_at(clap.time_s, "clap", "clap") for clap in found])


def _say_alignment(found: Alignment, a: Recording, b: Recording) -> None:
    side = "after" if found.offset_s >= 0 else "before"
    offset_s = abs(found.offset_s)
    rate = next((r.take.rate for r in (a, b) if r.take is not None), None)
    frames = f" ({offset_s * float(rate.fraction):.2f} frames at {rate.name})" if rate else ""
    say(f"{b.name} begins {offset_s * 1e3:.1f} ms{frames} {side} {a.name}")
    if label := a.label_at(found.offset_s):
        say(f"  its first frame is at {label} of {a.name}")
    drift = "too short to tell" if found.drift_ppm is None else f"{found.drift_ppm:+.1f} ppm"
    say(f"  drift         {drift}")
    say(f"  overlap       {max(0.0, found.overlap_s):.2f} s")
    say(
        f"  confidence    {found.confidence:.2f} by {found.by}: {found.n_agreeing} of"
        f" {found.n_clear} clear parts agree, {found.spread_s * 1e3:.2f} ms apart in the median"
    )


def _alignment_json(found: Alignment, a: Recording, b: Recording) -> str:
    import json
    from dataclasses import asdict

    rate = None if a.take is None else a.take.rate
    more = {"a": str(a.path), "b": str(b.path), "timecode": a.label_at(found.offset_s) or None}
    frames = found.offset_s * float(rate.fraction) if rate else None
    return json.dumps({**more, **asdict(found), "offset_frames": frames})


def _mark(recording: Recording, markers: Sequence[Marker], *, quiet: bool = False) -> None:
    """Set markers in a take and say so."""
    from livefacs.take.catalog import add_markers

    assert recording.take is not None
    n_new = add_markers(recording.take, markers)
    if not quiet:
        say(f"  {recording.name}: {n_new} marker(s) set")


def _tell_and_exit(errors: Sequence[TakeError]) -> None:
    """A line for each take that cannot be read; the command fails if there is one."""
    for error in errors:
        say(f"livefacs: {error}", err=True)
    if errors:
        raise typer.Exit(errors[0].exit_code)


def _row(take: Take) -> tuple[str, ...]:
    from livefacs.take.integrity import errors_of

    torn = (f"{take.n_torn_bytes} torn bytes",) if take.n_torn_bytes else ()
    return (
        take.name,
        f"{take.slate} {take.number}",
        str(take.n_rows),
        f"{take.duration_s:.2f} s",
        f"{take.frame_rate_hz:.2f} Hz",
        take.timecode(0) if take.n_rows else "",
        str(len(take.markers)),
        ", ".join((take.state, *torn, *errors_of(take, ("frames",)))),
    )


def _facts(take: Take) -> dict[str, str]:
    import numpy as np

    from livefacs.take.integrity import errors_of
    from livefacs.types import Health, format_health

    document = take.document
    health = np.bitwise_or.reduce(take.frames["health"]) if take.n_rows else 0
    frames = take.frames["i_frame"]
    n_missing = int(frames[-1] - frames[0]) + 1 - take.n_rows if take.n_rows else 0
    software = ", ".join(f"{name} {version}" for name, version in document["software"].items())
    video = document["video"]
    return {
        "take": f"{take.name} (slate {take.slate}, number {take.number}), {take.state}",
        "recorded": str(document["created_utc"]),
        "notes": take.document["notes"],
        "source": document["source"]["description"],
        "frames": f"{take.n_rows}, {take.duration_s:.3f} s, {take.frame_rate_hz:.3f} Hz,"
        f" {n_missing} dropped before the recorder",
        "timecode": f"{take.timecode(0) if take.n_rows else document['timecode']['start']}"
        f" at {take.rate.name}, {document['timecode']['source']}",
        "faces": f"{int((take.frames['n_faces'] > 0).sum())} frames with a face,"
        f" at most {int(take.frames['n_faces'].max(initial=0))} at once",
        "performers": str(document.get("performers", 1)),
        "health": format_health(Health(int(health))),
        "landmarker": f"{document['landmarker']}, weights {document['weights']}",
        "profile": str(document["profile"] or "none"),
        "rigs": ", ".join(take.rig_names) or "none",
        "video": f"{video['file']}, {video['width']}x{video['height']}" if video else "none",
        "sound": _sound(document.get("sound")),
        "software": software,
        "torn": f"{take.n_torn_bytes} bytes",
        "errors": "; ".join(errors_of(take)) or "none",
    }


def _sound(sound: dict[str, Any] | None) -> str:
    if sound is None:
        return "none"
    words = [f"{sound['file']}, {sound['channels']} channel(s) at {sound['sample_rate_hz']} Hz"]
    words.append(str(sound.get("device", "")))
    if "samples" in sound:
        words.append(f"{sound['samples'] / sound['sample_rate_hz']:.3f} s")
    if sound.get("source") == "microphone" and "drift_ppm" in sound:
        words.append(f"{sound['drift_ppm']:+.1f} ppm against the session clock")
    if sound.get("gaps"):
        words.append(f"{sound['gaps']} gaps, {sound['gap_samples']} samples of silence")
    if sound.get("xruns"):
        words.append(f"{sound['xruns']} xruns")
    return ", ".join((*words, *([sound["failure"]] if "failure" in sound else [])))
