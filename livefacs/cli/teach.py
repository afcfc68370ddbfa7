"""``livefacs teach``: an action of the performer's own, as a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import make_console, say
from livefacs.errors import ConfigError

if TYPE_CHECKING:
    from livefacs.au.profile import Profile
    from livefacs.offline import Lesson, SolveOptions

app = typer.Typer()

_Spans = Annotated[
    list[str] | None,
    typer.Option(help="In a clip: seconds START:END; may be given several times."),
]


@app.command()
def teach(
    name: Annotated[str, typer.Argument(help="Name of the profile, or a path ending in .json.")],
    action: Annotated[str, typer.Argument(help="Name of the action, such as tongue-out.")],
    source: Annotated[str, typer.Option("--source", "-s", help="A camera, or a clip.")] = "auto",
    rest: _Spans = None,
    shown: Annotated[
        list[str] | None,
        typer.Option("--action", help="In a clip: seconds START:END in which it is shown, twice."),
    ] = None,
    code: Annotated[str, typer.Option(help="The FACS code that it is, where it is one: 19.")] = "",
    side: Annotated[str, typer.Option(help="L or R, where it is of one side.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Teach it anew.")] = False,
    rotate: shared.Rotate = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    weights: shared.Weights = None,
    reader: shared.Reader = None,
) -> None:
    """Teach an action that FACS or the estimator does not know: it becomes the channel X_ACTION.

    Before a camera: five seconds of rest and other movements, five of the action, twice. From a
    clip: --rest and --action name the seconds. It is streamed, recorded, exported, and may be
    named in every rig map. What else it fires on is told at once.
    """
    from livefacs.au.profile import load_profile, profile_path, save_profile
    from livefacs.au.teaching import sentences
    from livefacs.cli.first_run import say_if_compiling
    from livefacs.offline import Lesson, SolveOptions, teach_from_clip
    from livefacs.session.watching import is_recorded

    profile = load_profile(name)
    options = SolveOptions(
        shared.tracking_options(landmarker=landmarker, model=model, weights=weights, reader=reader),
        rotate=rotate or 0,
        as_live=False,
    )
    lesson = Lesson(
        action, _spans("--rest", rest), _spans("--action", shown), code, side.upper(), replace
    )
    say_if_compiling()
    if not is_recorded(source):
        profile, told = _before_camera(profile, lesson, source, options)
    elif not lesson.other or not lesson.action:
        raise ConfigError("from a clip: name the seconds with --rest START:END --action START:END")
    else:
        with make_console(stderr=True).status(f"{source}: looking for the face"):
            profile, taught = teach_from_clip(profile, lesson, source, options)
        told = sentences(profile, taught)
    save_profile(profile, profile_path(name))
    for sentence in told:
        say(sentence)


def _before_camera(
    profile: Profile, lesson: Lesson, source: str, options: SolveOptions
) -> tuple[Profile, tuple[str, ...]]:
    """Five seconds of everything else, five of the action, twice."""
    from livefacs.au.estimator_model import load_model
    from livefacs.au.teaching_run import TeachingRun
    from livefacs.cli.guiding import lead
    from livefacs.offline import without_lesson
    from livefacs.session.watching import opened

    console = make_console(highlight=False)
    bare = without_lesson(profile, lesson)
    model = load_model(options.tracking.weights)
    run = TeachingRun(model, bare, lesson.name, lesson.code, lesson.side)
    with opened(source, options.tracking, console.print, rotate=options.rotate) as (frames, finder):
        lead(console, run, frames, finder)
    return run.profile()


def _spans(option: str, texts: list[str] | None) -> tuple[tuple[float, float], ...]:
    spans = []
    for text in texts or ():
        start, colon, end = text.partition(":")
        try:
            span = float(start), float(end)
        except ValueError:
            span = (1.0, 0.0)
        if not colon or not 0.0 <= span[0] < span[1] < float("inf"):
            raise ConfigError(f"{option} {text!r}: expected START:END in seconds, such as 5:10")
        spans.append(span)
    return tuple(spans)
