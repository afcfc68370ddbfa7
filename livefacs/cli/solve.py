"""``livefacs solve``: Action Unit curves from clips or takes, every frame."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from livefacs.cli import options as shared
from livefacs.cli.first_run import say_if_compiling
from livefacs.cli.terminal import make_console, say
from livefacs.errors import ConfigError

if TYPE_CHECKING:
    from livefacs.batch import Job, Manifest
    from livefacs.offline import ClipReport, SolveOptions

app = typer.Typer()


@app.command()
def solve(
    clips: Annotated[
        list[str], typer.Argument(help="Clips, image folders or patterns, recorded takes.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            *("--output", "-o"),
            parser=shared.output_path,
            metavar="PATH",
            help="A file, - for text, or a folder for one file a clip.",
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to", "-t", help="Format (livefacs export --formats), or take; else the ending."
        ),
    ] = "",
    neutral: Annotated[
        str | None,
        typer.Option(help="Seconds START:END in which the face rests; else the whole clip says."),
    ] = None,
    as_live: shared.AsLive = None,
    profile: shared.Profiles = None,
    faces: shared.Faces = None,
    face: shared.Face = 1,
    weights: shared.Weights = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    reader: shared.Reader = None,
    filter_cutoff: shared.FilterCutoff = None,
    filter_beta: shared.FilterBeta = None,
    smooth: shared.Smooth = 0.0,
    fps: shared.Fps = "",
    rig: shared.Rig = "",
    raw: shared.Raw = False,
    confidence: shared.Confidence = False,
    timecode: shared.Timecode = False,
    node: shared.Node = "face",
    first_frame: shared.FirstFrame = None,
    header_blanks: shared.HeaderBlanks = False,
    rate: Annotated[float, typer.Option(help="Frames per second of an image folder.")] = 30.0,
    rotate: shared.Rotate = None,
    focal: Annotated[
        float | None,
        typer.Option(help="Focal length in pixels, where known; else the image's longer side."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also clips that an earlier run finished.")
    ] = False,
) -> None:
    """Write Action Unit curves of clips, every frame in order.

    The CSV has a row a frame: number, time, face (1 or 0), confidence, head and gaze angles, then
    each action's bilateral value and its sides on 0..1. Empty cells were not measured. A take is
    solved as it was recorded, but for what is asked for otherwise. With several clips, those that
    an earlier run into the same folder finished are skipped.
    """
    from livefacs.formats.curves import ExportOptions
    from livefacs.offline import SolveOptions, checked_mark

    options = SolveOptions(
        tracking=shared.tracking_options(
            landmarker=landmarker,
            model=model,
            reader=reader,
            weights=weights,
            profile=shared.profile_value(profile),
            faces=faces,
            filter_cutoff_hz=filter_cutoff,
            filter_beta=filter_beta,
        ),
        rate_hz=rate,
        rotate=rotate or 0,
        focal_px=focal,
        neutral_s=seconds_from_text(neutral),
        as_live=as_live,
        format=_format(to, output),
        export=ExportOptions(
            rig=rig,
            fps=fps,
            smooth_hz=smooth,
            raw=raw,
            confidence=confidence,
            timecode=timecode,
            node=node,
            first_frame=first_frame,
            header_blanks=header_blanks,
        ),
    )
    clips = [_of_face(clip, face) for clip in clips]
    mark = checked_mark(options)
    say_if_compiling()
    try:
        if _is_file(output, options):
            if len(clips) > 1:
                raise ConfigError(
                    f"{len(clips)} clips cannot go into one file {output}: give a folder with -o"
                )
            _say_report(_solve_one(clips[0], output, options))
        else:
            _solve_many(_jobs(clips, output, options), output, options, mark, again)
    except KeyboardInterrupt:
        say("stopped: of the clip at hand nothing was written", err=True)
        raise typer.Exit(130) from None


def _of_face(clip: str, face: int) -> str:
    """The folder of a performer in a take; clips have performers by ``--faces``."""
    from livefacs.offline import is_take
    from livefacs.take.performers import folder_of_face

    if face > 1 and not is_take(clip):
        raise ConfigError(f"--face {face} is for takes; {clip} has performers by --faces")
    return str(folder_of_face(Path(clip), face)) if face > 1 else clip


def _format(to: str, output: Path) -> str:
    from livefacs.formats.export import find_format
    from livefacs.offline import TAKE_FORMAT

    if to.lower() == TAKE_FORMAT:
        return TAKE_FORMAT
    return find_format(to, output).name if to or output.suffix else "csv"


def _is_file(output: Path, options: SolveOptions) -> bool:
    """An output with an ending, or that is there and no folder (a pipe), is a file, and ``-`` is
    standard output; for solved takes it is always a folder of takes."""
    from livefacs.files.output import STANDARD_OUTPUT
    from livefacs.offline import TAKE_FORMAT

    if output == STANDARD_OUTPUT:
        return True
    named = bool(output.suffix) or output.exists() or output.name == str(STANDARD_OUTPUT)
    return named and options.format != TAKE_FORMAT and not output.is_dir()


def _solve_one(clip: str, target: Path, options: SolveOptions) -> ClipReport:
    from rich.progress import Progress

    from livefacs.offline import solve_clip

    console = make_console(stderr=True, highlight=False)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(target.name, total=None)
        return solve_clip(
            clip,
            target,
            options,
            on_frame=lambda: progress.advance(task),
            on_open=lambda n_frames: progress.update(task, total=n_frames),
        )


def _solve_many(
    jobs: Sequence[Job], output: Path, options: SolveOptions, mark: str, again: bool
) -> None:
    """One clip after the other; each is finished for good when it is done, failures come last.

    Of a single clip the failure itself is raised.
    """
    from livefacs.batch import Manifest
    from livefacs.errors import LivefacsError

    failed: list[LivefacsError] = []
    with closing(Manifest(output)) as manifest:
        for job in jobs:
            try:
                _solve_due(job, manifest, options, mark, again)
            except LivefacsError as error:
                if len(jobs) == 1:
                    raise
                failed.append(error)
    for failure in failed:
        say(f"failed: {failure}", err=True)
    if failed:
        say(f"{len(failed)} of {len(jobs)} clips failed", err=True)
        raise typer.Exit(1)


def _solve_due(job: Job, manifest: Manifest, options: SolveOptions, mark: str, again: bool) -> None:
    """Solve one of several where it is not finished; an earlier solved take gives way."""
    from dataclasses import asdict

    from livefacs.batch import Outcome, earlier_aside

    keyed = _keyed(job, mark, manifest)
    if not again and keyed.key and manifest.finished(keyed) is not None:
        say(f"{job.target}: finished before", err=True)
        return
    with earlier_aside(keyed):
        report = _solve_one(job.clip, Path(job.target), options)
    _say_report(report)
    if keyed.key:
        manifest.note(Outcome(keyed, "done", asdict(report)))


def _keyed(job: Job, mark: str, manifest: Manifest) -> Job:
    """The clip with its key; patterns of images have none, and are always solved."""
    from dataclasses import replace

    from livefacs.batch import key_of

    key = key_of(job, mark, manifest.folder) if Path(job.clip).exists() else ""
    return replace(job, key=key, replaces=manifest.has_made(job))


def _say_report(report: Any) -> None:
    say(f"{report.target}: {report.n_frames} frames, a face in {report.n_with_face}", err=True)
    for notice in report.notices:
        say(f"  {notice}", err=True)


def seconds_from_text(text: str | None) -> tuple[float, float] | None:
    """``START:END`` in seconds; either end may be left out."""
    if text is None:
        return None
    start, colon, end = text.partition(":")
    try:
        seconds = float(start or 0.0), float(end or 1e9)
    except ValueError:
        seconds = (1.0, 0.0)
    if not colon or not 0.0 <= seconds[0] < seconds[1]:
        raise ConfigError(f"--neutral {text!r}: expected START:END in seconds, such as 0:1.5")
    return seconds


def _jobs(clips: Sequence[str], output: Path, options: SolveOptions) -> list[Job]:
    from livefacs.batch import Job
    from livefacs.offline import suffix_of

    names = [_name(clip) for clip in clips]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two clips are called {name}: solve them into different folders")
    suffix, folder = suffix_of(options), output.resolve()
    return [
        Job(clip, str(folder / f"{name}{suffix}")) for clip, name in zip(clips, names, strict=True)
    ]


def _name(clip: str) -> str:
    """A clip's name without its ending; folders' names may have dots that end nothing."""
    path = Path(clip)
    return (path.resolve().name if path.is_dir() else path.stem) or path.name
