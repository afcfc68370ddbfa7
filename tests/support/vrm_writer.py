"""Run by Blender: a figure with a face, written as VRM by the VRM add-on (bpy-vrm-format).

Words: the file to write, and its version, 1.0 or 0.0.
"""

import importlib.util
import json
import sys

import bpy  # type: ignore[import-not-found]  # Blender's own, in another environment

MIDDLE = (
    ("hips", None, 0.9),
    ("spine", "hips", 1.0),
    ("chest", "spine", 1.15),
    ("neck", "chest", 1.4),
    ("head", "neck", 1.5),
)
SIDES = (
    ("UpperLeg", "hips", 0.1, 0.85),
    ("LowerLeg", "UpperLeg", 0.1, 0.5),
    ("Foot", "LowerLeg", 0.1, 0.1),
    ("UpperArm", "chest", 0.15, 1.35),
    ("LowerArm", "UpperArm", 0.4, 1.35),
    ("Hand", "LowerArm", 0.65, 1.35),
    ("Eye", "head", 0.035, 1.62),
)
EXPRESSIONS = (("aa", "jaw", 0.5), ("blinkLeft", "lid", 1.0), ("jawOpen", "jaw", 1.0))
"""Name, shape key, weight of the bind; the last is no preset."""
OLD = {"aa": ("A", "a"), "blinkLeft": ("Blink_L", "blink_l"), "jawOpen": ("jawOpen", "unknown")}


def bone_places():
    """Name, parent, x and height of each bone."""
    found = [(name, parent, 0.0, z) for name, parent, z in MIDDLE]
    for side, sign in (("left", 1), ("right", -1)):
        for name, parent, x, z in SIDES:
            above = parent if parent[0].islower() else side + parent
            found.append((side + name, above, sign * x, z))
    return found


def make_rig():
    data = bpy.data.armatures.new("Armature")
    rig = bpy.data.objects.new("Armature", data)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for name, parent, x, z in bone_places():
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = (x, 0, z), (x, 0, z + 0.05)
        bone.parent = data.edit_bones[parent] if parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def make_ball(rig, bone, radius, place):
    bpy.ops.mesh.primitive_uv_sphere_add(radius=radius, location=place)
    ball = bpy.context.object
    bpy.ops.object.transform_apply()
    points = list(range(len(ball.data.vertices)))
    ball.vertex_groups.new(name=bone).add(points, 1.0, "REPLACE")
    ball.modifiers.new("Armature", "ARMATURE").object = rig
    ball.parent = rig
    ball.data.materials.append(bpy.data.materials.new(bone))
    return ball


def make_face(rig):
    face = make_ball(rig, "head", 0.12, (0, 0, 1.6))
    face.shape_key_add(name="Basis")
    for point in face.shape_key_add(name="jaw").data:
        point.co.z -= 0.05 if point.co.y < 0 and point.co.z < 1.58 else 0.0
    for point in face.shape_key_add(name="lid").data:
        point.co.y -= 0.04 if point.co.y < 0 < point.co.x and point.co.z > 1.6 else 0.0
    for side, x in (("left", 0.035), ("right", -0.035)):
        make_ball(rig, f"{side}Eye", 0.02, (x, -0.11, 1.62))
    return face


def fill_vrm1(vrm, face):
    for name, *_ in bone_places():
        words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        getattr(vrm.humanoid.human_bones, words).node.bone_name = name
    custom = vrm.expressions.custom.add()
    custom.custom_name = "jawOpen"
    presets = vrm.expressions.preset
    for own, (_, key, weight) in zip(
        (presets.aa, presets.blink_left, custom), EXPRESSIONS, strict=True
    ):
        bind = own.morph_target_binds.add()
        bind.node.mesh_object_name, bind.index, bind.weight = face.name, key, weight
    vrm.meta.authors.add().value = "nobody"


def fill_vrm0(vrm, face):
    bones = {bone.bone: bone for bone in vrm.humanoid.human_bones}
    for name, *_ in bone_places():
        bone = bones.get(name) or vrm.humanoid.human_bones.add()
        bone.bone, bone.node.bone_name = name, name
    for name, key, weight in EXPRESSIONS:
        group = vrm.blend_shape_master.blend_shape_groups.add()
        group.name, group.preset_name = OLD[name]
        bind = group.binds.add()
        bind.mesh.mesh_object_name, bind.index, bind.weight = face.name, key, weight


def main():
    target, version = sys.argv[1:3]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.preferences.addon_enable(module="io_scene_vrm")
    rig = make_rig()
    face = make_face(rig)
    vrm = rig.data.vrm_addon_extension
    vrm.spec_version = version
    if version == "1.0":
        fill_vrm1(vrm.vrm1, face)
    else:
        fill_vrm0(vrm.vrm0, face)
    done = bpy.ops.export_scene.vrm(filepath=target, armature_object_name=rig.name)
    print("RESULT" + json.dumps("FINISHED" in done))


if importlib.util.find_spec("io_scene_vrm") is None:
    print("RESULT" + json.dumps(None))
else:
    main()
