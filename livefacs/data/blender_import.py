"""Key a Blender mesh's shape keys from a livefacs export (JSON Lines). Runs inside Blender.

Export a take with the rig whose controls your shape keys are named after::

    livefacs export TAKE --to jsonl --rig arkit52 -o face.jsonl

Then, in Blender's Text Editor, open this file, set the two names at its end and run it; or::

    blender scene.blend --python blender_import.py -- face.jsonl Face [FIRST_FRAME [FILE.fbx]]

With a name that ends in .fbx, the scene's meshes, armatures and empties are exported with every
frame's value, for what reads FBX (add ``--background`` where no window is wanted).

Every shape key with the name of a curve (case does not matter) gets one linear key a sample, at the
scene's own frame rate; other shape keys stay as they are.
"""

import json
import sys
from pathlib import Path

import bpy


def import_curves(path, object_name, first_frame=1):
    """Key the shape keys of an object; the names that were keyed and those that found no key."""
    names, times_s, rows = read_curves(path)
    mesh = bpy.data.objects[object_name].data
    if mesh.shape_keys is None:
        raise ValueError(f"{object_name} has no shape keys")
    blocks = {block.name.lower(): block for block in mesh.shape_keys.key_blocks}
    scene = bpy.context.scene
    rate_hz = scene.render.fps / scene.render.fps_base
    frames = [first_frame + time_s * rate_hz for time_s in times_s]
    keyed, missing = [], []
    for column, name in enumerate(names):
        block = blocks.get(name.lower())
        if block is None:
            missing.append(name)
            continue
        values = held([row[column] for row in rows])
        block.slider_min = min(block.slider_min, *values)
        block.slider_max = max(block.slider_max, *values)
        write_keys(mesh.shape_keys, block, frames, values)
        keyed.append(name)
    scene.frame_end = max(scene.frame_end, round(frames[-1]))
    return keyed, missing


def read_curves(path):
    """Names, seconds from the first sample, and rows of values (None: unknown) of an export."""
    with Path(path).open(encoding="utf-8") as file:
        head = json.loads(file.readline())
        if head.get("format") != "livefacs-jsonl":
            raise ValueError(f"{path} is no livefacs JSON Lines export")
        samples = [json.loads(line) for line in file]
    names = list(samples[0]["values"])
    times_s = [(sample["t_ns"] - samples[0]["t_ns"]) / 1e9 for sample in samples]
    return names, times_s, [list(sample["values"].values()) for sample in samples]


def export_fbx(path):
    """Write meshes, armatures and empties with their keys as FBX, a sample a frame."""
    bpy.ops.export_scene.fbx(
        filepath=str(Path(path).resolve()),
        object_types={"MESH", "ARMATURE", "EMPTY"},
        add_leaf_bones=False,
        bake_anim=True,
        bake_anim_use_all_actions=False,
        bake_anim_use_nla_strips=False,
        bake_anim_simplify_factor=0.0,
    )


def held(values):
    """Unknown values take the last known one; 0 before the first."""
    last, result = 0.0, []
    for value in values:
        last = last if value is None else value
        result.append(last)
    return result


def write_keys(shape_keys, block, frames, values):
    """Replace the curve of one shape key's value."""
    data_path = f'key_blocks["{bpy.utils.escape_identifier(block.name)}"].value'
    block.driver_remove("value")
    block.value = values[0]
    block.keyframe_insert("value", frame=frames[0])  # makes action, slot and curve as needed
    curve = find_curve(shape_keys, data_path)
    points = curve.keyframe_points
    points.clear()
    points.add(len(frames))
    points.foreach_set(
        "co", [number for pair in zip(frames, values, strict=True) for number in pair]
    )
    linear = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value
    points.foreach_set("interpolation", [linear] * len(frames))
    curve.update()


def find_curve(shape_keys, data_path):
    """The curve of a data path, in the actions of any Blender from 3.1 on; None without one."""
    animation = shape_keys.animation_data
    action = animation.action if animation is not None else None
    if action is None:
        return None
    if hasattr(action, "fcurves"):
        return action.fcurves.find(data_path)
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(animation.action_slot)
            curve = bag.fcurves.find(data_path) if bag is not None else None
            if curve is not None:
                return curve
    return None


def main(arguments):
    """Import as the command line or the two names below say."""
    path, object_name = "face.jsonl", "Face"
    if arguments:
        path, object_name = arguments[:2]
    first_frame = int(arguments[2]) if len(arguments) > 2 else 1
    target = arguments[3] if len(arguments) > 3 else ""
    if target and not target.lower().endswith(".fbx"):
        raise ValueError(f"{target}: expected a name that ends in .fbx")
    keyed, missing = import_curves(path, object_name, first_frame)
    print(f"keyed {len(keyed)} shape keys of {object_name}; no shape key for: {', '.join(missing)}")
    if target:
        export_fbx(target)
        print(f"{target}: written as FBX")


if __name__ == "__main__":
    main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else [])
