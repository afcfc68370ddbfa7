"""``livefacs evaluate``: tables and plots of an estimator against known truth."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from livefacs.au.model import load_model
from livefacs.cli.labelled import load_data
from livefacs.cli.terminal import make_console
from livefacs.errors import ConfigError
from livefacs.training.dataset import Subject
from livefacs.training.evaluation import Curves, Evaluation, curves_of, evaluate, mean_evaluation
from livefacs.training.training import train

app = typer.Typer()


@app.command("evaluate")
def evaluate_command(
    data: Annotated[list[Path], typer.Argument(help="Labelled sequences, as for train.")],
    weights: Annotated[Path | None, typer.Option(help="Estimator weights to score.")] = None,
    folds: Annotated[
        int,
        typer.Option(min=0, help="Train on the other folds instead: people never seen; 0: don't."),
    ] = 0,
    also: Annotated[
        list[Path] | None,
        typer.Option("--also-train-on", help="Data that every fold trains on; repeatable."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", "-r", help="Folder for tables and plots.")
    ] = None,
    sides: Annotated[bool, typer.Option("--sides", help="Also each side by itself.")] = False,
) -> None:
    """Score an estimator: agreement, cross-talk, head-pose leakage, jitter, per action and side.

    Without --folds the weights are scored as they are: on people they were trained on, that
    flatters.
    """
    subjects = load_data(data)
    if folds and weights:
        raise ConfigError("--folds trains its own weights: leave --weights away")
    if folds > len(subjects):
        raise ConfigError(f"{folds} folds need as many people, there are {len(subjects)}")
    always = load_data(also) if also else []
    evaluation, curves = _folds(subjects, always, folds) if folds else _as_is(subjects, weights)
    console = make_console()
    console.print(_table(evaluation, sides))
    both, left, right = evaluation.blink
    if not math.isnan(both):
        console.print(f"AU45 on blink sequences: r {both:.3f}, left {left:.3f}, right {right:.3f}")
    if report is not None:
        from livefacs.training.report import write_report

        for path in write_report(report, evaluation, curves):
            console.print(str(path), markup=False)


def _as_is(
    subjects: list[Subject], weights: Path | None
) -> tuple[Evaluation, list[tuple[Subject, Curves]]]:
    model = load_model(weights)
    pairs = [(subject, curves_of(model, subject)) for subject in subjects]
    return evaluate(pairs), pairs


def _folds(
    subjects: list[Subject], always: list[Subject], n_folds: int
) -> tuple[Evaluation, list[tuple[Subject, Curves]]]:
    parts: list[Evaluation] = []
    pairs: list[tuple[Subject, Curves]] = []
    with Progress(console=make_console(stderr=True), transient=True) as progress:
        task = progress.add_task("folds", total=n_folds)
        for i_fold in range(n_folds):
            held = [s for i, s in enumerate(subjects) if i % n_folds == i_fold]
            rest = [s for i, s in enumerate(subjects) if i % n_folds != i_fold]
            model = train([*rest, *always])
            unseen = [(s, curves_of(model, s)) for s in held]
            parts.append(evaluate(unseen, [(s, curves_of(model, s)) for s in rest]))
            pairs += unseen
            progress.advance(task)
    return mean_evaluation(parts), pairs


def _table(evaluation: Evaluation, are_sides_shown: bool) -> Table:
    table = Table("action", box=None)
    for name in ("r", "ICC", "error", "cross-talk", "leak p95", "leak max", "jitter"):
        table.add_column(name, justify="right")
    table.add_column("answers most to", no_wrap=True)
    for name, row in evaluation.rows.items():
        if name[-2:] in ("_L", "_R") and not name.startswith("AD30") and not are_sides_shown:
            continue
        worst = ", ".join(f"{shape} {share:.2f}" for shape, share in row.worst[:1])
        figures = (row.r, row.icc, row.error, row.crosstalk, row.leak_p95, row.leak_max)
        table.add_row(name, *(_cell(v) for v in figures), _cell(row.jitter, 3), worst)
    keys = ("r", "icc", "error", "crosstalk", "leak_p95", "leak_max")
    means = [_cell(evaluation.mean(key), 3) for key in (*keys, "jitter")]
    table.add_row("mean", *means, "", style="bold")
    return table


def _cell(value: float, digits: int = 2) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"
