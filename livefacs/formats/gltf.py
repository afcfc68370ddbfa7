"""glTF 2.0: morph weights by name on a stand-in mesh, head and eyes as nodes.

The mesh is one tiny triangle whose targets do not move it: it carries names
(``extras.targetNames``, as Blender, three.js and Unity importers read them) and weights, to be
copied onto a character's mesh. Units are metres, y up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from livefacs.formats import spaces
from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.formats.glb import GltfBuilder, key_times
from livefacs.take.reader import Take

_TRIANGLE_M: Final = np.array([[0, 0, 0], [0.001, 0, 0], [0, 0.001, 0]])
_CM_A_M: Final = 100.0


def export(take: Take, path: Path, options: ExportOptions) -> None:
    """Write ``.glb``, or ``.gltf`` where the name says so; ``options.node`` names the mesh."""
    curves = curves_from_take(take, options)
    builder = GltfBuilder(take.name)
    head = builder.add_node("head")
    face = builder.add_node(options.node, parent=head, mesh=0)
    eyes = {side: builder.add_node(f"eye_{side}", parent=head) for side in ("left", "right")}
    corners = builder.add_accessor(_TRIANGLE_M, bounds=True)
    still = builder.add_accessor(np.zeros((3, 3)), bounds=True)
    builder.document["meshes"] = [
        {
            "name": options.node,
            "primitives": [
                {
                    "attributes": {"POSITION": corners},
                    "targets": [{"POSITION": still} for _ in curves.names],
                }
            ],
            "weights": [0.0 for _ in curves.names],
            "extras": {"targetNames": list(curves.names)},
        }
    ]
    times = builder.add_accessor(key_times(curves.time_s), bounds=True)
    builder.animate(face, "weights", times, curves.filled().reshape(-1))
    builder.animate(head, "translation", times, spaces.head_position_cm(curves) / _CM_A_M)
    rotation = spaces.quaternions_xyzw(spaces.head_rotation(curves))
    builder.animate(head, "rotation", times, rotation)
    for side, node in eyes.items():
        turned = spaces.quaternions_xyzw(spaces.eye_rotation(curves, side))
        builder.animate(node, "rotation", times, turned)
    builder.document["animations"][0]["extras"] = {"timecode": curves.label(0)}
    builder.write(path)
