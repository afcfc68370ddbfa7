"""``livefacs solve``: Action Unit curves from clips, every frame."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from livefacs.app import make_smoothing
from livefacs.au.model import EstimatorModel, load_model
from livefacs.au.profile import Profile, load_profile
from livefacs.au.solving import solve as solve_meshes
from livefacs.config import TrackingOptions
from livefacs.errors import ConfigError, SourceError
from livefacs.formats.au_csv import write_au_csv
from livefacs.landmarkers import open_landmarker
from livefacs.pipeline.offline import meshes_of
from livefacs.protocols import Landmarker
from livefacs.sources import open_source

app = typer.Typer()


@app.command()
def solve(
    clips: Annotated[
        list[str], typer.Argument(help="Clips, image folders or patterns, recorded takes.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="CSV file, or a folder for one CSV a clip."),
    ],
    neutral: Annotated[
        str | None,
        typer.Option(help="Seconds START:END in which the face rests; else the whole clip says."),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Calibrated profile, by name.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Estimator weights.")] = None,
    landmarker: Annotated[str, typer.Option(help="auto, facemesh or tasks.")] = "auto",
    model: Annotated[Path | None, typer.Option(help="Landmark model of the Tasks backend.")] = None,
    rate: Annotated[float, typer.Option(help="Frames per second of an image folder.")] = 30.0,
    focal: Annotated[
        float | None,
        typer.Option(help="Focal length in pixels, where known; else the image's longer side."),
    ] = None,
) -> None:
    """Write Action Unit curves of clips, every frame in order.

    The CSV has a row a frame: number, time, face (1 or 0), confidence, head and gaze angles, then
    each action's bilateral value and its sides on 0..1. Empty cells were not measured.
    """
    seconds = _seconds(neutral)
    targets = _targets(clips, output)
    estimator_model = load_model(weights)
    for clip, target in targets:
        with closing(open_landmarker(landmarker, model=model)) as finder:
            person = None if profile is None else load_profile(profile, finder.name)
            _solve_clip(clip, target, finder, estimator_model, person, seconds, rate, focal)


def _solve_clip(
    clip: str,
    target: Path,
    finder: Landmarker,
    model: EstimatorModel,
    person: Profile | None,
    seconds: tuple[float, float] | None,
    rate: float,
    focal: float | None,
) -> None:
    console = Console(stderr=True, highlight=False)
    with closing(open_source(clip, realtime=False, rate_hz=rate)) as source:
        if source.is_live:
            raise SourceError(f"{clip} is live: solve takes clips, image folders and takes")
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(target.name, total=source.n_frames)
            meshes = meshes_of(source, finder, lambda: progress.advance(task))
    try:
        rows = solve_meshes(
            meshes,
            model,
            profile=person,
            smoothing=make_smoothing(TrackingOptions()),
            neutral_s=seconds,
            focal_px=focal,
        )
    except SourceError as error:
        raise SourceError(f"{clip}: {error}") from None
    write_au_csv(target, rows)
    n_faces = sum(estimate is not None for _, _, estimate in rows)
    console.print(f"{target}: {len(rows)} frames, a face in {n_faces}", markup=False)


def _seconds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    start, colon, end = text.partition(":")
    try:
        seconds = float(start or 0.0), float(end or "inf")
    except ValueError:
        seconds = (1.0, 0.0)
    if not colon or not 0.0 <= seconds[0] < seconds[1]:
        raise ConfigError(f"--neutral {text!r}: expected START:END in seconds, such as 0:1.5")
    return seconds


def _targets(clips: list[str], output: Path) -> list[tuple[str, Path]]:
    is_file = output.suffix.lower() == ".csv"
    if is_file and len(clips) > 1:
        raise ConfigError(
            f"{len(clips)} clips cannot go into one file {output}: give a folder with -o"
        )
    if is_file:
        return [(clips[0], output)]
    names = [Path(clip).stem or Path(clip).name for clip in clips]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two clips are called {name}: solve them into different folders")
    return [(clip, output / f"{name}.csv") for clip, name in zip(clips, names, strict=True)]
