"""``livefacs models``: the networks of the package, and the models that are not in it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from livefacs.cli.terminal import say

app = typer.Typer()


@app.command("list")
def list_models() -> None:
    """Show the networks of the package and the known models, and where they are."""
    from livefacs.errors import LandmarkerError
    from livefacs.landmarkers import has_litert
    from livefacs.landmarkers.downloads import KNOWN_MODELS, fetched_path, is_genuine
    from livefacs.landmarkers.weights import find_weights, shipped_models

    for network in shipped_models().values():
        try:
            state = str(find_weights(network.name))
        except LandmarkerError as error:
            state = str(error)
        size = f"{network.n_bytes / 1e6:.1f} MB"
        say(f"{network.name:<16} {size}, {network.licence}, in the package: {state}")
    if not has_litert():
        say("LiteRT, which runs them, is not installed")
    for model in KNOWN_MODELS.values():
        path = fetched_path(model)
        state = f"not fetched; `livefacs models fetch` puts it at {path}"
        if is_genuine(path, model):
            state = f"{path}"
        elif path.is_file():
            state = f"{path}: other than expected; `livefacs models fetch` replaces it"
        say(f"{model.name:<16} {model.n_bytes / 1e6:.1f} MB, {model.licence}, {state}")


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="Model to download.")] = "face_landmarker",
    url: Annotated[
        str | None, typer.Option(help="Another place with the same file: a mirror or file://…")
    ] = None,
) -> None:
    """Download a model into the user's model folder, and check its SHA-256."""
    from livefacs.landmarkers.downloads import fetch_model, fetched_path, is_genuine, known_model

    model = known_model(name)
    if is_genuine(fetched_path(model), model):
        say(f"{model.name} is there already: {fetched_path(model)}")
        return
    say(f"{model.name}: {model.n_bytes / 1e6:.1f} MB from {url or model.url}")
    path = fetch_model(model, url=url, on_progress=_progress_line(model.n_bytes))
    say(f"{path}: SHA-256 checked")


def _progress_line(n_bytes: int) -> Callable[[int], None] | None:
    """Prints the share on a terminal; None where the output goes elsewhere."""
    if not sys.stdout.isatty():
        return None

    def show(n_so_far: int) -> None:
        end = "\n" if n_so_far >= n_bytes else ""
        say(f"\r{min(100, 100 * n_so_far // n_bytes):3d} %{end}", nl=False)

    return show
