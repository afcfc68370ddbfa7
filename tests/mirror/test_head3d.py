"""The 3D face in a real browser: what is drawn, whose side moves, and files that cannot be read."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from livefacs.mirror.server import Mirror
from livefacs.vocab.controls import control_names
from tests.mirror import models
from tests.mirror.test_browser import CHROMIUM, DRIVER, Chrome
from tests.support.blender import run_in_blender

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="no chromium and chromedriver on the PATH (Debian: chromium, chromium-driver)",
    ),
]

SOFTWARE_GL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")

OPEN = """
const done = arguments[0];
import('/static/js/head3d/head3d.js').then(async ({ Head3D }) => {
  const canvas = document.createElement('canvas');
  Object.assign(canvas.style, { width: '360px', height: '400px', display: 'block' });
  document.body.replaceChildren(canvas);
  window.head = new Head3D(canvas);
  await window.head.showShipped();
  done('ready');
}).catch((error) => done(String(error.stack)));
"""
DRAW = """
const [values, head, gaze, yaw] = arguments;
window.head.pose(values); window.head.look(head, gaze);
window.head.home(); window.head.turn(yaw, 0); window.head.renderer.invalidate(); window.head.draw();
return window.head.canvas.toDataURL('image/png').split(',')[1];
"""
LOAD = """
const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
try { window.head.showFile(bytes.buffer); return 'shown'; }
catch (error) { return error.constructor.name + ': ' + error.message; }
"""


@pytest.fixture(scope="module")
def browser(open_browser: Callable[..., Chrome]) -> Chrome:
    driver = open_browser(*SOFTWARE_GL)
    driver.set_script_timeout(40)
    return driver


@pytest.fixture
def page(browser: Chrome, mirror: Mirror) -> Chrome:
    """A page of the mirror with nothing in it but the head."""
    browser.get(f"http://127.0.0.1:{mirror.port}/api/hello")
    assert browser.execute_async_script(OPEN) == "ready"
    return browser


def picture(
    page: Chrome,
    head: tuple[float, float, float] = (0, 0, 0),
    gaze: tuple[float, float] = (0, 0),
    yaw: float = 0,
    **values: float,
) -> np.ndarray:
    """Pixels as they are drawn, (400, 360, 3)."""
    turned = dict(zip(("yaw", "pitch", "roll"), head, strict=True))
    looking = dict(zip(("yaw", "pitch"), gaze, strict=True))
    png = page.execute_script(DRAW, values, turned, looking, yaw)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), np.float64)


def changed_at(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Mean place of the pixels that differ, x and y as shares of the picture."""
    size = np.abs(one - other).sum(axis=2)
    size[size < 24] = 0
    assert size.sum() > 0
    y, x = np.indices(size.shape)
    return float((x * size).sum() / size.sum() / 360), float((y * size).sum() / size.sum() / 400)


def test_a_smile_on_the_left_is_on_the_characters_left(page: Chrome) -> None:
    """Unmirrored, the character's left is at the right of the picture; in a mirror at the left."""
    rest = picture(page)
    assert rest.std() > 30  # there is a face
    smile = picture(page, mouthSmileLeft=1.0)
    x, y = changed_at(rest, smile)
    assert x > 0.53
    assert 0.5 < y < 0.8
    assert changed_at(rest, picture(page, AU12_R=1.0))[0] < 0.47
    page.execute_script("window.head.setMirrored(true)")
    assert changed_at(picture(page), picture(page, mouthSmileLeft=1.0))[0] < 0.47


def test_more_of_an_action_moves_more(page: Chrome) -> None:
    rest = picture(page)
    sizes = [np.abs(picture(page, AU27=level) - rest).mean() for level in (0.1, 0.3, 0.6, 1.0)]
    assert sizes == sorted(sizes)
    assert sizes[0] > 0.05


def test_eyes_and_head_turn_to_the_performers_left(page: Chrome) -> None:
    rest = picture(page)
    looking = picture(page, gaze=(25, 0))
    x, y = changed_at(rest, looking)
    assert 0.3 < x < 0.7
    assert 0.3 < y < 0.55
    dark = [float(np.argmin(image[150:200, 195:260].sum(axis=(0, 2)))) for image in (rest, looking)]
    assert dark[1] > dark[0]  # the iris went to the right of the picture
    nose = [
        np.argmax(image[200:260].sum(axis=(0, 2)))
        for image in (rest, picture(page, head=(30, 0, 0)))
    ]
    assert nose[1] > nose[0]


def test_names_of_every_spelling_are_found(page: Chrome) -> None:
    missing = page.execute_script(
        "return window.head.setControls(arguments[0])", list(control_names("arkit52"))
    )
    assert set(missing) == {
        f"eyeLook{way}{side}" for way in ("In", "Out") for side in ("Left", "Right")
    }
    found = page.execute_async_script(
        "const [names, done] = arguments; import('/static/js/head3d/character.js')"
        ".then(({ plain }) => done(names.map(plain)))",
        ["mouthSmileLeft", "mouthSmile_L", "mouth_smile_left", "Face.MouthSmile.L"],
    )
    assert len(set(found)) == 1, found


@pytest.mark.parametrize("name", list(models.hostile()))
def test_a_file_that_cannot_be_shown_says_why(page: Chrome, name: str) -> None:
    data, word = models.hostile()[name]
    said = page.execute_script(LOAD, base64.b64encode(data).decode())
    assert said.startswith("ModelError: "), said
    assert word in said
    assert picture(page).std() > 30  # the head that was there is still shown


def load(page: Chrome, data: bytes) -> None:
    assert page.execute_script(LOAD, base64.b64encode(data).decode()) == "shown"


WEIGHTS = "return window.head.character.weights.map((each) => [...each])"


def test_a_character_with_52_targets_is_driven_by_name(page: Chrome) -> None:
    names = list(control_names("arkit52"))
    load(page, models.glb(*models.character(names)))
    assert page.execute_script("return window.head.setControls(arguments[0])", names) == []
    values = [0.0] * len(names)
    values[names.index("jawOpen")] = 0.75
    page.execute_script("window.head.drive(arguments[0]); window.head.draw()", values)
    (weights,) = page.execute_script(WEIGHTS)
    assert weights[names.index("jawOpen")] == pytest.approx(0.75)
    assert sum(weights) == pytest.approx(0.75)


VRM_WRITER = Path(__file__).parents[1] / "support" / "vrm_writer.py"
BLENDERS = """
import json, math, sys
import bpy
target, compressed, *names = sys.argv[1:]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_uv_sphere_add(segments=32, ring_count=24, radius=0.12, location=(0, 0, 1.6))
face = bpy.context.object
face.name = "Face"
face.shape_key_add(name="Basis")
for i, name in enumerate(names):
    key = face.shape_key_add(name=name)
    for at in range(6):
        key.data[(7 * i + at) % len(key.data)].co.y -= 0.03
skin = bpy.data.materials.new("skin")
skin.diffuse_color = (0.8, 0.5, 0.4, 1)
face.data.materials.append(skin)
bpy.ops.object.armature_add(location=(0, 0, 1.4))
rig = bpy.context.object
bpy.ops.object.mode_set(mode="EDIT")
bones = rig.data.edit_bones
bones[0].name = "Head"
for name, x in (("Eye_L", 0.04), ("Eye_R", -0.04)):
    bone = bones.new(name)
    bone.head, bone.tail, bone.parent = (x, -0.1, 0.2), (x, -0.2, 0.2), bones["Head"]
bpy.ops.object.mode_set(mode="OBJECT")
for side, x in (("L", 0.04), ("R", -0.04)):
    bpy.ops.mesh.primitive_uv_sphere_add(radius=0.02, location=(x, -0.11, 1.62))
    eye = bpy.context.object
    eye.name = f"Eyeball.{side}"
    points = list(range(len(eye.data.vertices)))
    eye.vertex_groups.new(name=f"Eye_{side}").add(points, 1.0, "REPLACE")
    eye.modifiers.new("Armature", "ARMATURE").object = rig
    eye.parent = rig
    eye.matrix_parent_inverse = rig.matrix_world.inverted()
face.vertex_groups.new(name="Head").add(list(range(len(face.data.vertices))), 1.0, "REPLACE")
face.modifiers.new("Armature", "ARMATURE").object = rig
face.parent = rig
face.matrix_parent_inverse = rig.matrix_world.inverted()
bpy.ops.export_scene.gltf(
    filepath=target, export_format="GLB", export_draco_mesh_compression_enable=compressed == "yes"
)
print("RESULT" + json.dumps(bpy.app.version_string))
"""


def test_a_character_that_blender_exported_is_driven(page: Chrome, tmp_path: Path) -> None:
    """Skinned, with 52 shape keys and bones of the head and both eyes, as Blender writes it."""
    names = list(control_names("arkit52"))
    run_in_blender(BLENDERS, tmp_path / "fox.glb", "no", *names)
    load(page, (tmp_path / "fox.glb").read_bytes())
    assert page.execute_script("return window.head.setControls(arguments[0])", names) == []
    bones = page.execute_script(
        "const { bones, nodes } = window.head.character.model;"
        "return ['head', 'left', 'right'].map((key) => nodes[bones[key]]?.name)"
    )
    assert bones == ["Head", "Eye_L", "Eye_R"]
    rest = picture(page)
    assert rest.std() > 10  # it stands in the picture
    assert changed_at(rest, picture(page, jawOpen=1.0))
    assert changed_at(rest, picture(page, head=(30, 0, 0)))
    left = changed_at(rest, picture(page, gaze=(30, 0)))
    assert 0.2 < left[0] < 0.8


def test_what_blender_compressed_is_refused_by_name(page: Chrome, tmp_path: Path) -> None:
    run_in_blender(BLENDERS, tmp_path / "fox.glb", "yes", "jawOpen")
    data = (tmp_path / "fox.glb").read_bytes()
    if b"KHR_draco_mesh_compression" not in data:
        pytest.skip("this Blender has no Draco")
    said = page.execute_script(LOAD, base64.b64encode(data).decode())
    assert said.startswith("ModelError: needs KHR_draco_mesh_compression")


def test_vrm_expressions_and_head_bone(page: Chrome) -> None:
    load(page, models.vrm1(["aa", "blink"]))
    missing = page.execute_script("return window.head.setControls(['blink', 'aa', 'sad'])")
    assert missing == ["sad"]
    page.execute_script("window.head.drive([1, 0.5, 1])")
    assert page.execute_script(WEIGHTS) == [[0.25, 0.5]]
    assert page.execute_script("return window.head.character.model.bones.head") == 1
    load(page, models.vrm0())
    assert (
        page.execute_script("return window.head.setControls(['Blink_L', 'mouthSmileLeft'])") == []
    )
    page.execute_script("window.head.drive([1, 1])")
    assert page.execute_script(WEIGHTS)[0] == pytest.approx([1.0, 0.4])
    assert page.execute_script("return window.head.character.model.kind") == "VRM 0"


@pytest.mark.parametrize(
    ("version", "kind", "names"),
    [
        ("1.0", "VRM 1", ["aa", "blinkLeft", "jawOpen"]),
        ("0.0", "VRM 0", ["A", "Blink_L", "jawOpen"]),
    ],
)
def test_a_vrm_that_another_program_wrote_is_driven(
    page: Chrome, tmp_path: Path, version: str, kind: str, names: list[str]
) -> None:
    """Expressions, head and eyes of a figure by Blender's VRM add-on."""
    code = VRM_WRITER.read_text(encoding="utf-8")
    if run_in_blender(code, tmp_path / "fox.vrm", version) is None:
        pytest.skip("Blender's VRM add-on (bpy-vrm-format) is not installed beside bpy")
    load(page, (tmp_path / "fox.vrm").read_bytes())
    assert page.execute_script("return window.head.character.model.kind") == kind
    assert page.execute_script("return window.head.setControls(arguments[0])", names) == []
    for values, weights in (([1, 0, 0], [0.5, 0]), ([0, 1, 0], [0, 1]), ([0, 0, 1], [1, 0])):
        page.execute_script("window.head.drive(arguments[0])", values)
        assert page.execute_script(WEIGHTS)[0] == weights
    rest = picture(page)
    assert rest.std() > 10  # its head stands in the picture
    lid_x, lid_y = changed_at(rest, picture(page, **{names[1]: 1.0}))
    jaw_x, jaw_y = changed_at(rest, picture(page, jawOpen=1.0))
    assert lid_x > jaw_x + 0.01  # the character's left, and the middle
    assert jaw_x == pytest.approx(0.5, abs=0.03)
    assert lid_y < jaw_y
    assert changed_at(rest, picture(page, head=(30, 0, 0)))
    assert changed_at(rest, picture(page, gaze=(30, 0)))[1] < jaw_y


def test_the_console_stays_quiet(page: Chrome, mirror: Mirror) -> None:
    picture(page, AU1_L=1.0)
    entries: list[Any] = page.get_log("browser")
    told = [e["message"] for e in entries if e["level"] == "SEVERE"]
    told = [message for message in told if f":{mirror.port}/" in message]
    assert [message for message in told if "favicon" not in message] == []


SOLID = """
const done = arguments[0];
const modules = ['puppets', 'dom'].map((name) => import(`/static/js/${name}.js`));
Promise.all(modules).then(async ([puppets, dom]) => {
  const svg = dom.s('svg', { 'aria-label': 'human' });
  document.body.replaceChildren(svg);
  const draw = await puppets.solidHead(svg);
  const rigs = { arkit52: { names: ['mouthSmileLeft'], values: new Float32Array([1]) } };
  draw({ rigs, head: { yaw: 0, pitch: 0, roll: 0 }, gaze: { yaw: 0, pitch: 0 } });
  done([document.querySelectorAll('canvas').length, document.querySelector('svg') === null]);
}).catch((error) => done(String(error.stack)));
"""


def test_the_mirrors_human_puppet_is_the_same_head(page: Chrome) -> None:
    assert page.execute_async_script(SOLID) == [1, True]
