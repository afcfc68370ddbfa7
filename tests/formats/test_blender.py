"""The Blender import script, run by Blender's own Python module where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livefacs.resources import data_path
from tests.support.blender import run_in_blender
from tests.take.synthetic import CONTROLS, smile

LOAD = """
import json, sys, importlib.util
import bpy
script, *words = sys.argv[1:]
spec = importlib.util.spec_from_file_location("blender_import", script)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
"""

CHECK = """
(curves,) = words
mesh = bpy.data.meshes.new("m")
mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
face = bpy.data.objects.new("Face", mesh)
bpy.context.scene.collection.objects.link(face)
for name in ("Basis", "JawOpen", "mouthSmileLeft", "other"):
    face.shape_key_add(name=name).value = 0.25
bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 60, 1.0
report = [module.import_curves(curves, "Face") for _ in range(2)][-1]
scene, values = bpy.context.scene, {}
for frame in (1, 6, 11, 36, 61):
    scene.frame_set(frame)
    blocks = mesh.shape_keys.key_blocks
    values[frame] = {name: blocks[name].value for name in ("JawOpen", "mouthSmileLeft", "other")}
curve = module.find_curve(mesh.shape_keys, 'key_blocks["mouthSmileLeft"].value')
print("RESULT" + json.dumps([report, values, len(curve.keyframe_points)]))
"""

EXPORT = """
curves, target = words
bpy.ops.wm.read_factory_settings(use_empty=True)
mesh = bpy.data.meshes.new("m")
mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
face = bpy.data.objects.new("Face", mesh)
bpy.context.scene.collection.objects.link(face)
for i, name in enumerate(("Basis", "jawOpen", "mouthSmileLeft")):
    face.shape_key_add(name=name).data[i].co.z += 0.1 * i
bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 60, 1.0
bpy.context.scene.frame_start = 1
module.main([curves, "Face", "1", target])
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 60, 1.0
bpy.ops.import_scene.fbx(filepath=target, anim_offset=0.0)
read = next(o for o in bpy.data.objects if o.type == "MESH").data.shape_keys
curve = module.find_curve(read, 'key_blocks["mouthSmileLeft"].value')
values = [curve.evaluate(frame) for frame in (1, 6, 11, 36, 61)]
print("RESULT" + json.dumps([values, len(curve.keyframe_points)]))
"""


def run_script(code: str, *words: Path) -> Any:
    """The code after the script has been loaded as ``module``; what it prints as its result."""
    return run_in_blender(LOAD + code, data_path("blender_import.py"), *words)


def test_shape_keys_are_keyed_by_name(exported: Callable[..., Path]) -> None:
    curves = exported("jsonl", rig="arkit52")
    (keyed, missing), values, n_keys = run_script(CHECK, curves)
    assert keyed == ["jawOpen", "mouthSmileLeft"]
    assert missing == [CONTROLS[2]]
    assert n_keys == 61
    for frame in (1, 6, 11, 36, 61):
        found = values[str(frame)]
        assert found["mouthSmileLeft"] == pytest.approx(0.5 * smile(frame - 1), abs=1e-6)
        assert found["JawOpen"] == 0
        assert found["other"] == 0.25


def test_fbx_holds_every_frame(exported: Callable[..., Path], tmp_path: Path) -> None:
    curves, target = exported("jsonl", rig="arkit52"), tmp_path / "face.fbx"
    values, n_keys = run_script(EXPORT, curves, target)
    assert target.read_bytes().startswith(b"Kaydara FBX Binary")
    assert n_keys >= 61
    wanted = [0.5 * smile(frame - 1) for frame in (1, 6, 11, 36, 61)]
    assert values == pytest.approx(wanted, abs=1e-4)
