"""Damage inside a take: told by its place, and no export runs away with it."""

from __future__ import annotations

import shutil
import time
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefacs.errors import TakeError
from livefacs.formats.curves import ExportOptions, curves_from_take
from livefacs.formats.export import FORMATS, export_take
from livefacs.offline.meshes import Meshes
from livefacs.sinks.recorder import RecorderSink
from livefacs.sinks.trimming import trim_take
from livefacs.sources.recorded_take import TakeSource
from livefacs.sources.take_pictures import open_pictures
from livefacs.take.catalog import repair
from livefacs.take.checksums import (
    BLOCK_ROWS,
    checksum_dtype,
    damaged_rows,
    format_rows,
    read_sums,
)
from livefacs.take.integrity import errors_of
from livefacs.take.layout import frames_dtype
from livefacs.take.reader import Take
from livefacs.take.times import doubtful_times, mended_times
from tests.take.synthetic import clip_info, make_take, tracked_frame, without_checksums

N_ROWS = 150
STREAMS = ("frames", "landmarks", "rig arkit52")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_take(tmp_path / "shot_001", [tracked_frame(i) for i in range(N_ROWS)]).folder


def flip(folder: Path, stream: str, row: int, offset: int, bit: int = 3) -> None:
    """One bit of a record."""
    take = Take(folder)
    entry = next(e for e in take.document["streams"] if e["name"] == stream)
    with (folder / entry["file"]).open("r+b") as file:
        at = row * entry["record_bytes"] + offset
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def time_offset() -> int:
    fields = frames_dtype().fields
    assert fields is not None
    return int(fields["t_ns"][1])


def width_offset() -> int:
    fields = frames_dtype().fields
    assert fields is not None
    return int(fields["width"][1])


def test_a_sound_take_has_no_damage(folder: Path) -> None:
    assert damaged_rows(Take(folder)) == {}
    assert errors_of(Take(folder)) == ()
    assert Take(folder).t_ns.base is not None  # a view of the file: nothing was copied


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("row", [0, 70, N_ROWS - 1])
def test_one_flipped_bit_is_told_with_its_rows(folder: Path, stream: str, row: int) -> None:
    flip(folder, stream, row, 9)
    ((name, (rows,)),) = damaged_rows(Take(folder)).items()
    assert name == stream
    assert row in rows
    assert len(rows) <= BLOCK_ROWS
    (error, *_) = errors_of(Take(folder))
    assert f"rows {rows.start}-{rows.stop - 1}" in error
    assert Take(folder).stream_files[stream] in error
    assert Take(folder).n_rows == N_ROWS


@pytest.mark.parametrize("has_checksums", [True, False])
@pytest.mark.parametrize("row", [0, 70, N_ROWS - 1])
@pytest.mark.parametrize("bit", [20, 40, 50, 62, 63])
def test_a_flipped_time_ends_no_export(
    folder: Path, tmp_path: Path, row: int, bit: int, has_checksums: bool
) -> None:
    flip(folder, "frames", row, time_offset() + bit // 8, bit % 8)
    if not has_checksums:
        without_checksums(folder)
    take = Take(folder)
    expected = np.array([tracked_frame(i).t_ns for i in range(N_ROWS)])
    if bit > 35:  # a second is one that the neighbours rule out
        assert np.abs(take.t_ns - expected).max() < 2_000_000
        assert errors_of(take)
    for name in ("clip", "chan", "nuke"):
        path = tmp_path / f"out.{name}"
        export_take(take, FORMATS[name], path, ExportOptions())
        assert path.stat().st_size < 2_000_000


@pytest.mark.parametrize("name", [n for n, each in FORMATS.items() if not each.of_sound])
def test_every_format_exports_a_damaged_take(folder: Path, tmp_path: Path, name: str) -> None:
    for row in (3, 77, 140):
        flip(folder, "frames", row, time_offset() + 7, 6)
    path = tmp_path / f"out{FORMATS[name].suffixes[0]}"
    began_s = time.process_time()
    export_take(Take(folder), FORMATS[name], path, ExportOptions())
    assert time.process_time() - began_s < 30
    assert path.stat().st_size


def test_damaged_rows_are_unknown_and_keep_their_place(folder: Path) -> None:
    flip(folder, "frames", 70, 200)
    curves = curves_from_take(Take(folder), ExportOptions())
    (rows,) = damaged_rows(Take(folder))["frames"]
    assert len(curves) == N_ROWS
    unknown = np.isnan(curves.values).all(axis=1)
    assert np.flatnonzero(unknown).tolist() == list(rows)
    assert np.isfinite(curves.head).all()
    rig = curves_from_take(Take(folder), ExportOptions(rig="arkit52"))
    assert np.isfinite(rig.values).all()  # another stream, and sound


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A take with a picture for every row but the first two."""
    folder = tmp_path_factory.mktemp("recorded") / "filmed"
    sink = RecorderSink(folder, clip_info(), video=True)
    for i in range(40):
        image = np.full((48, 64, 3), 40 + 4 * i, np.uint8) if i > 1 else None
        sink.send(replace(tracked_frame(i), image=image))
    sink.close()
    return folder


@pytest.fixture
def filmed(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "filmed"))


@pytest.mark.parametrize("offset", [0, 8], ids=["row", "pts"])
@pytest.mark.parametrize("picture", [0, 17, 36])
@pytest.mark.parametrize("bit", [0, 33, 63])
def test_a_flipped_bit_in_a_picture_s_stamp_is_told_and_costs_no_picture(
    filmed: Path, offset: int, picture: int, bit: int
) -> None:
    before = np.array(Take(filmed).video_stamps())
    assert before["row"].tolist() == list(range(2, 40))
    assert errors_of(Take(filmed)) == ()
    flip(filmed, "video", picture, offset + bit // 8, bit % 8)
    take = Take(filmed)
    (error,) = errors_of(take)
    assert error.startswith("video.rec is damaged in pictures ")
    (block,) = damaged_rows(take)["video"]
    assert picture in block
    stamps = take.video_stamps()
    assert stamps["row"].tolist() == before["row"].tolist()
    assert np.abs(stamps["pts"] - before["pts"]).max() <= 10  # of 16,667 µs
    assert take.n_torn_bytes == 0
    assert repair(filmed).torn == {}
    with open_pictures(take) as pictures:
        assert pictures is not None
        assert pictures.image(20).mean() == pytest.approx(40 + 4 * 20, abs=3)


@pytest.mark.parametrize("picture", [0, 17])
@pytest.mark.parametrize("bit", [3, 33, 63])
def test_stamps_of_before_are_mended_where_the_others_rule_them_out(
    filmed: Path, picture: int, bit: int
) -> None:
    without_checksums(filmed)
    flip(filmed, "video", picture, bit // 8, bit % 8)
    assert Take(filmed).video_stamps()["row"].tolist() == list(range(2, 40))
    assert repair(filmed).torn == {}


def test_pictures_of_a_trimmed_take_have_checksums(filmed: Path, tmp_path: Path) -> None:
    take = Take(filmed)
    with open_pictures(take) as pictures:
        assert pictures is not None
        trimmed = trim_take(take, range(10, 30), tmp_path, pictures.image)
    assert errors_of(Take(trimmed)) == ()
    flip(trimmed, "video", 12, 8)
    assert "video.rec is damaged in pictures" in errors_of(Take(trimmed))[0]


def test_damaged_meshes_are_no_faces_when_solved_again(folder: Path) -> None:
    flip(folder, "landmarks", 20, 8 + 3, 6)
    flip(folder, "frames", 100, width_offset() + 3, 6)
    assert len(damaged_rows(Take(folder))) == 2
    lost = {*range(16, 24), *range(100, 108)}  # 50 rows were appended at a time
    meshes = Meshes.of_take(Take(folder))
    assert {row for row in range(N_ROWS) if meshes[row].landmarks is None} == lost
    source = TakeSource(folder)
    frames = [frame for frame in iter(source.read, None) if frame is not None]
    assert {i for i, frame in enumerate(frames) if frame.landmarks is None} == lost
    assert {frame.image.shape for frame in frames} == {(480, 640, 3)}
    assert [frame.i_frame for frame in frames] == sorted(frame.i_frame for frame in frames)


def test_an_hour_of_nothing_is_refused_not_filled(folder: Path) -> None:
    """Times that rise and that nothing contradicts, yet would make years of frames."""
    without_checksums(folder)
    records = np.fromfile(folder / "frames.rec", frames_dtype())
    records["t_ns"][70:] += 10**18
    records.tofile(folder / "frames.rec")
    with pytest.raises(TakeError, match=r"after row 69.*takes show"):
        curves_from_take(Take(folder), ExportOptions(), even=True)
    assert len(curves_from_take(Take(folder), ExportOptions())) == N_ROWS


def test_takes_of_before_are_read_as_before(folder: Path) -> None:
    before = Take(folder)
    without_checksums(folder)
    take = Take(folder)
    assert errors_of(take) == ()
    assert take.frames.tobytes() == before.frames.tobytes()


def test_checksums_survive_a_kill_and_a_repair(folder: Path) -> None:
    with (folder / "frames.rec").open("r+b") as file:
        file.truncate(100 * frames_dtype().itemsize + 7)
    assert repair(folder).n_rows == 100
    assert damaged_rows(Take(folder)) == {}
    flip(folder, "landmarks", 20, 40)
    assert 20 in damaged_rows(Take(folder))["landmarks"][0]


@pytest.mark.parametrize("damage", ["gone", "cut", "rubbish", "link"])
def test_damaged_checksums_are_told_and_no_damage_of_the_take(
    folder: Path, tmp_path: Path, damage: str
) -> None:
    intensity = Take(folder).intensity.tobytes()
    path = folder / "checksums.rec"
    whole = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(whole[: len(whole) // 2 + 5])
    elif damage == "rubbish":
        path.write_bytes(np.random.default_rng(1).bytes(len(whole)))
    elif damage == "link":
        (tmp_path / "other").write_bytes(whole)
        path.symlink_to(tmp_path / "other")
    take = Take(folder)
    assert take.n_rows == N_ROWS
    assert take.intensity.tobytes() == intensity
    assert any("checksums.rec" in error for error in errors_of(take))
    assert damage in ("gone", "link") or damaged_rows(take) == {}


@pytest.mark.parametrize("bit", [0, 31, 63])
def test_a_flipped_bit_in_a_sum_costs_no_rows(folder: Path, bit: int) -> None:
    path = folder / "checksums.rec"
    sums = np.fromfile(path, checksum_dtype())
    for block in (0, 17, len(sums) - 1):
        damaged = sums.copy()
        damaged["crc32"][block] ^= np.uint64(1 << bit)
        damaged.tofile(path)
        take = Take(folder)
        assert damaged_rows(take) == {}
        first = int(sums["row"][block])
        (error,) = errors_of(take)
        assert error.startswith("checksums.rec is damaged: it says nothing of ")
        assert f"rows {first}-" in error


def test_no_flipped_bit_of_records_passes_for_one_of_their_sum() -> None:
    records = np.random.default_rng(3).integers(0, 256, 8 * frames_dtype().itemsize, np.uint8)
    whole = zlib.crc32(records.tobytes())
    changes = []
    for at in range(8 * len(records)):
        records[at // 8] ^= 1 << at % 8
        changes.append((zlib.crc32(records.tobytes()) ^ whole).bit_count())
        records[at // 8] ^= 1 << at % 8
    assert min(changes) > 1


def test_checksums_are_read_once_a_check(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def noted(folder: Path, document: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        read.append(folder)
        return read_sums(folder, document)

    monkeypatch.setattr("livefacs.take.checksums.read_sums", noted)
    monkeypatch.setattr("livefacs.take.reader.read_sums", noted)
    take = Take(recorded)
    assert errors_of(take) == ()
    assert len(take.t_ns) == 40
    assert read == [recorded]


def test_rows_in_words() -> None:
    assert format_rows([range(1), range(1, 4), range(9, 10)]) == "rows 0-3, 9"
    assert format_rows([range(i, i + 1) for i in range(0, 20, 2)]).endswith("and 5 more places")


@pytest.mark.parametrize(
    ("times", "doubtful"),
    [
        ([0, 1, 2, 3], []),
        ([0, 1, 1, 3], []),
        ([0, 9, 2, 3], [1]),
        ([0, 1, -5, 3], [2]),
        ([7, 1, 2, 3], [0]),
        ([0, 1, 2, -9], [3]),
        ([0, 1, 2, 10**12], [3]),
        ([-(10**12), 1, 2, 3], [0]),
        ([0, 8, 9, 3, 4, 5], [1, 2]),
        ([], []),
        ([5], []),
        ([5, 10**12], []),
    ],
)
def test_what_the_others_rule_out_is_doubtful(times: list[int], doubtful: list[int]) -> None:
    found = doubtful_times(np.array(times, np.int64))
    assert np.flatnonzero(found).tolist() == doubtful


def test_doubtful_times_go_between_their_neighbours() -> None:
    times = np.array([99, 10, 20, 0, 40, 99], np.int64)
    mended = mended_times(times, np.array([1, 0, 0, 1, 0, 1], bool))
    assert mended.tolist() == [0, 10, 20, 30, 40, 50]
