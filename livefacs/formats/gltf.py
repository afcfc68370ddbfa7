"""glTF 2.0: a take on the 3D head that ships, so that the file shows a face.

The mesh ``face`` has a morph target for every curve, with its name (``extras.targetNames``, as
Blender, three.js and Unity importers read them), so that the keys can be copied onto a character's
mesh too. A name that the head has no shape for keeps its keys and moves nothing. Head, neck and
eyes are nodes. Units are metres, y up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from livefacs.clock import NS_PER_S
from livefacs.formats import spaces
from livefacs.formats.curves import Curves, ExportOptions, curves_from_take
from livefacs.formats.glb import GltfBuilder, key_times
from livefacs.formats.head import shipped_head
from livefacs.formats.media import relative_name, sound_media_of
from livefacs.take.reader import Take

_CM_A_M: Final = 100.0
_QUANTIZATION: Final = "KHR_mesh_quantization"


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write ``.glb``, or ``.gltf`` where the name says so; ``options.node`` names the mesh."""
    curves = curves_from_take(take, options)
    builder = GltfBuilder(take.name)
    nodes = _add_head(builder, curves, options.node)
    times = builder.add_accessor(key_times(curves.time_s), bounds=True)
    weights = builder.add_accessor(curves.filled().reshape(-1))
    for node in (nodes["face"], nodes["mouth"]):
        builder.animate_with(node, "weights", times, weights)
    place = spaces.head_position_cm(curves) / _CM_A_M
    neck = np.array(shipped_head().node("head")["translation"])
    builder.animate(nodes["head"], "translation", times, place)
    builder.animate(nodes["neck"], "translation", times, place - neck)
    rotation = spaces.quaternions_xyzw(spaces.head_rotation(curves))
    builder.animate(nodes["head"], "rotation", times, rotation)
    for side in ("left", "right"):
        turned = spaces.quaternions_xyzw(spaces.eye_rotation(curves, side))
        builder.animate(nodes[f"eye_{side}"], "rotation", times, turned)
    builder.document["animations"][0]["extras"] = {
        "timecode": curves.label(0),
        **_sound_extras(take, path),
    }
    builder.write(path)


def _add_head(builder: GltfBuilder, curves: Curves, name: str) -> dict[str, int]:
    """The head's meshes and nodes; the neck moves with the head and does not turn."""
    shipped = shipped_head()
    document = builder.document
    document["extensionsUsed"] = document["extensionsRequired"] = [_QUANTIZATION]
    document["materials"] = shipped.document["materials"]
    face = shipped.copy_mesh(builder, 0, curves.names) | {"name": name}
    mouth = shipped.copy_mesh(builder, 2, curves.names)
    document["meshes"] = [face, shipped.copy_mesh(builder, 1, ()), mouth]
    nodes = {part: builder.add_node(part) for part in ("head", "neck")}
    for part, mesh in (("eye_left", 1), ("eye_right", 1), ("mouth", 2)):
        placed: dict[str, Any] = shipped.node(part)
        nodes[part] = builder.add_node(
            part,
            parent=nodes["head"],
            mesh=mesh,
            translation=placed["translation"],
            scale=placed["scale"],
        )
    nodes["face"] = builder.add_node(name, mesh=0, skin=0)
    bind = shipped.values(shipped.document["skins"][0]["inverseBindMatrices"])
    document["skins"] = [
        {
            "joints": [nodes["neck"], nodes["head"]],
            "inverseBindMatrices": builder.add_array(bind),
        }
    ]
    return nodes


def _sound_extras(take: Take, path: Path) -> dict[str, Any]:
    """The take's sound, for which glTF has no place of its own: where it is and when it begins."""
    sound = sound_media_of(take)
    if sound is None:
        return {}
    begins_s = (sound[1] - int(take.t_ns[0])) / NS_PER_S
    return {"sound": {"uri": quote(relative_name(sound[0], path)), "begins_s": round(begins_s, 6)}}
