"""A take gives back what was put in, whatever happened to the process or the disk."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livefacs.clock import ClockMap
from livefacs.errors import TakeError
from livefacs.take.catalog import find_takes, repair
from livefacs.take.layout import (
    Marker,
    TakeInfo,
    TimecodeStart,
    make_take_folder,
)
from livefacs.take.reader import Take
from livefacs.take.writer import TakeWriter
from livefacs.timecode import RATES
from livefacs.types import Readings, TrackedFrame
from livefacs.vocab.readings import N_BLENDSHAPES, N_PATCHES, N_TEXTURE

from .synthetic import CLOCK, CONTROLS, clip_info, make_take, tracked_frame


def assert_same(found: TrackedFrame, expected: TrackedFrame) -> None:
    assert (found.i_frame, found.t_ns, found.health) == (
        expected.i_frame,
        expected.t_ns,
        expected.health,
    )
    assert (found.head, found.gaze, found.image_size) == (
        expected.head,
        expected.gaze,
        expected.image_size,
    )
    for name in ("intensity", "raw", "confidence"):
        np.testing.assert_array_equal(getattr(found.units, name), getattr(expected.units, name))
    assert (found.landmarks is None) == (expected.landmarks is None)
    if found.landmarks is not None and expected.landmarks is not None:
        assert found.landmarks.points_px.tobytes() == expected.landmarks.points_px.tobytes()
        assert found.landmarks.n_faces == expected.landmarks.n_faces
    assert found.rigs.keys() == expected.rigs.keys()
    for name, rig in found.rigs.items():
        assert rig.controls == expected.rigs[name].controls
        np.testing.assert_array_equal(rig.values, expected.rigs[name].values)
    assert found.stage_ns == expected.stage_ns


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    frames = [tracked_frame(i, face=i % 7 != 3) for i in range(120)]
    take = make_take(tmp_path / "take", frames)
    assert (take.n_rows, take.n_torn_bytes, take.state) == (120, 0, "closed")
    for found, expected in zip(take, frames, strict=True):
        assert_same(found, expected)


def test_readings_come_back_from_the_row_they_begin_with(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [tracked_frame(i, face=i != 3) for i in range(6)]
    for i in (2, 4, 5):
        readings = Readings(
            rng.normal(size=(N_PATCHES, 3)).astype(np.float32),
            rng.integers(0, 256, N_TEXTURE).astype(np.uint8),
            rng.uniform(size=N_BLENDSHAPES).astype(np.float32),
        )
        landmarks = replace(frames[i].landmarks, readings=readings)
        frames[i] = replace(frames[i], landmarks=landmarks)
    take = make_take(tmp_path / "take", frames[:2])
    assert take.readings(1) is None
    writer = TakeWriter(make_folder(tmp_path / "more"), clip_info(), CLOCK)
    writer.append(frames[:2])
    writer.append(frames[2:])
    writer.close()
    take = Take(tmp_path / "more")
    assert [take.readings(row) is not None for row in range(6)] == [False] * 2 + [
        True,
        False,
        True,
        True,
    ]
    for row in (2, 4, 5):
        found, given = take.tracked(row).landmarks.readings, frames[row].landmarks.readings
        for name in ("patches", "texture", "blendshapes"):
            assert getattr(found, name).tobytes() == getattr(given, name).tobytes()


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_columns_are_mapped_not_loaded(tmp_path: Path) -> None:
    take = make_take(tmp_path, [tracked_frame(i) for i in range(10)])
    for column in (take.intensity, take.points_px, take.rig("arkit52")[1], take.t_ns):
        base = column
        while isinstance(base.base, np.ndarray):
            base = base.base
        assert isinstance(base, np.memmap)


def test_the_document_says_what_is_needed(tmp_path: Path) -> None:
    info = clip_info("29.97df", "01:00:00;00", notes="prop on set", weights={"name": "w1"})
    take = make_take(tmp_path, [tracked_frame(i, rate_hz=30000 / 1001) for i in range(3)], info)
    document = take.document
    assert document["timecode"]["numerator"] == 30000
    assert document["timecode"]["denominator"] == 1001
    assert (document["notes"], document["weights"]) == ("prop on set", {"name": "w1"})
    assert document["clock"]["unix_ns"] == CLOCK.unix_ns
    assert document["software"]["livefacs"]
    assert [take.timecode(row) for row in range(3)] == [
        "01:00:00;00",
        "01:00:00;01",
        "01:00:00;02",
    ]
    fields = {field["name"]: field for field in document["streams"][0]["fields"]}
    assert fields["t_ns"]["dtype"] == "<i8"
    assert "radians" in fields["head"]["unit"]


@pytest.mark.parametrize(
    ("rate", "last", "later"),
    [("25", "23:59:59:24", "00:00:00:05"), ("29.97df", "23:59:59;29", "00:00:00;05")],
)
def test_timecode_goes_over_midnight(tmp_path: Path, rate: str, last: str, later: str) -> None:
    info = clip_info(rate=rate, start=last)
    rate_hz = float(RATES[rate].fraction)
    frames = [tracked_frame(i, rate_hz=rate_hz) for i in range(8)]
    (tmp_path / "w").mkdir()
    writer = TakeWriter(tmp_path / "w", info, CLOCK)
    writer.append(frames)
    assert writer.timecode_label(frames[0].t_ns) == last
    assert writer.timecode_label(frames[6].t_ns) == later
    assert writer.timecode_frame(frames[6].t_ns) == 5
    writer.close()
    assert Take(tmp_path / "w").timecode(6) == later


def test_timecode_of_day_and_of_a_clip() -> None:
    start, start_ns = TimecodeStart(RATES["25"]).anchor(CLOCK)
    assert start_ns == CLOCK.session_ns
    assert 0 <= start < RATES["25"].frames_a_day
    clip = TimecodeStart(RATES["24"], "clip", "10:00:00:00")
    assert clip.anchor(ClockMap(0, 0)) == (10 * 3600 * 24, 0)


def test_a_map_that_changes_while_live_keeps_both(tmp_path: Path) -> None:
    frames = [
        *(tracked_frame(i) for i in range(60)),
        *(tracked_frame(i, controls=(*CONTROLS, "tongueOut")) for i in range(60, 130)),
        *(tracked_frame(i, rig="vrm1") for i in range(130, 140)),
    ]
    take = make_take(tmp_path, frames)
    for found, expected in zip(take, frames[:130], strict=False):
        assert_same(found, expected)
    controls, values = take.rig("arkit52")
    assert controls == (*CONTROLS, "tongueOut")
    assert np.isnan(values[59, 3])
    assert values[70, 3] == frames[70].rigs["arkit52"].values[3]
    assert np.isnan(values[135]).all()
    with pytest.raises(TakeError, match="recorded: arkit52, vrm1"):
        take.rig("metahuman")


def test_mirrored_rigs_are_kept_apart(tmp_path: Path) -> None:
    frame = tracked_frame(4).mirrored()
    take = make_take(tmp_path, [frame])
    assert take.rig_names == ("arkit52 mirrored",)
    assert_same(take.tracked(0).mirrored(), tracked_frame(4).mirrored().mirrored())


def test_markers_come_back_and_a_torn_line_is_ignored(tmp_path: Path) -> None:
    writer = TakeWriter(tmp_path, clip_info(), CLOCK)
    writer.append([tracked_frame(0)])
    marker = Marker(0, 0, tracked_frame(0).t_ns, 216000, "mark", "läuft – “go”")
    writer.mark(marker)
    writer.close()
    with (tmp_path / "markers.jsonl").open("ab") as file:
        file.write(b'{"row": 1, "i_fr')
    assert Take(tmp_path).markers == (marker,)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_torn_tail_leaves_the_rows_before_it(tmp_path: Path, data: st.DataObject) -> None:
    folder = tmp_path / f"take{data.draw(st.integers(0, 10**12))}_{os.urandom(4).hex()}"
    frames = [tracked_frame(i) for i in range(5)]
    make_take(folder, frames)
    stream = data.draw(st.sampled_from(["frames.rec", "landmarks.rec", "rig_arkit52.rec"]))
    path = folder / stream
    whole = path.stat().st_size
    n_bytes = data.draw(st.integers(0, whole))
    contents = path.read_bytes()[:n_bytes]
    if data.draw(st.booleans()):  # a page that the system never wrote reads as zeros
        contents += bytes(whole - n_bytes)
    path.write_bytes(contents)
    take = Take(folder)
    expected = n_bytes * 5 // whole
    # Zeros in place of zero bytes, or of values after the row number, cannot be told apart.
    assert expected <= take.n_rows <= min(5, expected + 1)
    for row in range(expected):
        assert_same(take.tracked(row), frames[row])


def test_repair_cuts_the_tail_and_keeps_it(tmp_path: Path) -> None:
    make_take(tmp_path / "t", [tracked_frame(i) for i in range(8)])
    document = json.loads((tmp_path / "t/take.json").read_text())
    (tmp_path / "t/take.json").write_text(
        json.dumps({**document, "state": "recording", "summary": None})
    )
    with (tmp_path / "t/frames.rec").open("ab") as file:
        file.write(b"half a record")
    assert Take(tmp_path / "t").n_torn_bytes == 13
    report = repair(tmp_path / "t")
    assert (report.n_rows, report.torn, report.state) == (8, {"frames.rec": 13}, "recording")
    take = Take(tmp_path / "t")
    assert (take.state, take.n_torn_bytes, take.n_rows) == ("repaired", 0, 8)
    assert [path.read_bytes() for path in (tmp_path / "t/torn").iterdir()] == [b"half a record"]
    assert repair(tmp_path / "t").torn == {}


def test_names_never_go_over_an_earlier_take(tmp_path: Path) -> None:
    folders = [make_take_folder(tmp_path, "Sc 4/b", number) for number in (None, None, 1, 7, None)]
    assert [number for _, number in folders] == [1, 2, 3, 7, 8]
    assert folders[0][0].name == "Sc-4-b_001"
    assert len({folder for folder, _ in folders}) == 5


def test_a_writer_refuses_a_folder_with_a_take(tmp_path: Path) -> None:
    make_take(tmp_path, [tracked_frame(0)])
    with pytest.raises(TakeError, match="cannot write a take"):
        TakeWriter(tmp_path, clip_info())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"format": "other"}, "not of a livefacs take"),
        ({"version": 2}, "version 2 of the take format is unknown; this livefacs reads version 1"),
        ({"channels": None}, "damaged|laid out"),
        ({"streams": []}, "no stream named frames, landmarks"),
        ({"timecode": {"rate": "31"}}, "timecode rate '31'"),
        ({"channels": ["AU1_L"]}, "not laid out"),
    ],
)
def test_a_foreign_or_damaged_take_is_named(
    tmp_path: Path, change: dict[str, object], error: str
) -> None:
    make_take(tmp_path, [tracked_frame(0)])
    document = json.loads((tmp_path / "take.json").read_text())
    (tmp_path / "take.json").write_text(json.dumps({**document, **change}))
    with pytest.raises(TakeError, match=error):
        Take(tmp_path)


def test_what_is_no_take_at_all(tmp_path: Path) -> None:
    with pytest.raises(TakeError, match=r"is no take: expected a folder with take\.json"):
        Take(tmp_path)
    (tmp_path / "take.json").write_text("{ half")
    with pytest.raises(TakeError, match="is damaged"):
        Take(tmp_path)
    make_take(tmp_path / "t", [tracked_frame(0)])
    (tmp_path / "t/landmarks.rec").unlink()
    with pytest.raises(TakeError, match=r"landmarks\.rec: the stream cannot be read"):
        Take(tmp_path / "t")


def test_an_empty_take_reads(tmp_path: Path) -> None:
    take = make_take(tmp_path, [])
    assert (take.n_rows, take.duration_s, list(take)) == (0, 0.0, [])
    assert take.frame_rate_hz == 60.0


def test_find_takes_lists_the_good_and_names_the_bad(tmp_path: Path) -> None:
    make_take(tmp_path / "a_001", [tracked_frame(0)])
    (tmp_path / "b_001").mkdir()
    (tmp_path / "b_001/take.json").write_text("[]")
    takes, errors = find_takes(tmp_path)
    assert [take.name for take in takes] == ["a_001"]
    assert len(errors) == 1
    assert [take.name for take in find_takes(tmp_path / "a_001")[0]] == ["a_001"]
    with pytest.raises(TakeError, match="no such folder"):
        find_takes(tmp_path / "nowhere")


def test_info_defaults_suit_a_camera() -> None:
    assert TakeInfo().timecode.source == "time of day"


def _places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Every place in a document, by its keys."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value[:3])
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, item in items for place in _places(item, (*path, key)))]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_document_that_was_tampered_with_is_read_or_refused(
    tmp_path: Path, data: st.DataObject
) -> None:
    folder = tmp_path / "t"
    if not folder.exists():
        make_take(folder, [tracked_frame(i) for i in range(3)])
        (folder / "whole.json").write_text((folder / "take.json").read_text())
    document = json.loads((folder / "whole.json").read_text())
    place = data.draw(st.sampled_from([p for p in _places(document) if p]))
    holder = document
    for key in place[:-1]:
        holder = holder[key]
    other = st.sampled_from([None, "", "x", -1, 10**9, 0.5, [], {}, ["x"], {"x": 1}, True])
    if isinstance(holder, dict) and data.draw(st.booleans()):
        del holder[place[-1]]
    else:
        holder[place[-1]] = data.draw(other)
    (folder / "take.json").write_text(json.dumps(document))
    try:
        take = Take(folder)
    except TakeError:
        return
    assert len(list(take)) == take.n_rows <= 3
    assert not take.n_rows or take.timecode(0)
    assert take.markers == ()


def test_nothing_secret_is_recorded(tmp_path: Path) -> None:
    """Takes are handed on; the camera's password is not."""
    url = "rtsp://admin:hunter2@10.0.0.9/live?token=hunter2"
    info = clip_info(
        source=f"camera {url}",
        notes=url,
        config={"source": {"spec": url}, "stream": {"to": (url, "ws://x?key=hunter2")}},
        weights={"file": url},
        landmarker=url,
    )
    folder = make_take(tmp_path / "t", [tracked_frame(0)], info).folder
    for path in folder.rglob("*"):
        assert b"hunter2" not in path.read_bytes(), path
    assert "admin:…@10.0.0.9" in Take(folder).document["source"]["description"]
