"""Fidelity of the arkit52 map: its controls against the truth of the shapes of the same name.

Rendered people beside the checkout (facebench); each is scored with an estimator that was trained
without that person. MediaPipe's own blendshapes, in the same data, are the reference:

    python bench/rig_fidelity.py            # every person left out once, on all data
    python bench/rig_fidelity.py id06 id07  # these left out together, trained on the other few
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from livefacs.arrays import F64
from livefacs.au.estimator import Estimator
from livefacs.au.estimator_model import EstimatorModel
from livefacs.offline import Meshes, estimates
from livefacs.retarget.inputs import N_SIGNALS, Performance, read_signals
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.training.dataset import Subject, load_folder, load_rendered
from livefacs.training.training import train

FACEBENCH = Path(__file__).resolve().parents[1] / "../shared/facebench"
SEQUENCES = ("mix0", "mix1", "mixmove")
UNMATCHED = ("tongueOut",)
"""Not among the rendered shapes, nor among MediaPipe's."""


def truth_of_control(control: str, coefficients: F64, names: Sequence[str]) -> F64:
    """Truth of a control: its ICT namesake; the mean of both sides where ARKit has one for two."""
    stem, side = control, ""
    for word, letter in (("Left", "_L"), ("Right", "_R")):
        if control.endswith(word) and control.removesuffix(word) + letter in names:
            stem, side = control.removesuffix(word), letter
    if control in names:
        return coefficients[:, names.index(control)]
    if stem == "cheekSquint":  # two shapes of one action
        both = [coefficients[:, names.index(s + side)] for s in ("cheekSquint", "cheekRaiser")]
        return np.clip(both[0] + both[1], 0.0, 1.0)
    if side:
        return coefficients[:, names.index(stem + side)]
    return 0.5 * (
        coefficients[:, names.index(f"{stem}_L")] + coefficients[:, names.index(f"{stem}_R")]
    )


def performances(model: EstimatorModel, subject: Subject) -> dict[str, Performance]:
    """What a live session would make of each sequence: neutral from its first quiet frames."""
    found = {}
    for sequence in subject.sequences:
        if sequence.name not in SEQUENCES:
            continue
        meshes = Meshes(sequence.points_px, sequence.t_ns, sequence.image_size)
        made = [*estimates(meshes, Estimator(model))]
        signals = np.zeros((len(made), N_SIGNALS))
        for row, each in zip(signals, made, strict=True):
            read_signals(each, row)
        frames = np.arange(len(made))
        found[sequence.name] = Performance(frames, sequence.t_ns, signals)
    return found


def pearson(a: F64, b: F64) -> float:
    """Correlation; 0 where one of them stands still."""
    if a.std() < 1e-6 or b.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def scores(
    path: Path, model: EstimatorModel, rig: str = "arkit52"
) -> dict[str, tuple[float, float]]:
    """Pearson r of each control of one person: ours, MediaPipe's; only where the truth moves."""
    program = load_rig(rig)
    made = performances(model, load_rendered(path))
    data = np.load(path)
    names = [str(name) for name in data["names"]]
    peers = [str(name) for name in data["bs_names"]]
    truth = np.concatenate([data[f"{s}/coef"] for s in made]).astype(np.float64)
    peer = np.concatenate([data[f"{s}/bs"] for s in made]).astype(np.float64)
    ours = np.concatenate([Retargeter(program).run(each) for each in made.values()])
    peer = np.nan_to_num(peer)
    found = {}
    for index, control in enumerate(program.controls):
        if control in UNMATCHED:
            continue
        wanted = truth_of_control(control, truth, names)
        if wanted.max() > 0.1:
            other = peer[:, peers.index(control)]
            found[control] = (pearson(ours[:, index], wanted), pearson(other, wanted))
    return found


def mean_scores(people: Sequence[dict[str, tuple[float, float]]]) -> dict[str, tuple[float, float]]:
    """Mean over people, control by control."""
    controls = dict.fromkeys(control for person in people for control in person)
    table = {}
    for control in controls:
        rows = np.array([person[control] for person in people if control in person])
        table[control] = (float(rows[:, 0].mean()), float(rows[:, 1].mean()))
    return table


def sides_together(table: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The same with the mean of both sides in one line."""
    merged: dict[str, list[tuple[float, float]]] = {}
    for control, row in table.items():
        stem = control.removesuffix("Left").removesuffix("Right")
        merged.setdefault(stem if stem == control else f"{stem}Left, Right", []).append(row)
    return {
        name: (float(np.mean([row[0] for row in rows])), float(np.mean([row[1] for row in rows])))
        for name, rows in merged.items()
    }


def main(held_out: Sequence[str]) -> None:
    """Print the table."""
    subjects = load_folder(FACEBENCH / "train") + load_folder(FACEBENCH / "more")
    if held_out:
        groups = [list(held_out)]
        subjects = [subject for subject in subjects if subject.name < "id20"]
    else:
        groups = [[subject.name] for subject in subjects if subject.name < "id20"]
    people = []
    for group in groups:
        model = train([subject for subject in subjects if subject.name not in group])
        people += [scores(FACEBENCH / "train" / f"{name}.npz", model) for name in group]
        print(*group, "done", file=sys.stderr)
    table = mean_scores(people)
    means = np.mean(list(table.values()), axis=0)
    print("| control | livefacs | MediaPipe |\n|---|---|---|")
    for control, (ours, peer) in sides_together(table).items():
        print(f"| {control} | {ours:.2f} | {peer:.2f} |")
    print(f"| **mean of {len(table)}** | **{means[0]:.3f}** | **{means[1]:.3f}** |")


if __name__ == "__main__":
    main(sys.argv[1:])
