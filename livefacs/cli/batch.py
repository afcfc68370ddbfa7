"""``livefacs batch``: a folder of clips on all cores or on a cluster, resumable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from livefacs.cli.first_run import say_if_compiling

if TYPE_CHECKING:
    from livefacs.batch import Job, Outcome
    from livefacs.solving import SolveOptions

app = typer.Typer()

REPORT_NAME: Final = "livefacs-batch.csv"
_REPORTED: Final = ("target", "n_frames", "n_with_face", "n_faces_at_once", "work_s")

_CLIPS: Final = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".mpg", ".mpeg"),
    *(".wmv", ".ts", ".mts", ".3gp"),
)


@app.command()
def batch(
    folder: Annotated[Path, typer.Argument(help="Folder of clips and takes, searched deeply.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")],
    to: Annotated[str, typer.Option("--to", "-t", help="Format; take: the solved take.")] = "csv",
    processes: Annotated[int, typer.Option(help="Processes; 0: one a core.")] = 0,
    scheduler: Annotated[str, typer.Option(help="Dask scheduler, tcp://HOST:PORT.")] = "",
    rig: Annotated[str, typer.Option(help="A rig's controls in place of Action Units.")] = "",
    fps: Annotated[str, typer.Option(help="Resample: 24, 25, 29.97DF, 60 …")] = "",
    smooth: Annotated[
        float, typer.Option(help="Zero-phase low-pass in place of the live filter, Hz.")
    ] = 0.0,
    confidence: Annotated[bool, typer.Option("--confidence", help="Confidences, too.")] = False,
    timecode: Annotated[bool, typer.Option("--timecode", help="A timecode column.")] = False,
    profile: Annotated[str | None, typer.Option(help="Calibrated profile, by name.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Estimator weights.")] = None,
    landmarker: Annotated[str, typer.Option(help="auto, facemesh or tasks.")] = "auto",
    model: Annotated[Path | None, typer.Option(help="Landmark model of the Tasks backend.")] = None,
    as_live: Annotated[
        bool | None,
        typer.Option(
            "--as-live/--whole-clip",
            help="Neutral as the live run finds it, or from the whole clip; default: the former "
            "for takes, the latter for clips.",
        ),
    ] = None,
) -> None:
    """Solve a folder of clips; what is finished already is skipped, what fails is listed.

    A second run with the same options does only clips that are new, changed or failed.
    """
    from livefacs.batch import Manifest, run_batch
    from livefacs.config import load_options
    from livefacs.formats.curves import ExportOptions
    from livefacs.solving import SolveOptions, work_on_clip

    given = {"landmarker": landmarker, "model": model, "weights": weights, "profile": profile}
    options = SolveOptions(
        tracking=load_options(None, {"tracking": given}).tracking,
        as_live=as_live,
        read_ahead=False,
        format=to,
        export=ExportOptions(
            rig=rig, fps=fps, smooth_hz=smooth, confidence=confidence, timecode=timecode
        ),
    )
    jobs = find_jobs(folder, output, options)
    say_if_compiling()
    outcomes = run_batch(
        jobs,
        work_on_clip,
        options,
        Manifest(output),
        n_processes=processes,
        scheduler=scheduler,
    )
    gathered = _followed(outcomes, len(jobs))
    write_report(output / REPORT_NAME, gathered)
    _report(gathered)


def find_jobs(folder: Path, output: Path, options: SolveOptions) -> list[Job]:
    """Every clip and take under a folder, with where its result goes (the same tree)."""
    from livefacs.batch import Job
    from livefacs.errors import ConfigError, SourceError
    from livefacs.solving import suffix_of
    from livefacs.take.model import DOCUMENT_NAME

    suffix = suffix_of(options)
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder; expected a folder of clips")
    takes = {path.parent for path in folder.rglob(DOCUMENT_NAME)}
    clips = sorted(
        takes
        | {
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in _CLIPS and not takes.intersection(path.parents)
        }
    )
    own = output.resolve()
    clips = [
        clip
        for clip in clips
        if own not in clip.resolve().parents and not _is_hidden(clip.relative_to(folder))
    ]
    if not clips:
        raise SourceError(f"{folder}: no clip and no take in it (looked for {', '.join(_CLIPS)})")
    jobs = [
        Job(str(clip.resolve()), str((own / clip.relative_to(folder)).with_suffix(suffix)))
        for clip in clips
    ]
    targets = [job.target for job in jobs]
    twice = sorted({target for target in targets if targets.count(target) > 1})
    if twice:
        raise ConfigError(f"clips that differ only in their ending would share {twice[0]}")
    return jobs


def _is_hidden(path: Path) -> bool:
    """Left by a killed run, or by a system; nobody's clip."""
    return any(part.startswith(".") for part in path.parts)


def write_report(path: Path, outcomes: Sequence[Outcome]) -> None:
    """A row a clip: state, frames, faces, seconds of work, notices or the error."""
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("clip", "state", *_REPORTED, "notices", "error"))
        for outcome in sorted(outcomes, key=lambda each: each.job.clip):
            report = outcome.report
            facts = [report.get(name, "") for name in _REPORTED]
            notices = "; ".join(report.get("notices", ()))
            writer.writerow((outcome.job.clip, outcome.state, *facts, notices, outcome.error))


def _followed(outcomes: Any, n_jobs: int) -> list[Outcome]:
    """All outcomes, each told as it comes."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    gathered: list[Outcome] = []
    for outcome in outcomes:
        gathered.append(outcome)
        console.print(f"[{len(gathered)}/{n_jobs}] {_line(outcome)}", markup=False)
    return gathered


def _line(outcome: Outcome) -> str:
    name = Path(outcome.job.clip).name
    if outcome.state == "failed":
        return f"{name}: failed: {outcome.error}"
    report = outcome.report
    seen = f"{report['n_frames']} frames, a face in {report['n_with_face']}"
    work = "finished before" if outcome.state == "skipped" else f"{report['work_s']:.1f} s"
    return "; ".join((f"{name}: {seen}, {work}", *report["notices"]))


def _report(outcomes: Sequence[Outcome]) -> None:
    """Totals; failures once more at the end, and a non-zero exit."""
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    n_skipped = sum(outcome.state == "skipped" for outcome in outcomes)
    n_done = len(outcomes) - len(failed) - n_skipped
    typer.echo(f"{n_done} solved, {n_skipped} finished before, {len(failed)} failed")
    for outcome in failed:
        typer.echo(f"failed: {outcome.error}", err=True)
    if failed:
        raise typer.Exit(1)
