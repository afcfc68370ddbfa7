"""Leads a performer through the steps of a calibration or a lesson, in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from livefacs.cli.keys import keys_pressed
from livefacs.protocols import Landmarker, Source

if TYPE_CHECKING:
    from livefacs.au.guided import GuidedRun, GuidedState


def lead(console: Console, run: GuidedRun, frames: Source, finder: Landmarker) -> None:
    """Feed a run until it is done or the source ends; a tone at each step.

    Keys: s skips, r repeats, q ends early.
    """
    keys: dict[str, Callable[[], None]] = {"s": run.skip, "r": run.retry, "q": run.finish}
    pressed: list[str] = []  # taken up between frames: the run belongs to one thread
    waiting = {key: partial(pressed.append, key) for key in keys}
    with (
        keys_pressed(waiting, console.print) as has_keys,
        Live(console=console, refresh_per_second=10, transient=True) as live,
    ):
        step = run.step
        while not run.is_done and (frame := frames.read()) is not None:
            run.feed(finder.detect(frame), frame.t_ns)
            while pressed:
                keys[pressed.pop(0)]()
            if run.step != step:
                step = run.step
                console.bell()
            live.update(_words(run.state(), has_keys))


def _words(state: GuidedState, has_keys: bool) -> Text:
    actions = "+".join(action.removeprefix("AU") for action in state.actions)
    head = f"{state.number + 1}/{state.of}  {actions}: " if actions else f"{state.step}: "
    if state.hint:
        doing = state.hint
    elif state.needed_s:
        doing = f"{state.needed_s - state.done_s:.1f} s"
    else:
        doing = f"seen {state.seen} of 2"
    keys = "  [s skip · r again · q end]" if has_keys and state.number else ""
    return Text(f"{head}{state.instruction} ({doing}){keys}")
