"""``livefacs batch``: a folder of clips on all cores or on a cluster, resumable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from livefacs.cli import options as shared
from livefacs.cli.first_run import say_if_compiling
from livefacs.cli.terminal import say

if TYPE_CHECKING:
    from livefacs.batch import Outcome

app = typer.Typer()

REPORT_NAME: Final = "livefacs-batch.csv"
MOST_PROCESSES: Final = 256
_REPORTED: Final = ("target", "n_frames", "n_with_face", "n_faces_at_once", "work_s")


@app.command()
def batch(
    folder: Annotated[Path, typer.Argument(help="Folder of clips and takes, searched deeply.")],
    output: Annotated[
        Path,
        typer.Option(
            *("--output", "-o"),
            parser=shared.output_path,
            metavar="PATH",
            help="Folder of the results.",
        ),
    ],
    to: Annotated[str, typer.Option("--to", "-t", help="Format; take: the solved take.")] = "csv",
    processes: Annotated[
        int, typer.Option(min=0, max=MOST_PROCESSES, help="Processes; 0: one a core.")
    ] = 0,
    scheduler: Annotated[str, typer.Option(help="Dask scheduler, tcp://HOST:PORT.")] = "",
    rig: shared.Rig = "",
    fps: shared.Fps = "",
    smooth: shared.Smooth = 0.0,
    raw: shared.Raw = False,
    confidence: shared.Confidence = False,
    timecode: shared.Timecode = False,
    node: shared.Node = "face",
    first_frame: shared.FirstFrame = None,
    header_blanks: shared.HeaderBlanks = False,
    profile: shared.Profile = None,
    weights: shared.Weights = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    rotate: shared.Rotate = None,
    reader: shared.Reader = None,
    filter_cutoff: shared.FilterCutoff = None,
    filter_beta: shared.FilterBeta = None,
    as_live: shared.AsLive = None,
) -> None:
    """Solve a folder of clips; what is finished already is skipped, what fails is listed.

    A second run with the same options does only clips that are new, changed or failed.
    """
    from livefacs.batch import Manifest, run_batch
    from livefacs.formats.curves import ExportOptions
    from livefacs.offline import SolveOptions, checked_mark, find_jobs, work_on_clip

    options = SolveOptions(
        tracking=shared.tracking_options(
            landmarker=landmarker,
            model=model,
            reader=reader,
            weights=weights,
            profile=profile,
            filter_cutoff_hz=filter_cutoff,
            filter_beta=filter_beta,
        ),
        as_live=as_live,
        rotate=rotate or 0,
        read_ahead=False,
        format=to.lower(),
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
    mark = checked_mark(options)
    jobs = find_jobs(folder, output, options)
    manifest = Manifest(output)
    say_if_compiling()
    outcomes = run_batch(
        jobs,
        work_on_clip,
        options,
        manifest,
        mark=mark,
        n_processes=processes,
        scheduler=scheduler,
    )
    gathered: list[Outcome] = []
    try:
        with closing(outcomes):
            _follow(outcomes, gathered, len(jobs))
    except KeyboardInterrupt:
        n_left = len(jobs) - len(gathered)
        say(f"stopped with {n_left} to do: the same command goes on with them", err=True)
        raise typer.Exit(130) from None
    finally:
        write_report(output / REPORT_NAME, gathered)
        _tell_totals(gathered)
        manifest.close()
    if any(outcome.state == "failed" for outcome in gathered):
        raise typer.Exit(1)


def write_report(path: Path, outcomes: Sequence[Outcome]) -> None:
    """A row a clip: state, frames, faces, seconds of work, notices or the error."""
    import csv

    from livefacs.files.atomic import replaced

    try:
        with (
            replaced(path) as unfinished,
            unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("clip", "state", *_REPORTED, "notices", "error"))
            for outcome in sorted(outcomes, key=lambda each: each.job.clip):
                report = {"target": outcome.job.target, **outcome.report}
                facts = [report.get(name, "") for name in _REPORTED]
                notices = "; ".join(report.get("notices", ()))
                writer.writerow((outcome.job.clip, outcome.state, *facts, notices, outcome.error))
    except OSError as error:
        say(f"cannot write {path}: {error.strerror or error}", err=True)


def _follow(outcomes: Iterable[Outcome], gathered: list[Outcome], n_jobs: int) -> None:
    """Gather all outcomes, each told as it comes."""
    for outcome in outcomes:
        gathered.append(outcome)
        say(_one_line(f"[{len(gathered)}/{n_jobs}] {_line(outcome)}"))


def _one_line(text: str) -> str:
    """A clip a line, whatever a file is called."""
    return text.replace("\n", "\\n")


def _line(outcome: Outcome) -> str:
    name = Path(outcome.job.clip).name
    if outcome.state == "failed":
        return f"{name}: failed: {outcome.error}"
    report = outcome.report
    seen = f"{report['n_frames']} frames, a face in {report['n_with_face']}"
    work = "finished before" if outcome.state == "skipped" else f"{report['work_s']:.1f} s"
    return "; ".join((f"{name}: {seen}, {work}", *report["notices"]))


def _tell_totals(outcomes: Sequence[Outcome]) -> None:
    """Totals, and the failures once more at the end."""
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    n_skipped = sum(outcome.state == "skipped" for outcome in outcomes)
    n_done = len(outcomes) - len(failed) - n_skipped
    say(f"{n_done} solved, {n_skipped} finished before, {len(failed)} failed")
    for outcome in failed:
        say(_one_line(f"failed: {outcome.error}"), err=True)
