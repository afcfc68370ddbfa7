"""Bake a clip into the shape keys of a Blender mesh.

    python blender_bake.py shot.mp4 scene.blend Face     # solves, then runs Blender
    python blender_bake.py shot.mp4                      # solves, and says how to go on

Blender's own Python needs no livefacs: it reads a file of curves with a script that ships with it.
Shape keys with the names of ARKit's 52 are keyed, one key a sample, at the scene's frame rate.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import livefacs
from livefacs.resources import data_path


def main(clip: str, scene: str = "", mesh: str = "Face") -> None:
    curves = Path(f"{Path(clip).stem}.arkit52.jsonl").resolve()
    livefacs.solve(clip).export(curves, rig="arkit52")
    script = data_path("blender_import.py")
    command = ["blender", "--background", scene or "scene.blend", "--python", str(script)]
    command += ["--", str(curves), mesh]
    if not scene or shutil.which("blender") is None:
        print("now run:", *command)
        return
    baked = Path(scene).with_stem(f"{Path(scene).stem}_baked").resolve()
    keep = f"import bpy; bpy.ops.wm.save_as_mainfile(filepath={str(baked)!r})"
    at = command.index("--")
    subprocess.run([*command[:at], "--python-expr", keep, *command[at:]], check=True)
    print(baked)


if __name__ == "__main__":
    main(*sys.argv[1:])
