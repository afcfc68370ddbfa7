"""The estimator's weights: what training decides, in one small file with its provenance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from livefacs import mesh
from livefacs.arrays import F32, F64, I64, Records
from livefacs.errors import LandmarkerError
from livefacs.files.archives import ArrayRule, array_errors, read_archive
from livefacs.files.atomic import make_folder, replaced
from livefacs.kernels import arguments as k
from livefacs.kernels.features import N_POSE_TERMS
from livefacs.resources import data_path
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU, unmeasured_actions
from livefacs.vocab.readings import N_BLENDSHAPES, N_PATCH_READINGS, N_PATCHES, PATCH_INDEX

FORMAT: Final = "livefacs-estimator"
VERSION: Final = 2
SHIPPED: Final = "estimator.npz"

N_POINTS: Final = len(mesh.FEATURE_POINTS)
N_FEATURES: Final = 2 * N_POINTS + N_POSE_TERMS + k.N_MEASURES
MEASURE_START: Final = 2 * N_POINTS + N_POSE_TERMS

RELATIVE, POSITIVE, AGAINST_MEAN = 0, N_AU, 2 * N_AU
SHAPES, SHAPES_RELATIVE = 3 * N_AU, 3 * N_AU + N_BLENDSHAPES
LINES: Final = 3 * N_AU + 2 * N_BLENDSHAPES
N_EVIDENCE: Final = LINES + 2 * N_PATCHES
"""Where the parts of what the fusion weighs begin, see ``kernels.fusion.gather_evidence``."""

_HEADER: Final = "header"
_MOST_BYTES: Final = 64 << 20  # the shipped ones unpack to a hundred kilobytes
ARRAYS: Final[Mapping[str, ArrayRule]] = {
    "canonical": ArrayRule((mesh.N_MESH, 3), low=-10, high=10),
    "align_ids": ArrayRule(("m",), "iu", 0, mesh.N_MESH - 1, lengths=(3, mesh.N_MESH)),
    "align_prior": ArrayRule(("m",), low=1e-6, high=1e6, lengths=(3, mesh.N_MESH)),
    "weights": ArrayRule((N_AU, N_FEATURES), low=-1e4, high=1e4),
    "bias": ArrayRule((N_AU,), low=-10, high=10),
    "reliability": ArrayRule((N_AU,), low=-1, high=1, may_be_nan=True),
    "fusion_weights": ArrayRule((N_AU, N_EVIDENCE), low=-1e3, high=1e3),
    "fusion_bias": ArrayRule((N_AU,), low=-10, high=10),
    "usual_blendshapes": ArrayRule((N_BLENDSHAPES,), low=0, high=1),
    "usual_patches": ArrayRule((N_PATCHES, N_PATCH_READINGS), low=-100, high=100),
}
"""What a weights file holds: each is checked before a kernel reads by it without asking."""

MEASURES: Final = (
    "closure_L",
    "closure_R",
    "iris_x_L",
    "iris_y_L",
    "iris_x_R",
    "iris_y_R",
    "lip_gap",
)


@dataclass(frozen=True)
class EstimatorModel:
    """Weights and references of the estimator.

    Attributes
    ----------
    canonical : (478, 3) float64
        Mean neutral face, frontal, in units of the outer-eye distance.
    align_ids : (m,) int64
    align_prior : (m,) float64
        Points of the rigid fit and their weights.
    weights : (N_AU, N_FEATURES) float32
        Linear map from features to intensities; zero outside each action's region.
    bias : (N_AU,) float32
        Minus each channel's noise floor.
    reliability : (N_AU,) float32
        Measured on people that were not trained on: Pearson r, 0..1; NaN where not measured.
    provenance : dict
        Data hashes, seeds, versions, settings.
    fusion_weights : (N_AU, N_EVIDENCE) float32
        How the three readers are weighed, channel by channel; a row of zeros: the mesh alone.
    fusion_bias : (N_AU,) float32
    usual_blendshapes : (N_BLENDSHAPES,) float32
    usual_patches : (N_PATCHES, 3) float32
        What people's resting faces show.
    """

    canonical: F64
    align_ids: I64
    align_prior: F64
    weights: F32
    bias: F32
    reliability: F32
    provenance: dict[str, Any]
    fusion_weights: F32 = field(default_factory=lambda: np.zeros((N_AU, N_EVIDENCE), np.float32))
    fusion_bias: F32 = field(default_factory=lambda: np.zeros(N_AU, np.float32))
    usual_blendshapes: F32 = field(default_factory=lambda: np.zeros(N_BLENDSHAPES, np.float32))
    usual_patches: F32 = field(
        default_factory=lambda: np.zeros((N_PATCHES, N_PATCH_READINGS), np.float32)
    )

    def kernel_model(self, more: Mapping[str, float] = MappingProxyType({})) -> k.Model:
        """The arrays as the kernel takes them, rows of the map without their zeros.

        Parameters
        ----------
        more : mapping of channel to reliability
            Channels beyond those of FACS, which these weights say nothing of.
        """
        starts, columns, weights = _sparse(self.weights)
        starts = np.append(starts, np.repeat(starts[-1:], len(more)))
        fusion_starts, fusion_columns, fusion_weights = _sparse(self.fusion_weights)
        targets, causes, shares = zip(*EXPLAINED, strict=True)
        reliability = np.nan_to_num(self.reliability.astype(np.float64), nan=UNMEASURED)
        return k.Model(
            align_ids=np.ascontiguousarray(self.align_ids, np.int64),
            align_prior=np.ascontiguousarray(self.align_prior, np.float64),
            point_ids=np.array(mesh.FEATURE_POINTS, np.int64),
            lid_pairs=np.array([mesh.LID_PAIRS_L, mesh.LID_PAIRS_R], np.int64),
            lip_pairs=np.array(mesh.LIP_PAIRS, np.int64),
            eyes=np.array([mesh.EYE_L, mesh.EYE_R], np.int64),
            starts=starts,
            columns=columns,
            weights=weights,
            bias=np.append(self.bias.astype(np.float64), np.zeros(len(more))),
            reliability=np.append(reliability, np.fromiter(more.values(), np.float64)),
            side=np.array([_side(name) for name in (*AU_CHANNELS, *more)], np.int64),
            roles=_roles(),
            canonical=np.ascontiguousarray(self.canonical, np.float64),
            fusion_starts=fusion_starts,
            fusion_columns=fusion_columns,
            fusion_weights=fusion_weights,
            fusion_bias=self.fusion_bias.astype(np.float64),
            is_fused=np.asarray(self.fusion_weights.any(axis=1), np.int64),
            explained=np.array(
                [[CHANNEL_INDEX[name] for name in names] for names in (targets, causes)], np.int64
            ),
            shares=np.array(shares, np.float64),
            usual_patches=self.usual_patches.astype(np.float64),
            cheeks=np.array([PATCH_INDEX["cheek_L"], PATCH_INDEX["cheek_R"]], np.int64),
        )

    @property
    def digest(self) -> str:
        """Twelve hex digits that name these weights."""
        digest = hashlib.sha256()
        arrays = (self.canonical, self.align_ids, self.align_prior, self.weights, self.bias)
        fusion = (self.fusion_weights, self.fusion_bias, self.usual_blendshapes, self.usual_patches)
        for array in (*arrays, *fusion):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:12]

    def description(self) -> dict[str, Any]:
        """What receivers should know of the numbers, in plain values.

        ``weights`` names them; ``reliability`` is the measured one by channel (Pearson r on people
        that were not trained on; channels without known truth are left out); ``not_measured``
        lists the actions that landmarks do not give.
        """
        known = np.isfinite(self.reliability)
        return {
            "weights": self.digest,
            "reliability": {
                channel: round(float(value), 2)
                for channel, value, is_known in zip(
                    AU_CHANNELS, self.reliability, known, strict=True
                )
                if is_known
            },
            "not_measured": list(unmeasured_actions()),
        }


def _sparse(rows: F32) -> tuple[I64, I64, F32]:
    """Rows without their zeros: where each starts, columns, values."""
    used = [np.flatnonzero(row) for row in rows]
    starts = np.cumsum([0, *(len(columns) for columns in used)])
    values = [row[columns] for row, columns in zip(rows, used, strict=True)]
    return starts, np.concatenate(used), np.concatenate(values).astype(np.float32)


EXPLAINED: Final[tuple[tuple[str, str, float], ...]] = (
    *(
        (f"{target}_{side}", cause.replace("*", side), share)
        for target, cause, share in (
            ("AU45", "AU12_*", 0.2),  # a smile narrows the eyes
            ("AU45", "AU64", 0.4),  # the lid follows the eye down
            ("AU45", "AU6_*", 0.4),  # a raised cheek narrows the eye
            ("AU7", "AU6_*", 0.2),  # and lifts the lower lid
            ("AU5", "AU12_*", 0.2),
            ("AU6", "AU9_*", 0.2),  # what wrinkles the nose lifts the cheek
            ("AU2", "AU26", 0.1),
            ("AU9", "AU12_*", 0.5),
            ("AU14", "AU12_*", 0.2),
            ("AU14", "AU28", 0.3),
            ("AU16", "AU12_*", 0.35),  # stretched lips lay the lower teeth bare
            ("AU16", "AU26", 0.2),  # as an open mouth does
            ("AU16", "AU22", 0.5),  # and flared lips do
            ("AD30", "AU26", 0.3),
            ("AD30", "AU12_*", 0.4),  # laughing faces are lopsided
        )
        for side in "LR"
    ),
    ("AU17", "AU28", 0.3),
    ("AU18", "AU26", 0.3),
)
"""Action, what brings it about by itself, and how much of that."""

UNMEASURED: Final = 0.5
"""Confidence of a channel whose reliability could not be measured on known truth."""


def _side(channel: str) -> int:
    if channel.startswith("AD30"):
        return 0  # a direction of the one jaw, not a side of the face
    return {"_L": -1, "_R": 1}.get(channel[-2:], 0)


def _roles() -> Records:
    channels = {
        "blink": "AU45_L",
        "closure": "AU43_L",
        "jaw_drop": "AU26",
        "mouth_stretch": "AU27",
        "head": "AU51",
        "eyes": "AU61",
        "corners_down": "AU15_L",
    }
    roles = np.zeros(1, k.ROLES)
    for role, channel in channels.items():
        roles[role] = CHANNEL_INDEX[channel]
    return roles


def save_model(model: EstimatorModel, path: Path) -> None:
    """Write the weights file; the same model gives the same bytes."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "channels": list(AU_CHANNELS),
        "points": list(mesh.FEATURE_POINTS),
        "provenance": model.provenance,
    }
    text = json.dumps(header, sort_keys=True).encode()
    arrays = {
        "header": np.frombuffer(text, np.uint8),
        "canonical": model.canonical.astype(np.float32),
        "align_ids": model.align_ids.astype(np.int16),
        "align_prior": model.align_prior.astype(np.float32),
        "weights": model.weights.astype(np.float32),
        "bias": model.bias.astype(np.float32),
        "reliability": model.reliability.astype(np.float32),
        "fusion_weights": model.fusion_weights.astype(np.float32),
        "fusion_bias": model.fusion_bias.astype(np.float32),
        "usual_blendshapes": model.usual_blendshapes.astype(np.float32),
        "usual_patches": model.usual_patches.astype(np.float32),
    }
    make_folder(path.parent)
    with replaced(path) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # names are ours


@lru_cache(maxsize=4)
def _load(path: Path, _stamped: tuple[int, int]) -> EstimatorModel:
    try:
        arrays = read_archive(path, _MOST_BYTES, frozenset((_HEADER, *ARRAYS)))
        header = json.loads(arrays.pop(_HEADER).tobytes().decode())
    except FileNotFoundError:
        raise LandmarkerError(
            f"no estimator weights at {path}: give a file that `livefacs train` wrote"
        ) from None
    except KeyError:
        raise LandmarkerError(f"{path} is not a livefacs weights file: no {_HEADER}") from None
    except (ValueError, RecursionError) as error:
        raise LandmarkerError(f"{path} is not a livefacs weights file: {error}") from None
    _check_header(header, path)
    if errors := array_errors(arrays, ARRAYS):
        raise LandmarkerError(f"{path} cannot be used: {'; '.join(errors)}; train it again")
    return EstimatorModel(
        np.asarray(arrays["canonical"], np.float64),
        np.asarray(arrays["align_ids"], np.int64),
        np.asarray(arrays["align_prior"], np.float64),
        np.asarray(arrays["weights"], np.float32),
        np.asarray(arrays["bias"], np.float32),
        np.asarray(arrays["reliability"], np.float32),
        header["provenance"],
        np.asarray(arrays["fusion_weights"], np.float32),
        np.asarray(arrays["fusion_bias"], np.float32),
        np.asarray(arrays["usual_blendshapes"], np.float32),
        np.asarray(arrays["usual_patches"], np.float32),
    )


def _check_header(header: Any, path: Path) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise LandmarkerError(f"{path} is not a livefacs weights file")
    if header.get("version") != VERSION:
        raise LandmarkerError(
            f"{path} is a weights file of version {header.get('version')}, "
            f"this livefacs reads version {VERSION}: train it again"
        )
    same = header.get("channels") == list(AU_CHANNELS)
    if not same or header.get("points") != list(mesh.FEATURE_POINTS):
        raise LandmarkerError(f"{path} was trained for other channels or points; train it again")
    if not isinstance(header.get("provenance"), dict):
        raise LandmarkerError(f"{path} does not say what it was made of; train it again")


def load_model(path: Path | None = None) -> EstimatorModel:
    """Read a weights file; None reads the one that ships.

    Raises
    ------
    LandmarkerError
        The file is absent, damaged, or of another version or channel set.
    """
    path = weights_path(path)
    return _load(path, _stamp(path))


def weights_path(path: Path | None) -> Path:
    """A weights file; None: the one that ships."""
    return data_path(SHIPPED) if path is None else Path(path)


def _stamp(path: Path) -> tuple[int, int]:
    """Changes with the file: a process that lives for long must not keep what stood there."""
    try:
        facts = path.stat()
    except OSError:
        return 0, 0  # reading it says why
    return facts.st_mtime_ns, facts.st_size
