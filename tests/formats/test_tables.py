"""Tables: each read back by somebody else's reader, exact at known frames."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from livefacs.errors import ConfigError
from livefacs.formats.curves import ExportOptions, curves_from_take, values_from_take
from livefacs.formats.export import FORMATS, check_export, export_take, find_format
from livefacs.formats.livelink_csv import COLUMNS, fractional_labels
from livefacs.formats.openface_csv import HEADER, tracking_confidence
from livefacs.formats.resampling import smooth_zero_phase
from livefacs.mesh import DLIB_68
from livefacs.retarget.library import load_rig
from livefacs.retarget.retargeter import Retargeter
from livefacs.take.reader import Take
from livefacs.types import RigFrame
from livefacs.vocab.facs import CHANNEL_INDEX
from tests.take.synthetic import CONTROLS, clip_info, make_take, tracked_frame

Export = Callable[..., Path]


def test_jsonl(exported: Export, take: Take) -> None:
    lines = [json.loads(line) for line in exported("jsonl").read_text().splitlines()]
    assert (lines[0]["format"], lines[0]["slate"], lines[0]["number"]) == (
        "livefacs-jsonl",
        "smile",
        3,
    )
    assert len(lines) == take.n_rows + 1
    frame = lines[1 + 10]
    assert (frame["frame"], frame["timecode"]) == (10, "01:00:00:10")
    assert frame["t_ns"] == tracked_frame(10).t_ns
    assert frame["values"]["AU12_L"] == 1.0
    assert frame["values"]["AU26"] == pytest.approx(0.01)
    assert frame["values"]["AU9_L"] is None
    assert frame["head"]["yaw_rad"] == pytest.approx(0.1)
    assert frame["gaze"]["right_pitch_rad"] == -0.04


@pytest.mark.parametrize(("fps", "lost"), [("", 40), ("30", 20)])
def test_held_values_are_told_from_measured_ones(exported: Export, fps: str, lost: int) -> None:
    path = exported("jsonl", fps=fps)
    frames = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    path.unlink()
    assert [i for i, frame in enumerate(frames) if not frame["face"]] == [lost]
    faces = parquet.read_table(exported("parquet", fps=fps))["face"].to_pylist()
    assert [i for i, face in enumerate(faces) if not face] == [lost]


@pytest.fixture(scope="module")
def with_hole(tmp_path_factory: pytest.TempPathFactory) -> Take:
    """60 fps, nothing from 0.5 to 1.5 s."""
    frames = [tracked_frame(i) for i in (*range(30), *range(90, 120))]
    return make_take(tmp_path_factory.mktemp("hole") / "t", frames)


def test_formats_that_cannot_say_where_no_face_was_seen_tell_it_once(
    with_hole: Take, take: Take, tmp_path: Path
) -> None:
    """Rows of tables have a flag; curves are held, lists name nothing."""
    told = set()
    names = set(FORMATS) - {"wav", "mp4"}  # pictures and sound
    for file_format in map(find_format, sorted(names)):
        path = tmp_path / f"{file_format.name}{file_format.suffixes[0]}"
        options = ExportOptions()
        notices = export_take(with_hole, file_format, path, options)
        assert export_take(take, file_format, path, options) == ()  # a single frame is bridged
        if notices:
            (notice,) = notices
            assert notice.startswith("no face from 0.48 to 1.50 s: ")
            assert ("held" in notice) != file_format.is_list
            told.add(file_format.name)
    assert names - told == {"csv", "jsonl", "parquet", "openface", "edl", "otio"}


def test_stretches_without_a_face_are_told_from_end_to_end(tmp_path: Path) -> None:
    seen = [*range(30, 60), *range(65, 90), *range(120, 130), 150, 170, 190, 210]
    frames = [tracked_frame(i, face=i in seen) for i in range(240)]
    take = make_take(tmp_path / "take", frames)
    notices = export_take(take, FORMATS["nuke"], tmp_path / "a.chan", ExportOptions())
    assert notices == (
        "no face from 0.00 to 0.50 s, 1.48 to 2.00 s, 2.15 to 2.50 s, 2.50 to 2.83 s and 3 more:"
        " values are held there, or 0 before the first",
    )
    slow = make_take(tmp_path / "slow", [tracked_frame(i, rate_hz=1) for i in range(9)])
    assert export_take(slow, FORMATS["nuke"], tmp_path / "b.chan", ExportOptions()) == ()


def test_in_a_hole_of_the_recording_no_face_was_seen(with_hole: Take, tmp_path: Path) -> None:
    """At 24 fps 12 frames before it, 24 in it: nothing that is held passes for measured."""
    options = ExportOptions(fps="24", confidence=True)
    for name in ("csv", "jsonl", "parquet"):
        export_take(with_hole, find_format(name), tmp_path / f"out.{name}", options)
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    hole = [i for i, row in enumerate(rows) if row["face"] == "0"]
    assert hole == list(range(12, 36))
    for row in (rows[i] for i in hole):
        assert row["confidence"] == "0"
        assert {value for name, value in row.items() if name.startswith(("head", "AU"))} == {""}
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()[1:]]
    assert [i for i, line in enumerate(lines) if not line["face"]] == hole
    assert {lines[20]["values"]["AU12_L"], lines[20]["confidence"]["AU12_L"]} == {None, 0}
    table = parquet.read_table(tmp_path / "out.parquet")
    assert [i for i, face in enumerate(table["face"].to_pylist()) if not face] == hole
    assert table["AU12_L_confidence"][20].as_py() == 0.0


def test_smoothing_does_not_reach_over_a_hole(with_hole: Take) -> None:
    """Each part comes out as it does alone."""
    curves = curves_from_take(with_hole, ExportOptions(smooth_hz=6.0))
    times_ns = np.array(with_hole.t_ns)
    for rows in (slice(0, 30), slice(30, 60)):
        values = np.array(with_hole.intensity[rows])
        alone = smooth_zero_phase(times_ns[rows], values, 6.0)
        np.testing.assert_allclose(curves.values[rows], alone, atol=1e-5)


def test_jsonl_of_a_recorded_rig(exported: Export) -> None:
    lines = [json.loads(line) for line in exported("jsonl", rig="arkit52").read_text().splitlines()]
    assert lines[0]["rig"] == "arkit52"
    assert lines[11]["values"] == {"jawOpen": 0, "mouthSmileLeft": 0.5, "mouthSmileRight": 1}
    assert tuple(lines[11]["values"]) == CONTROLS


def test_controls_may_have_any_name(exported: Export, tmp_path: Path) -> None:
    """A rig of one's own: names with a comma, a percent sign, letters that read as NaN."""
    names = ["50 %", "dominance, left", 'the "nan": nan']
    rig = tmp_path.parent / "own.toml"
    tables = [f"[controls.'{name}']\nterms = {{ AU12_L = 1.0 }}\n" for name in names]
    header = '[rig]\ntitle = "own"\naudience = "a test"\nnames_from = "a test"\n'
    rig.write_text(header + "".join(tables))
    path = exported("jsonl", rig=str(rig))
    frame = json.loads(path.read_text().splitlines()[1 + 10])
    assert frame["values"] == dict.fromkeys(names, 1.0)
    path.unlink()
    with exported("csv", rig=str(rig)).open(newline="") as file:
        row = list(csv.DictReader(file))[10]
    assert [row[name] for name in names] == ["1.000000"] * 3


def test_unknown_values_are_null_whatever_the_names(tmp_path: Path) -> None:
    controls = ("dominance", "100%")
    frames = [tracked_frame(i, controls=controls, rig="own") for i in range(3)]
    unknown = RigFrame("own", controls, np.array([np.nan, 0.5], np.float32))
    frames[1] = replace(frames[1], rigs={"own": unknown})
    take = make_take(tmp_path / "t", frames)
    export_take(take, find_format("jsonl"), tmp_path / "out.jsonl", ExportOptions(rig="own"))
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert json.loads(lines[2])["values"] == {"dominance": None, "100%": 0.5}


def test_a_rig_before_the_live_filter(exported: Export, take: Take) -> None:
    """The recorded units are a tenth stronger before the filter."""
    retargeter = Retargeter(load_rig("livelink61"))
    frame = take.tracked(14)
    expected = retargeter.retarget(
        replace(frame, units=replace(frame.units, intensity=frame.units.raw))
    )
    smile = expected.values[expected.controls.index("MouthSmileLeft")]
    with exported("livelinkface", raw=True).open(newline="") as file:
        assert list(csv.DictReader(file))[14]["MouthSmileLeft"] == f"{smile:.10f}"
    curves = curves_from_take(take, ExportOptions(rig="livelink61", raw=True))
    assert curves.values[14, curves.names.index("MouthSmileLeft")] == smile
    filtered = curves_from_take(take, ExportOptions(rig="livelink61"))
    assert filtered.values[14, filtered.names.index("MouthSmileLeft")] < smile


def test_parquet(exported: Export, take: Take) -> None:
    table = parquet.read_table(exported("parquet", confidence=True))
    assert table.num_rows == take.n_rows
    row = {name: table[name][10].as_py() for name in table.column_names}
    assert (row["frame"], row["t_ns"], row["AU12_L"]) == (10, tracked_frame(10).t_ns, 1.0)
    assert row["AU9_L"] is None
    assert row["AU12_L_confidence"] == 1.0
    assert (
        table["AU12_L"].to_numpy().tobytes() == take.intensity[:, CHANNEL_INDEX["AU12_L"]].tobytes()
    )
    assert json.loads(table.schema.metadata[b"livefacs"])["slate"] == "smile"


def test_openface_by_the_rules_of_its_readers(exported: Export, take: Take) -> None:
    table = arrow_csv.read_csv(exported("openface"))
    assert tuple(table.column_names) == HEADER
    assert table.num_rows == take.n_rows
    row = {name: table[name][30].as_py() for name in table.column_names}
    assert (row["frame"], row["face_id"], row["timestamp"], row["success"]) == (31, 0, 0.5, 1)
    assert row["AU12_r"] == 3.75  # sides 1 and .5, on 0 to 5
    assert row["AU12_c"] == 1.0
    assert row["AU26_r"] == 0.15
    assert row["AU26_c"] == 0.0
    assert row["AU23_r"] is None
    assert row["AU23_c"] is None
    assert row["pose_Tz"] == 630.0
    points = tracked_frame(30).landmarks.points_px
    assert row["x_0"] == pytest.approx(points[DLIB_68[0], 0], abs=0.051)
    assert row["y_67"] == pytest.approx(points[DLIB_68[67], 1], abs=0.051)
    lost = {name: table[name][40].as_py() for name in table.column_names}
    assert (lost["success"], lost["confidence"], lost["x_0"]) == (0, 0.0, None)
    assert {lost[name] for name in HEADER[5:]} == {None}  # nothing held passes for measured


def seen_face(side_px: float = 200.0, x_px: float = 320.0) -> np.ndarray:
    """A mesh (1, 478, 3) of that size, around a place of a 640 × 480 picture."""
    points = np.random.default_rng(3).uniform(-0.5, 0.5, (1, 478, 3))
    points[0, :2, :2] = ((-0.5, -0.5), (0.5, 0.5))
    return np.asarray(points * side_px + (x_px, 240.0, 0.0), np.float32)


@pytest.mark.parametrize(
    ("points", "yaw_deg", "pitch_deg", "low", "high"),
    [
        (seen_face(), 0, 0, 0.98, 0.98),
        (seen_face(), 15, -10, 0.98, 0.98),
        (seen_face(), 30, 0, 0.85, 0.9),
        (seen_face(), 50, 0, 0.5, 0.7),
        (seen_face(), 35, 35, 0.5, 0.72),
        (seen_face(), -90, 0, 0.2, 0.3),
        (seen_face(side_px=100), 0, 0, 0.98, 0.98),
        (seen_face(side_px=40), 0, 0, 0.2, 0.7),
        (seen_face(x_px=590), 0, 0, 0.2, 0.5),
        (seen_face(x_px=530), 0, 0, 0.98, 0.98),
        (np.full((1, 478, 3), np.nan, np.float32), 0, 0, 0.0, 0.0),
    ],
)
def test_openface_confidence_means_tracking(
    points: np.ndarray, yaw_deg: float, pitch_deg: float, low: float, high: float
) -> None:
    """Scripts keep rows from .7 to .9 on: a clear face passes all of them, a doubtful one none."""
    yaw, pitch = np.radians([[yaw_deg], [pitch_deg]])
    size = np.array([640.0]), np.array([480.0])
    (confidence,) = tracking_confidence(points, yaw, pitch, *size)
    assert low - 1e-9 <= confidence <= high + 1e-9


def test_openface_rows_pass_the_filters_of_its_scripts(tmp_path: Path) -> None:
    """Frames 0 and 1: a clear face, whatever the units' own confidence; 2: none; 3: small."""
    frames = [tracked_frame(i, face=i != 2) for i in range(4)]
    for i_frame, points in ((0, seen_face()), (1, seen_face()), (3, seen_face(side_px=30))):
        frame = frames[i_frame]
        doubted = replace(frame.units, confidence=np.full_like(frame.units.confidence, 0.3))
        landmarks = replace(frame.landmarks, points_px=points[0])
        frames[i_frame] = replace(frame, landmarks=landmarks, units=doubted)
    take = make_take(tmp_path / "t", frames)
    export_take(take, find_format("openface"), tmp_path / "of.csv", ExportOptions())
    first, second, lost, small = arrow_csv.read_csv(tmp_path / "of.csv")["confidence"].to_pylist()
    assert first == second == 0.98
    assert lost == 0.0
    assert 0.0 < small < 0.7


def test_openface_with_blanks_as_its_own_program(exported: Export, take: Take) -> None:
    plain = exported("openface")
    expected = [line.split(",") for line in plain.read_text().splitlines()]
    plain.unlink()
    path = exported("openface", header_blanks=True)
    header, *lines = path.read_text().splitlines()
    assert header == ", ".join(HEADER)
    assert [name for name in header.split(",") if name == " AU12_r"]
    for line, cells in zip(lines, expected[1:], strict=True):
        read = line.split(",")  # as scripts do that know nothing of blanks
        assert [cell.strip() for cell in read] == cells
        assert all(cell == "" or float(cell) == float(cell) for cell in read)  # no blank alone
    with pytest.raises(ConfigError, match="--header-blanks"):
        exported("csv", header_blanks=True)


def test_openface_angles_have_its_signs(exported: Export) -> None:
    """Yaw 0.1 to the performer's left at frame 10; gaze straight on the other axes."""
    table = arrow_csv.read_csv(exported("openface"))
    assert table["pose_Rx"][0].as_py() == pytest.approx(-0.2, abs=2e-3)
    assert table["pose_Ry"][10].as_py() < -0.08
    gaze = [table[f"gaze_0_{axis}"][0].as_py() for axis in "xyz"]
    assert np.linalg.norm(gaze) == pytest.approx(1, abs=1e-5)
    assert gaze[2] < -0.9  # towards the camera
    assert table["gaze_angle_x"][0].as_py() > 0.08  # to the performer's left
    assert table["gaze_angle_y"][0].as_py() < -0.2  # head and eyes up


def test_live_link_face_as_the_phone_writes_it(exported: Export, take: Take) -> None:
    path = exported("livelinkface")
    lines = path.read_bytes().split(b"\n")
    assert lines[0].decode() == "Timecode,BlendShapeCount," + ",".join(COLUMNS)
    assert lines[1].startswith(b"01:00:00:00.000,61,")
    assert b"\r" not in path.read_bytes()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == take.n_rows
    assert rows[10]["Timecode"] == "01:00:00:10.000"
    assert rows[10]["BlendShapeCount"] == "61"
    retargeter = Retargeter(load_rig("livelink61"))
    for i_frame in range(31):
        expected = retargeter.retarget(tracked_frame(i_frame))
    for name, value in zip(expected.controls, expected.values.tolist(), strict=True):
        assert rows[30][name] == f"{value:.10f}"
    assert float(rows[30]["MouthSmileLeft"]) > float(rows[30]["MouthSmileRight"]) > 0.3


def test_live_link_face_labels_between_frames(tmp_path: Path) -> None:
    frames = [tracked_frame(i) for i in range(3)]
    slow = make_take(tmp_path, frames, clip_info("24", "10:00:00:00"))
    labels = fractional_labels(curves_from_take(slow, ExportOptions()))
    assert labels == ["10:00:00:00.000", "10:00:00:00.400", "10:00:00:00.800"]


def test_other_rigs_are_refused_where_the_format_is_for_one(exported: Export) -> None:
    with pytest.raises(ConfigError, match="holds the rig livelink61"):
        exported("livelinkface", rig="vrm1")
    with pytest.raises(ConfigError, match="leave out --rig"):
        exported("openface", rig="arkit52")


@pytest.mark.parametrize("fps", ["", "24"])
def test_confidences_are_there_where_asked_resampled_or_not(
    exported: Export, tmp_path: Path, fps: str
) -> None:
    table = parquet.read_table(exported("parquet", confidence=True, fps=fps))
    assert table["AU12_L_confidence"].to_pylist() == [1.0] * table.num_rows
    (tmp_path / "out.parquet").unlink()
    lines = exported("jsonl", confidence=True, fps=fps).read_text().splitlines()[1:]
    assert len(lines) == table.num_rows
    assert all(json.loads(line)["confidence"]["AU12_L"] == 1.0 for line in lines)


def test_a_rig_of_unfiltered_units_is_that_of_the_raw_ones(take: Take) -> None:
    names, filtered = values_from_take(take, ExportOptions(rig="vrm1"))
    _, raw = values_from_take(take, ExportOptions(rig="vrm1", raw=True))
    column = next(i for i in range(len(names)) if 0 < filtered[5, i] < 0.8)
    assert raw[5, column] == pytest.approx(1.1 * filtered[5, column], rel=0.02)


@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("csv", {"fps": "31"}, "no timecode rate"),
        ("csv", {"rig": "nobody"}, "no rig"),
        ("csv", {"smooth_hz": -1.0}, "0 .none. or more"),
        ("csv", {"smooth_hz": float("nan")}, "0 .none. or more"),
        ("openface", {"fps": "24"}, "leave out"),
        ("nuke", {"rig": "arkit52"}, "head alone"),
        ("livelinkface", {"rig": "arkit52"}, "livelink61"),
    ],
)
def test_errors_are_found_before_any_work(
    name: str, options: dict[str, object], error: str
) -> None:
    with pytest.raises(ConfigError, match=error):
        check_export(find_format(name), ExportOptions(**options))  # type: ignore[arg-type]
    check_export(find_format(name), ExportOptions(smooth_hz=6.0, confidence=True))


WITHOUT_SOUND = [n for n, each in FORMATS.items() if not each.of_sound]


@pytest.mark.parametrize("name", [n for n in WITHOUT_SOUND if n != "vmd"])  # names of 15 bytes
def test_names_that_are_no_text_are_written_as_escapes(tmp_path: Path, name: str) -> None:
    """Lone surrogates and control characters, which no encoding of a file takes."""
    odd = "x\ud800\x00\x1by"
    folder = make_take(tmp_path / "t", [tracked_frame(i) for i in range(20)]).folder
    document = json.loads((folder / "take.json").read_text())
    document |= {"slate": odd, "notes": odd, "landmarker": odd}
    for entry in document["streams"]:
        entry["controls"] = [control + odd for control in entry.get("controls", ())]
    (folder / "take.json").write_text(json.dumps(document))
    mark = {"row": 0, "i_frame": 0, "t_ns": 0, "timecode": 0, "kind": "mark", "label": odd}
    (folder / "markers.jsonl").write_text(json.dumps(mark) + "\n")
    rig = "" if FORMATS[name].is_list or name in ("nuke", "livelinkface", "openface") else "arkit52"
    path = tmp_path / f"a{FORMATS[name].suffixes[0]}"
    export_take(Take(folder), FORMATS[name], path, ExportOptions(rig=rig))
    assert path.stat().st_size
