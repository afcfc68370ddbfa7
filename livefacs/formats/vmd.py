"""MikuMikuDance motion (``.vmd``): morphs, head and eyes at 30 frames a second.

Layout of the file, little-endian: a 30-byte signature, the model's name (20 bytes), then counted
blocks of bone keys (111 bytes), morph keys (23 bytes), and empty ones for camera, light and
shadow. Names are Shift-JIS (code page 932) in 15 bytes. MikuMikuDance keeps whole frames of a 30 Hz
clock. Its axes are left-handed, y up, the model facing -z; the four Bézier curves of a bone key are
straight lines. The layout has no official description; an independent reader takes it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.arrays import I64
from livefacs.errors import ConfigError
from livefacs.formats import spaces
from livefacs.formats.curves import Curves, ExportOptions, curves_from_take
from livefacs.retarget.library import load_rig
from livefacs.take.reader import Take

DEFAULT_RIG: Final = "mmd"
_RATE: Final = "30"
_ENCODING: Final = "cp932"
_NAME_BYTES: Final = 15
_MODEL_BYTES: Final = 20
_SIGNATURE: Final = b"Vocaloid Motion Data 0002".ljust(30, b"\0")
_MORPH_KEY: Final = np.dtype([("name", "S15"), ("frame", "<u4"), ("weight", "<f4")])
_BONE_KEY: Final = np.dtype(
    [
        ("name", "S15"),
        ("frame", "<u4"),
        ("place", "<f4", 3),
        ("turn", "<f4", 4),
        ("curves", "u1", 64),
    ]
)
_FACING_BACK: Final = (-1.0, -1.0, 1.0, 1.0)
"""On x, y, z, w: from right-handed, facing +z, to left-handed, facing -z."""
_STRAIGHT_ROW: Final = [20] * 8 + [107] * 8
"""Handles of the Bézier curves of x, y, z and rotation: a straight line."""


def check(options: ExportOptions) -> None:
    """Refuse another rate, a frame before 0, and a rig whose names do not fit.

    Raises
    ------
    ConfigError
        Another rate than 30, a first frame below 0, or a control name of more than 15 bytes in
        Shift-JIS.
    """
    if options.fps not in ("", _RATE):
        raise ConfigError(
            f"MikuMikuDance counts 30 frames a second, not {options.fps}: leave out --fps"
        )
    if options.first() < 0:
        raise ConfigError(
            f"--first-frame {options.first_frame}: MikuMikuDance has no frame before 0"
        )
    for name in load_rig(options.rig or DEFAULT_RIG).controls:
        _name_bytes(name)


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; ``options.rig`` is ``mmd`` where none is named."""
    check(options)
    options = replace(options, rig=options.rig or DEFAULT_RIG, fps=_RATE)
    curves = curves_from_take(take, options)
    frames = np.arange(len(curves)) + options.first(0)
    bones, morphs = _bone_keys(curves, frames), _morph_keys(curves, frames)
    with path.open("wb") as file:
        file.write(_SIGNATURE)
        file.write(options.node.encode(_ENCODING, "replace")[:_MODEL_BYTES].ljust(20, b"\0"))
        for keys in (bones, morphs):
            file.write(np.uint32(len(keys)).astype("<u4").tobytes())
            file.write(keys.tobytes())
        file.write(bytes(12))  # no camera, light or shadow


def _morph_keys(curves: Curves, frames: I64) -> np.ndarray[Any, Any]:
    keys = np.zeros((len(curves.names), len(curves)), _MORPH_KEY)
    keys["name"] = np.array([_name_bytes(name) for name in curves.names])[:, None]
    keys["frame"] = frames
    keys["weight"] = curves.filled().T
    return keys.ravel()


def _bone_keys(curves: Curves, frames: I64) -> np.ndarray[Any, Any]:
    """Head, left and right eye; places stay where the model has them."""
    turns = {
        "頭": spaces.head_rotation(curves),
        "左目": spaces.eye_rotation(curves, "left"),
        "右目": spaces.eye_rotation(curves, "right"),
    }
    keys = np.zeros((len(turns), len(curves)), _BONE_KEY)
    keys["name"] = np.array([_name_bytes(name) for name in turns])[:, None]
    keys["frame"] = frames
    keys["curves"] = _straight_curves()
    for row, rotation in zip(keys, turns.values(), strict=True):
        row["turn"] = spaces.quaternions_xyzw(rotation) * _FACING_BACK
    return keys.ravel()


def _straight_curves() -> np.ndarray[Any, Any]:
    """The 64 bytes: the row of handles, then the same moved on by one, two and three bytes."""
    rows = [
        [*_STRAIGHT_ROW[shift:], *([1] + [0] * (shift - 1) if shift else [])] for shift in range(4)
    ]
    return np.array(rows, np.uint8).ravel()


def _name_bytes(name: str) -> bytes:
    try:
        encoded = name.encode(_ENCODING)
    except UnicodeEncodeError:
        encoded = b""
    if not 0 < len(encoded) <= _NAME_BYTES:
        raise ConfigError(
            f"control {name!r} does not fit into .vmd: expected at most 15 bytes of Shift-JIS;"
            " choose a rig with shorter names, or leave out --rig"
        )
    return encoded
