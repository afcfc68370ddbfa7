"""``livefacs doctor``: what a user pastes into a report."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import typer

from livefacs.cli import options as shared
from livefacs.cli.terminal import say

app = typer.Typer()

_PACKAGES = (
    "livefacs",
    "ai-edge-litert",
    "mediapipe",
    "opencv-python-headless",
    "numpy",
    "numba",
    "av",
    "python-osc",
    "pyzmq",
    "sounddevice",
    "mido",
    "python-rtmidi",
    "typer",
    "pydantic",
)
_TIMED_SECONDS = 3.0


@app.command()
def doctor(
    landmarker: shared.Landmarker = None,
    model: shared.Model = None,
) -> None:
    """Versions, backends, cameras, microphones, MIDI, folders, and how long each stage takes."""
    sections: tuple[tuple[str, Callable[[], Iterator[str]]], ...] = (
        ("system", _system),
        ("packages", _packages),
        ("cameras", _cameras),
        ("microphones", _microphones),
        ("MIDI ports", _midi_ports),
        ("folders", _folders),
        ("stages, milliseconds", lambda: _stages(landmarker, model)),
    )
    healthy = True
    for title, lines in sections:
        say(f"{title}:")
        try:
            for line in lines():
                say(f"  {line}")
        except Exception as error:  # a doctor that falls ill tells nobody anything
            healthy = False
            say(f"  failed: {type(error).__name__}: {error}")
    if not healthy:
        raise typer.Exit(1)


def _system() -> Iterator[str]:
    yield f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores"
    yield f"Python {platform.python_version()} ({sys.implementation.name})"


def _packages() -> Iterator[str]:
    for name in _PACKAGES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            yield f"{name}: not installed"


def _cameras() -> Iterator[str]:
    from livefacs.sources.cameras import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        yield str(camera)
    if not cameras:
        yield "none found"
    yield f"phones (--source browser://*): {_phones()}"


def _phones() -> str:
    """What the camera page needs to be served to the network."""
    from importlib.util import find_spec

    missing = [name for name in ("cryptography", "segno") if find_spec(name) is None]
    return f'pip install "livefacs[phone]" ({", ".join(missing)})' if missing else "ready"


def _microphones() -> Iterator[str]:
    from livefacs.cli.cameras import microphone_lines

    return microphone_lines()


def _midi_ports() -> Iterator[str]:
    from livefacs.cli.cameras import midi_lines

    return midi_lines()


def _folders() -> Iterator[str]:
    from livefacs import resources

    for purpose, folder in (
        ("profiles, models, progress", resources.user_data_folder()),
        ("compiled kernels", resources.cache_folder()),
    ):
        yield f"{folder} ({purpose}): {_writable(folder)}"
    yield f"rig maps: {resources.rigs_folder()}"


def _writable(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return "writable"
    except OSError as error:
        return f"NOT writable ({error.strerror})"


def _stages(landmarker: str | None, model: Path | None) -> Iterator[str]:
    from livefacs.cli.meters import summary_lines
    from livefacs.config import load_options
    from livefacs.session.composition import open_session

    options = load_options(
        None,
        {
            "source": {"spec": "demo", "realtime": False},
            "tracking": {"landmarker": landmarker, "model": model},
            "stream": {"to": ("osc://127.0.0.1:9?rig=arkit52",)},
            "seconds": _TIMED_SECONDS,
        },
    )
    with open_session(options) as session:
        yield f"landmarks: {session.tracker.landmarker.description}"
        session.run()
        yield from summary_lines(session.final_status())
