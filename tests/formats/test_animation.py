"""Animation formats: each read back by an independent reader, exact at known frames."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pygltflib
import pytest
from pxr import Usd, UsdSkel, UsdUtils, UsdValidation
from scipy.spatial.transform import Rotation

from livefacs.formats.curves import ExportOptions
from livefacs.formats.export import export_take, find_format
from livefacs.formats.vrma import EXTENSION
from livefacs.take.layout import Marker
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.timecode import RATES
from livefacs.vocab.facs import AU_CHANNELS, CHANNEL_INDEX, N_AU
from tests.take.synthetic import CLOCK, CONTROLS, clip_info, make_take, smile, tracked_frame

Export = Callable[..., Path]
SMILE = CHANNEL_INDEX["AU12_L"]


def gltf_values(gltf: pygltflib.GLTF2, accessor: int) -> np.ndarray:
    entry = gltf.accessors[accessor]
    view = gltf.bufferViews[entry.bufferView]
    blob = gltf.binary_blob() or gltf.get_data_from_buffer_uri(gltf.buffers[0].uri)
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[entry.type]
    begin = (view.byteOffset or 0) + (entry.byteOffset or 0)
    values = np.frombuffer(blob, "<f4", entry.count * width, begin)
    return values.reshape(entry.count, width)


def gltf_track(gltf: pygltflib.GLTF2, node: str, path: str) -> tuple[np.ndarray, np.ndarray]:
    index = next(i for i, entry in enumerate(gltf.nodes) if entry.name == node)
    animation = gltf.animations[0]
    channel = next(c for c in animation.channels if (c.target.node, c.target.path) == (index, path))
    sampler = animation.samplers[channel.sampler]
    return gltf_values(gltf, sampler.input)[:, 0], gltf_values(gltf, sampler.output)


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
def test_gltf(exported: Export, take: Take, suffix: str) -> None:
    gltf = pygltflib.GLTF2().load(str(exported("gltf", suffix)))
    assert gltf.meshes[0].extras["targetNames"] == list(AU_CHANNELS)
    assert len(gltf.meshes[0].primitives[0].targets) == N_AU
    times, weights = gltf_track(gltf, "face", "weights")
    weights = weights.reshape(take.n_rows, N_AU)
    assert len(times) == take.n_rows
    assert (np.diff(times) > 0).all()
    assert times[30] == np.float32(0.5)
    assert weights[10, SMILE] == 1.0
    assert weights[35, SMILE] == np.float32(smile(35))
    assert not weights[:, CHANNEL_INDEX["AU9_L"]].any()  # never known
    _, places = gltf_track(gltf, "head", "translation")
    assert places[0].tolist() == pytest.approx([0.01, 0.02, -0.6])
    _, turns = gltf_track(gltf, "head", "rotation")
    forward = Rotation.from_quat(turns[10]).apply([0, 0, 1])
    assert forward[0] > 0.09  # to the performer's left
    assert forward[1] > 0.19  # nose up: pitch is -0.2
    accessor = gltf.accessors[gltf.animations[0].samplers[0].input]
    assert accessor.min == [0.0]
    assert accessor.max == [1.0]


def test_vrma(exported: Export, take: Take) -> None:
    gltf = pygltflib.GLTF2().load_binary(str(exported("vrma")))
    assert gltf.extensionsUsed == [EXTENSION]
    extension = gltf.extensions[EXTENSION]
    assert extension["specVersion"] == "1.0"
    preset = extension["expressions"]["preset"]
    assert {"aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight", "happy"} <= preset.keys()
    assert not {"lookUp", "lookDown", "lookLeft", "lookRight"} & preset.keys()
    bones = extension["humanoid"]["humanBones"]
    assert {"hips", "spine", "head", "leftFoot", "rightHand", "leftUpperArm"} <= bones.keys()
    assert len(bones) == 15
    assert gltf.nodes[preset["aa"]["node"]].name == "aa"
    _, places = gltf_track(gltf, "aa", "translation")
    assert len(places) == take.n_rows
    assert places[60, 0] == pytest.approx(0.06)  # the jaw, alone
    assert not places[:, 1:].any()
    assert places[:, 0].min() >= 0
    assert places[:, 0].max() <= 1
    _, looking = gltf_track(gltf, "lookAt", "rotation")
    gaze = Rotation.from_quat(looking[0]).apply([0, 0, 1])
    assert np.arctan2(gaze[0], gaze[2]) == pytest.approx(0.11, abs=1e-5)
    assert np.arcsin(-gaze[1]) == pytest.approx(-0.045, abs=1e-5)


def test_vrma_with_perfect_sync_names(exported: Export) -> None:
    gltf = pygltflib.GLTF2().load_binary(str(exported("vrma", rig="arkit52")))
    assert set(gltf.extensions[EXTENSION]["expressions"]["custom"]) == set(CONTROLS)
    _, places = gltf_track(gltf, "mouthSmileLeft", "translation")
    assert places[10, 0] == 0.5


@pytest.mark.parametrize("suffix", [".usda", ".usdc"])
def test_usd(exported: Export, take: Take, suffix: str) -> None:
    path = exported("usd", suffix, first_frame=1001)
    stage = Usd.Stage.Open(str(path))
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (1001, 1061)
    assert stage.GetTimeCodesPerSecond() == 60
    skeleton = UsdSkel.Skeleton.Get(stage, "/Face/Skeleton")
    query = UsdSkel.Cache().GetSkelQuery(skeleton).GetAnimQuery()
    assert list(query.GetBlendShapeOrder()) == list(AU_CHANNELS)
    assert query.ComputeBlendShapeWeights(1011)[SMILE] == 1.0
    assert query.ComputeBlendShapeWeights(1036)[SMILE] == np.float32(smile(35))
    assert len(query.GetBlendShapeWeightTimeSamples()) == take.n_rows
    head = query.ComputeJointLocalTransforms(1011)[0]
    assert head.ExtractTranslation()[2] == pytest.approx(-61, abs=1e-4)
    forward = head.TransformDir((0, 0, 1))
    assert forward[0] > 0.09
    assert forward[1] > 0.19


def test_usd_passes_usds_own_validators(exported: Export) -> None:
    stage = Usd.Stage.Open(str(exported("usd", ".usda")))
    registry = UsdValidation.ValidationRegistry()
    context = UsdValidation.ValidationContext(registry.GetOrLoadAllValidators())
    errors = [
        (error.GetName(), error.GetMessage())
        for error in context.Validate(stage)
        if error.GetType() != UsdValidation.ValidationErrorType.Info
    ]
    assert errors == []
    layers, _, unresolved = UsdUtils.ComputeAllDependencies(stage.GetRootLayer().identifier)
    assert (len(layers), list(unresolved)) == (1, [])


def test_usd_at_a_fractional_rate(exported: Export) -> None:
    stage = Usd.Stage.Open(str(exported("usd", ".usdc", fps="23.976")))
    assert stage.GetTimeCodesPerSecond() == 24000 / 1001
    assert stage.GetEndTimeCode() == 25  # frames 0 to 24 of a second, counted from 1


@pytest.mark.parametrize("rate", ["23.976", "29.97df", "59.94df"])
def test_usd_keys_of_a_steady_take_stand_on_whole_frames(tmp_path: Path, rate: str) -> None:
    rate_hz = float(RATES[rate].fraction)
    frames = [tracked_frame(i, rate_hz=rate_hz) for i in range(60)]
    steady = make_take(tmp_path / "steady", frames, clip_info(rate))
    export_take(steady, find_format("usd"), tmp_path / "out.usda", ExportOptions(first_frame=1001))
    stage = Usd.Stage.Open(str(tmp_path / "out.usda"))
    query = UsdSkel.Cache().GetSkelQuery(UsdSkel.Skeleton.Get(stage, "/Face/Skeleton"))
    samples = query.GetAnimQuery().GetBlendShapeWeightTimeSamples()
    assert list(samples) == list(range(1001, 1061))
    assert stage.GetEndTimeCode() == 1060


def test_usd_keys_between_frames_stay_there(tmp_path: Path) -> None:
    frames = [tracked_frame(i, rate_hz=40) for i in range(3)]
    slow = make_take(tmp_path / "slow", frames, clip_info("60"))
    export_take(slow, find_format("usd"), tmp_path / "out.usda", ExportOptions())
    stage = Usd.Stage.Open(str(tmp_path / "out.usda"))
    query = UsdSkel.Cache().GetSkelQuery(UsdSkel.Skeleton.Get(stage, "/Face/Skeleton"))
    assert list(query.GetAnimQuery().GetBlendShapeWeightTimeSamples()) == [1.0, 2.5, 4.0]


def maya_keys(path: Path, attribute: str) -> list[tuple[float, float]]:
    """Read a curve as the plug-in's documentation lays the file out."""
    text = path.read_text()
    block = re.search(
        rf"anim {attribute} {attribute} face 0 0 \d+;\nanimData \{{(.*?)\n\}}\n", text, re.S
    )
    assert block is not None
    keys = re.search(r"keys \{\n(.*?)\n  \}", block[1], re.S)
    assert keys is not None
    rows = [line.strip().rstrip(";").split() for line in keys[1].splitlines()]
    assert all(row[2:] == ["linear", "linear", "1", "1", "0"] for row in rows)
    return [(float(row[0]), float(row[1])) for row in rows]


def test_maya_anim(exported: Export, take: Take) -> None:
    path = exported("maya")
    header = path.read_text().splitlines()[:7]
    assert header == [
        "animVersion 1.1;",
        "mayaVersion 2024;",
        "timeUnit ntscf;",
        "linearUnit cm;",
        "angularUnit deg;",
        "startTime 1;",
        "endTime 61;",
    ]
    keys = maya_keys(path, "AU12_L")
    assert len(keys) == take.n_rows
    assert keys[10] == (11.0, 1.0)
    assert keys[35][1] == pytest.approx(smile(35))


def test_maya_resampled(exported: Export) -> None:
    path = exported("maya", fps="30", rig="arkit52")
    assert "timeUnit ntsc;" in path.read_text()
    assert maya_keys(path, "mouthSmileRight")[5] == (6.0, 1.0)


def test_maya_attributes_have_names_that_maya_takes(exported: Export) -> None:
    text = exported("maya", rig="vrcft2", node="bs").read_text()
    heads = re.findall(r"^anim (.*);$", text, re.M)
    assert len(heads) == 97
    for head in heads:
        path, leaf, node, row, child, _ = head.split(" ")
        assert re.fullmatch(r"[A-Za-z]\w*", leaf)
        assert (path, node, row, child) == (leaf, "bs", "0", "0")
    assert any(head.startswith("Head_Yaw ") for head in heads)


def clip_tracks(path: Path) -> tuple[dict[str, str], dict[str, list[float]]]:
    header: dict[str, str] = {}
    tracks: dict[str, list[float]] = {}
    name = ""
    for line in path.read_text().splitlines():
        key, _, value = (part.strip() for part in line.partition("="))
        if key == "name":
            name = value
        elif key == "data":
            tracks[name] = [float(number) for number in value.split()]
        elif value:
            header[key] = value
    return header, tracks


def test_houdini_clip_and_chan(exported: Export, take: Take, tmp_path: Path) -> None:
    header, tracks = clip_tracks(exported("clip"))
    assert header == {"rate": "60", "start": "1", "tracklength": "61", "tracks": str(N_AU + 10)}
    assert all(len(track) == take.n_rows for track in tracks.values())
    assert tracks["AU12_L"][10] == 1.0
    assert tracks["head_yaw"][10] == pytest.approx(np.degrees(0.1), abs=1e-4)
    (tmp_path / "out.clip").unlink()
    rows = np.loadtxt(exported("chan"))
    assert rows.shape == (take.n_rows, len(tracks))
    np.testing.assert_allclose(rows.T, list(tracks.values()), rtol=1e-5)


def test_nuke_chan(exported: Export, take: Take) -> None:
    rows = np.loadtxt(exported("nuke", first_frame=1001))
    assert rows.shape == (take.n_rows, 7)
    frame, x, y, z, rx, ry, rz = rows[10]
    assert (frame, x, y) == (1011, 1.0, 2.0)
    assert z == pytest.approx(-61.0)
    # Nuke's ZXY applies z, then x, then y.
    forward = Rotation.from_euler("zxy", [rz, rx, ry], degrees=True).apply([0, 0, 1])
    expected = Rotation.from_euler("YXZ", [0.1, -0.2, 0.05]).apply([0, 0, 1])
    np.testing.assert_allclose(forward, expected, atol=1e-6)


def test_otio(exported: Export, take: Take) -> None:
    timeline = otio.adapters.read_from_file(str(exported("otio")))
    (clip,) = timeline.find_clips()
    assert clip.source_range.duration.value == take.n_rows
    assert clip.source_range.start_time.to_timecode() == "01:00:00:00"
    (marker,) = clip.markers
    assert (marker.name, marker.marked_range.start_time.to_timecode()) == (
        "big smile",
        "01:00:00:30",
    )


@pytest.fixture
def drop_frame_take(tmp_path: Path) -> Take:
    """60 frames at 29.97 drop-frame over the start of a minute; marks at frames 5 and 11."""
    folder = tmp_path / "drop"
    folder.mkdir()
    writer = TakeWriter(folder, clip_info("29.97df", "00:00:59;20"), CLOCK)
    frames = [tracked_frame(i, rate_hz=30000 / 1001) for i in range(60)]
    writer.append(frames)
    for i in (5, 11):
        t_ns = frames[i].t_ns
        writer.mark(Marker(i, i, t_ns, writer.timecode_frame(t_ns), "mark", f"mark {i}"))
    writer.close()
    return Take(folder)


def test_edit_lists_count_as_drop_frame_does(drop_frame_take: Take, tmp_path: Path) -> None:
    for name in ("edl", "otio"):
        export_take(drop_frame_take, find_format(name), tmp_path / f"out.{name}", ExportOptions())
    text = (tmp_path / "out.edl").read_text()
    assert "FCM: DROP FRAME" in text
    assert "C        00:00:59;20 00:01:01;22 00:00:59;20 00:01:01;22" in text
    assert re.findall(r"LOC: (\S+)", text) == ["00:00:59;25", "00:01:00;03"]
    adapter = pytest.importorskip("otio_cmx3600_adapter.cmx_3600")
    (event,) = adapter.read_from_string(text, rate=30000 / 1001).find_clips()
    assert (event.source_range.start_time.value, event.source_range.duration.value) == (1790, 60)
    (clip,) = otio.adapters.read_from_file(str(tmp_path / "out.otio")).find_clips()
    assert (clip.source_range.start_time.value, clip.source_range.duration.value) == (1790, 60)
    labels = [
        otio.opentime.to_timecode(mark.marked_range.start_time, 30000 / 1001, drop_frame=True)
        for mark in clip.markers
    ]
    assert labels == ["00:00:59;25", "00:01:00;03"]


def test_tables_count_as_drop_frame_does(drop_frame_take: Take, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    export_take(drop_frame_take, find_format("csv"), path, ExportOptions(timecode=True))
    with path.open(newline="") as file:
        labels = [row["timecode"] for row in csv.DictReader(file)]
    assert labels[9:12] == ["00:00:59;29", "00:01:00;02", "00:01:00;03"]
    export_take(drop_frame_take, find_format("livelinkface"), path, ExportOptions(fps="59.94df"))
    with path.open(newline="") as file:
        labels = [row["Timecode"] for row in csv.DictReader(file)]
    assert labels[19:21] == ["00:00:59:59.000", "00:01:00:04.000"]


def test_otio_markers_past_midnight_stay_in_the_clip(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    folder.mkdir()
    writer = TakeWriter(folder, clip_info("23.976", "23:59:59:20"), CLOCK)
    frames = [tracked_frame(i, rate_hz=24000 / 1001) for i in range(12)]
    writer.append(frames)
    t_ns = frames[6].t_ns
    writer.mark(Marker(6, 6, t_ns, writer.timecode_frame(t_ns), "mark", "past midnight"))
    writer.close()
    export_take(Take(folder), find_format("otio"), tmp_path / "out.otio", ExportOptions())
    (clip,) = otio.adapters.read_from_file(str(tmp_path / "out.otio")).find_clips()
    (marker,) = clip.markers
    assert clip.source_range.contains(marker.marked_range.start_time)
    assert (marker.marked_range.start_time - clip.source_range.start_time).value == 6


def test_edl(exported: Export) -> None:
    text = exported("edl").read_text()
    assert "FCM: NON-DROP FRAME" in text
    assert "001  AX       V     C        01:00:00:00 01:00:01:01 01:00:00:00 01:00:01:01" in text
    assert "* LOC: 01:00:00:30 GREEN   big smile" in text
    adapter = pytest.importorskip("otio_cmx3600_adapter.cmx_3600")
    timeline = adapter.read_from_string(text, rate=60)
    (clip,) = timeline.find_clips()
    assert clip.name == "smile_003"
    assert [marker.name for marker in clip.markers] == ["big smile"]
