"""The head as a quantised binary glTF (KHR_mesh_quantization), targets as sparse accessors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from livefacs.formats.glb import GltfBuilder
from livefacs.retarget.library import load_map
from livefacs.retarget.rules import ControlRule
from livefacs.vocab.facs import AU_CHANNELS
from tools.head.build import Head
from tools.head.parts import Part
from tools.head.people import F64
from tools.head.thinning import normals_of

_SPAN_M: Final = 0.25
"""What 32767 stands for."""
_SMALLEST_M: Final = 1e-4
"""A displacement below this is not kept."""
_NECK: Final = np.array([0.0, -0.20, -0.085])
_HEAD: Final = np.array([0.0, -0.075, -0.072])
_MATERIALS: Final = (("skin", 0.55), ("hair", 0.8), ("eye", 0.15), ("mouth", 0.35))
_OWN: Final[dict[str, dict[str, float]]] = {
    "AU26": {"AU27": 0.55},
    "AU28": {"mouthRollUpper": 1.0, "mouthRollLower": 1.0},
    "AU43_L": {"AU45_L": 1.0},
    "AU43_R": {"AU45_R": 1.0},
    "AU63": {"eyeLookUp_L": 1.0, "eyeLookUp_R": 1.0},
    "AU64": {"eyeLookDown_L": 1.0, "eyeLookDown_R": 1.0},
    "jawOpen": {"AU27": 1.0},
    "mouthRollUpper": {"mouthRollUpper": 1.0},
    "mouthRollLower": {"mouthRollLower": 1.0},
    "mouthShrugUpper": {"mouthShrugUpper": 1.0},
    "mouthClose": {"mouthClose": 1.0},
    "tongueOut": {"tongueOut": 1.0},
    "mouthLeft": {"mouthLeft": 1.0},
    "mouthRight": {"mouthRight": 1.0},
    "eyeLookUpLeft": {"eyeLookUp_L": 1.0},
    "eyeLookUpRight": {"eyeLookUp_R": 1.0},
    "eyeLookDownLeft": {"eyeLookDown_L": 1.0},
    "eyeLookDownRight": {"eyeLookDown_R": 1.0},
}
"""Names that are no target of their own, or that no single action of a map gives."""
_MAPS: Final = ("arkit52", "ict_facekit")


def names_of(targets: list[str]) -> dict[str, dict[str, float]]:
    """Every name that moves the head, as weights of its targets: actions, ARKit's, ICT's.

    A control of a map stands for the shape of the action that drives it alone.
    """
    named = {name: {name: 1.0} for name in targets}
    named |= {name: weights for name, weights in _OWN.items() if name in AU_CHANNELS}
    for rig in _MAPS:
        for rule in load_map(rig).rules:
            weights = _OWN.get(rule.name) or _weights_of(rule, named)
            if weights:
                named.setdefault(rule.name, weights)
    return named


def _weights_of(rule: ControlRule, named: dict[str, dict[str, float]]) -> dict[str, float]:
    signals = [*rule.terms] or [s for part in rule.combine for s in part.signals]
    if not signals or signals[0] not in named:
        both = [f"{signals[0]}_{side}" for side in "LR"] if signals else []
        return {name: 1.0 for name in both if name in named}
    return named[signals[0]]


def write_head(head: Head, path: Path) -> None:
    """Write the file, the same bytes for the same head."""
    builder = GltfBuilder("livefacs head")
    document = builder.document
    del document["animations"]
    document["asset"]["generator"] = "livefacs"
    document["extensionsUsed"] = document["extensionsRequired"] = ["KHR_mesh_quantization"]
    document["materials"] = [_material(name, rough) for name, rough in _MATERIALS]
    targets = sorted({*head.skin.shapes, *head.mouth.shapes})
    skinned = [_primitive(builder, head.skin, 0, targets, head.head_share)]
    skinned.append(_primitive(builder, head.hair, 1, targets, np.ones(len(head.hair.points))))
    jaw = sorted(head.mouth.shapes)
    extras = {"targetNames": targets, "names": names_of(targets)}
    document["meshes"] = [
        {"name": "face", "primitives": skinned, "weights": [0.0] * len(targets), "extras": extras},
        {"name": "eye", "primitives": [_primitive(builder, head.eye, 2, [], None)]},
        {
            "name": "mouth",
            "primitives": [_primitive(builder, head.mouth, 3, jaw, None)],
            "weights": [0.0] * len(jaw),
            "extras": {"targetNames": jaw},
        },
    ]
    _add_nodes(builder, head)
    builder.write(path)


def _material(name: str, roughness: float) -> dict[str, Any]:
    plain = {"baseColorFactor": [1, 1, 1, 1], "metallicFactor": 0, "roughnessFactor": roughness}
    both = {"doubleSided": True} if name == "hair" else {}
    return {"name": name, "pbrMetallicRoughness": plain, **both}


def _add_nodes(builder: GltfBuilder, head: Head) -> None:
    root = builder.add_node("livefacs_head")
    neck = builder.add_node("neck", parent=root, translation=_NECK.tolist())
    turning = builder.add_node("head", parent=neck, translation=(_HEAD - _NECK).tolist())
    scale = [_SPAN_M] * 3
    for side, word in (("L", "left"), ("R", "right")):
        place = np.round(head.eyes[side] - _HEAD, 6).tolist()
        builder.add_node(f"eye_{word}", parent=turning, mesh=1, translation=place, scale=scale)
    builder.add_node("mouth", parent=turning, mesh=2, translation=(-_HEAD).tolist(), scale=scale)
    builder.add_node("face", parent=root, mesh=0, skin=0)
    inverse = [_inverse_bind(_NECK), _inverse_bind(_HEAD)]
    bind = builder.add_accessor(np.array(inverse))
    builder.document["skins"] = [
        {"joints": [neck, turning], "skeleton": neck, "inverseBindMatrices": bind}
    ]


def _inverse_bind(place: F64) -> list[float]:
    """Column by column: scale from the quantised span, then away from the joint."""
    s = _SPAN_M
    return [s, 0, 0, 0, 0, s, 0, 0, 0, 0, s, 0, *(-place).tolist(), 1]


def _steps(values: F64) -> Any:
    return np.round(values / _SPAN_M * 32767.0).astype("<i2")


def _primitive(
    builder: GltfBuilder, part: Part, material: int, targets: list[str], head_share: F64 | None
) -> dict[str, Any]:
    points = _steps(part.points)
    normals = np.round(normals_of(part.points, part.triangles) * 127.0).astype(np.int8)
    colour = np.round(np.clip(part.colours, 0.0, 1.0) * 65535.0).astype("<u2")
    attributes = {
        "POSITION": builder.add_array(points, normalized=True, bounds=True, padded=True),
        "NORMAL": builder.add_array(normals, normalized=True, padded=True),
        "COLOR_0": builder.add_array(colour, normalized=True, padded=True),
    }
    if head_share is not None:
        share = np.round(head_share * 255.0).astype(np.uint8)
        joints = np.zeros((len(share), 4), np.uint8)
        joints[:, 1] = share > 0  # a joint without weight has to be 0
        weights = np.zeros((len(share), 4), np.uint8)
        weights[:, 0], weights[:, 1] = 255 - share, share
        attributes["JOINTS_0"] = builder.add_array(joints)
        attributes["WEIGHTS_0"] = builder.add_array(weights, normalized=True)
    made: dict[str, Any] = {
        "attributes": attributes,
        "indices": builder.add_array(part.triangles.astype("<u2").ravel()),
        "material": material,
    }
    if targets:
        still = np.zeros_like(part.points)
        made["targets"] = [
            {"POSITION": _target(builder, part.shapes.get(name, still))} for name in targets
        ]
    return made


def _target(builder: GltfBuilder, shape: F64) -> int:
    moved = np.flatnonzero(np.abs(shape).max(axis=1) > _SMALLEST_M)
    return builder.add_sparse(len(shape), moved, _steps(shape[moved]), normalized=True)
