"""The command line. Only the module of the command that runs is imported: ``--help`` stays fast."""

from __future__ import annotations

import contextlib
import gc
import importlib
import inspect
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from livefacs import __version__
from livefacs.cli.logs import start_logging
from livefacs.cli.signals import STOPPED, STOPPED_CODE, ended_as_by_ctrl_c, ended_at_once
from livefacs.cli.terminal import say
from livefacs.errors import LivefacsError, SinkError

_log = logging.getLogger("livefacs.cli.main")  # its name where it is run as a module, too

COMMANDS: Final[dict[str, str]] = {
    "live": "Track a camera or clip and stream Action Units.",
    "demo": "Play the bundled performer through the whole chain.",
    "cameras": "List cameras, microphones and MIDI ports.",
    "models": "Landmark models: list and fetch.",
    "rigs": "Retargeting maps: list, show, new, check, fit, preview.",
    "au": "The FACS card of an action.",
    "doctor": "Versions, backends, cameras and timings, to paste into a report.",
    "listen": "Receive and show a stream.",
    "probe": "Sweep every control of a rig, to test it without a face.",
    "calibrate": "Learn a performer: resting face, and how this face shows each action.",
    "teach": "Teach an action of your own: a channel for every stream and rig.",
    "profiles": "Profiles: list, show, check, rename, remove, forget.",
    "solve": "Action Unit curves from clips or takes, every frame.",
    "record": "Record a take from a camera, a clip or the performer.",
    "takes": "Recorded takes: list, show, repair, align, claps.",
    "export": "Export a take to another package's format.",
    "plot": "Plot a take's curves.",
    "batch": "Solve a folder of clips on all cores.",
    "ltc": "Linear timecode: write it as sound, read it from a clip.",
    "mirror": "The practice mirror in the browser.",
    "stage": "Tune and drive a character in the browser, on a face in 3D.",
    "train": "Train estimator weights from labelled sequences.",
    "evaluate": "Score an estimator against known truth.",
}
"""Every command and its line of help; ``livefacs.cli.<name>`` holds its Typer ``app``."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Exit codes: 0 done, 1 other failure, 2 usage or configuration, 3 source, 4 model, 5 output,
    130 stopped by Ctrl-C, a polite kill or a closed terminal before it was done.
    """
    # A start makes a hundred thousand objects, and they stay: looking through them at every
    # thousandth for what can go costs a tenth of it.
    gc.set_threshold(50_000)
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        with ended_at_once():
            commands = _build(words)
        with ended_as_by_ctrl_c():
            commands(words, prog_name="livefacs")
    except KeyboardInterrupt:  # between two of these lines
        say(STOPPED, err=True)
        raise SystemExit(STOPPED_CODE) from None
    except LivefacsError as error:
        _log.debug("where it came from", exc_info=True)
        say(f"livefacs: {error}", err=True)
        raise SystemExit(error.exit_code) from None
    except OSError as error:  # what no command foresaw: standard output on a full disk, mostly
        _log.debug("where it came from", exc_info=True)
        where = f" ({error.filename})" if error.filename else ""
        _say_nothing_more()
        say(f"livefacs: cannot read or write{where}: {error.strerror or error}", err=True)
        raise SystemExit(SinkError.exit_code) from None


def _say_nothing_more() -> None:
    """What still waits for a standard output that takes nothing would be told a second time."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Commands(TyperGroup):
    """Says that it was stopped, where no command has a better word for it."""

    def make_context(self, *words: Any, **more: Any) -> Any:
        """Read the options."""
        with _stopped_with_a_line():
            return super().make_context(*words, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was called."""
        with _stopped_with_a_line():
            return super().invoke(ctx)


@contextlib.contextmanager
def _stopped_with_a_line() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(STOPPED, err=True)
        raise typer.Exit(STOPPED_CODE) from None


def _build(words: Sequence[str]) -> typer.Typer:
    root = typer.Typer(
        cls=_Commands,
        help="Real-time facial action capture: camera to FACS Action Units to animation rigs.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    root.callback()(_root)
    called = next((word for word in words if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        if name == called:
            _add_command(root, name, summary)
        else:
            root.command(name, help=summary)(_never_run)
    return root


def _add_command(root: typer.Typer, name: str, summary: str) -> None:
    """A module with one command becomes that command, one with several a group of them."""
    app: typer.Typer = importlib.import_module(f"livefacs.cli.{name}").app
    for command in app.registered_commands:
        command.help = _unwrapped(command.help or inspect.getdoc(command.callback) or "")
    if len(app.registered_commands) == 1 and app.registered_callback is None:
        info = app.registered_commands[0]
        root.command(name, help=info.help, context_settings=info.context_settings)(info.callback)  # type: ignore[type-var]  # always set by @app.command()
    else:
        root.add_typer(app, name=name, help=summary, no_args_is_help=True)


def _unwrapped(text: str) -> str:
    """Paragraphs in one line each: the terminal's width breaks them, not the source's."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _never_run() -> None:
    """Stands in the help for a command whose module is not imported."""


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"livefacs {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", help="Log to standard error what happens, and errors in full."),
    ] = False,
) -> None:
    start_logging(verbose=verbose)


if __name__ == "__main__":
    main()
