"""Damage in sound, video, ``take.json`` and the checksums themselves is told, and costs no more."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefacs.session.sound_of_takes import from_microphone
from livefacs.sinks.recorder import RecorderSink
from livefacs.sinks.trimming import trim_take
from livefacs.take.catalog import repair
from livefacs.take.checksums import BLOCK_BYTES, checksum_dtype, damaged_rows
from livefacs.take.integrity import errors_of
from livefacs.take.reader import Take
from livefacs.take.sound import sound_dtype, sound_of
from livefacs.take.wave import HEADER_BYTES
from tests.support.sound import RATE_HZ, FakePortAudio
from tests.take.synthetic import CLOCK, clip_info, tracked_frame

N_ROWS = 60
FIELDS = checksum_dtype().fields
assert FIELDS is not None


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a take with pictures and sound."""
    folder = tmp_path_factory.mktemp("recorded") / "shot_001"
    device, noise = FakePortAudio(), np.random.default_rng(1)
    opener = from_microphone(device.microphone())
    sink = RecorderSink(folder, clip_info(), video=True, sound=opener, clock=CLOCK)
    for i in range(N_ROWS):
        image = noise.integers(0, 255, (120, 160, 3), np.uint8)
        sink.send(replace(tracked_frame(i), image=image))
        device.play(np.full((RATE_HZ // 60, 1), 0.25, np.float32))
    sink.close()
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "shot_001"))


def flip(path: Path, at: int, bit: int = 3) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def test_a_sound_take_and_its_parts_have_no_damage(folder: Path, tmp_path: Path) -> None:
    assert errors_of(Take(folder)) == ()
    assert (folder / "video.mp4").stat().st_size > 2 * BLOCK_BYTES  # several blocks
    assert errors_of(Take(trim_take(Take(folder), range(10, 40), tmp_path))) == ()


@pytest.mark.parametrize("block", [0, 5, -1])
@pytest.mark.parametrize("field", ["sample", "t_ns", "n_samples", "flags"])
def test_one_flipped_bit_in_a_block_of_sound_is_told_and_moves_nothing(
    folder: Path, block: int, field: str
) -> None:
    before = sound_of(Take(folder))
    assert before is not None
    fields, n_blocks = sound_dtype().fields, len(np.fromfile(folder / "sound.rec", sound_dtype()))
    assert fields is not None
    flip(folder / "sound.rec", block % n_blocks * sound_dtype().itemsize + fields[field][1] + 3)
    take = Take(folder)
    (error,) = errors_of(take)
    assert error.startswith("sound.rec is damaged in blocks ")
    after = sound_of(take)
    assert after is not None
    assert abs(after.clock.start_ns - before.clock.start_ns) < 1_000_000


def test_a_sound_whose_blocks_are_all_damaged_is_still_there(folder: Path) -> None:
    size, fields = sound_dtype().itemsize, sound_dtype().fields
    assert fields is not None
    for at in range(0, (folder / "sound.rec").stat().st_size, size):
        flip(folder / "sound.rec", at + fields["t_ns"][1], 1)
    before, after = CLOCK.session_ns, sound_of(Take(folder))
    assert after is not None
    assert abs(after.clock.start_ns - before) < 1_000_000_000


@pytest.mark.parametrize("file", ["sound.wav", "video.mp4"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_one_flipped_bit_in_sound_and_video_is_told_with_its_place(
    folder: Path, file: str, share: float
) -> None:
    n_bytes = (folder / file).stat().st_size
    at = max(HEADER_BYTES, round(share * n_bytes))
    flip(folder / file, at)
    (error, *_) = errors_of(Take(folder))
    assert error.startswith(f"{file} is damaged in bytes ")
    begin, end = error.split()[5].split("-")
    assert int(begin) <= at <= int(end)
    assert int(end) - int(begin) < BLOCK_BYTES
    assert errors_of(Take(folder), ("frames",)) == ()  # a list of takes reads no video


def test_a_header_of_the_sound_that_is_damaged_is_told(folder: Path) -> None:
    at = (folder / "sound.wav").read_bytes().index(b"fmt ") + 8 + 2  # channels
    flip(folder / "sound.wav", at, 1)
    assert errors_of(Take(folder)) == (
        "sound.wav: its header is damaged, or it is from another take",
    )


@pytest.mark.parametrize("name", [*FIELDS])
@pytest.mark.parametrize("entry", [0, 9, -1])
@pytest.mark.parametrize("bit", [1, 5])
def test_one_flipped_bit_in_the_checksums_is_told(
    folder: Path, entry: int, name: str, bit: int
) -> None:
    path, size = folder / "checksums.rec", checksum_dtype().itemsize
    n_entries = path.stat().st_size // size
    flip(path, entry % n_entries * size + FIELDS[name][1], bit)
    take = Take(folder)
    error = errors_of(take)[-1]
    assert error.startswith("checksums.rec is damaged: it says nothing of ")
    assert name == "n_rows" or damaged_rows(take) == {}


def test_one_flipped_bit_in_the_document_is_told_for_good(folder: Path) -> None:
    path = folder / "take.json"
    text = path.read_bytes()
    flip(path, text.index(b'"slate": "smile"') + 11, 0)
    assert Take(folder).slate != "smile"
    (error,) = errors_of(Take(folder))
    assert error.startswith("take.json is not what was written (checksum)")
    with (folder / "frames.rec").open("ab") as file:
        file.write(b"torn")
    repair(folder)  # writes the document anew
    assert errors_of(Take(folder))[0] == error


def test_takes_whose_files_have_no_sums_are_read_as_before(folder: Path) -> None:
    document = json.loads((folder / "take.json").read_text())
    del document["checksums"]["files"], document["crc32"]
    (folder / "take.json").write_text(json.dumps(document, indent=1))
    sums = np.fromfile(folder / "checksums.rec", checksum_dtype())
    sums[sums["stream"] >= 0].tofile(folder / "checksums.rec")
    assert errors_of(Take(folder)) == ()
    assert sound_of(Take(folder)) is not None


def test_sums_that_cover_the_same_again_and_again_cost_no_more(folder: Path) -> None:
    sums = np.fromfile(folder / "checksums.rec", checksum_dtype())
    of_video = sums[sums["stream"] == -3][:1]
    np.repeat(of_video, 1_000_000).tofile(folder / "checksums.rec")
    assert any("checksums.rec is damaged" in error for error in errors_of(Take(folder)))
