"""``livefacs evaluate``: tables and plots of an estimator against known truth."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from livefacs.au.estimator_model import load_model
from livefacs.cli.labelled import load_coded, load_data
from livefacs.cli.terminal import make_console
from livefacs.errors import ConfigError
from livefacs.landmarkers.blendshapes import BlendshapeNetwork
from livefacs.training.coded import CodedClip, without_rests
from livefacs.training.coded_scores import (
    CodedScore,
    coded_curves,
    neutral_of_rests,
    score_coded,
)
from livefacs.training.dataset import Subject
from livefacs.training.evaluation import Curves, Evaluation, curves_of, evaluate, mean_evaluation
from livefacs.training.training import train, with_fusion

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
    rests: Annotated[
        bool,
        typer.Option("--rests", help="Calibrate coded people from their resting frames first."),
    ] = False,
) -> None:
    """Score an estimator: agreement, cross-talk, head-pose leakage, jitter, per action and side.

    Without --folds the weights are scored as they are: on people they were trained on, that
    flatters. People coded by eye (codes.json) are scored for ranking, presence and coding index.
    """
    subjects, coded = load_data(data), load_coded(data)
    if folds and weights:
        raise ConfigError("--folds trains its own weights: leave --weights away")
    if coded:
        _evaluate_coded(coded, weights, folds, load_data(also) if also else [], rests=rests)
    if not subjects:
        return
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


def _evaluate_coded(
    coded: list[CodedClip], weights: Path | None, folds: int, also: list[Subject], *, rests: bool
) -> None:
    """People coded by eye; with folds each is scored by a fusion that was fitted on the others."""
    if rests:  # frames that made the neutral say nothing of it
        coded = [without_rests(clip) for clip in coded]
    base = load_model(weights)
    persons = sorted({clip.person for clip in coded})
    scored = []
    for i_fold in range(max(1, min(folds, len(persons)))):
        held = {person for i, person in enumerate(persons) if not folds or i % folds == i_fold}
        model = base
        if folds:
            rest = [clip for clip in coded if clip.person not in held]
            model = with_fusion(base, rest, also, BlendshapeNetwork().scores)
        for clip in coded:
            if clip.person in held:
                calibrated = neutral_of_rests(model, clip) if rests else None
                scored.append((clip, coded_curves(model, clip, calibrated)))
    score = score_coded(scored)
    console = make_console()
    console.print(_coded_table(score))
    console.print(
        f"mean area {score.mean_auc():.3f}, lowest {score.lowest_auc():.3f} (actions seen ten times"
        f" or more); coding index {score.index:.3f}; sides {score.n_sides_right}/{score.n_sides}"
    )


def _coded_table(score: CodedScore) -> Table:
    table = Table("action", box=None)
    for name in ("present", "absent", "area", "missed", "false", "false > .4"):
        table.add_column(name, justify="right")
    for action, row in score.actions.items():
        figures = (row.auc, row.missed, row.false, row.strongly_false)
        counts = (str(row.n_present), str(row.n_absent))
        table.add_row(action, *counts, _cell(row.auc, 3), *(_cell(v) for v in figures[1:]))
    return table


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
