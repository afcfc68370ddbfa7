"""``livefacs train``: estimator weights from labelled sequences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from livefacs.au.estimator_model import load_model, save_model
from livefacs.cli.labelled import load_coded, load_data
from livefacs.cli.terminal import make_console
from livefacs.landmarkers.blendshapes import BlendshapeNetwork
from livefacs.training.evaluation import cross_validate, reliability_by_action
from livefacs.training.training import Settings, train, with_fusion

app = typer.Typer()


@app.command("train")
def train_command(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Folders or files: id*.npz, NAME.csv beside NAME.mp4 or a take, or people coded "
            "by eye: codes.json beside its clips."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Weights file to write (.npz).")],
    folds: Annotated[
        int,
        typer.Option(
            min=0, help="Leave-people-out folds that measure each action's reliability; 0: none."
        ),
    ] = 4,
    ridge: Annotated[
        float | None, typer.Option(help="Penalty on weights; more is steadier and duller.")
    ] = None,
) -> None:
    """Train estimator weights. The same data, settings and versions give the same file.

    Labels are curves in OpenFace's columns (AU12_r, 0 to 5), in livefacs' (AU12_L, 0 to 1), or
    FACS codes a frame (a column `codes`: 1C+2C+R12B). Each take starts with half a neutral second.
    How mesh, blendshape net and skin are weighed is learned from people coded by eye (codes.json)
    and from id*.npz together; without coded people the mesh speaks alone.
    Load the result with --weights.
    """
    console = make_console(stderr=True, highlight=False)
    settings = Settings() if ridge is None else replace(Settings(), ridge=ridge)
    subjects, coded = load_data(data), load_coded(data)
    reliability = {}
    n_folds = min(folds, len(subjects))
    if n_folds >= 2:
        with console.status(f"measuring reliability, {n_folds} folds"):
            evaluation = cross_validate(subjects, [], lambda s: train(s, settings), n_folds)
        reliability = dict(reliability_by_action(evaluation))
        console.print(f"people not trained on: mean r {evaluation.mean('r'):.3f}")
    with console.status(f"training on {len(subjects)} people"):
        model = train(subjects, settings, reliability) if subjects else load_model()
    if coded:
        with console.status(f"weighing the three readers on {len(coded)} coded clips"):
            model = with_fusion(model, coded, subjects, BlendshapeNetwork().scores)
    save_model(model, output)
    n_people = len(subjects) + len({clip.person for clip in coded})
    console.print(f"{output}: {n_people} people, weights {model.digest}", markup=False)
