"""Labels of one's own takes: OpenFace-style curves, livefacs curves, coded frames."""

from __future__ import annotations

import re
from collections.abc import Sequence as Many
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.arrays import F32
from livefacs.errors import ConfigError
from livefacs.files.hashes import hash_bytes
from livefacs.files.table import read_table
from livefacs.offline import Mesh
from livefacs.training.dataset import Sequence, Subject
from livefacs.vocab.facs import (
    ACTIONS,
    CHANNEL_INDEX,
    DIRECTIONAL,
    LETTER_FLOORS,
    N_AU,
    channels_of,
)
from livefacs.vocab.notation import Score, parse_notation

OPENFACE_MAXIMUM: Final = 5.0
CODES_COLUMN: Final = "codes"
UNLETTERED: Final = 0.5
"""Intensity of a code without a letter: present, unsaid how much."""

_OPENFACE: Final = re.compile(r"(AU|AD)0?(\d{1,2})_r")
_UPPER: Final = {letter: top for (letter, _), (_, top) in pairwise(reversed(LETTER_FLOORS))}
_MIDDLE: Final = {
    letter: 0.5 * (floor + _UPPER.get(letter, 1.0)) for letter, floor in LETTER_FLOORS
}


def read_labels(path: Path) -> dict[int, F32]:
    """Truth by frame number, (N_AU,) float32 each, NaN where nothing is said.

    A column ``frame`` numbers the frames from 0 (without one, rows are frames). Then either
    OpenFace's ``AU12_r`` (0 to 5), or ``AU12``, ``AU12_L``, ``AU12_R`` (0 to 1), or ``codes`` with
    FACS notation (``1C+2C+R12B``); a coded frame counts every measured action that it does not
    name as absent.

    Raises
    ------
    ConfigError
        Not a label file; all broken rows are named.
    """
    _, rows = read_table(path)
    labels: dict[int, F32] = {}
    errors: list[str] = []
    for i_row, row in enumerate(rows):
        try:
            frame = int(float(row.get("frame") or i_row))
            truth = _truth_of_row(row)
        except (ValueError, OverflowError, ConfigError) as error:
            errors.append(f"row {i_row + 2}: {error}")
            continue
        if not np.isnan(truth).all():
            labels[frame] = truth
    if errors:
        raise ConfigError(f"labels {path} are broken", errors[:20])
    if not labels:
        raise ConfigError(
            f"labels {path} name no action: expected columns AU12_r (0 to 5), AU12 or AU12_L "
            f"(0 to 1), or codes (1C+R12B)"
        )
    return labels


def _truth_of_row(row: dict[str, str]) -> F32:
    if row.get(CODES_COLUMN):
        return truth_from_scores(parse_notation(row[CODES_COLUMN]))
    truth = np.full(N_AU, np.nan, np.float32)
    for name, text in row.items():
        openface = _OPENFACE.fullmatch(name)
        action = f"{openface[1]}{openface[2]}" if openface else name
        channels = channels_of(action) or ((action,) if action in CHANNEL_INDEX else ())
        if not text or not channels:
            continue
        value = float(text) / (OPENFACE_MAXIMUM if openface else 1.0)
        if not -0.01 <= value <= (1.01 if openface else 1.5):
            raise ValueError(f"{name} is {text}: expected {'0 to 5' if openface else '0 to 1'}")
        is_side = action in CHANNEL_INDEX
        for channel in channels:
            if is_side or np.isnan(truth[CHANNEL_INDEX[channel]]):
                truth[CHANNEL_INDEX[channel]] = np.clip(value, 0.0, 1.0)
    return truth


def truth_from_scores(scores: Many[Score]) -> F32:
    """(N_AU,) float32 of a coded frame: letters at the middle of their span, all else absent."""
    truth = np.zeros(N_AU, np.float32)
    for score in scores:
        value = _MIDDLE.get(score.letter, UNLETTERED)
        for action in (f"AU{score.code}", f"AD{score.code}"):
            if score.side in ("L", "R") and f"{action}_{score.side}" in CHANNEL_INDEX:
                truth[CHANNEL_INDEX[f"{action}_{score.side}"]] = value
            elif action in ACTIONS and action not in DIRECTIONAL:
                for channel in channels_of(action):
                    truth[CHANNEL_INDEX[channel]] = value
    return truth


def labelled_subject(name: str, meshes: Many[Mesh], labels: dict[int, F32]) -> Subject:
    """A labelled take as a subject; its first half second has to be neutral.

    Raises
    ------
    ConfigError
        No frame has both a face and a label.
    """
    faces = [mesh for mesh in meshes if mesh.landmarks is not None]
    known = [mesh for mesh in faces if mesh.i_frame in labels]
    if not known:
        raise ConfigError(f"{name}: no labelled frame shows a face")
    unknown = np.full(N_AU, np.nan, np.float32)
    truth = np.stack([labels.get(mesh.i_frame, unknown) for mesh in faces])
    points = np.stack([mesh.landmarks.points_px for mesh in faces if mesh.landmarks is not None])
    first = faces[0].landmarks
    assert first is not None
    times = np.array([mesh.t_ns for mesh in faces], np.int64)
    digest = hash_bytes(points.tobytes(), truth.tobytes())
    sequence = Sequence("take", points, times, first.image_size, truth)
    return Subject(name, (sequence,), digest)
