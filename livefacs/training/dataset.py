"""Labelled sequences for training and evaluation: rendered faces, labelled takes of people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import F32, F64, U8
from livefacs.errors import ConfigError
from livefacs.files.archives import read_archive
from livefacs.files.hashes import hash_file
from livefacs.mesh import N_MESH
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX

_MOST_BYTES: Final = 4 << 30  # of one person's sequences, unpacked
_STEP: Final = 2.0**-15
N_NEUTRAL_FRAMES: Final = 15
N_SETTLING_FRAMES: Final = 3


@dataclass(frozen=True)
class Sequence:
    """A run of frames with its truth.

    Attributes
    ----------
    points_px : (T, 478, 3) float32
    t_ns : (T,) int64
    image_size : (width, height)
    truth : (T, N_AU) float32
        0..1; NaN where nothing is known of a channel.
    segments : tuple of (name, first frame, last frame + 1)
        Single-action stretches, where the sequence is a sweep.
    """

    name: str
    points_px: F32
    t_ns: np.ndarray[Any, np.dtype[np.int64]]
    image_size: tuple[int, int]
    truth: F32
    segments: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True)
class Subject:
    """One person or identity: the first sequence starts with neutral frames."""

    name: str
    sequences: tuple[Sequence, ...]
    sha256: str = field(default="", compare=False)


def _pair(shape: str) -> dict[str, tuple[str, ...]]:
    return {side: (f"{shape}_{side}",) for side in "LR"}


_SIDED_SHAPES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "AU1": _pair("browInnerUp"),
    "AU2": _pair("browOuterUp"),
    "AU4": _pair("browDown"),
    "AU5": _pair("eyeWide"),
    "AU6": {side: (f"cheekSquint_{side}", f"cheekRaiser_{side}") for side in "LR"},
    "AU7": _pair("eyeSquint"),
    "AU9": _pair("noseSneer"),
    "AU10": _pair("mouthUpperUp"),
    "AU12": _pair("mouthSmile"),
    "AU14": _pair("mouthDimple"),
    "AU15": _pair("mouthFrown"),
    "AU16": _pair("mouthLowerDown"),
    "AU20": _pair("mouthStretch"),
    "AU24": _pair("mouthPress"),
    "AU45": _pair("eyeBlink"),
    "AD34": _pair("cheekPuff"),
}
_MEAN_SHAPES: Final = {
    "AU17": ("mouthShrugLower",),
    "AU18": ("mouthPucker",),
    "AU22": ("mouthFunnel",),
    "AU26": ("jawOpen",),
    "AU28": ("mouthRollLower", "mouthRollUpper"),
    "AD29": ("jawForward",),
    "AD30_L": ("jawLeft",),
    "AD30_R": ("jawRight",),
    "AU61": ("eyeLookOut_L", "eyeLookIn_R"),
    "AU62": ("eyeLookOut_R", "eyeLookIn_L"),
    "AU63": ("eyeLookUp_L", "eyeLookUp_R"),
    "AU64": ("eyeLookDown_L", "eyeLookDown_R"),
}


def truth_from_shapes(coefficients: F32, names: Iterable[str]) -> F32:
    """Channel truth from ICT-FaceKit coefficients.

    Parameters
    ----------
    coefficients : (T, n_shapes) float32, 0..1
    names : names of the shapes

    Returns
    -------
    (T, N_AU) float32
        Sided shapes add up (cheek squint and cheek raiser are both AU6), midline ones are
        averaged; NaN for channels that no shape tells.
    """
    column = {name: coefficients[:, i] for i, name in enumerate(names)}
    truth = np.full((len(coefficients), len(AU_CHANNELS)), np.nan, np.float32)
    for action, sides in _SIDED_SHAPES.items():
        for side, shapes in sides.items():
            total = np.sum([column[name] for name in shapes], axis=0)
            truth[:, CHANNEL_INDEX[f"{action}_{side}"]] = np.clip(total, 0, 1)
    for channel, shapes in _MEAN_SHAPES.items():
        truth[:, CHANNEL_INDEX[channel]] = np.mean([column[name] for name in shapes], axis=0)
    return truth


def _unpack(packed: U8) -> F32:
    """Landmarks from byte planes of zigzag-coded differences in time, steps of 2^-15 about 0.5."""
    coded = packed[0].astype(np.int32) | (packed[1].astype(np.int32) << 8)
    steps = (coded >> 1) ^ -(coded & 1)
    return np.asarray(np.cumsum(steps, axis=0) * _STEP + 0.5, np.float32)


def _held(points: F32) -> F32:
    """Frames without a face take the last one's landmarks."""
    is_bad = np.isnan(points[:, 0, 0])
    if not is_bad.any():
        return points
    last = np.maximum.accumulate(np.where(is_bad, -1, np.arange(len(points))))
    last[last < 0] = int(np.argmax(~is_bad))
    return np.asarray(points[last])


def load_rendered(path: Path) -> Subject:
    """One rendered identity (``id*.npz``: packed FaceMesh landmarks and shape coefficients).

    Raises
    ------
    ConfigError
        The file does not hold what is expected.
    """
    try:
        arrays = read_archive(path, _MOST_BYTES)
        width, height = (int(v) for v in arrays["image_size"])
        names = [str(name) for name in arrays["names"]]
        sequences = tuple(
            _rendered_sequence(str(name), arrays, names, (width, height)) for name in arrays["seqs"]
        )
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(f"{path} is not a labelled landmark file: {error}") from None
    return Subject(path.stem, sequences, hash_file(path))


def _rendered_sequence(
    name: str, arrays: dict[str, Any], shapes: list[str], size: tuple[int, int]
) -> Sequence:
    packed = arrays.get(f"{name}/fm_q")
    points = _unpack(packed) if packed is not None else arrays[f"{name}/fm"].astype(np.float32)
    if points.shape[1:] != (N_MESH, 3):
        raise ValueError(f"sequence {name}: landmarks of shape {points.shape}")
    scale = np.array((size[0], size[1], size[0]), np.float32)
    segments: tuple[tuple[str, int, int], ...] = ()
    if f"{name}/seg_name" in arrays:
        ranges = arrays[f"{name}/seg_range"]
        segments = tuple(
            (str(n), int(a), int(b))
            for n, (a, b) in zip(arrays[f"{name}/seg_name"], ranges, strict=True)
        )
    return Sequence(
        name,
        _held(points) * scale,
        np.round(arrays[f"{name}/t"].astype(np.float64) * 1e9).astype(np.int64),
        size,
        truth_from_shapes(arrays[f"{name}/coef"].astype(np.float32), shapes),
        segments,
    )


def load_folder(folder: Path) -> list[Subject]:
    """Every labelled file below a folder, by path.

    Raises
    ------
    ConfigError
        There is none.
    """
    paths = sorted(folder.rglob("id*.npz")) if folder.is_dir() else [folder]
    if not paths or not paths[0].exists():
        raise ConfigError(f"no labelled sequences (id*.npz) below {folder}")
    return [load_rendered(path) for path in paths]


def coverage(subjects: Iterable[Subject]) -> F64:
    """(N_AU,) share of frames where a channel's truth is known."""
    known = np.concatenate([~np.isnan(s.truth) for subject in subjects for s in subject.sequences])
    return np.asarray(known.mean(axis=0))
