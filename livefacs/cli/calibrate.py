"""``livefacs calibrate``: a personal profile of neutral and range of motion."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from livefacs.au.calibration import (
    EXERCISES,
    NEUTRAL_S,
    Exercise,
    NeutralTake,
    RangeTake,
    maxima_of,
    new_profile,
)
from livefacs.au.estimator import Estimator
from livefacs.au.model import EstimatorModel, load_model
from livefacs.au.neutral import Neutral, canonical_neutral
from livefacs.au.personal import LEARNED
from livefacs.au.profile import (
    Profile,
    check_can_save,
    load_profile,
    profile_path,
    save_profile,
)
from livefacs.cli import options as shared
from livefacs.cli.first_run import say_if_compiling
from livefacs.cli.keys import keys_pressed
from livefacs.cli.solve import seconds_from_text
from livefacs.cli.terminal import make_console
from livefacs.clock import s_from_ns
from livefacs.config import load_options
from livefacs.errors import ProfileError, SourceError
from livefacs.landmarkers import open_landmarker
from livefacs.offline import SolveOptions, calibrate_clip, working_take
from livefacs.protocols import Landmarker, Source
from livefacs.sources import open_source
from livefacs.types import Landmarks
from livefacs.vocab.facs import channels_of

app = typer.Typer()


@app.command()
def calibrate(
    name: Annotated[str, typer.Argument(help="Name of the profile, or a path ending in .json.")],
    source: Annotated[
        str,
        typer.Option(
            "--source", "-s", help="A camera; or a clip, whose movements give the range of motion."
        ),
    ] = "auto",
    neutral: Annotated[
        str | None,
        typer.Option(help="In a clip: seconds START:END in which the face rests."),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(help="What was asked for in a clip, and when: a JSON file; no key is needed."),
    ] = None,
    add: Annotated[
        bool, typer.Option("--add", help="Add to the profile; what is asked for again is replaced.")
    ] = False,
    neutral_only: Annotated[
        bool, typer.Option("--neutral-only", help="Leave the range of motion out.")
    ] = False,
    hold: Annotated[float, typer.Option(min=1.0, help="Seconds for each movement.")] = 4.0,
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
    weights: shared.Weights = None,
    reader: shared.Reader = None,
) -> None:
    """Make a personal profile: three seconds of neutral, then movement by movement.

    Any movement can be skipped with the key s. Use the profile with --profile NAME. A clip of the
    same movements works too; its strongest ones are taken.
    """
    path = profile_path(name)
    console = make_console(highlight=False)
    say_if_compiling()
    given = {"landmarker": landmarker, "model": model, "weights": weights, "reader": reader}
    options = SolveOptions(
        load_options(None, {"tracking": given}).tracking,
        neutral_s=seconds_from_text(neutral),
        as_live=False,
    )
    check_can_save(path)
    if prompts is not None:
        _calibrate_from_prompts(console, path, source, prompts, add, options)
        return
    if Path(source).exists() and not source.startswith("/dev/"):
        profile = _from_clip(path.stem, source, options, not neutral_only)
    else:
        estimator_model = load_model(weights)
        with (
            closing(open_landmarker(landmarker or "auto", model=model)) as finder,
            closing(open_source(source)) as frames,
        ):
            guide = _Guide(console, frames, finder, estimator_model)
            profile = guide.lead(path.stem, () if neutral_only else EXERCISES, hold)
    _save(profile, path)
    known = len(profile.maxima)
    console.print(f"{path}: neutral and {known} personal maxima", markup=False)


def _save(profile: Profile, path: Path) -> None:
    """Keep it somewhere, whatever has become of its place meanwhile: nobody does this twice."""
    try:
        save_profile(profile, path)
    except ProfileError as error:
        aside = Path(tempfile.mkdtemp(prefix="livefacs-")) / path.name
        save_profile(profile, aside)
        raise ProfileError(
            f"{error}. It is kept at {aside}: make room, move it, or use it from there"
        ) from error


def _calibrate_from_prompts(
    console: Console, path: Path, source: str, prompts: Path, add: bool, options: SolveOptions
) -> None:
    earlier = load_profile(str(path)) if add else None
    with console.status(f"{source}: looking for the face"):
        done = calibrate_clip(path.stem, source, prompts, options, earlier=earlier)
    _save(done.profile, path)
    for notice in done.notices:
        console.print(notice, markup=False)
    lessons = done.profile.personal.lessons if done.profile.personal is not None else ()
    for lesson in lessons:
        console.print(lesson.sentence, markup=False)
    n_learned = sum(lesson.outcome == LEARNED for lesson in lessons)
    console.print(f"{path}: {n_learned} of {len(lessons)} actions learned", markup=False)


def _from_clip(name: str, clip: str, options: SolveOptions, is_range_wanted: bool) -> Profile:
    with working_take(clip, options) as working:
        working.estimate()
        assert working.neutral is not None  # estimated just now
        maxima: dict[str, float] = {}
        if is_range_wanted:
            wanted = [c for x in EXERCISES for action in x.actions for c in channels_of(action)]
            has_face = working.take.frames["n_faces"] > 0
            maxima = maxima_of(working.take.intensity[has_face], wanted)
        return new_profile(name, working.setup.backend, working.neutral, maxima)


class _Guide:
    """Leads a performer through a calibration before a camera."""

    def __init__(
        self, console: Console, source: Source, finder: Landmarker, model: EstimatorModel
    ) -> None:
        self._console = console
        self._source = source
        self._finder = finder
        self._model = model
        self._skip = threading.Event()
        self._quit = threading.Event()

    def lead(self, name: str, exercises: tuple[Exercise, ...], hold_s: float) -> Profile:
        """Neutral, then the exercises; keys s skips, q ends early and keeps what there is."""
        actions: dict[str, Callable[[], None]] = {"s": self._skip.set, "q": self._quit.set}
        with keys_pressed(actions, self._console.print) as has_keys:
            if has_keys:
                self._console.print("keys: s skips a movement · q ends early")
            neutral = self._take_neutral()
            maxima: dict[str, float] = {}
            for exercise in exercises:
                if self._quit.is_set():
                    break
                maxima.update(self._take_range(exercise, neutral, hold_s))
        return new_profile(name, self._finder.name, neutral, maxima)

    def _faces(self) -> Iterator[Landmarks | None]:
        while not self._quit.is_set():
            frame = self._source.read()
            if frame is None:
                return
            yield self._finder.detect(frame)

    def _take_neutral(self) -> Neutral:
        estimator = Estimator(self._model, neutral=canonical_neutral(self._model))
        estimator.warm_up()
        take = NeutralTake(estimator)
        with Live(console=self._console, refresh_per_second=10, transient=True) as live:
            for face in self._faces():
                if face is None:
                    live.update(Text("neutral: no face"))
                    continue
                found = take.feed(estimator.estimate(face), face.t_ns)
                left = f"{NEUTRAL_S - take.done_s:.1f} s"
                live.update(Text(f"neutral: {take.fault or 'hold still, ' + left}"))
                if found is not None:
                    return found
        raise SourceError("the calibration ended before three quiet seconds of neutral were seen")

    def _take_range(self, exercise: Exercise, neutral: Neutral, hold_s: float) -> dict[str, float]:
        estimator = Estimator(self._model, neutral=neutral)
        take = RangeTake(exercise)
        codes = "+".join(action[2:] for action in exercise.actions)
        self._skip.clear()
        start_ns: int | None = None
        with Live(console=self._console, refresh_per_second=10, transient=True) as live:
            for face in self._faces():
                if self._skip.is_set():
                    self._console.print(f"{codes}: skipped")
                    return {}
                if face is None:
                    continue
                start_ns = face.t_ns if start_ns is None else start_ns
                values = take.feed(estimator.estimate(face))
                left_s = hold_s - s_from_ns(face.t_ns - start_ns)
                shown = "  ".join(f"{channel} {value:.2f}" for channel, value in values.items())
                live.update(Text(f"{codes}: {exercise.instruction} ({left_s:.1f} s)  {shown}"))
                if left_s <= 0.0:
                    break
        maxima = take.maxima()
        said = ", ".join(f"{channel} {value:.2f}" for channel, value in maxima.items())
        self._console.print(f"{codes}: {said or 'not seen, left uncalibrated'}", markup=False)
        return maxima
