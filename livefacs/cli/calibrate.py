"""``livefacs calibrate``: learn a performer, before a camera or from a recorded clip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from livefacs.au.calibration import maxima_of, new_profile
from livefacs.au.calibration_run import CalibrationRun
from livefacs.au.estimator_model import load_model
from livefacs.au.personal import LEARNED
from livefacs.au.profile import (
    Profile,
    check_can_save,
    load_profile,
    profile_path,
    save_aside,
    save_profile,
)
from livefacs.au.rounds import EXERCISES, Exercise, exercises_of
from livefacs.cli import options as shared
from livefacs.cli.first_run import say_if_compiling
from livefacs.cli.guiding import lead
from livefacs.cli.solve import seconds_from_text
from livefacs.cli.terminal import make_console
from livefacs.errors import ProfileError, SourceError
from livefacs.offline import SolveOptions, calibrate_clip, working_take
from livefacs.session.watching import is_recorded, opened
from livefacs.vocab.facs import channels_of

app = typer.Typer()


@app.command()
def calibrate(
    name: Annotated[str, typer.Argument(help="Name of the profile, or a path ending in .json.")],
    source: Annotated[
        str,
        typer.Option(
            "--source", "-s", help="A camera; or a clip: with --prompts, or for a neutral alone."
        ),
    ] = "auto",
    prompts: Annotated[
        Path | None,
        typer.Option(help="What was asked for in a clip, and when: a JSON file; no key is needed."),
    ] = None,
    round_: Annotated[
        str, typer.Option("--round", help="Movements before a camera: short (8), full (28), N.")
    ] = "full",
    only: Annotated[
        str, typer.Option(help="These actions alone, such as 14,24; best with --add.")
    ] = "",
    add: Annotated[
        bool, typer.Option("--add", help="Add to the profile; what is asked for again is replaced.")
    ] = False,
    neutral: Annotated[
        str | None,
        typer.Option(help="In a clip without prompts: seconds START:END in which the face rests."),
    ] = None,
    neutral_only: Annotated[
        bool, typer.Option("--neutral-only", help="The resting face alone, nothing learned.")
    ] = False,
    rotate: shared.Rotate = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    weights: shared.Weights = None,
    reader: shared.Reader = None,
) -> None:
    """Learn how this face rests and how it shows each action: the profile for --profile NAME.

    Before a camera: three seconds of rest, slow head turns, then movement after movement, each made
    twice; it moves on by itself. Keys: s skips, r repeats, q ends early and keeps what there is.

    From a recorded range of motion: --source CLIP --prompts FILE. A clip without prompts gives its
    neutral and the strongest values in it.
    """
    path = profile_path(name)
    console = make_console(highlight=False)
    say_if_compiling()
    options = SolveOptions(
        shared.tracking_options(landmarker=landmarker, model=model, weights=weights, reader=reader),
        rotate=rotate or 0,
        neutral_s=seconds_from_text(neutral),
        as_live=False,
    )
    exercises = exercises_of(round_, tuple(filter(None, only.replace(" ", "").split(","))))
    check_can_save(path)
    earlier = load_profile(str(path)) if add else None
    if prompts is not None:
        with console.status(f"{source}: looking for the face"):
            done = calibrate_clip(path.stem, source, prompts, options, earlier=earlier)
        profile = done.profile
        for notice in done.notices:
            console.print(notice, markup=False)
    elif is_recorded(source):
        profile = _from_clip(console, path.stem, source, options, not neutral_only)
    else:
        wanted = () if neutral_only else exercises
        profile = _before_camera(console, path.stem, source, options, wanted, earlier)
    _save(profile, path)
    _report(console, profile, path)


def _report(console: Console, profile: Profile, path: Path) -> None:
    if profile.personal is None or not profile.personal.lessons:
        known = len(profile.maxima)
        console.print(f"{path}: neutral and {known} personal maxima", markup=False, soft_wrap=True)
        return
    lessons = profile.personal.lessons
    for lesson in lessons:
        console.print(lesson.sentence, markup=False)
    n_learned = sum(lesson.outcome == LEARNED for lesson in lessons)
    console.print(
        f"{path}: {n_learned} of {len(lessons)} actions learned", markup=False, soft_wrap=True
    )


def _save(profile: Profile, path: Path) -> None:
    """Keep it somewhere, whatever has become of its place meanwhile: nobody does this twice."""
    try:
        save_profile(profile, path)
    except ProfileError as error:
        aside = save_aside(profile, path)
        raise ProfileError(
            f"{error}. It is kept at {aside}: make room, move it, or use it from there"
        ) from error


def _from_clip(
    console: Console, name: str, clip: str, options: SolveOptions, is_range_wanted: bool
) -> Profile:
    with working_take(clip, options) as working:
        working.estimate()
        for notice in working.notices:
            console.print(notice, markup=False)
        assert working.neutral is not None  # estimated just now
        maxima: dict[str, float] = {}
        if is_range_wanted:
            wanted = [c for x in EXERCISES for action in x.actions for c in channels_of(action)]
            has_face = working.take.frames["n_faces"] > 0
            maxima = maxima_of(working.take.intensity[has_face], wanted)
        return new_profile(name, working.setup.backend, working.neutral, maxima)


def _before_camera(
    console: Console,
    name: str,
    source: str,
    options: SolveOptions,
    exercises: tuple[Exercise, ...],
    earlier: Profile | None,
) -> Profile:
    """Lead a performer through a calibration.

    Raises
    ------
    SourceError
        It ended before the resting face was seen.
    """
    tracking = options.tracking
    with opened(source, tracking, console.print, rotate=options.rotate) as (frames, finder):
        run = CalibrationRun(load_model(tracking.weights), finder.name, exercises, earlier)
        run.warm_up()
        lead(console, run, frames, finder)
        if run.step == 0:
            raise SourceError("the calibration ended before three quiet seconds of rest were seen")
        with console.status("learning"):
            return run.profile(name)
