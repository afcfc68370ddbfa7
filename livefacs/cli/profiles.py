"""``livefacs profiles``: what is known of performers, and whether it still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import make_console, say
from livefacs.errors import ProfileError

app = typer.Typer(help="Profiles: list, show, check, rename, remove, forget.")

_Name = Annotated[str, typer.Argument(help="Name of a profile, or a path ending in .json.")]


@app.command("list")
def list_profiles() -> None:
    """List the profiles: what each knows, and when it was made."""
    from livefacs.au.profile import load_profile, profile_names
    from livefacs.au.profile_words import summary
    from livefacs.resources import user_profiles_folder

    names = profile_names()
    if not names:
        say(f"no profiles in {user_profiles_folder()}; `livefacs calibrate NAME` makes one")
    width = max(map(len, names), default=0)
    is_damaged = False
    for name in names:
        try:
            say(f"{name.ljust(width)}  {summary(load_profile(name))}")
        except ProfileError as error:
            is_damaged = True
            say(f"{name.ljust(width)}  {str(error).splitlines()[0]}", err=True)
    if is_damaged:
        raise typer.Exit(2)


@app.command()
def show(name: _Name) -> None:
    """Show what a profile knows, action by action."""
    from livefacs.au.estimator_model import load_model
    from livefacs.au.profile import load_profile, profile_path
    from livefacs.au.profile_words import details, summary

    profile = load_profile(name)
    say(f"{profile_path(name)}: {summary(profile)}")
    for sentence in details(profile, load_model()):
        say(sentence)


@app.command()
def check(
    name: _Name,
    source: Annotated[
        str, typer.Option("--source", "-s", help="A camera, or a clip of the resting face.")
    ] = "auto",
    seconds: Annotated[float, typer.Option(min=1.0, help="How long to look.")] = 10.0,
    rotate: shared.Rotate = None,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    weights: shared.Weights = None,
    reader: shared.Reader = None,
) -> None:
    """Look at the resting face for ten seconds: have light, camera or face changed?

    Ends with exit code 1 where calibration should be renewed.
    """
    from livefacs.au.checkup import CheckRun
    from livefacs.au.estimator_model import load_model
    from livefacs.au.profile import load_profile
    from livefacs.cli.first_run import say_if_compiling
    from livefacs.cli.guiding import lead
    from livefacs.session.watching import opened

    say_if_compiling()
    tracking = shared.tracking_options(
        landmarker=landmarker, model=model, weights=weights, reader=reader
    )
    load_profile(name)  # a mistyped name is told before the camera lights up
    console = make_console(highlight=False)
    with opened(source, tracking, console.print, rotate=rotate or 0) as (frames, finder):
        profile = load_profile(name, finder.name)
        run = CheckRun(load_model(tracking.weights), profile, seconds)
        lead(console, run, frames, finder)
    findings = run.findings()
    for finding in findings:
        say(f"{finding.about}: {finding.text}")
    if any(finding.is_changed for finding in findings):
        say(f"calibration should be renewed: livefacs calibrate {name}")
        raise typer.Exit(1)
    say("the profile still holds")


@app.command()
def rename(name: _Name, new: Annotated[str, typer.Argument(help="New name.")]) -> None:
    """Give a profile another name."""
    from livefacs.au.profile import rename_profile

    say(f"{name} is now {rename_profile(name, new)}")


@app.command()
def remove(
    name: _Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a profile and the version kept beside it."""
    from livefacs.au.profile import profile_path, remove_profile

    path: Path = profile_path(name)
    if not yes and path.exists() and not typer.confirm(f"remove {path} for good?"):
        raise typer.Exit(1)
    for gone in remove_profile(name):
        say(f"removed {gone}")


@app.command()
def forget(
    name: _Name,
    action: Annotated[str, typer.Argument(help="Taught action: its name or channel.")],
) -> None:
    """Take a taught action out of a profile."""
    from livefacs.au.profile import load_profile, profile_path, save_profile
    from livefacs.au.teaching import without

    profile = load_profile(name)
    found = [each for each in profile.taught if action in (each.name, each.channel)]
    if not found:
        known = ", ".join(each.name for each in profile.taught) or "none"
        raise ProfileError(f"profile {name!r} has no taught action {action!r}; it has: {known}")
    save_profile(without(profile, found[0].channel), profile_path(name))
    say(f"{found[0].channel} is forgotten")
