"""Formats of avatar programs, each read back by a reader that is not ours."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from unityparser import UnityDocument

from livefacs.errors import ConfigError
from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import check_export, export_take, find_format
from livefacs.retarget.library import load_rig
from livefacs.take.reader import Take
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX
from tests.take.synthetic import smile

Export = Callable[..., Path]
SMILE = CHANNEL_INDEX["AU12_L"]


def points_of(segments: list[float]) -> list[tuple[float, float]]:
    """Points of a motion3 curve, by the format's rules: 0 line, 1 Bézier, 2 and 3 steps."""
    points, rest = [(segments[0], segments[1])], segments[2:]
    while rest:
        n_points = 3 if rest[0] == 1 else 1
        points.append((rest[2 * n_points - 1], rest[2 * n_points]))
        rest = rest[2 * n_points + 1 :]
    return points


def test_motion3(exported: Export, take: Take) -> None:
    document = json.loads(exported("motion3").read_text())
    meta, curves = document["Meta"], document["Curves"]
    assert (document["Version"], meta["CurveCount"], meta["Fps"]) == (3, len(curves), 60)
    assert [curve["Id"] for curve in curves] == list(load_rig("live2d").controls)
    points = {curve["Id"]: points_of(curve["Segments"]) for curve in curves}
    assert meta["TotalPointCount"] == sum(map(len, points.values())) == 61 * len(curves)
    assert meta["TotalSegmentCount"] == 60 * len(curves)
    assert meta["Duration"] == points["ParamAngleX"][-1][0] == 1.0
    assert points["ParamAngleX"][10][1] == pytest.approx(np.degrees(0.1), abs=1e-4)
    mouth = [value for _, value in points["ParamMouthOpenY"]]
    assert mouth[60] == pytest.approx(0.06, abs=0.02)


def test_motion3_is_known_by_its_ending() -> None:
    assert find_format("", Path("Face.motion3.JSON")).name == "motion3"
    with pytest.raises(ConfigError, match="does not tell the format"):
        find_format("", Path("face.json"))


def test_vmd_is_read_by_another_program(exported: Export, take: Take) -> None:
    reader = pytest.importorskip("pymeshio.vmd.reader")
    content = exported("vmd").read_bytes()
    assert content[:30] == b"Vocaloid Motion Data 0002\0\0\0\0\0"
    keys = reader.Reader(io.BytesIO(content[30:]))
    assert keys.read_text(20) == b"face"
    bones = [keys.read_bone_frame() for _ in range(keys.read_uint(4))]
    shapes = [keys.read_morph_frame() for _ in range(keys.read_uint(4))]
    assert [keys.read_uint(4) for _ in range(3)] == [0, 0, 0]
    assert keys.is_end()
    morphs = {(key.name.decode("cp932"), key.frame): key.ratio for key in shapes}
    controls = load_rig("mmd").controls
    assert len(morphs) == 31 * len(controls)  # one second at 30 Hz
    assert {name for name, _ in morphs} == set(controls)
    assert morphs["にやり", 5] == pytest.approx(0.75, abs=1e-3)  # corners at 1 and 0.5: the mean
    heads = {key.frame: key for key in bones if key.name.decode("cp932") == "頭"}
    assert sorted(heads) == list(range(31))
    turn = heads[5].q
    forward = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).apply([0, 0, -1])
    assert forward[0] > 0.09  # the model's left is +x: yaw is 0.1
    assert forward[1] > 0.19  # nose up: pitch is -0.2


def test_vmd_begins_at_the_frame_that_is_asked_for(exported: Export) -> None:
    content = exported("vmd", first_frame=100).read_bytes()
    key, at = np.dtype([("name", "S15"), ("frame", "<u4"), ("rest", "V92")]), 54
    bones = np.frombuffer(content, key, int.from_bytes(content[50:54], "little"), at)
    assert sorted(set(bones["frame"].tolist())) == list(range(100, 131))
    (morph_frame,) = np.frombuffer(content, "<u4", 1, at + bones.nbytes + 4 + 15)
    assert morph_frame == 100


@pytest.mark.parametrize("name", ["csv", "gltf", "unity", "edl"])
def test_a_first_frame_is_refused_where_frames_have_no_numbers(name: str) -> None:
    with pytest.raises(ConfigError, match="leave out --first-frame, which is for usd, maya, vmd"):
        check_export(find_format(name), ExportOptions(first_frame=1))


def test_vmd_refuses_what_it_cannot_hold(exported: Export) -> None:
    vmd = find_format("vmd")
    with pytest.raises(ConfigError, match="no frame before 0"):
        check_export(vmd, ExportOptions(first_frame=-1))
    with pytest.raises(ConfigError, match="counts 30 frames a second, not 24"):
        check_export(vmd, ExportOptions(fps="24"))
    with pytest.raises(ConfigError, match=r"browOuterUpRight.* at most 15 bytes of Shift-JIS"):
        check_export(vmd, ExportOptions(rig="arkit52"))


def test_unity_clip_is_read_by_another_program(exported: Export, take: Take) -> None:
    path = exported("unity", node="Body/Face")
    clip = UnityDocument.load_yaml(str(path)).entry
    assert (clip.__class__.__name__, clip.m_SampleRate) == ("AnimationClip", "60")
    assert [curve["attribute"] for curve in clip.m_FloatCurves] == [
        f"blendShape.{name}" for name in AU_CHANNELS
    ]
    curve = clip.m_FloatCurves[SMILE]
    assert (curve["path"], curve["classID"]) == ("Body/Face", "137")
    keys = curve["curve"]["m_Curve"]
    assert len(keys) == take.n_rows
    assert float(keys[10]["value"]) == 100.0
    assert float(keys[35]["value"]) == pytest.approx(100 * smile(35), abs=1e-3)
    rise = (float(keys[36]["value"]) - float(keys[35]["value"])) * 60
    assert float(keys[35]["outSlope"]) == pytest.approx(rise, abs=0.1)
    assert float(clip.m_AnimationClipSettings["m_StopTime"]) == 1.0


def test_unreal_curve_table(exported: Export, take: Take) -> None:
    with exported("unreal").open(newline="") as file:
        times, *rows = csv.reader(file)
    assert times[:3] == ["---", "0.000000", "0.016667"]
    curves = {name: [float(value) for value in values] for name, *values in rows}
    assert list(curves) == list(AU_CHANNELS)
    assert (len(times) - 1, len(curves["AU12_L"])) == (take.n_rows, take.n_rows)
    assert curves["AU12_L"][10] == 1.0


@pytest.mark.parametrize("name", ["motion3", "vmd", "unity", "unreal"])
def test_an_existing_file_stays_whole_where_writing_fails(
    name: str, take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.bin"
    path.write_bytes(b"before")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("livefacs.formats.curves.values_from_take", full)
    with pytest.raises(Exception, match="No space left"):
        export_take(take, find_format(name), path, ExportOptions())
    assert path.read_bytes() == b"before"
