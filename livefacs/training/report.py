"""Plot report of an evaluation; needs matplotlib (the extra ``plot``)."""

from __future__ import annotations

import csv
from collections.abc import Sequence as Many
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F64
from livefacs.errors import ConfigError
from livefacs.files.atomic import make_folder, replaced
from livefacs.training.dataset import Subject
from livefacs.training.evaluation import SCORED, Curves, Evaluation
from livefacs.vocab.facs import CHANNEL_INDEX, channels_of

_COLUMNS: Final = (
    "name",
    "r",
    "icc",
    "error",
    "crosstalk",
    "worst",
    "leak_p95",
    "leak_max",
    "jitter",
)


def _pyplot() -> Any:
    try:
        import matplotlib as mpl
    except ImportError:
        raise ConfigError(
            "plots need matplotlib: pip install 'livefacs[plot]', or leave --report away"
        ) from None
    mpl.use("Agg")
    from matplotlib import pyplot

    return pyplot


def write_report(
    folder: Path, evaluation: Evaluation, curves: Many[tuple[Subject, Curves]]
) -> list[Path]:
    """Write ``figures.csv`` and the plots; the paths written.

    Raises
    ------
    ConfigError
        matplotlib is not installed.
    """
    pyplot = _pyplot()
    make_folder(folder)
    table = folder / "figures.csv"
    with replaced(table) as whole, whole.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(astuple(row) for row in evaluation.rows.values())
    paths = [table, folder / "confusion.png", folder / "leakage.png"]
    _plot_confusion(pyplot, curves, paths[1])
    _plot_leakage(pyplot, curves, paths[2])
    for subject, values in curves:
        path = folder / f"curves-{subject.name}.png"
        _plot_curves(pyplot, subject, values, path)
        paths.append(path)
    return paths


def _mean_of(values: Any, action: str) -> F64:
    columns = [CHANNEL_INDEX[channel] for channel in channels_of(action)]
    return np.asarray(values[:, columns].mean(axis=1), np.float64)


def _save(pyplot: Any, figure: Any, path: Path) -> None:
    with replaced(path) as whole:
        figure.savefig(whole, dpi=90, bbox_inches="tight")
    pyplot.close(figure)


def _plot_curves(pyplot: Any, subject: Subject, values: Curves, path: Path) -> None:
    """Truth and estimate over the first mixture (or the first sequence)."""
    chosen = next((s for s in subject.sequences if s.name.startswith("mix")), subject.sequences[0])
    t_s = (chosen.t_ns - chosen.t_ns[0]) * 1e-9
    figure, axes = pyplot.subplots(len(SCORED), 1, figsize=(10, 0.8 * len(SCORED)), sharex=True)
    for axis, action in zip(axes, SCORED, strict=True):
        axis.fill_between(t_s, _mean_of(chosen.truth, action), color="0.8", label="truth")
        axis.plot(t_s, _mean_of(values[chosen.name], action), lw=1, label="estimate")
        axis.set_ylim(-0.05, 1.1)
        axis.set_ylabel(action, rotation=0, ha="right", va="center", fontsize=8)
        axis.set_yticks([])
    axes[0].legend(loc="upper right", fontsize=7)
    axes[-1].set_xlabel("seconds")
    figure.suptitle(f"{subject.name}, {chosen.name}")
    _save(pyplot, figure, path)


def _plot_confusion(pyplot: Any, curves: Many[tuple[Subject, Curves]], path: Path) -> None:
    """Mean response of every action at the strongest frames of each single-action sweep."""
    responses: dict[str, list[F64]] = {}
    for subject, values in curves:
        for sequence in subject.sequences:
            for shape, start, stop in sequence.segments:
                if shape[-2:] not in ("_L", "_R"):
                    middle = slice(start + (stop - start) // 3, start + 2 * (stop - start) // 3)
                    part = values[sequence.name][middle]
                    row = np.array([_mean_of(part, action).mean() for action in SCORED])
                    responses.setdefault(shape, []).append(row)
    figure, axis = pyplot.subplots(figsize=(10, 10))
    if responses:
        table = np.array([np.mean(rows, axis=0) for rows in responses.values()])
        image = axis.imshow(table, vmin=0, vmax=1, cmap="viridis")
        figure.colorbar(image, shrink=0.5)
        axis.set_yticks(range(len(responses)), list(responses), fontsize=7)
        axis.set_xticks(range(len(SCORED)), list(SCORED), rotation=90, fontsize=7)
    axis.set_title("response (columns) to single actions (rows)")
    _save(pyplot, figure, path)


def _plot_leakage(pyplot: Any, curves: Many[tuple[Subject, Curves]], path: Path) -> None:
    """Distribution of every action's value on a neutral face that turns, 0 to 5 scale."""
    parts = [
        values[s.name]
        for subject, values in curves
        for s in subject.sequences
        if s.name.startswith("pose")
    ]
    figure, axis = pyplot.subplots(figsize=(10, 4))
    if parts:
        whole = np.concatenate(parts)
        axis.boxplot([5 * _mean_of(whole, action) for action in SCORED], whis=(0, 95), sym=".")
        axis.set_xticks(range(1, len(SCORED) + 1), list(SCORED), rotation=90, fontsize=7)
    axis.set_title("neutral face, turning head")
    axis.set_ylabel("value, 0 to 5")
    _save(pyplot, figure, path)
