"""``python -m tools.shape_changes FACEBENCH``: how one face's shape varies with what it does.

Of the rendered people (``train/`` and ``more/``): the main directions in which the points that tell
people apart move with expression and turning of the head, by which two people are not to be told
apart. Nothing of how people differ goes into it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from livefacs.arrays import F64
from livefacs.au.estimator_model import load_model
from livefacs.files.atomic import replaced
from livefacs.landmarkers.face_track import ShapeReader
from livefacs.mesh import N_SKIN
from livefacs.resources import data_path
from tools.head.people import read_people

KEPT_VARIANCE = 1e-5
"""Variance, squared eye distances, that a direction may keep: what more it has goes. Chosen on the
rendered people."""
_EVERY = 12
_NEUTRAL = 15  # frames that each sequence starts with


def samples_of(sequences: dict[str, Any], reader: ShapeReader) -> F64:
    """(T, n, 2) shapes of one person, as read without taking anything out."""
    width, height = (int(each) for each in sequences["image_size"])
    shapes = [
        reader.read((points * (width, height, width)).astype(np.float32), (width, height))
        for name in sequences["seqs"]
        for points in sequences[f"{name}/fm"][_NEUTRAL::_EVERY]
        if np.isfinite(points).all()
    ]
    return np.array([shape for shape in shapes if shape is not None])


def changes_of(people: list[F64]) -> F64:
    """(K, n, 2): directions whose length squared is the share that is taken out."""
    away = np.concatenate([shapes - np.median(shapes, axis=0) for shapes in people])
    flat = away.reshape(len(away), -1)
    variances, directions = np.linalg.eigh(flat.T @ flat / len(flat))
    is_large = variances > KEPT_VARIANCE
    share = 1.0 - np.sqrt(KEPT_VARIANCE / (KEPT_VARIANCE + variances[is_large]))
    changes = (directions[:, is_large] * np.sqrt(share)).T[::-1]
    return changes.reshape(-1, *away.shape[1:])


def main() -> None:
    """Read the people, find the directions, write them."""
    parser = argparse.ArgumentParser(prog="tools.shape_changes", description=__doc__)
    parser.add_argument("facebench", type=Path, help="folder with read.py, train/ and more/")
    parser.add_argument("--to", type=Path, default=data_path("shape_changes.npz"))
    options = parser.parse_args()
    model = load_model(None)
    n_points = int((model.align_ids < N_SKIN).sum())
    reader = ShapeReader(model, np.zeros((0, n_points, 2), np.float32))
    people = read_people(options.facebench)
    changes = changes_of([samples_of(person, reader) for person in people])
    with replaced(options.to) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, ids=reader.ids, changes=changes.astype(np.float32))
    print(f"{options.to}: {len(changes)} directions of {changes.shape[1]} points")


if __name__ == "__main__":
    main()
