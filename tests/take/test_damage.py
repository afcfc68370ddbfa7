"""Damaged takes: one clear line, or numbers with the damage named beside them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefacs.errors import TakeError
from livefacs.offline import SolveOptions, solve_clip
from livefacs.sinks.recorder import RecorderSink
from livefacs.take.catalog import find_takes, repair
from livefacs.take.document import line_from_marker
from livefacs.take.integrity import errors_of
from livefacs.take.layout import Marker, frames_dtype
from livefacs.take.reader import Take
from tests.support.commands import run
from tests.take.synthetic import clip_info, make_take, tracked_frame, without_checksums

N_ROWS = 12
ROW_BYTES = frames_dtype().itemsize


@pytest.fixture
def take(tmp_path: Path) -> Path:
    return make_take(tmp_path / "shot_001", [tracked_frame(i) for i in range(N_ROWS)]).folder


def _put(*keys: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_put("source", "rate_hz", value=float("inf")), "rate of the source"),
        (_put("source", "rate_hz", value=float("nan")), "rate of the source"),
        (_put("software", value=[1, 2]), "software"),
        (_put("slate", value=5), "slate"),
        (_put("summary", value=[1]), "summary"),
        (_put("channels", 1, value="AU1_L"), "channels"),
        (_put("video", value={}), "file"),
        (_put("clock", value={"session_ns": "x", "unix_ns": 0}), "time x"),
        (_put("clock", "unix_ns", value=10**30), "time 1000"),
        (_put("timecode", "start", value="25:00:00:00"), "25:00:00:00"),
        (_put("timecode", "source", value=None), "timecode source"),
        (_put("timecode", "rate", value=["30"]), "unhashable"),
        (_put("streams", 1, "first_row", value=5), "first row of 'landmarks'"),
        (_put("streams", 0, "file", value=".."), "stream file"),
        (_put("streams", 0, "file", value="a\0.rec"), "stream file"),
        (_put("streams", 0, "file", value="take.json"), "stream file"),
        (_put("streams", 1, "file", value="frames.rec"), "same file"),
        (_put("streams", 1, "name", value="frames"), "same name"),
        (_put("streams", 0, "fields", 0, "shape", value=[10**12]), "shape"),
    ],
)
def test_a_wrong_document_is_refused(take: Path, change: Any, error: str) -> None:
    document = json.loads((take / "take.json").read_text())
    change(document)
    (take / "take.json").write_text(json.dumps(document))
    with pytest.raises(TakeError, match=error) as refusal:
        Take(take)
    assert str(take / "take.json") in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_document_nested_without_end_is_refused(take: Path) -> None:
    (take / "take.json").write_text("[" * 100_000)
    with pytest.raises(TakeError, match="damaged"):
        Take(take)


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        "[" * 100_000,
        '{"row": "a", "i_frame": 0, "t_ns": 0, "timecode": 0, "kind": "mark", "label": ""}',
        '{"row": 0, "i_frame": 0, "t_ns": 1e99, "timecode": 0, "kind": "mark", "label": ""}',
        '{"row": 0, "i_frame": 0, "t_ns": 0, "timecode": 0, "kind": 3, "label": ""}',
    ],
)
def test_what_is_no_marker_is_named_and_passed_over(take: Path, tmp_path: Path, line: str) -> None:
    before = Marker(2, 2, 7, 9, "mark", "a läuft")
    after = Marker(3, 3, 8, 10, "mark", "b")
    text = line_from_marker(before) + line.encode() + b"\n" + line_from_marker(after)
    (take / "markers.jsonl").write_bytes(text)
    opened = Take(take)
    assert opened.markers == (before, after)
    (error,) = errors_of(opened)
    assert "markers.jsonl: line 2 is damaged, not a marker" in error
    assert find_takes(take.parent)[1] == []
    assert run("export", take, "-o", tmp_path / "out.otio") == 0
    assert repair(take).errors == (error,)
    assert (take / "markers.jsonl").read_bytes() == text


def test_a_flipped_bit_in_a_marker_is_told(take: Path) -> None:
    marker = Marker(2, 2, 7, 9, "mark", "go – läuft")
    lines = line_from_marker(marker) * 2
    for at in range(len(lines) // 2):
        for bit in range(8):
            flipped = bytearray(lines)
            flipped[at] ^= 1 << bit
            (take / "markers.jsonl").write_bytes(flipped)
            opened = Take(take)
            assert opened.markers in ((marker,), ())  # none: the end of the line became a letter
            assert len(opened.marker_errors) == 1, flipped


def test_markers_of_before_are_read_as_before(take: Path) -> None:
    line = '{"row": 1, "i_frame": 1, "t_ns": 5, "timecode": 6, "kind": "mark", "label": "a"}\n'
    (take / "markers.jsonl").write_text(line)
    assert Take(take).markers == (Marker(1, 1, 5, 6, "mark", "a"),)
    assert errors_of(Take(take)) == ()


def test_a_stream_that_is_no_file_is_refused(take: Path) -> None:
    (take / "frames.rec").unlink()
    (take / "frames.rec").mkdir()
    with pytest.raises(TakeError, match="expected a file"):
        Take(take)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_in_place_of_a_stream_is_refused(take: Path) -> None:
    (take / "frames.rec").unlink()
    os.mkfifo(take / "frames.rec")
    with pytest.raises(TakeError, match="expected a file"):
        Take(take)


def _damage_row(folder: Path, row: int, field: str, value: bytes) -> None:
    with (folder / "frames.rec").open("r+b") as file:
        fields = frames_dtype().fields
        assert fields is not None
        file.seek(row * ROW_BYTES + fields[field][1])
        file.write(value)


def _lose_rows_from(folder: Path, first: int) -> None:
    for row in range(first, N_ROWS):
        _damage_row(folder, row, "row", b"\xff" * 8)


def test_frames_that_are_gone_are_counted(
    take: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert errors_of(Take(take)) == ()
    _lose_rows_from(take, 5)
    assert "7 of 12 recorded frames cannot be read" in errors_of(Take(take))[0]
    assert run("export", take, "-o", tmp_path / "out.csv") == 0
    assert "7 of 12 recorded frames cannot be read" in capsys.readouterr().err
    report = solve_clip(str(take), tmp_path / "solved.csv", SolveOptions())
    assert "7 of 12 recorded frames cannot be read" in report.notices[0]
    assert run("takes", "list", take.parent) == 0
    assert "7 of 12 recorded frames cannot be read" in capsys.readouterr().out


def test_repair_does_not_hide_that_frames_are_gone(
    take: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _lose_rows_from(take, 5)
    whole = (take / "frames.rec").read_bytes()
    assert run("takes", "repair", take) == 0
    assert "7 of 12 recorded frames cannot be read" in capsys.readouterr().out
    assert "7 of 12 recorded frames cannot be read" in errors_of(Take(take))[0]
    assert repair(take).torn == {}
    kept = (take / "torn" / f"frames.rec.{5 * ROW_BYTES}").read_bytes()
    assert kept == whole[5 * ROW_BYTES :]


@pytest.mark.parametrize("has_checksums", [True, False])
@pytest.mark.parametrize("stream", ["frames", "landmarks", "rig_arkit52"])
def test_one_wrong_number_costs_no_other_rows(
    take: Path, stream: str, has_checksums: bool, tmp_path: Path
) -> None:
    """A row's number may be damaged as all else: nothing is cut off behind it."""
    if not has_checksums:
        without_checksums(take)
    n_bytes = (take / f"{stream}.rec").stat().st_size
    with (take / f"{stream}.rec").open("r+b") as file:
        file.seek(5 * (n_bytes // N_ROWS))
        file.write(b"\x07")
    opened = Take(take)
    assert (opened.n_rows, opened.n_torn_bytes) == (N_ROWS, 0)
    (error, *_) = errors_of(opened)
    assert f"{stream}.rec is damaged in rows {'0-7' if has_checksums else '5'}" in error
    assert repair(take).torn == {}
    assert run("export", take, "-o", tmp_path / "out.csv") == 0
    assert (tmp_path / "out.csv").read_text().count("\n") == N_ROWS + 1


def test_a_stream_of_another_take_shows(take: Path) -> None:
    other = make_take(take.parent / "other", [tracked_frame(i) for i in range(5)]).folder
    shutil.copy(other / "frames.rec", take / "frames.rec")
    assert "7 of 12 recorded frames cannot be read" in errors_of(Take(take))[0]


def test_a_take_without_its_video_keeps_its_numbers(tmp_path: Path) -> None:
    sink = RecorderSink(tmp_path / "t", clip_info(), video=True)
    image = np.full((48, 64, 3), 90, np.uint8)
    for i in range(6):
        sink.send(replace(tracked_frame(i), image=image))
    sink.close()
    assert len(Take(tmp_path / "t").video_stamps()) == 6
    for file in ("video.mp4", "video.rec"):
        (tmp_path / "t" / file).unlink()
    take = Take(tmp_path / "t")
    assert (take.n_rows, len(take.video_stamps()), take.n_torn_bytes) == (6, 0, 0)
    assert errors_of(take) == ("video.mp4 is missing", "video.rec is missing")
    assert repair(tmp_path / "t").torn == {}


def test_times_that_fall_are_named(take: Path) -> None:
    _damage_row(take, 4, "t_ns", b"\xff" * 7 + b"\x7f")
    errors = errors_of(Take(take))
    assert "times do not rise at 1 frames, first at row 5" in errors
    assert "damaged in rows 0-7 (checksum)" in errors[0]


def test_a_folder_without_takes_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("takes", "repair", tmp_path) == 5
    assert "no takes in" in capsys.readouterr().err


def test_a_listing_with_an_unreadable_take_fails(
    take: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (take.parent / "torn_001").mkdir()
    (take.parent / "torn_001/take.json").write_text("")
    assert run("takes", "list", take.parent) == 5
    shown = capsys.readouterr()
    assert "shot_001" in shown.out
    assert "damaged" in shown.err
