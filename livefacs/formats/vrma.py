"""VRM animation (VRMC_vrm_animation 1.0): expressions, gaze and head turns for any VRM character.

Every expression is a node whose translation along x is its weight. Names that VRM 1.0 has as
presets go there, the others are custom expressions (with ``rig="arkit52"``: Perfect Sync). Look
presets may not be animated; the gaze is the rotation of the ``lookAt`` node instead. The bones that
VRM requires stand in a T-pose; only the head is animated.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from livefacs.formats import spaces
from livefacs.formats.curves import Curves, ExportOptions, curves_from_take
from livefacs.formats.glb import GltfBuilder, key_times
from livefacs.take.reader import Take
from livefacs.vocab.vrm import VRM1_PRESETS

EXTENSION: Final = "VRMC_vrm_animation"
DEFAULT_RIG: Final = "vrm1"
_LOOK_PRESETS: Final = frozenset({"lookUp", "lookDown", "lookLeft", "lookRight"})

_SIDED: Final = (
    # bone, its parent, offset from it in metres on the left side
    ("UpperLeg", "hips", (0.09, -0.05, 0.0)),
    ("LowerLeg", "UpperLeg", (0.0, -0.40, 0.0)),
    ("Foot", "LowerLeg", (0.0, -0.40, 0.0)),
    ("UpperArm", "spine", (0.16, 0.32, 0.0)),
    ("LowerArm", "UpperArm", (0.27, 0.0, 0.0)),
    ("Hand", "LowerArm", (0.25, 0.0, 0.0)),
)
_MIDDLE: Final = (
    ("hips", None, (0.0, 0.93, 0.0)),
    ("spine", "hips", (0.0, 0.12, 0.0)),
    ("head", "spine", (0.0, 0.47, 0.0)),
)
_EYES_ABOVE_HEAD_M: Final = 0.06


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write the file; ``options.rig`` is ``vrm1`` where none is named."""
    options = replace(options, rig=options.rig or DEFAULT_RIG)
    curves = curves_from_take(take, options)
    builder = GltfBuilder(take.name)
    bones = _add_bones(builder)
    times = builder.add_accessor(key_times(curves.time_s), bounds=True)
    rotation = spaces.quaternions_xyzw(spaces.head_rotation(curves))
    builder.animate(bones["head"], "rotation", times, rotation)
    gaze = builder.add_node("lookAt")
    looking = spaces.quaternions_xyzw(spaces.eye_rotation(curves, "both"))
    builder.animate(gaze, "rotation", times, looking)
    builder.document["extensionsUsed"] = [EXTENSION]
    builder.document["extensions"] = {
        EXTENSION: {
            "specVersion": "1.0",
            "humanoid": {"humanBones": {name: {"node": node} for name, node in bones.items()}},
            "expressions": _add_expressions(builder, curves, times),
            "lookAt": {"node": gaze, "offsetFromHeadBone": [0.0, _EYES_ABOVE_HEAD_M, 0.0]},
        }
    }
    builder.write(path)


def _add_bones(builder: GltfBuilder) -> dict[str, int]:
    nodes: dict[str, int] = {}
    for name, parent, offset in _MIDDLE:
        nodes[name] = builder.add_node(
            name, parent=None if parent is None else nodes[parent], translation=list(offset)
        )
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for bone, parent, (x, y, z) in _SIDED:
            above = nodes[parent] if parent in nodes else nodes[side + parent]
            nodes[side + bone] = builder.add_node(
                side + bone, parent=above, translation=[sign * x, y, z]
            )
    return nodes


def _add_expressions(
    builder: GltfBuilder, curves: Curves, times: int
) -> dict[str, dict[str, dict[str, int]]]:
    preset: dict[str, dict[str, int]] = {}
    custom: dict[str, dict[str, int]] = {}
    values = np.clip(curves.filled(), 0.0, 1.0)
    for index, name in enumerate(curves.names):
        if name in _LOOK_PRESETS:
            continue
        node = builder.add_node(name)
        places = np.zeros((len(curves), 3), np.float32)
        places[:, 0] = values[:, index]
        builder.animate(node, "translation", times, places)
        (preset if name in VRM1_PRESETS else custom)[name] = {"node": node}
    return {"preset": preset, "custom": custom}
